import type { LeftOut, Mapped, Origin } from '#model/arrival.ts';
import type { JsonObject } from '#model/json.ts';

/** A capsule to be written: its `spec`, and its files by path below its directory. */
export interface CapsuleDraft {
  readonly name: string;
  readonly description: string;
  readonly spec: JsonObject;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface TargetDraft {
  readonly name: string;
  readonly namespace: string;
  readonly value: JsonObject;
}

export interface InstanceDraft {
  readonly capsule: string;
  readonly request: JsonObject;
  /** The layer `config/<instance>.yaml`. */
  readonly config: JsonObject | undefined;
}

export interface EnvironmentDraft {
  readonly name: string;
  /** Lines of a comment above it. */
  readonly comment: readonly string[];
  readonly targets: readonly TargetDraft[];
  readonly instances: ReadonlyMap<string, InstanceDraft>;
  readonly from: readonly string[];
  readonly sync: JsonObject;
  readonly secrets: JsonObject;
}

/** What a source becomes, before it is text. */
export interface Drafts {
  readonly capsules: readonly CapsuleDraft[];
  readonly environments: readonly EnvironmentDraft[];
  readonly mapped: readonly Mapped[];
  readonly leftOut: readonly LeftOut[];
  readonly origins: ReadonlyMap<string, readonly Origin[]>;
}
