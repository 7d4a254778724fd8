import { describe, expect, test } from 'vitest';

import { condition, judged } from './build-live.ts';
import { judgesOf } from './judges-of.ts';

describe('a Service', () => {
  judgesOf('v1 Service', [
    ['is healthy once it is there', { type: 'ClusterIP' }, { loadBalancer: {} }, 'healthy'],
    [
      'for a load balancer waits for its address',
      { type: 'LoadBalancer' },
      { loadBalancer: {} },
      'progressing: waits for a load balancer address',
    ],
    [
      'for a load balancer that has one is healthy',
      { type: 'LoadBalancer' },
      { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } },
      'healthy',
    ],
  ]);
});

describe('a PersistentVolumeClaim', () => {
  judgesOf('v1 PersistentVolumeClaim', [
    ['that is bound is healthy', {}, { phase: 'Bound' }, 'healthy'],
    [
      'that is pending waits',
      {},
      { phase: 'Pending' },
      'progressing: waits for a volume (some storage classes bind one when the first pod uses it)',
    ],
    ['that lost its volume is degraded', {}, { phase: 'Lost' }, 'degraded: its volume is lost'],
  ]);
});

describe('a PodDisruptionBudget', () => {
  judgesOf('policy/v1 PodDisruptionBudget', [
    ['that allows nothing now is healthy', {}, { conditions: [condition('DisruptionAllowed', 'False', 'InsufficientPods')] }, 'healthy'],
    ['waits for its controller', {}, undefined, 'progressing: waits for its controller'],
    [
      'of which an older generation was seen waits',
      {},
      { observedGeneration: 0 },
      'progressing: its controller has not seen the last change',
    ],
    [
      'that cannot be computed is degraded',
      {},
      { conditions: [condition('DisruptionAllowed', 'False', 'SyncFailed', 'found no controllers for pod "web"')] },
      'degraded: cannot be computed: found no controllers for pod "web"',
    ],
  ]);
});

describe('a CustomResourceDefinition', () => {
  const named = condition('NamesAccepted', 'True', 'NoConflicts');
  judgesOf('apiextensions.k8s.io/v1 CustomResourceDefinition', [
    ['that is established is healthy', {}, { conditions: [named, condition('Established', 'True', 'InitialNamesAccepted')] }, 'healthy'],
    [
      'waits to be established',
      {},
      { conditions: [named, condition('Established', 'False', 'Installing', 'the initial names have been accepted')] },
      'progressing: is not established yet',
    ],
    ['nobody has looked at waits', {}, undefined, 'progressing: is not established yet'],
    [
      'whose names are taken is degraded',
      {},
      {
        conditions: [
          condition('NamesAccepted', 'False', 'ListKindConflict', '"GadgetList" is already in use'),
          condition('Established', 'False', 'NotAccepted', 'not all names are accepted'),
        ],
      },
      'degraded: its names are not accepted: "GadgetList" is already in use',
    ],
  ]);
});

describe('a HorizontalPodAutoscaler', () => {
  const able = condition('AbleToScale', 'True', 'ReadyForNewScale');
  judgesOf('autoscaling/v2 HorizontalPodAutoscaler', [
    [
      'that scales is healthy',
      {},
      { desiredReplicas: 1, conditions: [able, condition('ScalingActive', 'True', 'ValidMetricFound')] },
      'healthy',
    ],
    [
      'waits for metrics',
      {},
      { conditions: [able, condition('ScalingActive', 'False', 'FailedGetResourceMetric', 'no metrics returned')] },
      'progressing: does not scale: no metrics returned',
    ],
    [
      'of something that has no replicas is healthy',
      {},
      { conditions: [able, condition('ScalingActive', 'False', 'ScalingDisabled')] },
      'healthy',
    ],
    [
      'that names no known metric is degraded',
      {},
      { conditions: [able, condition('ScalingActive', 'False', 'InvalidMetricSourceType', 'the source is unknown')] },
      'degraded: does not scale: the source is unknown',
    ],
    [
      'without anything to scale is degraded',
      {},
      { conditions: [condition('AbleToScale', 'False', 'FailedGetScale', 'deployments/scale.apps "web" not found')] },
      'degraded: cannot scale: deployments/scale.apps "web" not found',
    ],
    ['waits for its controller', {}, undefined, 'progressing: waits for its controller'],
  ]);
});

