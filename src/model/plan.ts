import type { Sha256 } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import type { JsonObject } from '#model/json.ts';
import type { KubernetesObject, ObjectKey } from '#model/kubernetes-object.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { SealedDocument } from '#model/sealed.ts';

/**
 * One object this environment put on a target. `pending`: a run announced this row (a write or a removal) and may have died
 * before doing it, so these bytes may be there or not; other bytes than announced are somebody else's.
 */
export interface InventoryObject {
  readonly key: ObjectKey;
  readonly path: string;
  readonly sha256: Sha256;
  readonly pending: boolean;
  /** Digest of the bytes that were really put there, where a sealed object was opened; `sha256` is that of its rendered text. */
  readonly applied?: Sha256;
}

/** What we believe we own on a target; written as a superset before objects are created. */
export interface Inventory {
  readonly environment: EnvironmentName;
  readonly target: TargetName;
  /** Digest of the target rendering it was last written for. */
  readonly rendering: Sha256;
  /** While a run is under way a path may be listed twice: with the bytes it had, and pending with the bytes it gets. */
  readonly objects: readonly InventoryObject[];
}

/**
 * One object found on a target. `sha256` is of its bytes as they are there; where a target keeps objects in a form of its own, the
 * digest of the rendered text they were made from for as long as the fields that are ours are as the target answered them, else a digest
 * of what they are now.
 */
export interface ObservedObject {
  readonly key: ObjectKey | undefined;
  readonly path: string;
  readonly sha256: Sha256;
  /** As a cluster has it; absent where there is nothing but bytes. */
  readonly live?: LiveObject;
}

/** What health and words about drift need of an object in a cluster. */
export interface LiveObject {
  readonly uid: string;
  /** When fields of ours last changed, by the server's clock. */
  readonly appliedAt: Instant | undefined;
  /**
   * Of `metadata`: generation, creationTimestamp, deletionTimestamp, finalizers, annotations that health reads; of `spec` what health reads;
   * `status` whole. Field names are Kubernetes' own.
   */
  readonly object: JsonObject;
  /** Pods of a workload that is not well, each with `metadata.name`, `status` and nothing else; absent where nobody looked. */
  readonly pods?: readonly JsonObject[];
  /** Field managers that hold what was ours; empty unless it was changed outside git. */
  readonly changedBy: readonly string[];
}

/** What a consumer says of an object it runs; absent means healthy once the bytes match. */
export interface ReportedHealth {
  readonly path: string;
  readonly state: 'healthy' | 'progressing' | 'degraded';
  readonly reason: string;
  /** The report speaks of exactly these bytes. */
  readonly sha256: Sha256;
  /** The status of the object itself, for health expressions; they decide in place of `state`. */
  readonly status?: JsonObject;
}

export interface Observation {
  /** Undefined when the target has never been written (or its inventory is lost: then nothing is pruned). */
  readonly inventory: Inventory | undefined;
  readonly objects: readonly ObservedObject[];
  readonly reports: readonly ReportedHealth[];
  /** Whether every part of the target answered; nothing is pruned from a partial view. */
  readonly complete: boolean;
  /** Why some parts did not answer: what may not be looked at, and what could not be. */
  readonly unseen?: readonly Problem[];
  /** What runs here becomes healthy after it was written, not by it: what depends on it waits. Absent: bytes that match are enough. */
  readonly reportsHealth?: true;
}

/** How a target is kept in line, as its environment says. */
export interface TargetSync {
  /** What becomes of an object that is pruned, and whether a run waits until it is gone. */
  readonly deletionPolicy: 'Delete' | 'WaitForTermination' | 'Orphan';
  /** Fields that others may set: they are neither drift nor written back. */
  readonly ignore: readonly DriftIgnore[];
  /** Objects that cannot be changed in place are deleted and made again. */
  readonly recreate: boolean;
}

export const DEFAULT_TARGET_SYNC: TargetSync = { deletionPolicy: 'Delete', ignore: [], recreate: false };

/** Objects that fit all that is given, and JSON pointers into them. */
export interface DriftIgnore {
  readonly group: string | undefined;
  readonly kind: string | undefined;
  readonly name: string | undefined;
  readonly paths: readonly string[];
}

/** What a dry run said of one step. */
export interface StepPreview {
  /** Values of Secrets are never among them. */
  readonly fields: readonly FieldChange[];
  readonly problem: Problem | undefined;
}

export interface FieldChange {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** A path where an object stood and will not stand any more (its API version or instance changed): removed once the new one is written. */
export interface LeftPath {
  readonly path: string;
  readonly basis: Sha256;
}

/**
 * One change to one object. `basis` is the digest of what was found at `path`. `keep` writes nothing; its `sha256` is what
 * the inventory goes on saying. `adopt` takes over a foreign object that git names in `adopt`.
 */
export type Step =
  | {
      readonly action: 'create' | 'update' | 'adopt';
      readonly key: ObjectKey;
      readonly path: string;
      readonly sha256: Sha256;
      readonly text: string;
      readonly sealed?: SealedDocument;
      readonly basis: Sha256 | undefined;
      /** Empty unless the same object stood elsewhere. */
      readonly leaves: readonly LeftPath[];
      readonly reason: string;
    }
  | { readonly action: 'prune'; readonly key: ObjectKey; readonly path: string; readonly basis: Sha256; readonly reason: string }
  | { readonly action: 'keep'; readonly key: ObjectKey; readonly path: string; readonly sha256: Sha256; readonly reason: string };

/** A step that puts an object there. */
export type WritingStep = Extract<Step, { readonly text: string }>;

/** An object that is written once something else is well. */
export interface HeldStep {
  readonly key: ObjectKey;
  /** An instance, or an object of the same one: kind and name. */
  readonly waitsFor: string;
}

export interface TargetPlan {
  readonly environment: EnvironmentName;
  readonly target: TargetName;
  /** Digest of the target rendering. */
  readonly rendering: Sha256;
  /** Digest of the observation the plan was made from; `apply` refuses steps whose own basis moved. */
  readonly basis: Sha256;
  /** In the order they are carried out; prune last. */
  readonly steps: readonly Step[];
  /** Objects that somebody changed or removed since the last run. */
  readonly drifted: readonly ObjectKey[];
  /** What stands in the way (foreign objects, another environment's inventory); no step touches it. */
  readonly problems: readonly Problem[];
}

/** An object that was changed or removed outside git, and what becomes of that. */
export interface DriftedObject {
  readonly key: ObjectKey;
  readonly path: string;
  /** Digest of what is there; undefined: it was removed. */
  readonly found: Sha256 | undefined;
  /** Field managers that hold what was ours, where the target tells. */
  readonly changedBy: readonly string[];
  /** `fought`: corrected so often within an hour that it is left alone now. */
  readonly action: 'corrected' | 'reported' | 'fought';
}

/** How much one run may delete of one target; the smaller of the two wins. */
export interface DeletionBudget {
  readonly count: number;
  readonly percent: number;
}

export const DEFAULT_DELETION_BUDGET: DeletionBudget = { count: 10, percent: 30 };

export interface Outcome {
  readonly action: Step['action'];
  readonly key: ObjectKey;
  readonly result: 'done' | 'unchanged' | 'refused' | 'failed';
  readonly problem: Problem | undefined;
}

/** Kept apart from `TargetRendering` so that a plan can be made from a saved file. */
export interface PlannedObject {
  readonly key: ObjectKey;
  readonly path: string;
  readonly sha256: Sha256;
  readonly text: string;
  readonly sealed?: SealedDocument;
  readonly object: KubernetesObject;
}
