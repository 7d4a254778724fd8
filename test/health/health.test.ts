import { describe, expect, test } from 'vitest';

import { assess, assessObjects } from '#health/health.ts';
import { sha256Of } from '#model/digest.ts';
import { toInstanceName } from '#model/names.ts';
import type { ReportedHealth } from '#model/plan.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { inventoryOf, observationOf, renderedObject, rowsOf, targetRendering } from '#test/plan/build-target.ts';

const web = renderedObject('web');
const api = renderedObject('api', { instance: 'api' });
const rendering = targetRendering([web, api], { web: 0, api: 0 });
const inventory = inventoryOf(rendering);

function report(object: RenderedObject, state: ReportedHealth['state'], reason: string, sha256 = object.sha256): ReportedHealth {
  return { path: object.path, state, reason, sha256 };
}

test('objects with the wanted bytes and no report are healthy', () => {
  expect(assess(rendering, observationOf(inventory, [web, api]))).toEqual({
    state: 'healthy',
    instances: [
      { instance: toInstanceName('api'), state: 'healthy', reasons: [] },
      { instance: toInstanceName('web'), state: 'healthy', reasons: [] },
    ],
  });
});

test('the worst object decides for its instance and the worst instance for the target, with reasons', () => {
  const reports = [report(web, 'degraded', 'crash loop: exit 1'), report(api, 'progressing', '1 of 3 ready')];

  expect(assess(rendering, observationOf(inventory, [web, api], { reports }))).toEqual({
    state: 'degraded',
    instances: [
      {
        instance: toInstanceName('api'),
        state: 'progressing',
        reasons: [{ key: api.key, state: 'progressing', reason: '1 of 3 ready' }],
      },
      {
        instance: toInstanceName('web'),
        state: 'degraded',
        reasons: [{ key: web.key, state: 'degraded', reason: 'crash loop: exit 1' }],
      },
    ],
  });
});

test('a report about other bytes is stale and says nothing', () => {
  const reports = [report(web, 'degraded', 'the version before', sha256Of('before'))];

  expect(assess(rendering, observationOf(inventory, [web, api], { reports })).state).toBe('healthy');
});

test('a report that says healthy does not make other bytes healthy', () => {
  const there = [{ path: web.path, sha256: sha256Of('edited') }, api];
  const reports = [report(web, 'healthy', '', sha256Of('edited'))];

  expect(assess(rendering, observationOf(inventory, there, { reports })).instances[1]).toMatchObject({
    state: 'degraded',
    reasons: [{ reason: 'was changed outside git' }],
  });
});

describe('an object that is not there', () => {
  test.each([
    ['progresses before it was ever applied', undefined, true, 'progressing', 'is not there yet'],
    [
      'progresses while a run is writing it',
      inventoryOf(rendering, [...rowsOf([api]), ...rowsOf([web], true)]),
      true,
      'progressing',
      'is not there yet',
    ],
    ['is degraded once it was applied', inventory, true, 'degraded', 'is missing: it was removed outside git'],
    ['is unknown when the target answered in part', inventory, false, 'unknown', 'could not look: the target answered in part'],
  ] as const)('%s', (_, known, complete, state, reason) => {
    const health = assess(rendering, observationOf(known, [api], { complete }));

    expect(health.instances[1]).toEqual({ instance: toInstanceName('web'), state, reasons: [{ key: web.key, state, reason }] });
    expect(health.state).toBe(state);
  });
});

test('an object whose new bytes are not written yet progresses', () => {
  const old = { path: web.path, sha256: sha256Of('before') };
  const before = inventoryOf({ ...rendering, digest: sha256Of('the rendering before') });

  expect(assess(rendering, observationOf(before, [old, api])).instances[1]?.reasons).toEqual([
    { key: web.key, state: 'progressing', reason: 'does not have the wanted content yet' },
  ]);
});

test('an object that keeps its old bytes while the rest of the rendering is there is on its way, not changed by others', () => {
  const old = sha256Of('before');
  const partly = inventoryOf(rendering, rowsOf([{ ...web, sha256: old }, api]));
  const reasonOf = (sha256: ReturnType<typeof sha256Of>): string | undefined =>
    assess(rendering, observationOf(partly, [{ path: web.path, sha256 }, api])).instances[1]?.reasons[0]?.reason;

  expect(reasonOf(old)).toBe('does not have the wanted content yet');
  expect(reasonOf(sha256Of('edited'))).toBe('was changed outside git');
});

test('what others changed is told with who did it', () => {
  const reasonOf = (...changedBy: readonly string[]): string | undefined => {
    const observation = observationOf(inventory, [{ path: web.path, sha256: sha256Of('edited') }, api]);
    const objects = observation.objects.map((one) => ({ ...one, live: { uid: '1', appliedAt: undefined, object: {}, changedBy } }));
    return assess(rendering, { ...observation, objects }).instances[1]?.reasons[0]?.reason;
  };

  expect(reasonOf()).toBe('was changed outside git');
  expect(reasonOf('kubectl-edit')).toBe('was changed outside git by kubectl-edit');
  expect(reasonOf('kubectl-edit', 'a\u001B[2Jb', 'c', 'd', 'e')).toBe('was changed outside git by kubectl-edit, a [2Jb, c and 2 more');
});

test('a consumer and a cluster that speak of one object are both heard, the worse first', () => {
  const observation = observationOf(inventory, [web, api], { reports: [report(web, 'degraded', 'no answer')] });
  const objects = observation.objects.map((one) => ({ ...one, live: { uid: '1', appliedAt: undefined, object: {}, changedBy: [] } }));

  expect(assess(rendering, { ...observation, objects }).instances[1]?.reasons).toEqual([
    { key: web.key, state: 'degraded', reason: 'no answer' },
  ]);
});

test('each object has a state of its own, by path', () => {
  const states = assessObjects(rendering, observationOf(inventory, [api]));

  expect([...states]).toEqual([
    [api.path, { key: api.key, state: 'healthy', reason: 'as it should be' }],
    [web.path, { key: web.key, state: 'degraded', reason: 'is missing: it was removed outside git' }],
  ]);
});

test.each([
  ['terminal escapes and line breaks', 'red\u001B[31m\r\nApproved-By: mallory', 'red [31m Approved-By: mallory'],
  ['direction overrides and invisible characters', 'safe\u202Egnp.exe\u200B\u2066x', 'safe gnp.exe x'],
  ['nothing but controls', '\u0007\u0000\n', 'its consumer reports it degraded'],
  ['a megabyte', 'x'.repeat(1_000_000), `${'x'.repeat(299)}…`],
  ['lone surrogates', 'a\uD800b', 'a b'],
])("a stranger's %s become one short safe line", (_, hostile, shown) => {
  const reports = [report(web, 'degraded', hostile)];

  const [, instance] = assess(rendering, observationOf(inventory, [web, api], { reports })).instances;

  expect(instance?.reasons[0]?.reason).toBe(shown);
});

test('a capsule without objects is healthy', () => {
  expect(assess(targetRendering([], { web: 0 }), observationOf(undefined, []))).toEqual({
    state: 'healthy',
    instances: [{ instance: toInstanceName('web'), state: 'healthy', reasons: [] }],
  });
});
