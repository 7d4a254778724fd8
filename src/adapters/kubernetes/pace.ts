import type { Chance, Timers } from '#ports/machine.ts';

/** How soon to try again: at once after a connection that lasted, later and later after ones that do not. */
export interface Pace {
  /** A connection stands; once it has stood for a while, what failed before it is forgotten. */
  begun(): void;
  /** An attempt failed, and whoever was in a hurry has been told. */
  failed(): void;
  /** Waits before the next attempt; ends early when the signal does or somebody is in a hurry. */
  pause(signal: AbortSignal): Promise<void>;
  hurry(): void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
const STEADY_AFTER_MS = 500;

export function createPace(timers: Timers, chance: Chance): Pace {
  let failures = 0;
  let hurried = false;
  let unsteady: (() => void) | undefined;
  let wake: (() => void) | undefined;
  return {
    begun() {
      hurried = false;
      unsteady ??= timers.after(STEADY_AFTER_MS, () => {
        failures = 0;
      });
    },
    failed() {
      hurried = false;
    },
    async pause(signal) {
      unsteady?.();
      unsteady = undefined;
      if (signal.aborted || hurried) {
        hurried = false;
        return;
      }
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 20));
      failures += 1;
      // The first one spreads clients from nothing on; later ones keep at least half of their length.
      const milliseconds = failures === 1 ? longest * chance() : (longest * (1 + chance())) / 2;
      await new Promise<void>((resolve) => {
        const cancel = timers.after(milliseconds, () => wake?.());
        const stop = (): void => wake?.();
        signal.addEventListener('abort', stop, { once: true });
        wake = () => {
          wake = undefined;
          cancel();
          signal.removeEventListener('abort', stop);
          resolve();
        };
      });
    },
    hurry() {
      if (wake === undefined) hurried = true;
      else wake();
    },
  };
}
