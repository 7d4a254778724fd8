import { once, EventEmitter } from 'node:events';

import { createWorld } from '#loops/create-world.ts';
import { reconcile } from '#loops/reconcile.ts';
import type { ReconcileResult } from '#loops/reconcile.ts';
import type { World } from '#loops/world.ts';
import type { Clock } from '#ports/machine.ts';
import type { Targets } from '#ports/target.ts';
import { portsOf } from '#test/stories/engine.ts';
import { newOutside, peopleOf } from '#test/stories/outside.ts';
import type { People, PushOptions } from '#test/stories/outside.ts';
import type { Files } from '#test/stories/shop.ts';
import { freshLocks } from '#test/stories/stories.ts';

const WITHIN_MS = 120_000;

/** One engine on a repository in memory and on targets that are real. */
export interface ClusterWorld {
  readonly world: World;
  readonly people: People;
  /** Pushes files and, after them, the locks that the engine would write. */
  push(files: Files, options?: PushOptions): Promise<void>;
  run(environment: string): Promise<ReconcileResult>;
  /** Runs, and again whenever a target says that it moved, until a run is as wanted. */
  until(environment: string, wanted: (result: ReconcileResult) => boolean): Promise<ReconcileResult>;
  close(): Promise<void>;
}

export function clusterWorld(targets: Targets, clock: Clock): ClusterWorld {
  const outside = newOutside();
  const people = peopleOf(outside);
  const world = createWorld({ ...portsOf(outside), targets, clock });
  const moves = new EventEmitter();
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
      await people.push(files, options);
      await people.push(await freshLocks(outside), { message: 'Lock versions' });
    },
    async until(environment, wanted) {
      const signal = AbortSignal.timeout(WITHIN_MS);
      for (;;) {
        const before = moved;
        const result = await run(environment);
        if (wanted(result)) return result;
        if (moved !== before) continue;
        await once(moves, 'move', { signal }).catch((error: unknown) => {
          throw new Error(`nothing moved; the last run ended ${JSON.stringify(result.ending)}`, { cause: error });
        });
      }
    },
    async close() {
      await targets.close?.();
    },
  };
}
