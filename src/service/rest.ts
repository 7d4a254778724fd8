import type { Timers } from '#ports/machine.ts';

/** What is done when there was work and now is none. */
export interface Rest {
  /** A unit of work ended that took so many milliseconds. */
  ended(milliseconds: number): void;
  stop(): void;
}

export interface RestParts {
  readonly timers: Timers;
  readonly isIdle: () => boolean;
  readonly rest: () => void;
}

const QUIET_MS = 10_000;
/** Less work than this leaves nothing behind that is worth a look. */
const MUCH_MS = 1_000;

/** Rests once nothing ended for ten seconds and nothing runs, if there was enough work since the last time. */
export function restAfterWork({ timers, isIdle, rest }: RestParts): Rest {
  let worked = 0;
  let cancel: (() => void) | undefined;
  return {
    ended(milliseconds) {
      worked += milliseconds;
      cancel?.();
      cancel = undefined;
      if (worked < MUCH_MS) return;
      cancel = timers.after(QUIET_MS, () => {
        cancel = undefined;
        // Whatever runs now ends some time, and asks again.
        if (!isIdle()) return;
        worked = 0;
        rest();
      });
    },
    stop() {
      cancel?.();
      cancel = undefined;
    },
  };
}
