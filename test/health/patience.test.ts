import { describe, expect, test } from 'vitest';

import { assess } from '#health/health.ts';
import { firstLate } from '#model/health.ts';
import type { Patience } from '#model/health.ts';
import type { JsonObject } from '#model/json.ts';
import { inventoryOf, observationOf, targetRendering } from '#test/plan/build-target.ts';
import { condition, instant, judged, liveOf, renderedKind } from './build-live.ts';

const APPLIED = instant('2026-11-21T20:00:00Z');
const AFTER: Patience = { now: instant('2026-11-21T20:10:00Z'), deadline: 600_000 };
const JUST_BEFORE: Patience = { now: instant('2026-11-21T20:09:59.999Z'), deadline: 600_000 };
const WAITING = { kind: 'v1 Service', spec: { type: 'LoadBalancer' }, appliedAt: APPLIED };

test('what is on its way for longer than the deadline is degraded, with what it waits for', () => {
  expect(judged(WAITING, JUST_BEFORE)).toBe('progressing: waits for a load balancer address');
  expect(judged(WAITING, AFTER)).toBe('degraded: no progress for 10m: waits for a load balancer address');
});

test('what is on its way says when it is late, so that somebody looks again then', () => {
  const object = renderedKind(WAITING.kind);
  const rendering = targetRendering([object], { web: 0 });
  const observation = observationOf(inventoryOf(rendering), [object]);
  const objects = observation.objects.map((one) => ({ ...one, live: liveOf(WAITING) }));

  expect(firstLate(assess(rendering, { ...observation, objects }, JUST_BEFORE))).toBe(AFTER.now);
  expect(firstLate(assess(rendering, { ...observation, objects }, AFTER))).toBeUndefined();
});

test('without a deadline, or where nobody knows since when, nothing takes too long', () => {
  expect(judged(WAITING)).toBe('progressing: waits for a load balancer address');
  expect(judged({ kind: 'v1 Service', spec: { type: 'LoadBalancer' } }, AFTER)).toBe('progressing: waits for a load balancer address');
});

test('what is healthy stays healthy however long ago it was applied', () => {
  expect(judged({ kind: 'v1 ConfigMap', appliedAt: APPLIED }, { ...AFTER, now: instant('2027-11-21T20:00:00Z') })).toBe('healthy');
});

test('what waits for a person may take as long as it likes', () => {
  const status = { observedGeneration: 1, updatedReplicas: 1, availableReplicas: 3, replicas: 3 };

  expect(judged({ kind: 'apps/v1 Deployment', spec: { replicas: 3, paused: true }, status, appliedAt: APPLIED }, AFTER)).toBe(
    'progressing: its rollout is paused; 1 of 3 replicas is updated',
  );
});

describe('the time begins again', () => {
  const next: Patience = { now: instant('2026-11-22T20:00:30Z'), deadline: 600_000 };
  const short = { observedGeneration: 1, replicas: 3, updatedReplicas: 3, availableReplicas: 2 };

  test('when one of its conditions changes: what was well for a day is not late at once', () => {
    const changed = { ...condition('Available', 'False'), lastTransitionTime: '2026-11-22T20:00:00Z' };
    const kind = 'apps/v1 Deployment';
    const spec = { replicas: 3 };

    expect(judged({ kind, spec, status: { ...short, conditions: [changed] }, appliedAt: APPLIED }, next)).toBe(
      'progressing: 2 of 3 replicas are available',
    );
    expect(judged({ kind, spec, status: short, appliedAt: APPLIED }, next)).toBe(
      'degraded: no progress for 10m: 2 of 3 replicas are available',
    );
  });

  test('when one of its pods starts, where its controller writes no conditions', () => {
    const pods: readonly JsonObject[] = [{ metadata: { name: 'db-0' }, status: { phase: 'Pending', startTime: '2026-11-22T20:00:00Z' } }];
    const sketch = { kind: 'apps/v1 StatefulSet', spec: { replicas: 3 }, status: short, appliedAt: APPLIED };

    expect(judged({ ...sketch, pods }, next)).toBe('progressing: 2 of 3 replicas are available');
    expect(judged(sketch, next)).toBe('degraded: no progress for 10m: 2 of 3 replicas are available');
  });

  test('but not for ever by a time that has not come', () => {
    const later = { ...condition('Ready', 'False'), lastTransitionTime: '2099-01-01T00:00:00Z' };

    expect(judged({ kind: 'example.com/v1 Gadget', status: { conditions: [later] }, appliedAt: APPLIED }, AFTER)).toBe(
      'degraded: no progress for 10m: is not ready',
    );
  });
});

test('a finalizer that never ends is reported and not waited for without end', () => {
  const metadata = { deletionTimestamp: '2026-11-21T20:00:00Z', finalizers: ['example.com/x'] };

  expect(judged({ kind: 'v1 ConfigMap', metadata }, AFTER)).toBe(
    'degraded: no progress for 10m: is being deleted since 2026-11-21T20:00:00Z; finalizer example.com/x has not ended',
  );
});
