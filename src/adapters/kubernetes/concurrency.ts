import { setTimeout as delay } from 'node:timers/promises';

import { onAbort } from './abort-listeners.ts';

/** How many requests may be on their way at once: grows while the server keeps up, halves when it says that it does not. */
export interface Concurrency {
  /** Resolves when there is room; rejects with the signal's reason. */
  enter(signal: AbortSignal | undefined): Promise<void> | undefined;
  leave(): void;
  /** Resolves when nobody is inside or waits, or after so many milliseconds. */
  idle(within: number): Promise<void>;
  /** An answer came while the limit was used. */
  keptUp(): void;
  /** The server asked for less. Answers to requests that were already on their way then count once. */
  overloaded(): void;
  readonly limit: () => number;
  readonly inside: () => number;
}

export interface ConcurrencyBounds {
  readonly start: number;
  readonly most: number;
}

export function concurrency(bounds: ConcurrencyBounds): Concurrency {
  let limit = bounds.start;
  let inside = 0;
  let good = 0;
  /** Requests that left before the last halving tell nothing new about it. */
  let stale = 0;
  /** A set, because the first and any other leave it at the same price. */
  const waiting = new Set<() => void>();

  const empty: (() => void)[] = [];

  function admit(): void {
    for (const next of waiting) {
      if (inside >= Math.floor(limit)) return;
      waiting.delete(next);
      inside++;
      next();
    }
  }

  return {
    enter(signal) {
      if (inside < Math.floor(limit)) {
        inside++;
        return undefined;
      }
      if (signal?.aborted === true) return Promise.reject(signal.reason);
      return new Promise((resolve, reject) => {
        function turn(): void {
          forget?.();
          resolve();
        }
        const forget =
          signal &&
          onAbort(signal, () => {
            waiting.delete(turn);
            reject(signal.reason);
          });
        waiting.add(turn);
      });
    },
    leave() {
      inside--;
      admit();
      if (inside === 0) for (const gone of empty.splice(0)) gone();
    },
    async idle(within) {
      if (inside === 0) return;
      const stop = new AbortController();
      const nobody = new Promise<void>((resolve) => empty.push(resolve));
      await Promise.race([nobody, delay(within, undefined, { signal: stop.signal }).catch(() => undefined)]);
      stop.abort();
    },
    keptUp() {
      if (stale > 0) stale--;
      if (inside < Math.floor(limit) || limit >= bounds.most) return;
      good++;
      if (good < limit) return;
      good = 0;
      limit = Math.min(bounds.most, limit + 1);
    },
    overloaded() {
      if (stale > 0) {
        stale--;
        return;
      }
      limit = Math.max(1, Math.floor(limit / 2));
      good = 0;
      stale = inside - 1;
    },
    limit: () => limit,
    inside: () => inside,
  };
}
