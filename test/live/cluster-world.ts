import { once, EventEmitter } from 'node:events';

import { systemClock } from '#adapters/machine/machine.ts';
import { createWorld } from '#loops/create-world.ts';
import { reconcile } from '#loops/reconcile.ts';
import type { ReconcileResult } from '#loops/reconcile.ts';
import type { World } from '#loops/world.ts';
import { toInstant } from '#model/instant.ts';
import type { Clock } from '#ports/machine.ts';
import type { Targets } from '#ports/target.ts';
import { portsOf } from '#test/stories/engine.ts';
import { newOutside, peopleOf } from '#test/stories/outside.ts';
import type { People, PushOptions } from '#test/stories/outside.ts';
import type { Files } from '#test/stories/shop.ts';
import { freshLocks } from '#test/stories/stories.ts';

const WITHIN_MS = 120_000;
const STUCK_WITHIN_MS = 20_000;
const DRIFT_MS = 300_000;
const QUIET_MS = 1_500;
/** What is on its way is late after ten minutes: it is given that many turns. */
const MOST_AHEAD_MS = 61_000;

/** One engine on a repository in memory and on targets that are real. */
export interface ClusterWorld {
  readonly world: World;
  readonly people: People;
  /** Pushes files and, after them, locks of the newest versions. */
  readonly push: (files: Files, options?: PushOptions) => Promise<void>;
  readonly run: (environment: string) => Promise<ReconcileResult>;
  /** Runs, and again whenever a target says that it moved, until a run is as wanted; fails when nothing moves for long. */
  until(environment: string, wanted: (result: ReconcileResult) => boolean): Promise<ReconcileResult>;
  close(): Promise<void>;
}

export function clusterWorld(open: (clock: Clock) => Targets): ClusterWorld {
  let ahead = 0;
  const clock: Clock = { now: () => toInstant(systemClock.now() + ahead) };
  const targets = open(clock);
  const outside = newOutside();
  const people = peopleOf(outside);
  const world = createWorld({ ...portsOf(outside), targets, clock });
  const moves = new EventEmitter();
  let locks: readonly string[] = [];
  let moved = 0;
  targets.watch?.(() => {
    moved += 1;
    moves.emit('move');
  });

  async function run(environment: string): Promise<ReconcileResult> {
    await world.repository.fetch();
    return reconcile(world, { environment, target: undefined, trigger: 'poll', dryRun: false });
  }

  return {
    world,
    people,
    run,
    async push(files, options) {
      // A lock that is there keeps its versions.
      await people.push(files, { ...options, remove: [...(options?.remove ?? []), ...locks] });
      const written = await freshLocks(outside);
      locks = Object.keys(written);
      await people.push(written, { message: 'Lock versions' });
    },
    async until(environment, wanted) {
      const signal = AbortSignal.timeout(WITHIN_MS);
      for (;;) {
        const before = moved;
        const result = await run(environment);
        if (wanted(result)) return result;
        if (moved !== before || result.ending.kind === 'retry') continue;
        const next = lookAgainAt(result.ending, clock.now());
        if (next !== undefined) {
          // Where nothing moves, the time that it waits for comes sooner than it would.
          await once(moves, 'move', { signal: AbortSignal.any([signal, AbortSignal.timeout(QUIET_MS)]) }).catch(() => undefined);
          signal.throwIfAborted();
          if (moved === before) ahead += Math.min(MOST_AHEAD_MS, Math.max(0, next - clock.now()) + 1);
          continue;
        }
        const patient = result.ending.kind === 'stuck' ? AbortSignal.any([signal, AbortSignal.timeout(STUCK_WITHIN_MS)]) : signal;
        await once(moves, 'move', { signal: patient }).catch((error: unknown) => {
          throw new Error(`nothing moved; the last run ended ${JSON.stringify(result.ending)}: ${JSON.stringify(result.receipts)}`, {
            cause: error,
          });
        });
      }
    },
    async close() {
      await targets.close?.();
    },
  };
}

/** What is settled is looked at again by the drift check. */
function lookAgainAt(ending: ReconcileResult['ending'], now: number): number | undefined {
  if (ending.kind === 'settled') return now + DRIFT_MS;
  return ending.kind === 'waiting' ? ending.until : undefined;
}
