import { describe } from 'vitest';

import { condition } from './build-live.ts';
import { judgesOf } from './judges-of.ts';

const AVAILABLE = condition('Available', 'True', 'MinimumReplicasAvailable');
const DONE = condition('Progressing', 'True', 'NewReplicaSetAvailable');
const WHOLE = { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, conditions: [AVAILABLE, DONE] };

describe('a Deployment', () => {
  judgesOf('apps/v1 Deployment', [
    ['is healthy when all of it is new and available', { replicas: 3 }, WHOLE, 'healthy'],
    ['without replicas is healthy', { replicas: 0 }, { conditions: [AVAILABLE, DONE] }, 'healthy'],
    ['has one replica where git names no number', {}, { ...WHOLE, replicas: 1, updatedReplicas: 1, availableReplicas: 1 }, 'healthy'],
    ['waits for its controller', { replicas: 3 }, undefined, 'progressing: waits for its controller'],
    [
      'of which an older generation was seen waits',
      { replicas: 3 },
      { ...WHOLE, observedGeneration: 0 },
      'progressing: waits for its controller',
    ],
    ['tells how many are available', { replicas: 3 }, { ...WHOLE, availableReplicas: 2 }, 'progressing: 2 of 3 replicas are available'],
    [
      'is on its way while old pods still serve',
      { replicas: 3 },
      { ...WHOLE, replicas: 4, updatedReplicas: 1 },
      'progressing: 1 of 3 replicas is updated',
    ],
    ['waits for old pods to end', { replicas: 3 }, { ...WHOLE, replicas: 4 }, 'progressing: 1 old replica has not ended'],
    [
      'that exceeded its deadline is degraded',
      { replicas: 1 },
      {
        ...WHOLE,
        replicas: 2,
        updatedReplicas: 1,
        availableReplicas: 0,
        conditions: [
          condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'ReplicaSet "guestbook-ui-75dd4d49d5" has timed out progressing.'),
        ],
      },
      'degraded: rollout stopped: it exceeded its progress deadline; 0 of 1 replica is available',
    ],
    [
      'whose pods are refused says why',
      { replicas: 3 },
      { conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'pods "web-1" is forbidden: exceeded quota: small')] },
      'progressing: 0 of 3 replicas are available; its pods cannot be created: pods "web-1" is forbidden: exceeded quota: small',
    ],
    [
      'that is paused in the middle stays on its way',
      { replicas: 3, paused: true },
      { ...WHOLE, updatedReplicas: 1 },
      'progressing: its rollout is paused; 1 of 3 replicas is updated',
    ],
    ['that is paused and whole is healthy', { replicas: 3, paused: true }, WHOLE, 'healthy'],
    [
      'that is not available is on its way though its numbers are right',
      { replicas: 3 },
      {
        ...WHOLE,
        conditions: [condition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.')],
      },
      'progressing: is not available: Deployment does not have minimum availability.',
    ],
  ]);
});

