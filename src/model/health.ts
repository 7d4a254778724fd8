import type { Instant } from '#model/instant.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { InstanceName } from '#model/names.ts';

/** `progressing` may still become healthy; `unknown` means that we could not look. */
export type HealthState = 'healthy' | 'progressing' | 'degraded' | 'unknown';

export interface ObjectHealth {
  readonly key: ObjectKey;
  readonly state: HealthState;
  readonly reason: string;
  /** Of what is on its way: when it is late, and degraded, unless it moves before. */
  readonly lateAt?: Instant;
}

/** How long something may be on its way before that is a failure: `deadline` milliseconds since it was applied or last moved, seen at `now`. */
export interface Patience {
  readonly now: Instant;
  readonly deadline: number;
}

/** `sync.timeout` where an environment says none: 10 minutes. */
export const DEFAULT_DEADLINE = 600_000;

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

/** When the first of what is on its way is late; undefined where nothing will be. */
export function firstLate(health: TargetHealth): Instant | undefined {
  const times = health.instances.flatMap(({ reasons }) => reasons.flatMap(({ lateAt }) => lateAt ?? []));
  return times.length === 0 ? undefined : times.reduce((first, at) => (at < first ? at : first));
}
