import { expect, test } from 'vitest';

import { reconcile } from '#loops/reconcile.ts';
import type { StepPreview } from '#model/plan.ts';
import { NOWHERE } from '#model/problem.ts';
import { memoryTargets } from '#test/contracts/memory-target.ts';
import { plantedGarden, worldOf } from './garden.ts';

const DENIED: StepPreview = {
  fields: [],
  problem: {
    code: 'not-permitted',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: 'the user may not',
    remedy: 'Give the rights.',
    place: NOWHERE,
    related: [],
  },
};

/** What a plan says where the server tries only the objects that `tries` names. */
async function plannedWhere(tries: (name: string) => boolean) {
  const world = await worldOf(await plantedGarden());
  const target = memoryTargets().at('dev', 'one');
  const preview = (plan: Parameters<typeof target.apply>[0]) =>
    Promise.resolve(
      new Map(plan.steps.map(({ path, key }) => [path, tries(key.name) ? { fields: [], problem: undefined } : DENIED] as const)),
    );
  const open = () => Promise.resolve({ observe: target.observe.bind(target), apply: target.apply.bind(target), preview });
  const request = { environment: 'dev', target: 'one', trigger: 'person', dryRun: true, preview: true } as const;
  const { ending, runs } = await reconcile({ ...world, targets: { open } }, request);
  return [ending.kind, runs.flatMap(({ problems }) => problems.map(({ severity, message }) => `${severity} ${message}`))] as const;
}

test('whoever may only look gets a plan, and is told once that nobody tried it', async () => {
  expect(await plannedWhere(() => false)).toEqual([
    'settled',
    ['warning the server was not asked what it makes of this plan: the user may not'],
  ]);
});

test('what alone may not be written stops the plan', async () => {
  expect(await plannedWhere((name) => name !== 'note')).toEqual(['stuck', ['error the user may not']]);
});
