import type { HealthState } from '#model/health.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { DriftedObject } from '#model/plan.ts';
import type { Ending, Trigger } from '#model/receipt.ts';
import type { RetryRule } from './schedule.ts';

/** Something else that should be looked at because of what a run found or did. */
export type Wake =
  | { readonly kind: 'look' }
  | { readonly kind: 'reconcile' | 'promote'; readonly environment: EnvironmentName }
  | { readonly kind: 'check'; readonly number: number };

/** How a run ended, and what it wakes. A woken unit that is parked or backing off runs again at once: its inputs changed. */
export interface Run {
  readonly ending: Ending;
  readonly wakes: readonly Wake[];
  /** What a run found on the targets of its environment. */
  readonly targets?: readonly SeenTarget[];
}

export interface SeenTarget {
  readonly environment: EnvironmentName;
  readonly target: TargetName;
  readonly health: HealthState;
  readonly drift: readonly DriftedObject[];
}

export interface KnownEnvironment {
  readonly environment: EnvironmentName;
  /** `sync.interval` in milliseconds; undefined takes `schedule.drift`. */
  readonly driftEvery: number | undefined;
  readonly retry?: RetryRule | undefined;
}

/** A look at the whole repository. `wakes` names what changed; `environments` is everything that is declared, changed or not. */
export interface Look extends Run {
  readonly environments: readonly KnownEnvironment[];
}

/**
 * What the service does when it is woken; assembly makes it from the loops. Each function can be repeated and interrupted anywhere.
 * The service runs at most one `look`, and at most one run per environment and loop, at a time. A throw parks the unit.
 */
export interface ServiceWork {
  /** Fetches and finds what moved: environments whose inputs changed, pull requests whose head moved. */
  look(trigger: Trigger, signal: AbortSignal): Promise<Look>;
  reconcile(environment: EnvironmentName, trigger: Trigger, signal: AbortSignal): Promise<Run>;
  promote(environment: EnvironmentName, trigger: Trigger, signal: AbortSignal): Promise<Run>;
  check(number: number, trigger: Trigger, signal: AbortSignal): Promise<Run>;
}
