import type { Capsule, Device, Environment, EnvironmentLock, Fleet, Policy, Project } from '#model/declarations.generated.ts';
import type { BlobId, CommitId, Sha256, TreeId } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import type { CapsuleName, EnvironmentName, InstanceName, TargetName } from '#model/names.ts';
import type { Place } from '#model/problem.ts';
import type { SealedFile } from '#model/sealed.ts';

/** A validated document with the way back to its text. `value` is shared by everybody who reads the same blob: never mutate it. */
export interface Declared<T> {
  readonly value: T;
  readonly file: string;
  /** Content address of the text (git blob id), also for files of a working directory. */
  readonly blob: BlobId;
  /** Where the value under an RFC 6901 pointer stands (nearest existing parent if it is absent). */
  at(pointer: string): Place;
}

/** A regular file of a capsule directory, `path` relative to it. `mode` other than a file's is refused by V-10. */
export interface CapsuleFile {
  readonly path: string;
  readonly mode: string;
  readonly id: BlobId;
}

/** A capsule's directory as one content: the declaration, every path, and the text of every regular file. */
export interface CapsuleSource {
  readonly name: CapsuleName;
  /** `capsules/<name>` */
  readonly directory: string;
  readonly gitTree: TreeId;
  readonly sha256: Sha256;
  readonly declared: Declared<Capsule>;
  readonly files: readonly CapsuleFile[];
  /** Bytes of each regular file by its path relative to the directory. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  /** Of a capsule that extends others: those, nearest first; `declared`, `files` and `contents` then hold what it inherits, too. */
  readonly parents?: readonly CapsuleSource[];
  /** Its own text, where `declared` is the merged one. */
  readonly own?: Declared<Capsule>;
  /** The directory that a file comes from, where it may be a parent's. */
  readonly directoryOf?: (path: string) => string;
}

export type TargetDeclaration = NonNullable<Environment['spec']['targets']>[string];

export interface DeclaredTarget {
  readonly name: TargetName;
  readonly value: TargetDeclaration;
  /** Where `pointer` (relative to the target) stands: in environment.yaml or in targets/<t>.yaml. */
  at(pointer: string): Place;
}

export interface DesiredEnvironment {
  readonly name: EnvironmentName;
  readonly declared: Declared<Environment>;
  readonly lock: Declared<EnvironmentLock> | undefined;
  /** From spec.targets and targets/, by name order. */
  readonly targets: readonly DeclaredTarget[];
  /** config/<instance>.yaml */
  readonly configs: ReadonlyMap<InstanceName, Declared<JsonObject>>;
  readonly fleets: readonly Declared<Fleet>[];
  readonly devices: readonly Declared<Device>[];
  /** Encrypted files that spec.secrets names, by path from the environment's folder; absent where it names none. */
  readonly sealed?: ReadonlyMap<string, SealedFile>;
}

/** What a snapshot says should be. Everything in it parsed and obeyed its schema; rules across documents are `checkDesiredState`'s. */
export interface DesiredState {
  /** Undefined for a working directory. */
  readonly commit: CommitId | undefined;
  readonly project: Declared<Project> | undefined;
  /** By name order. */
  readonly environments: readonly DesiredEnvironment[];
  /** Capsules of this snapshot's own tree, by name order (locked versions are read through the release index instead). */
  readonly capsules: readonly CapsuleSource[];
  readonly policies: readonly Declared<Policy>[];
}

/** A file of a snapshot or working directory, before it is parsed. */
export interface SourceFile {
  readonly path: string;
  readonly id: BlobId;
  readonly bytes: Uint8Array;
}
