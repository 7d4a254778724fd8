import { describe, expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { Observation, Step, TargetPlan } from '#model/plan.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { nextInventory, planChanges } from '#plan/plan.ts';
import type { PlanRequest } from '#plan/plan.ts';
import { inventoryOf, observationOf, renderedObject, rowsOf, targetRendering } from './build-target.ts';

const a = renderedObject('a');
const b = renderedObject('b');
const edited = sha256Of('edited by hand');

function plan(rendering: TargetRendering, observation: Observation, rest: Partial<PlanRequest> = {}): TargetPlan {
  return planChanges({ rendering, observation, prune: true, adopt: [], selfHeal: true, ...rest });
}

function said(steps: readonly Step[]): readonly string[] {
  return steps.map((step) => `${step.action} ${step.key.name}: ${step.reason}`);
}

describe('what git wants and nobody has', () => {
  test('is created, with its text and no basis', () => {
    const made = plan(targetRendering([a]), observationOf(undefined, []));

    expect(made.steps).toEqual([
      { action: 'create', key: a.key, path: a.path, sha256: a.sha256, text: a.text, basis: undefined, leaves: [], reason: 'new' },
    ]);
    expect(made.problems).toEqual([]);
    expect(made.drifted).toEqual([]);
  });

  test('an applied plan leaves nothing to do', () => {
    const rendering = targetRendering([a, b]);
    const first = plan(rendering, observationOf(undefined, []));

    const second = plan(rendering, observationOf(nextInventory(first), [a, b]));

    expect(said(second.steps)).toEqual(['keep a: as it should be', 'keep b: as it should be']);
    expect(nextInventory(second)).toEqual(nextInventory(first));
    expect(nextInventory(first)).toEqual(inventoryOf(rendering));
  });
});

describe('what changed in git', () => {
  test('is updated on the basis of what was found', () => {
    const next = renderedObject('a', { content: 'two' });

    const made = plan(targetRendering([next]), observationOf(inventoryOf(targetRendering([a])), [a]));

    expect(made.steps).toEqual([
      {
        action: 'update',
        key: a.key,
        path: a.path,
        sha256: next.sha256,
        text: next.text,
        basis: a.sha256,
        leaves: [],
        reason: 'the rendering changed',
      },
    ]);
  });

  test('an object whose API version moves is one update that leaves its old path, not a deletion', () => {
    const old = renderedObject('web', { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v1' });
    const next = renderedObject('web', { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v2' });

    const made = plan(targetRendering([next]), observationOf(inventoryOf(targetRendering([old])), [old]));

    expect(made.steps).toEqual([
      {
        action: 'create',
        key: next.key,
        path: next.path,
        sha256: next.sha256,
        text: next.text,
        basis: undefined,
        leaves: [{ path: old.path, basis: old.sha256 }],
        reason: 'moved from another path',
      },
    ]);
  });

  test('a run that died between writing the new path and leaving the old one goes on', () => {
    const old = renderedObject('web', { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v1' });
    const next = renderedObject('web', { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v2' });
    const rendering = targetRendering([next]);

    const made = plan(rendering, observationOf(inventoryOf(rendering, [...rowsOf([old]), ...rowsOf([next], true)]), [old, next]));

    expect(made.steps).toMatchObject([{ action: 'update', basis: next.sha256, leaves: [{ path: old.path, basis: old.sha256 }] }]);
    expect(made.drifted).toEqual([]);
  });
});

describe('what git no longer names', () => {
  const rendering = targetRendering([a]);
  const before = inventoryOf(targetRendering([a, b]));

  test('is pruned last, on the basis of what was found', () => {
    const made = plan(rendering, observationOf(before, [a, b]));

    expect(made.steps.at(-1)).toEqual({ action: 'prune', key: b.key, path: b.path, basis: b.sha256, reason: 'no longer in git' });
    expect(nextInventory(made).objects.map((row) => row.path)).toEqual([a.path]);
  });

  test('is kept and stays ours when sync.prune is false', () => {
    const made = plan(rendering, observationOf(before, [a, b]), { prune: false });

    expect(said(made.steps)).toEqual(['keep a: as it should be', 'keep b: no longer in git; not pruned: sync.prune is false']);
    expect(nextInventory(made).objects.map((row) => row.path)).toEqual([a.path, b.path]);
  });

  test('row 88: is kept when the target answered only in part', () => {
    const made = plan(rendering, observationOf(before, [a], { complete: false }));

    expect(said(made.steps)).toEqual(['keep a: as it should be', 'keep b: no longer in git; not pruned: the target answered in part']);
  });

  test('is not touched when the inventory is lost', () => {
    const made = plan(rendering, observationOf(undefined, [b]));

    expect(said(made.steps)).toEqual(['create a: new']);
  });

  test('needs no step when somebody removed it already', () => {
    const made = plan(rendering, observationOf(before, [a]));

    expect(said(made.steps)).toEqual(['keep a: as it should be']);
  });
});

describe('what somebody else put there', () => {
  const rendering = targetRendering([a, b]);

  test.each([
    ['with other bytes', edited, 'with other bytes than git wants'],
    ['with the very bytes git wants', a.sha256, 'with the bytes git wants'],
  ])('%s is a problem and gets no step', (_, sha256, words) => {
    const made = plan(rendering, observationOf(inventoryOf(targetRendering([b])), [{ path: a.path, sha256 }, b]));

    expect(said(made.steps)).toEqual(['keep b: as it should be']);
    expect(made.problems).toEqual([
      {
        code: 'foreign-object',
        rule: undefined,
        severity: 'error',
        phase: 'sync',
        message: `core/ConfigMap/acme/a is already on target local of dev (${a.path}, ${words}) and Capstan did not put it there`,
        remedy:
          'Remove it from the target, or let git take it over: add { group: "", kind: ConfigMap, namespace: "acme", name: a } ' +
          'to targets.local.adopt of environment dev.',
        place: { file: 'environments/dev/environment.yaml', line: undefined, column: undefined, pointer: '/spec/targets/local' },
        related: [],
      },
    ]);
    expect(nextInventory(made).objects.map((row) => row.path)).toEqual([b.path]);
  });

  test('is taken over when git names it, on the basis of what was found', () => {
    const made = plan(targetRendering([a]), observationOf(undefined, [{ path: a.path, sha256: edited }]), { adopt: [a.key] });

    expect(made.problems).toEqual([]);
    expect(made.steps).toMatchObject([{ action: 'adopt', basis: edited, sha256: a.sha256 }]);
  });

  test('where a run only announced a write, other bytes are not ours', () => {
    const announced = inventoryOf(rendering, rowsOf([a, b], true));

    const made = plan(rendering, observationOf(announced, [{ path: a.path, sha256: edited }, b]));

    expect(made.problems.map((problem) => problem.code)).toEqual(['foreign-object']);
    expect(said(made.steps)).toEqual(['keep b: as it should be']);
  });

  test('where a run only announced a write that git took back, other bytes are not pruned', () => {
    const announced = inventoryOf(rendering, [...rowsOf([a]), ...rowsOf([b], true)]);

    const made = plan(targetRendering([a]), observationOf(announced, [a, { path: b.path, sha256: edited }]));

    expect(said(made.steps)).toEqual(['keep a: as it should be']);
  });

  test('on the new path of an object, the old path stays ours and stays there', () => {
    const old = renderedObject('web', { instance: 'old' });
    const next = renderedObject('web', { instance: 'web' });

    const made = plan(
      targetRendering([next]),
      observationOf(inventoryOf(targetRendering([old])), [old, { path: next.path, sha256: edited }]),
    );

    expect(said(made.steps)).toEqual(['keep web: its new path is taken']);
    expect(nextInventory(made).objects.map((row) => row.path)).toEqual([old.path]);
  });

  test("row 95: another environment's inventory stops everything", () => {
    const theirs = { ...inventoryOf(rendering), environment: toEnvironmentName('prod') };

    const made = plan(rendering, observationOf(theirs, []));

    expect(made.steps).toEqual([]);
    expect(made.problems.map((problem) => problem.code)).toEqual(['foreign-inventory']);
  });
});

describe('drift', () => {
  const rendering = targetRendering([a, b]);
  const inventory = inventoryOf(rendering);

  test('an edited and a removed object are put right and named', () => {
    const made = plan(rendering, observationOf(inventory, [{ path: a.path, sha256: edited }]));

    expect(said(made.steps)).toEqual(['update a: was changed outside git', 'create b: was removed outside git']);
    expect(made.drifted.map(keyText)).toEqual(['core/ConfigMap/acme/a', 'core/ConfigMap/acme/b']);
  });

  test('is only reported when the environment does not heal itself', () => {
    const made = plan(rendering, observationOf(inventory, [{ path: a.path, sha256: edited }]), { selfHeal: false });

    expect(said(made.steps)).toEqual([
      'keep a: was changed outside git; reported only (sync.selfHeal, sync.drift.onDetect)',
      'keep b: was removed outside git; reported only (sync.selfHeal, sync.drift.onDetect)',
    ]);
    expect(made.drifted.map(keyText)).toEqual(['core/ConfigMap/acme/a', 'core/ConfigMap/acme/b']);
    expect(nextInventory(made)).toEqual(inventory);
  });

  test('does not hold up what git wants new', () => {
    const next = renderedObject('a', { content: 'two' });

    const made = plan(targetRendering([next, b]), observationOf(inventory, [{ path: a.path, sha256: edited }, b]), { selfHeal: false });

    expect(said(made.steps)).toEqual(['update a: was changed outside git', 'keep b: as it should be']);
  });

  test('an object that a dead run announced and never wrote is unfinished work, not drift', () => {
    const announced = inventoryOf(rendering, [...rowsOf([a]), ...rowsOf([b], true)]);

    const made = plan(rendering, observationOf(announced, [a]));

    expect(said(made.steps)).toEqual(['keep a: as it should be', 'create b: new']);
    expect(made.drifted).toEqual([]);
  });
});

describe('order', () => {
  test('namespaces and definitions first, then waves, then paths; removals last and in reverse', () => {
    const rendering = targetRendering(
      [
        renderedObject('late', { instance: 'api' }),
        renderedObject('early', { instance: 'web' }),
        renderedObject('also-early', { instance: 'web' }),
        renderedObject('acme', { kind: 'Namespace', instance: 'api', namespace: '' }),
        renderedObject('things', {
          kind: 'CustomResourceDefinition',
          apiVersion: 'apiextensions.k8s.io/v1',
          instance: 'api',
          namespace: '',
        }),
      ],
      { web: 0, api: 1 },
    );
    const gone = [
      renderedObject('gone-1'),
      renderedObject('gone-2'),
      renderedObject('old', { kind: 'Namespace', instance: 'web', namespace: '' }),
    ];

    const made = plan(rendering, observationOf(inventoryOf(targetRendering(gone)), gone));

    expect(made.steps.map((step) => `${step.action} ${step.key.name}`)).toEqual([
      'create acme',
      'create things',
      'create also-early',
      'create early',
      'create late',
      'prune gone-2',
      'prune gone-1',
      'prune old',
    ]);
  });
});

test('inside an instance hooks come first, then components by what they start after', () => {
  const rendering = targetRendering(
    [
      { ...renderedObject('a-worker'), wave: 1 },
      renderedObject('b-store'),
      { ...renderedObject('c-migrate'), wave: -1 },
      { ...renderedObject('d-secret'), wave: -3 },
      { ...renderedObject('other', { instance: 'api' }), wave: -1 },
    ],
    { web: 0, api: 1 },
  );

  const made = plan(rendering, observationOf(undefined, []));

  expect(made.steps.map((step) => step.key.name)).toEqual(['d-secret', 'c-migrate', 'b-store', 'a-worker', 'other']);
});

describe('basis', () => {
  const rendering = targetRendering([a]);
  const seen = observationOf(inventoryOf(rendering), [a]);

  test.each([
    ['other bytes', observationOf(inventoryOf(rendering), [{ path: a.path, sha256: edited }])],
    ['another object', observationOf(inventoryOf(rendering), [a, b])],
    ['another inventory', observationOf(undefined, [a])],
    ['a partial view', observationOf(inventoryOf(rendering), [a], { complete: false })],
  ])('%s is another basis', (_, other) => {
    expect(plan(rendering, other).basis).not.toBe(plan(rendering, seen).basis);
  });

  test('a report of health is not', () => {
    const reported = { ...seen, reports: [{ path: a.path, state: 'degraded', reason: 'crash', sha256: a.sha256 } as const] };

    expect(plan(rendering, reported).basis).toBe(plan(rendering, seen).basis);
  });
});
