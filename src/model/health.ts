import type { Instant } from '#model/instant.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { InstanceName } from '#model/names.ts';

/** `progressing` may still become healthy; `unknown` means that we could not look. */
export type HealthState = 'healthy' | 'progressing' | 'degraded' | 'unknown';

export interface ObjectHealth {
  readonly key: ObjectKey;
  readonly state: HealthState;
  readonly reason: string;
}

/** How long something may be on its way before that is a failure: longer than `deadline` milliseconds since it was applied, seen at `now`. */
export interface Patience {
  readonly now: Instant;
  readonly deadline: number;
}

/** The worst of its objects; `reasons` names each object that is not healthy. */
export interface InstanceHealth {
  readonly instance: InstanceName;
  readonly state: HealthState;
  readonly reasons: readonly ObjectHealth[];
}

export interface TargetHealth {
  readonly state: HealthState;
  readonly instances: readonly InstanceHealth[];
}

const RANK: Readonly<Record<HealthState, number>> = { healthy: 0, progressing: 1, unknown: 2, degraded: 3 };

export function worstHealth(states: readonly HealthState[]): HealthState {
  return states.reduce<HealthState>((worst, state) => (RANK[state] > RANK[worst] ? state : worst), 'healthy');
}
