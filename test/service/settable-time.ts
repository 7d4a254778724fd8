import { toInstant, type Instant } from '#model/instant.ts';
import type { Clock, Timers } from '#ports/machine.ts';

export interface SettableTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Moves on, firing what falls due on the way, and lets promises run between. */
  advance(milliseconds: number): Promise<void>;
  /** When the next timer falls due, counted from now; undefined without one. */
  next(): number | undefined;
  now(): Instant;
}

/** Lets every promise that is ready run; fixed rounds, no waiting for time. */
export async function breathe(): Promise<void> {
  for (let round = 0; round < 25; round++) await Promise.resolve();
}

export function settableTime(start = 1_000_000): SettableTime {
  let now = start;
  let serial = 0;
  const timers = new Map<number, { readonly at: number; readonly run: () => void }>();

  function due(until: number): [number, { readonly at: number; readonly run: () => void }] | undefined {
    return [...timers].filter(([, timer]) => timer.at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
  }

  return {
    clock: { now: () => toInstant(now) },
    timers: {
      after(milliseconds, run) {
        const id = serial++;
        timers.set(id, { at: now + milliseconds, run });
        return () => timers.delete(id);
      },
    },
    async advance(milliseconds) {
      const until = now + milliseconds;
      await breathe();
      for (let one = due(until); one !== undefined; one = due(until)) {
        timers.delete(one[0]);
        now = Math.max(now, one[1].at);
        one[1].run();
        await breathe();
      }
      now = until;
    },
    next() {
      const times = [...timers.values()].map((timer) => timer.at - now);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    now: () => toInstant(now),
  };
}
