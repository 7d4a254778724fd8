import { expect, test } from 'vitest';

import { reconcile } from '#loops/reconcile.ts';
import type { World } from '#loops/world.ts';
import { NOWHERE, type Problem } from '#model/problem.ts';
import { memoryTargets } from '#test/contracts/memory-target.ts';
import { plantedGarden, worldOf } from './garden.ts';

const REQUEST = { environment: 'dev', target: 'one', trigger: 'person', dryRun: false } as const;

function problem(severity: Problem['severity']): Problem {
  return {
    code: 'not-permitted',
    rule: undefined,
    severity,
    phase: 'sync',
    message: 'Service in namespace garden could not be looked at',
    remedy: 'Give the rights.',
    place: NOWHERE,
    related: [],
  };
}

/** Targets of which a part does not answer. */
async function partly(severity: Problem['severity']): Promise<{ readonly world: World; readonly writes: () => number }> {
  const world = await worldOf(await plantedGarden());
  const memory = memoryTargets();
  const target = memory.at('dev', 'one');
  return {
    writes: () => target.writes,
    world: {
      ...world,
      targets: {
        open: () =>
          Promise.resolve({
            observe: async (wanted) => ({ ...(await target.observe(wanted)), complete: false, unseen: [problem(severity)] }),
            apply: (plan, next) => target.apply(plan, next),
          }),
      },
    },
  };
}

test('nothing is written to a target of which something may not be looked at: others may have objects there', async () => {
  const { world, writes } = await partly('error');

  const { ending } = await reconcile(world, REQUEST);

  expect(ending).toEqual({ kind: 'stuck', problems: [problem('error')] });
  expect(writes()).toBe(0);
});

test('a part that did not answer this time is looked at again', async () => {
  const { world } = await partly('warning');

  const { ending } = await reconcile(world, REQUEST);

  expect(ending).toEqual({ kind: 'retry', because: 'Service in namespace garden could not be looked at' });
});
