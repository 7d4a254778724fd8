import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { findDrift, findFights, planChanges } from '#plan/plan.ts';
import { inventoryOf, observationOf, renderedObject, targetRendering } from './build-target.ts';

const NOW = toInstant(Date.UTC(2026, 0, 5, 9));
const MINUTE = 60_000;
const web = renderedObject('web');
const key = keyText(web.key);

function corrected(...minutesAgo: readonly number[]) {
  return minutesAgo.map((minutes) => ({ key, sha256: web.sha256, at: toInstant(NOW - minutes * MINUTE) }));
}

test('an object that was corrected as often as is allowed within an hour is fought over, until the oldest of these is an hour old', () => {
  expect(findFights(corrected(50, 40, 30), NOW, 3)).toEqual(
    new Map([[key, { sha256: web.sha256, count: 3, until: toInstant(NOW + 10 * MINUTE) }]]),
  );
});

test('fewer corrections, or one that is an hour old, are no fight', () => {
  expect(findFights(corrected(40, 30), NOW, 3)).toEqual(new Map());
  expect(findFights(corrected(60, 40, 30), NOW, 3)).toEqual(new Map());
});

test('corrections towards another content in git do not count', () => {
  const before = { key, sha256: sha256Of('before'), at: toInstant(NOW - 50 * MINUTE) };
  expect(findFights([before, ...corrected(40, 30)], NOW, 3)).toEqual(new Map());
});

test('one object is fought over, another is not', () => {
  const other = { key: 'core/ConfigMap/acme/other', sha256: web.sha256, at: NOW };
  expect([...findFights([other, ...corrected(3, 2, 1)], NOW, 3).keys()]).toEqual([key]);
});

const rendering = targetRendering([web]);
const edited = observationOf(inventoryOf(rendering), [], {
  objects: [
    {
      key: web.key,
      path: web.path,
      sha256: sha256Of('edited'),
      live: { uid: 'u', appliedAt: undefined, object: {}, changedBy: ['scaler'] },
    },
  ],
});

function planned(minutesAgo: readonly number[], wanted = rendering) {
  const fights = findFights(corrected(...minutesAgo), NOW, 3);
  const plan = planChanges({ rendering: wanted, observation: edited, prune: true, adopt: [], selfHeal: true, fights });
  return { plan, drift: findDrift(plan, edited, fights) };
}

test('an object that is fought over is left as it is, and the reason names who sets it back', () => {
  const { plan, drift } = planned([3, 2, 1]);
  expect(plan.steps).toEqual([
    {
      action: 'keep',
      key: web.key,
      path: web.path,
      sha256: web.sha256,
      reason:
        'was changed outside git; corrected 3 times within an hour, and scaler sets it back: left alone until 2026-01-05T09:57:00.000Z or a change in git',
    },
  ]);
  expect(drift).toEqual([{ key: web.key, path: web.path, found: sha256Of('edited'), changedBy: ['scaler'], action: 'fought' }]);
});

test('it is corrected while it may be', () => {
  const { plan, drift } = planned([3, 2]);
  expect(plan.steps.map((step) => `${step.action}: ${step.reason}`)).toEqual(['update: was changed outside git']);
  expect(drift.map((object) => object.action)).toEqual(['corrected']);
});

test('what git newly wants of it is written whoever fights', () => {
  const { plan } = planned([3, 2, 1], targetRendering([renderedObject('web', { content: 'two' })]));
  expect(plan.steps.map((step) => step.action)).toEqual(['update']);
});

test('drift that a person decided to take back is taken back as it was found then, and no other', () => {
  const steps = [sha256Of('edited'), sha256Of('edited again')].map(
    (found) =>
      planChanges({
        rendering,
        observation: edited,
        prune: true,
        adopt: [],
        selfHeal: false,
        reverted: new Map([[web.path, found]]),
      }).steps[0]?.action,
  );
  expect(steps).toEqual(['update', 'keep']);
});