describe('a StatefulSet', () => {
  const same = { currentRevision: 'web-1', updateRevision: 'web-1' };
  const moving = { currentRevision: 'web-1', updateRevision: 'web-2' };
  const three = { replicas: 3, readyReplicas: 3, availableReplicas: 3 };
  judgesOf('apps/v1 StatefulSet', [
    ['is healthy when all replicas of one revision are available', { replicas: 3 }, { ...three, ...same }, 'healthy'],
    [
      'counts ready ones where its server does not count available ones',
      { replicas: 1 },
      { replicas: 1, readyReplicas: 1, ...same },
      'healthy',
    ],
    ['waits for its controller', { replicas: 3 }, undefined, 'progressing: waits for its controller'],
    [
      'tells how many are available',
      { replicas: 3 },
      { ...three, availableReplicas: 1, ...same },
      'progressing: 1 of 3 replicas is available',
    ],
    ['tells how many are updated', { replicas: 3 }, { ...three, ...moving, updatedReplicas: 1 }, 'progressing: 1 of 3 replicas is updated'],
    [
      'waits for its revision',
      { replicas: 3 },
      { ...three, ...moving, updatedReplicas: 3 },
      'progressing: its new revision is not the current one yet',
    ],
    [
      'with a partition is healthy when what is above it is updated',
      { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
      { ...three, ...moving, updatedReplicas: 1 },
      'healthy',
    ],
    [
      'with a partition waits for what is above it',
      { replicas: 3, updateStrategy: { rollingUpdate: { partition: 1 } } },
      { ...three, ...moving, updatedReplicas: 1 },
      'progressing: 1 of 2 replicas is updated',
    ],
    [
      'that people update by deleting pods needs no new revision',
      { replicas: 3, updateStrategy: { type: 'OnDelete' } },
      { ...three, ...moving },
      'healthy',
    ],
    ['waits for surplus replicas to end', { replicas: 1 }, { ...three, ...same }, 'progressing: 2 old replicas have not ended'],
  ]);
});

describe('a DaemonSet', () => {
  const two = { desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 2, numberAvailable: 2 };
  judgesOf('apps/v1 DaemonSet', [
    ['is healthy when every node has a new and available one', {}, two, 'healthy'],
    ['for which there is no node is healthy', {}, { desiredNumberScheduled: 0 }, 'healthy'],
    ['waits for its controller', {}, {}, 'progressing: waits for its controller'],
    ['tells how many are available', {}, { ...two, numberAvailable: 1 }, 'progressing: 1 of 2 replicas is available'],
    ['tells how many are updated', {}, { ...two, updatedNumberScheduled: 0 }, 'progressing: 0 of 2 replicas are updated'],
    [
      'that people update by deleting pods needs no new ones',
      { updateStrategy: { type: 'OnDelete' } },
      { ...two, updatedNumberScheduled: 0 },
      'healthy',
    ],
  ]);
});

describe('a ReplicaSet', () => {
  judgesOf('apps/v1 ReplicaSet', [
    ['is healthy when its replicas are available', { replicas: 2 }, { replicas: 2, availableReplicas: 2 }, 'healthy'],
    ['tells how many are available', { replicas: 2 }, { replicas: 2, availableReplicas: 0 }, 'progressing: 0 of 2 replicas are available'],
    [
      'waits for surplus replicas to end',
      { replicas: 1 },
      { replicas: 2, availableReplicas: 2 },
      'progressing: 1 old replica has not ended',
    ],
  ]);
});

describe('a Job', () => {
  judgesOf('batch/v1 Job', [
    [
      'is healthy once it is complete',
      {},
      { startTime: '2018-12-02T08:19:14Z', succeeded: 1, conditions: [condition('Complete', 'True')] },
      'healthy',
    ],
    ['waits to start', {}, {}, 'progressing: has not started'],
    ['is on its way while it runs', {}, { active: 1, startTime: '2018-12-02T08:19:14Z' }, 'progressing: runs: 0 of 1 completion'],
    [
      'tells of pods that failed',
      { completions: 3 },
      { active: 1, succeeded: 1, failed: 2, startTime: '2018-12-02T08:19:14Z' },
      'progressing: runs: 1 of 3 completions, 2 pods failed',
    ],
    [
      'that failed says why',
      {},
      { failed: 1, conditions: [condition('Failed', 'True', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit')] },
      'degraded: job failed: BackoffLimitExceeded',
    ],
    [
      'that is about to fail says why',
      {},
      { failed: 1, conditions: [condition('FailureTarget', 'True', 'PodFailurePolicy')] },
      'degraded: job is failing: PodFailurePolicy',
    ],
    [
      'that git suspends is as it should be',
      { suspend: true },
      { conditions: [condition('Suspended', 'True', 'JobSuspended')] },
      'healthy',
    ],
  ]);
});
