import { join } from 'node:path';

import { expect, test } from 'vitest';

import { directoryTargets } from '#adapters/directory/directory.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import { DEFAULT_TARGET_SYNC } from '#model/plan.ts';
import { scratchFolder, textOf } from '#test/contracts/directory-bench.ts';
import { bring, planFor } from '#test/contracts/target.contract.ts';
import { renderedObject, targetRendering } from '#test/plan/build-target.ts';

const a = renderedObject('a');
const b = renderedObject('b');

async function pruned(deletionPolicy: 'Delete' | 'WaitForTermination' | 'Orphan') {
  const root = await scratchFolder();
  const target = await directoryTargets({ root }).open(toEnvironmentName('dev'), toTargetName('local'), {
    driver: 'directory',
    path: 'dev',
    sync: { ...DEFAULT_TARGET_SYNC, deletionPolicy },
  });
  await bring(target, targetRendering([a, b]));
  const outcomes = await bring(target, targetRendering([a]));
  const left = await textOf(join(root, 'dev', b.path));
  const { inventory } = await target.observe([]);
  return { target, left, rows: inventory?.objects.map((row) => row.path), results: outcomes.map((one) => `${one.action} ${one.result}`) };
}

test.each(['Delete', 'WaitForTermination'] as const)('deletionPolicy %s removes what is pruned', async (policy) => {
  const { left, rows, results } = await pruned(policy);
  expect({ left, rows, results }).toEqual({ left: undefined, rows: [a.path], results: ['keep unchanged', 'prune done'] });
});

test('deletionPolicy Orphan leaves it where it is, as an object of nobody', async () => {
  const { target, left, rows, results } = await pruned('Orphan');
  expect({ left, rows, results }).toEqual({ left: b.text, rows: [a.path], results: ['keep unchanged', 'prune done'] });
  const again = await planFor(target, targetRendering([a, b]));
  expect(again.problems.map((problem) => problem.code)).toEqual(['foreign-object']);
});
