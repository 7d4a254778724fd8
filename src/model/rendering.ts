import type { CapsulePatch, Environment } from '#model/declarations.generated.ts';
import type { CapsuleSource } from '#model/desired.ts';
import type { Sha256 } from '#model/digest.ts';
import type { ForeignAnswer } from '#model/foreign.ts';
import type { HealthExpressions } from '#model/health-expression.ts';
import type { JsonObject } from '#model/json.ts';
import type { KubernetesObject, ObjectKey } from '#model/kubernetes-object.ts';
import type { EnvironmentName, InstanceName, TargetName } from '#model/names.ts';
import type { Place, Problem } from '#model/problem.ts';
import type { Configuration, Pin } from '#model/resolution.ts';
import type { SealedDocument, SealedFile } from '#model/sealed.ts';

/** The render engine's own version: part of every unit's digest, raised whenever the same input gives other bytes. */
export const RENDER_ENGINE = { renderEngine: 'handlebars@4.7.10', engineVersion: 1 } as const;

/** What a capsule may know of where it is rendered; declared in git, never observed. */
export interface RenderTarget {
  readonly environment: EnvironmentName;
  readonly name: TargetName;
  readonly driver: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: JsonObject;
}

/** Where the values of one secret come from; a name and an address, never a value. */
export type SecretSource = NonNullable<Environment['spec']['secrets']>[string][string];

/** What an environment wants of one instance beside its version and configuration. */
export interface Wishes {
  /** The file that says so, for places in problems. */
  readonly file: string;
  /** By the names of spec.secrets of the capsule. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** RFC 6902, after the capsule's own. */
  readonly patches: readonly CapsulePatch[];
  /** Instances on this target that depend on this one, sorted; empty where the capsule does not ask for network policies. */
  readonly dependents: readonly InstanceName[];
  /** Encrypted files that `secrets` names, by path; absent where it names none. */
  readonly sealed?: Readonly<Record<string, SealedFile>>;
}

/** Everything one (environment, target, instance) rendering follows from; structured-cloneable. */
export interface RenderUnit {
  readonly target: RenderTarget;
  readonly pin: Pin;
  readonly wave: number;
  readonly capsule: {
    readonly declaration: CapsuleSource['declared']['value'];
    readonly files: ReadonlyMap<string, Uint8Array>;
    /** `capsules/<name>`, for places in problems. */
    readonly directory: string;
    /** Identity of what it inherits; absent where it extends nothing. */
    readonly lineage?: string;
  };
  readonly configuration: Configuration;
  /** Dependency name -> instance and typed outputs of the instance that satisfies it. */
  readonly dependencies: Readonly<Record<string, { readonly instance: InstanceName; readonly outputs: Readonly<Record<string, string>> }>>;
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly wishes: Wishes;
  /** What foreign programs made of the capsule, by component; only where it has such components. */
  readonly foreign?: ReadonlyMap<string, ForeignAnswer>;
}

export interface RenderedObject {
  readonly key: ObjectKey;
  readonly instance: InstanceName;
  /** `<instance>/<file>`, relative to the target's directory. */
  readonly path: string;
  readonly sha256: Sha256;
  /** Order inside its instance: hooks before 0, components by what they start after. Absent: 0. */
  readonly wave?: number;
  /** Where the values of a Secret come from when it is applied; its text has placeholders. */
  readonly sealed?: SealedDocument;
  readonly object: KubernetesObject;
  /** What its status means, where its capsule says so. */
  readonly health?: HealthExpressions;
  /** Canonical YAML: keys sorted, block style, LF, one document. */
  readonly text: string;
}

/** An image that a rendering names, and where it does first. */
export interface ImageUse {
  /** As it is written. */
  readonly image: string;
  readonly capsule: string;
  readonly version: string;
  /** `Deployment web` */
  readonly object: string;
}

export interface ImageUses {
  /** Each image once. */
  readonly uses: readonly ImageUse[];
  /** `<group>/<Kind>` of custom resources in which nothing looks like an image. */
  readonly unknownKinds: readonly string[];
}

/** What an object came from, for places in problems. */
export interface ObjectOrigin {
  /** Its pointer is that of the component or field, or that of the object in its document. */
  readonly place: Place;
  /** `component web`, `template note.yaml.hbs`, `manifest deploy/all.yaml`. */
  readonly source: string;
  /** What patches changed in it, in their order: pointers into the object, and the operation. */
  readonly patches: readonly { readonly pointer: string; readonly place: Place }[];
}

/** One unit's objects, by path. */
export interface RenderedUnit {
  readonly instance: InstanceName;
  readonly objects: readonly RenderedObject[];
  /** Of each object, in the same order. */
  readonly origins: readonly ObjectOrigin[];
}

/** `made`, where a unit is refused: the objects that are whole all the same. They are looked at and never applied. */
export type UnitResult =
  | { readonly ok: true; readonly value: RenderedUnit }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly made?: RenderedUnit };

export interface RenderedInstanceFacts {
  readonly capsule: string;
  readonly version: string;
  readonly gitTree: string;
  readonly sha256: Sha256;
  readonly configSha256: Sha256;
  readonly wave: number;
  /** Instances whose health is this one's: it has no objects of its own, or not only its own count. */
  readonly healthOf?: readonly InstanceName[];
  /** Instances it depends on, by name, and how far they have to be before it is written; not part of render.metadata. */
  readonly needs?: readonly InstanceNeed[];
}

export interface InstanceNeed {
  readonly instance: InstanceName;
  readonly until: 'started' | 'healthy';
}

export interface TargetRendering {
  readonly target: RenderTarget;
  /** sha256 over the sorted lines `sha256␠␠path` of its object files, without render.metadata. */
  readonly digest: Sha256;
  readonly instances: ReadonlyMap<InstanceName, RenderedInstanceFacts>;
  /** By path. */
  readonly objects: readonly RenderedObject[];
  /** The bytes of `<target>/render.metadata`. */
  readonly metadata: string;
}

export interface Rendering {
  readonly environment: EnvironmentName;
  /** The same over `digest␠␠target`. */
  readonly digest: Sha256;
  /** By target name. */
  readonly targets: readonly TargetRendering[];
}
