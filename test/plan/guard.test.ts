import { describe, expect, test } from 'vitest';

import type { ObjectKey } from '#model/kubernetes-object.ts';
import { DEFAULT_DELETION_BUDGET } from '#model/plan.ts';
import type { DeletionBudget } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { guardDeletions, guardPlan, planChanges } from '#plan/plan.ts';
import type { PruneMode } from '#plan/plan.ts';
import { inventoryOf, observationOf, renderedObject, targetRendering } from './build-target.ts';

interface Request {
  readonly budget?: DeletionBudget;
  readonly confirmed?: boolean;
  readonly prune?: PruneMode;
}

function objects(count: number): readonly RenderedObject[] {
  return Array.from({ length: count }, (_, index) => renderedObject(`o${String(index).padStart(2, '0')}`));
}

function guard(before: readonly RenderedObject[], after: readonly RenderedObject[], request: Request = {}): readonly Problem[] {
  const { budget = DEFAULT_DELETION_BUDGET, confirmed = false, prune = true } = request;
  const inventory = inventoryOf(targetRendering(before));
  const plan = planChanges({
    rendering: targetRendering(after),
    observation: observationOf(inventory, before),
    prune,
    adopt: [],
    selfHeal: true,
  });
  return guardPlan({ plan, inventory, budget, confirmed, prune });
}

function codes(problems: readonly Problem[]): readonly string[] {
  return problems.map((problem) => problem.code);
}

describe('the deletion budget', () => {
  test.each([
    ['30 % of 10 objects', 10, 3, []],
    ['more than 30 % of 10 objects', 10, 4, ['deletion-budget-exceeded']],
    ['ten of a hundred', 100, 10, []],
    ['eleven of a hundred, although that is 11 %', 100, 11, ['deletion-budget-exceeded']],
  ])('lets through or stops %s', (_, before, deleted, expected) => {
    const all = objects(before);

    expect(codes(guard(all, all.slice(deleted)))).toEqual(expected);
  });

  test('says the numbers, the names and how to confirm', () => {
    const all = objects(20);
    const [problem] = guard(all, all.slice(8));

    expect(problem).toEqual({
      code: 'deletion-budget-exceeded',
      rule: undefined,
      severity: 'error',
      phase: 'sync',
      message:
        'dev would delete 8 of 20 objects of target local; its deletion budget is 6 (the smaller of 10 and 30 % of 20): ' +
        all
          .slice(0, 8)
          .map((object) => `core/ConfigMap/acme/${object.key.name}`)
          .join(', '),
      remedy:
        'If this is meant, say so in git for exactly this rendering: ' +
        `sync.confirm: [{ rendering: ${targetRendering(all.slice(8)).digest}, reason: "..." }] in environment dev. ` +
        'If not, bring back what was removed.',
      place: { file: 'environments/dev/environment.yaml', line: undefined, column: undefined, pointer: '/spec/sync/confirm' },
      related: [],
    });
  });

  test('does not count what is replaced under a name with another digest', () => {
    const run = (digest: string): readonly RenderedObject[] => [
      renderedObject(`check-${digest}`, { kind: 'Job', apiVersion: 'batch/v1' }),
      renderedObject(`settings-${digest}`),
    ];
    const rest = objects(2);

    expect(codes(guard([...rest, ...run('0123abcd')], [...rest, ...run('89abcdef')]))).toEqual([]);
    expect(codes(guard([...rest, ...run('0123abcd')], rest))).toEqual(['deletion-budget-exceeded']);
    expect(codes(guard([...rest, ...run('0123abcd')], [...rest, renderedObject('check-89abcdef')]))).toEqual(['deletion-budget-exceeded']);
  });

  test('names at most ten objects', () => {
    const all = objects(60);

    expect(guard(all, all.slice(50))[0]?.message).toMatch(/o09 and 40 more$/);
  });

  test('git can set it', () => {
    const all = objects(10);

    expect(codes(guard(all, all.slice(6), { budget: { count: 20, percent: 60 } }))).toEqual([]);
    expect(codes(guard(all, all.slice(1), { budget: { count: 0, percent: 100 } }))).toEqual(['deletion-budget-exceeded']);
  });

  test('a confirmation of this rendering lets it through', () => {
    const all = objects(10);

    expect(guard(all, [], { confirmed: true })).toEqual([]);
  });

  test('an object that only moves to another path is not deleted', () => {
    const before = [renderedObject('web', { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1beta1' })];
    const after = [renderedObject('web', { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1' })];

    expect(guard(before, after)).toEqual([]);
  });
});

describe('what no budget covers', () => {
  test('row 28: an environment emptied in one commit prunes nothing without a confirmation', () => {
    const all = objects(3);

    expect(codes(guard(all, [], { budget: { count: 1000, percent: 100 } }))).toEqual(['target-emptied']);
    expect(codes(guard(objects(1), []))).toEqual(['target-emptied']);
  });

  test.each(['Namespace', 'CustomResourceDefinition', 'PersistentVolume', 'PersistentVolumeClaim'])(
    'a %s is deleted only with a confirmation',
    (kind) => {
      const all = [...objects(9), renderedObject('data', { kind })];

      expect(codes(guard(all, all.slice(0, 9)))).toEqual(['protected-kind']);
    },
  );

  test('prune: confirm wants one for every deletion', () => {
    const all = objects(10);

    expect(codes(guard(all, all.slice(1), { prune: 'confirm' }))).toEqual(['deletion-unconfirmed']);
    expect(codes(guard(all, all.slice(1), { prune: 'confirm', confirmed: true }))).toEqual([]);
    expect(codes(guard(all, all, { prune: 'confirm' }))).toEqual([]);
  });
});

test('a rendered branch is guarded by the same budget before it moves', () => {
  const { target, digest: rendering } = targetRendering([]);
  const deletions = { environment: target.environment, target: target.name, rendering, before: 10, budget: DEFAULT_DELETION_BUDGET };
  const deleted: readonly ObjectKey[] = objects(4).map((object) => object.key);

  expect(codes(guardDeletions({ ...deletions, deleted, confirmed: false }))).toEqual(['deletion-budget-exceeded']);
  expect(codes(guardDeletions({ ...deletions, deleted: deleted.slice(1), confirmed: false }))).toEqual([]);
  expect(codes(guardDeletions({ ...deletions, deleted, confirmed: true }))).toEqual([]);
});
