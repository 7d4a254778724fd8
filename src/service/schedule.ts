import type { Instant } from '#model/instant.ts';
import type { Ending } from '#model/receipt.ts';
import type { Chance } from '#ports/machine.ts';

/** How a job came out: an ending, or a throw (a defect, or a port's error that no loop turned into an ending). */
export type Outcome = Ending | { readonly kind: 'threw'; readonly message: string };

/** What becomes of the job's key. Delays are in milliseconds. */
export type NextTurn =
  /** Nothing to do until somebody asks again. */
  | { readonly kind: 'rest' }
  /** Runs again by itself; anybody may ask earlier. */
  | { readonly kind: 'wait'; readonly after: number | undefined }
  /** Runs again by itself; asking earlier helps only if the inputs changed. */
  | { readonly kind: 'back-off'; readonly after: number }
  /** As before, and shown as parked; without `after` only changed inputs help. */
  | { readonly kind: 'park'; readonly after: number | undefined };

export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

export interface SchedulePolicy {
  readonly retry: Backoff;
  readonly threw: Backoff;
  /** Share of a delay that chance may add: 0.1 is 10%. */
  readonly jitter: number;
}

export const USUAL_POLICY: SchedulePolicy = {
  retry: { first: 1_000, longest: 300_000 },
  threw: { first: 30_000, longest: 1_800_000 },
  jitter: 0.1,
};

/** The only place that turns endings into times. `failures` counts the runs in a row, this one included, that ended in the same kind. */
export function nextTurn(
  outcome: Outcome,
  failures: number,
  now: Instant,
  given: { readonly policy: SchedulePolicy; readonly chance: Chance },
): NextTurn {
  const { policy, chance } = given;
  switch (outcome.kind) {
    case 'settled':
      return { kind: 'rest' };
    case 'waiting':
      return { kind: 'wait', after: outcome.until === undefined ? undefined : Math.max(0, outcome.until - now) };
    case 'retry':
      return { kind: 'back-off', after: withJitter(backoffDelay(policy.retry, failures), policy.jitter, chance) };
    case 'stuck':
      return { kind: 'park', after: undefined };
    case 'threw':
      return { kind: 'park', after: withJitter(backoffDelay(policy.threw, failures), policy.jitter, chance) };
  }
}

/** Doubles from `first` to `longest`. */
export function backoffDelay(backoff: Backoff, failures: number): number {
  return Math.min(backoff.longest, backoff.first * 2 ** Math.min(30, Math.max(0, failures - 1)));
}

/** A delay and up to `share` of it more, so that many processes do not ask at the same moment. */
export function withJitter(milliseconds: number, share: number, chance: Chance): number {
  return Math.round(milliseconds * (1 + share * chance()));
}
