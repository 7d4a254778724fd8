import type { Capsule } from '#model/declarations.generated.ts';
import type { CommitId, Sha256, TreeId } from '#model/digest.ts';
import type { Json, JsonObject } from '#model/json.ts';
import type { CapsuleName, EnvironmentName, InstanceName } from '#model/names.ts';
import type { Place } from '#model/problem.ts';

/** A released version: the first commit on a first-parent chain whose capsule.yaml carries it. */
export interface Release {
  readonly capsule: CapsuleName;
  /** SemVer 2.0.0 without build metadata. */
  readonly version: string;
  readonly commit: CommitId;
  readonly gitTree: TreeId;
}

/** What is known of history up to `tips`; a cache keyed by commits, extended on each push. */
export interface ReleaseIndex {
  readonly tips: ReadonlyMap<string, CommitId>;
  /** capsule -> version -> release */
  readonly releases: ReadonlyMap<CapsuleName, ReadonlyMap<string, Release>>;
  /** `name@version` -> the branch whose history gave the release: the same answer whichever branch was read first. */
  readonly branches: ReadonlyMap<string, string>;
  /** `importKey` -> what this clone has of an import; absent where nothing is imported. */
  readonly imports?: ReadonlyMap<string, ImportedRelease>;
  /** V-09 and friends: the same version seen later with another tree. */
  readonly conflicts: readonly { readonly release: Release; readonly commit: CommitId; readonly gitTree: TreeId }[];
}

/** What a clone has of a capsule of another repository. */
export type ImportedRelease =
  | { readonly kind: 'here'; readonly capsule: CapsuleName; readonly version: string }
  /** Nobody fetched it yet. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly reason: string };

/** One locked or resolved instance. */
export interface Pin {
  readonly instance: InstanceName;
  readonly capsule: CapsuleName;
  readonly version: string;
  readonly commit: CommitId;
  readonly gitTree: TreeId;
  readonly sha256: Sha256;
  /** `environment`, or the instances that asked, sorted. */
  readonly requestedBy: readonly string[];
}

export interface ResolvedInstance {
  readonly pin: Pin;
  /** Dependency name -> instance that satisfies it; an absent optional one is not in the map. */
  readonly dependencies: ReadonlyMap<string, InstanceName>;
  /** Dependency name -> is it there (`capabilities.<dep>`). */
  readonly capabilities: ReadonlyMap<string, boolean>;
  /** Dependencies' waves + 1, from 0. */
  readonly wave: number;
  /** Abstract types whose recipes configure it, sorted; absent where there are none. */
  readonly recipes?: readonly string[];
  /** Of a capsule that is only extended: the instance it shapes. It has no objects, and the health of that instance. */
  readonly shapes?: InstanceName;
  /** What it extends, nearest first; each is an instance of this resolution that `shapes` it. */
  readonly parents?: readonly Pin[];
  /** Of a bundle: the instances that it brings along. */
  readonly children?: readonly InstanceName[];
  /** Of a bundle's child: what the bundle says of its configuration. */
  readonly given?: GivenLayer;
}

/** A configuration layer that stands in a bundle, under `spec.instances.<child>.config`. */
export interface GivenLayer {
  readonly by: InstanceName;
  readonly child: string;
  readonly value: JsonObject;
}

export interface Resolution {
  readonly environment: EnvironmentName;
  /** By instance name. */
  readonly instances: readonly ResolvedInstance[];
  /** Notes for people: optional dependencies that were skipped, and why. */
  readonly notes: readonly string[];
}

/** One instance's move from what the lock said to what it will say. */
export interface Move {
  readonly instance: InstanceName;
  readonly capsule: CapsuleName;
  readonly from: { readonly version: string; readonly sha256: Sha256 } | undefined;
  readonly to: { readonly version: string; readonly sha256: Sha256 } | undefined;
}

/** `cs-` + first 16 hex digits of the sha256 of the JCS of the moved closure. */
export interface ChangeSet {
  readonly id: string;
  readonly moves: readonly Move[];
}

/** The merged configuration of one instance on one target. */
export interface Configuration {
  readonly value: JsonObject;
  /** Leaf pointer -> the place of the last layer that set it, or that deleted it (then the value has no such key). */
  readonly origins: ReadonlyMap<string, Place>;
  /** sha256 of the JCS of the whole value. */
  readonly sha256: Sha256;
  /** The same without the dynamic keys: what the pod annotation carries. */
  readonly staticSha256: Sha256;
}

export interface ConfigurationLayer {
  /** For people: `schema default`, `capsule default`, `environment`, `target eu-1`. */
  readonly name: string;
  readonly value: Json;
  at(pointer: string): Place;
}

/** A released version together with what its capsule.yaml declares. */
export interface ReleasedCapsule {
  readonly release: Release;
  readonly sha256: Sha256;
  readonly declaration: Capsule;
  /** Its configuration schema, inline or from its file, where it has one. */
  readonly schema?: JsonObject | undefined;
  /** What it declares itself, where `declaration` holds what it inherits, too. */
  readonly own?: Capsule;
  /** Paths of its own files. */
  readonly files?: readonly string[] | undefined;
}
