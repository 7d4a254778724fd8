import type { DesiredEnvironment } from '#model/desired.ts';
import type { JsonObject } from '#model/json.ts';
import type { InstanceName } from '#model/names.ts';
import type { Pin, Release, ReleasedCapsule, ReleaseIndex } from '#model/resolution.ts';

/** What resolution follows from; a pure function of these values. */
export interface ResolveInput {
  readonly environment: DesiredEnvironment;
  readonly index: ReleaseIndex;
  /** What the lock says now: kept wherever it still fits. */
  readonly locked: readonly Pin[];
  /** What may leave its locked version: an exact version, or `newest`. */
  readonly move: ReadonlyMap<InstanceName, string>;
  readonly loaded: (release: Release) => ReleasedCapsule | undefined;
  /** Which releases may be chosen beside locked ones (trusted, verified upstream, not quarantined); all when absent. */
  readonly admits?: ((release: Release) => boolean) | undefined;
  /** Instances that the environment asks for but that must not enter yet (nothing of theirs is verified upstream). */
  readonly leaveOut?: ReadonlySet<InstanceName> | undefined;
  /** Judges a dependency's `when`; a `when` that cannot be judged (undefined) counts as true, because leaving out is the riskier reading. */
  readonly applies?: ((question: WhenQuestion) => boolean | undefined) | undefined;
}

export interface WhenQuestion {
  readonly instance: InstanceName;
  /** Abstract types whose recipes configure the instance, as far as they are known when it is decided. */
  readonly recipes: readonly string[];
  /** What the bundle gives to its child. */
  readonly given: JsonObject | undefined;
  /** With what it inherits. */
  readonly capsule: ReleasedCapsule;
  readonly dependency: string;
  readonly expression: string;
}
