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
  | {
      readonly kind: 'park';
      readonly after: number | undefined;
      /** Its retry budget is used up: until then only a change in git helps. */
      readonly isSpent?: true;
    };

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

/** What an environment says of its own failures (`sync.retryInterval`, `sync.retryBudget`). In milliseconds. */
export interface RetryRule {
  readonly interval: number | undefined;
  readonly budget: { readonly attempts: number; readonly per: number } | undefined;
}

/** What is known of a key when its run ended. */
export interface Past {
  /** Runs in a row, this one included, that ended in the same kind. */
  readonly failures: number;
  /** When runs failed since the last that did not, the oldest first, this one included. */
  readonly failedAt: readonly Instant[];
}

export const USUAL_POLICY: SchedulePolicy = {
  retry: { first: 1_000, longest: 300_000 },
  threw: { first: 30_000, longest: 1_800_000 },
  jitter: 0.1,
};

/** The only place that turns endings into times. */
export function nextTurn(
  outcome: Outcome,
  { failures, failedAt }: Past,
  now: Instant,
  given: { readonly policy: SchedulePolicy; readonly chance: Chance; readonly rule?: RetryRule | undefined },
): NextTurn {
  const { policy, chance, rule } = given;
  const freed = isFailure(outcome) ? budgetFreedAt(rule, failedAt, now) : undefined;
  if (freed !== undefined) return { kind: 'park', after: freed - now, isSpent: true };
  switch (outcome.kind) {
    case 'settled':
      return { kind: 'rest' };
    case 'waiting':
      return { kind: 'wait', after: outcome.until === undefined ? undefined : Math.max(0, outcome.until - now) };
    case 'retry':
      return { kind: 'back-off', after: withJitter(rule?.interval ?? backoffDelay(policy.retry, failures), policy.jitter, chance) };
    case 'stuck':
      return { kind: 'park', after: rule?.interval === undefined ? undefined : withJitter(rule.interval, policy.jitter, chance) };
    case 'threw':
      return { kind: 'park', after: withJitter(backoffDelay(policy.threw, failures), policy.jitter, chance) };
  }
}

export function isFailure(outcome: Outcome): boolean {
  return outcome.kind === 'retry' || outcome.kind === 'stuck' || outcome.kind === 'threw';
}

/** When the oldest of as many failures as are allowed is long enough ago; undefined while fewer are known. */
function budgetFreedAt(rule: RetryRule | undefined, failedAt: readonly Instant[], now: Instant): number | undefined {
  if (rule?.budget === undefined) return undefined;
  const { attempts, per } = rule.budget;
  const recent = failedAt.filter((at) => at > now - per);
  const oldest = recent.at(-Math.max(1, attempts));
  return recent.length < attempts || oldest === undefined ? undefined : oldest + per;
}

/** Doubles from `first` to `longest`. */
export function backoffDelay(backoff: Backoff, failures: number): number {
  return Math.min(backoff.longest, backoff.first * 2 ** Math.min(30, Math.max(0, failures - 1)));
}

/** A delay and up to `share` of it more, so that many processes do not ask at the same moment. */
export function withJitter(milliseconds: number, share: number, chance: Chance): number {
  return Math.round(milliseconds * (1 + share * chance()));
}
