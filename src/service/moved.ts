import type { EnvironmentName } from '#model/names.ts';
import type { Clock, Timers } from '#ports/machine.ts';
import type { Targets } from '#ports/target.ts';

export interface MovedParts {
  readonly watch: NonNullable<Targets['watch']>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly wake: (environment: EnvironmentName) => void;
}

/** What changes together is looked at together. In milliseconds. */
const FIRST = 50;
/** While changes keep coming, by ourselves or by others, they are looked at less often. */
const LONGEST = 250;
/** After so long without a change the next one is looked at soon again. */
const QUIET = 2_000;

interface Pending {
  cancel: (() => void) | undefined;
  delay: number;
  last: number;
}

/**
 * Wakes an environment when something moved on one of its targets: many changes are one wake. What the engine wrote itself moves the
 * target, too; the run that this wakes finds nothing to do.
 */
export function wakeWhenMoved({ watch, clock, timers, wake }: MovedParts): { readonly stop: () => void } {
  const pending = new Map<EnvironmentName, Pending>();
  let isStopped = false;
  watch((environment) => {
    if (isStopped) return;
    const now = clock.now();
    const one = pending.get(environment) ?? { cancel: undefined, delay: FIRST, last: Number.NEGATIVE_INFINITY };
    pending.set(environment, one);
    if (one.cancel !== undefined) return;
    one.delay = now - one.last > QUIET ? FIRST : Math.min(LONGEST, one.delay * 2);
    one.cancel = timers.after(one.delay, () => {
      one.cancel = undefined;
      one.last = clock.now();
      wake(environment);
    });
  });
  return {
    stop() {
      isStopped = true;
      for (const { cancel } of pending.values()) cancel?.();
      pending.clear();
    },
  };
}
