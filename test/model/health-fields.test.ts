import { expect, test } from 'vitest';

import { asksForPods, healthPart } from '#model/health-fields.ts';
import type { JsonObject } from '#model/json.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';

test('of an object is kept what health reads, and nothing that it does not have', () => {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', generation: 2, annotations: { 'crossplane.io/paused': 'true', note: 'x'.repeat(1000) }, managedFields: [{}] },
    spec: { replicas: 3, template: { spec: {} }, updateStrategy: { rollingUpdate: { maxSurge: 1 } } },
    status: { replicas: 3, conditions: [{ type: 'Available' }] },
  };

  expect(healthPart(deployment)).toEqual({
    metadata: { generation: 2, annotations: { 'crossplane.io/paused': 'true' } },
    spec: { replicas: 3 },
    status: { replicas: 3, conditions: [{ type: 'Available' }] },
  });
  expect(healthPart({ kind: 'ConfigMap', metadata: { name: 'web' }, data: { a: 'b' } })).toEqual({});
});

test.each<[string, string, JsonObject, JsonObject, boolean]>([
  ['a deployment that is whole', 'apps/Deployment', { replicas: 2 }, { updatedReplicas: 2, availableReplicas: 2 }, false],
  ['a deployment in the middle of a rollout', 'apps/Deployment', { replicas: 2 }, { updatedReplicas: 1, availableReplicas: 2 }, true],
  ['a deployment nobody has looked at', 'apps/Deployment', {}, {}, true],
  ['a daemon set short of one', 'apps/DaemonSet', {}, { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 }, true],
  ['a stateful set without replicas', 'apps/StatefulSet', { replicas: 0 }, {}, false],
  ['a job that runs', 'batch/Job', {}, { active: 1, ready: 1 }, false],
  ['a job that failed', 'batch/Job', {}, { failed: 1 }, true],
  ['a kind without pods', '/Service', {}, {}, false],
])('whether pods can say why: %s', (_, groupAndKind, spec, status, asked) => {
  const [group = '', kind = ''] = groupAndKind.split('/');
  const key: ObjectKey = { group, kind, namespace: 'acme', name: 'web' };

  expect(asksForPods(key, { spec, status })).toBe(asked);
});
