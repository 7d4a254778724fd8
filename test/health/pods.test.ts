import { describe, expect, test } from 'vitest';

import type { JsonObject } from '#model/json.ts';
import { condition, judged } from './build-live.ts';

const UNREADY = condition('Ready', 'False', 'ContainersNotReady', 'containers with unready status: [main]');

function pod(name: string, status: JsonObject): JsonObject {
  return { metadata: { name }, status };
}

function withContainer(container: JsonObject, phase = 'Running'): JsonObject {
  return { phase, conditions: [UNREADY], containerStatuses: [{ name: 'main', ready: false, ...container }] };
}

const CRASHED = {
  state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container=main' } },
  lastState: { terminated: { exitCode: 1, reason: 'Error', message: 'password=hunter2' } },
};
const PULLING = withContainer(
  { state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "example.com/web:2"' } } },
  'Pending',
);
const UNSCHEDULABLE = {
  phase: 'Pending',
  conditions: [condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available: 3 Insufficient cpu.')],
};
const READY = { phase: 'Running', conditions: [condition('Ready', 'True')] };

describe('a Pod', () => {
  test.each<[string, JsonObject, string]>([
    ['that is ready is healthy', READY, 'healthy'],
    ['that has done its work is healthy', { phase: 'Succeeded' }, 'healthy'],
    [
      'that failed is degraded',
      withContainer({ state: { terminated: { exitCode: 1, reason: 'Error' } } }, 'Failed'),
      'degraded: has ended: container main ended with exit code 1',
    ],
    [
      'that was evicted is degraded',
      { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
      'degraded: failed (Evicted): The node was low on resource: memory.',
    ],
    ['that starts is on its way', { phase: 'Pending', conditions: [UNREADY] }, 'progressing: is starting'],
    [
      'that runs and is not ready says so',
      { phase: 'Running', conditions: [UNREADY] },
      'progressing: runs and is not ready: containers with unready status: [main]',
    ],
    ['that cannot be scheduled says why', UNSCHEDULABLE, 'progressing: cannot be scheduled: 0/3 nodes are available: 3 Insufficient cpu.'],
    ['without its image says why', PULLING, 'progressing: is in ImagePullBackOff: Back-off pulling image "example.com/web:2"'],
    [
      'that crashes may still wait for something',
      withContainer({ ...CRASHED, restartCount: 4 }),
      'progressing: is in CrashLoopBackOff: container main ended with exit code 1',
    ],
    [
      'that goes on crashing is degraded, and its log is not told',
      withContainer({ ...CRASHED, restartCount: 5 }),
      'degraded: is in CrashLoopBackOff: container main ended with exit code 1',
    ],
    [
      'that was out of memory says so',
      withContainer({ state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }),
      'progressing: has ended: container main ended with exit code 137 (OOMKilled)',
    ],
    [
      'with a wrong image name is degraded at once',
      withContainer({ state: { waiting: { reason: 'InvalidImageName', message: 'invalid reference format' } } }),
      'degraded: is in InvalidImageName: invalid reference format',
    ],
    [
      'without its configuration says what is missing',
      withContainer({ state: { waiting: { reason: 'CreateContainerConfigError', message: 'configmap "web" not found' } } }),
      'progressing: is in CreateContainerConfigError: configmap "web" not found',
    ],
    ['nobody has looked at waits', {}, 'progressing: waits for its controller'],
  ])('%s', (_, status, said) => {
    expect(judged({ kind: 'v1 Pod', status })).toBe(said);
  });
});

describe('a workload tells of its pods', () => {
  const kind = 'apps/v1 Deployment';
  const status = { observedGeneration: 1, replicas: 3, updatedReplicas: 3, availableReplicas: 2, conditions: [] };
  const saysOf = (...pods: readonly JsonObject[]): string => judged({ kind, spec: { replicas: 3 }, status, pods });

  test('that are not well, and of no others', () => {
    expect(saysOf(pod('greeter-7d9c-a', PULLING), pod('greeter-7d9c-b', READY), pod('greeter-7d9c-c', { phase: 'Pending' }))).toBe(
      'progressing: 2 of 3 replicas are available; pod greeter-7d9c-a is in ImagePullBackOff: Back-off pulling image "example.com/web:2"',
    );
  });

  test('the worst first, and two of them at most', () => {
    const crashing = withContainer({ ...CRASHED, restartCount: 1 });

    expect(
      saysOf(pod('a', { phase: 'Running', conditions: [UNREADY] }), pod('b', UNSCHEDULABLE), pod('c', PULLING), pod('d', crashing)),
    ).toBe(
      'progressing: 2 of 3 replicas are available; pod d is in CrashLoopBackOff: container main ended with exit code 1; ' +
        'pod c is in ImagePullBackOff: Back-off pulling image "example.com/web:2" (and 2 more)',
    );
  });

  test('once where they say the same', () => {
    expect(saysOf(pod('c', PULLING), pod('b', PULLING), pod('a', PULLING))).toBe(
      'progressing: 2 of 3 replicas are available; pods a, b and 1 more: each is in ImagePullBackOff: Back-off pulling image "example.com/web:2"',
    );
  });

  test('and is degraded when one goes on crashing, though old ones still serve', () => {
    const rolling = { ...status, replicas: 4, updatedReplicas: 1, availableReplicas: 3 };
    const pods = [pod('new', withContainer({ ...CRASHED, restartCount: 7 })), pod('old', READY)];

    expect(judged({ kind, spec: { replicas: 3 }, status: rolling, pods })).toBe(
      'degraded: 1 of 3 replicas is updated; pod new is in CrashLoopBackOff: container main ended with exit code 1',
    );
  });

  test('in one short safe line, whatever they say', () => {
    const evil = withContainer({
      state: { waiting: { reason: 'ImagePullBackOff', message: `\u001B[31m\r\nApproved-By: x ${'y'.repeat(10_000)}` } },
    });
    const said = saysOf(pod(`a\u202Egnp${'z'.repeat(500)}`, evil));

    expect(said.length).toBeLessThan(400);
    // oxlint-disable-next-line no-control-regex -- controls are what must not be there
    expect(said).not.toMatch(/[\u0000-\u001F\u202E]/u);
  });

  test('of a Job that failed', () => {
    const failed = { startTime: '2018-12-02T08:09:25Z', failed: 1, conditions: [condition('Failed', 'True', 'BackoffLimitExceeded')] };
    const pods = [pod('migrate-x', withContainer({ state: { terminated: { exitCode: 2, reason: 'Error' } } }, 'Failed'))];

    expect(judged({ kind: 'batch/v1 Job', status: failed, pods })).toBe(
      'degraded: job failed: BackoffLimitExceeded; pod migrate-x has ended: container main ended with exit code 2',
    );
  });
});