describe('an APIService', () => {
  judgesOf('apiregistration.k8s.io/v1 APIService', [
    ['that answers is healthy', {}, { conditions: [condition('Available', 'True', 'Passed')] }, 'healthy'],
    [
      'that does not answer waits',
      {},
      { conditions: [condition('Available', 'False', 'MissingEndpoints', 'endpoints for service/web have no addresses')] },
      'progressing: is not available: endpoints for service/web have no addresses',
    ],
  ]);
});

test.each([
  'v1 ConfigMap',
  'v1 Secret',
  'batch/v1 CronJob',
  'networking.k8s.io/v1 Ingress',
  'rbac.authorization.k8s.io/v1 Role',
  'v1 ServiceAccount',
  'v1 Namespace',
])('a %s is healthy once it is applied', (kind) => {
  expect(judged({ kind })).toBe('healthy');
  expect(judged({ kind, status: { loadBalancer: {} } })).toBe('healthy');
});

describe('an object that goes away', () => {
  test('says since when and what has not ended', () => {
    const metadata = { deletionTimestamp: '2026-11-21T20:00:00Z', finalizers: ['example.com/x'] };

    expect(judged({ kind: 'v1 ConfigMap', metadata })).toBe(
      'progressing: is being deleted since 2026-11-21T20:00:00Z; finalizer example.com/x has not ended',
    );
  });

  test('names at most three finalizers', () => {
    const metadata = { deletionTimestamp: '2026-11-21T20:00:00Z', finalizers: ['a/1', 'a/2', 'a/3', 'a/4', 'a/5'] };

    expect(judged({ kind: 'v1 ConfigMap', metadata })).toBe(
      'progressing: is being deleted since 2026-11-21T20:00:00Z; finalizers a/1, a/2, a/3 and 2 more have not ended',
    );
  });

  test('says what a namespace still holds', () => {
    const status = {
      phase: 'Terminating',
      conditions: [
        condition(
          'NamespaceContentRemaining',
          'True',
          'SomeResourcesRemain',
          'Some resources are remaining: gadgets.example.com has 1 resource instances',
        ),
      ],
    };

    expect(judged({ kind: 'v1 Namespace', metadata: { deletionTimestamp: '2026-11-21T20:00:00Z' }, status })).toBe(
      'progressing: is being deleted since 2026-11-21T20:00:00Z; Some resources are remaining: gadgets.example.com has 1 resource instances',
    );
  });
});

describe('a kind that no row names', () => {
  judgesOf('example.com/v1 Gadget', [
    ['is healthy where it says nothing', {}, undefined, 'healthy'],
    ['is healthy when it is ready', {}, { conditions: [condition('Ready', 'True')] }, 'healthy'],
    [
      'waits to be ready',
      {},
      { conditions: [condition('Ready', 'False', 'Waiting', 'no address')] },
      'progressing: is not ready: no address',
    ],
    ['waits to be available', {}, { conditions: [condition('Available', 'Unknown')] }, 'progressing: is not available'],
    [
      'waits while it is reconciled',
      {},
      { conditions: [condition('Reconciling', 'True', 'Busy'), condition('Ready', 'True')] },
      'progressing: is being reconciled: Busy',
    ],
    [
      'is degraded when it is stalled',
      {},
      { conditions: [condition('Stalled', 'True', 'NoSuchKey'), condition('Reconciling', 'True')] },
      'degraded: is stalled: NoSuchKey',
    ],
    [
      'is degraded when it has failed',
      {},
      { conditions: [condition('Failed', 'True', '', 'disk full')] },
      'degraded: is failed: disk full',
    ],
    [
      'is degraded when its work did not succeed',
      {},
      { conditions: [condition('Succeeded', 'False', 'Failed')] },
      'degraded: has failed: Failed',
    ],
    [
      'waits while its work is under way',
      {},
      { conditions: [condition('Succeeded', 'Unknown', 'Running')] },
      'progressing: is at work: Running',
    ],
    [
      'of which an older generation was seen waits',
      {},
      { observedGeneration: 0, conditions: [condition('Ready', 'True')] },
      'progressing: its controller has not seen the last change',
    ],
    [
      'whose condition is of an older generation waits',
      {},
      { conditions: [{ ...condition('Ready', 'True'), observedGeneration: 0 }] },
      'progressing: its controller has not seen the last change',
    ],
  ]);
});
