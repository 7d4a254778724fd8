import type { Recorded } from './build-live.ts';
import { condition, seenAt } from './build-live.ts';

const PODINFO = 'Helm install succeeded for release default/podinfo.v1 with chart podinfo@6.5.4';
const REVISION = 'Revision "helloworld-00002" failed with message: Container failed with: container exited with no error.';
const WAITING_REVISION = 'Configuration "hello-world-predictor-default" is waiting for a Revision to become ready.';

export const ROLLOUTS: readonly Recorded[] = [
  {
    source: 'argo-cd Rollout/healthy_newWorkloadGeneration',
    kind: 'argoproj.io/v1alpha1 Rollout',
    metadata: { generation: 3, annotations: { 'rollout.argoproj.io/workload-generation': '1' } },
    status: {
      phase: 'Healthy',
      observedGeneration: '3',
      workloadObservedGeneration: '1',
      conditions: [condition('Progressing', 'True', 'NewReplicaSetAvailable')],
    },
    said: 'healthy',
  },
  {
    source: 'argo-cd Rollout/progressing_newWorkloadGeneration',
    kind: 'argoproj.io/v1alpha1 Rollout',
    metadata: { generation: 3, annotations: { 'rollout.argoproj.io/workload-generation': '2' } },
    status: { phase: 'Healthy', observedGeneration: '3', workloadObservedGeneration: '1' },
    said: 'progressing: its controller has not seen the last change',
  },
  {
    source: 'argo-cd Rollout/progressing_newGeneration',
    kind: 'argoproj.io/v1alpha1 Rollout',
    metadata: { generation: 2 },
    status: { phase: 'Healthy', observedGeneration: '1' },
    said: 'progressing: its controller has not seen the last change',
  },
  {
    source: 'argo-cd Rollout/suspended_v1.0_pausedRollout',
    kind: 'argoproj.io/v1alpha1 Rollout',
    metadata: { generation: 5 },
    status: {
      phase: 'Paused',
      message: 'CanaryPauseStep',
      observedGeneration: '5',
      conditions: [condition('Progressing', 'Unknown', 'RolloutPaused', 'Rollout is paused')],
    },
    said: 'progressing: its rollout is paused: CanaryPauseStep',
  },
  {
    source: 'argo-cd Rollout/degraded_rolloutTimeout',
    kind: 'argoproj.io/v1alpha1 Rollout',
    status: {
      observedGeneration: '7bcdbf7bd9',
      conditions: [
        condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'ReplicaSet "guestbook-6b8cf6f7db" has timed out progressing.'),
      ],
    },
    said: 'degraded: rollout stopped: it exceeded its progress deadline',
  },
  {
    source: 'argo-cd Rollout/degraded_statusPhaseMessage',
    kind: 'argoproj.io/v1alpha1 Rollout',
    status: { phase: 'Degraded', message: 'InvalidSpec', observedGeneration: '8575574967', conditions: {} },
    said: 'degraded: is degraded: InvalidSpec',
  },
  {
    source: 'argo-cd Rollout/degraded_abortedRollout',
    kind: 'argoproj.io/v1alpha1 Rollout',
    status: {
      observedGeneration: '58b949649c',
      abort: true,
      conditions: [condition('Progressing', 'False', 'RolloutAborted', 'Rollout is aborted')],
    },
    said: 'degraded: rollout stopped: it was aborted',
  },
  {
    source: 'argo-cd Rollout/newRolloutWithoutStatus',
    kind: 'argoproj.io/v1alpha1 Rollout',
    said: 'progressing: waits for its controller',
  },
];

export const FLUX: readonly Recorded[] = [
  {
    source: 'argo-cd HelmRelease/healthy',
    kind: 'helm.toolkit.fluxcd.io/v2 HelmRelease',
    metadata: { generation: 2 },
    status: {
      conditions: [
        seenAt(2, condition('Ready', 'True', 'InstallSucceeded', PODINFO)),
        seenAt(1, condition('Released', 'True', 'InstallSucceeded', PODINFO)),
      ],
    },
    said: 'healthy',
  },
  {
    source: 'argo-cd HelmRelease/progressing',
    kind: 'helm.toolkit.fluxcd.io/v2 HelmRelease',
    metadata: { generation: 3 },
    status: {
      conditions: [
        seenAt(3, condition('Reconciling', 'True', 'Progressing', "Running 'upgrade' action with timeout of 5m0s")),
        seenAt(3, condition('Ready', 'Unknown', 'Progressing', "Running 'upgrade' action with timeout of 5m0s")),
      ],
    },
    said: "progressing: is being reconciled: Running 'upgrade' action with timeout of 5m0s",
  },
  {
    source: 'argo-cd HelmRelease/degraded',
    kind: 'helm.toolkit.fluxcd.io/v2 HelmRelease',
    metadata: { generation: 5 },
    status: {
      conditions: [
        seenAt(
          5,
          condition(
            'Reconciling',
            'True',
            'ProgressingWithRetry',
            'Helm rollback to previous release default/podinfo.v24 with chart podinfo@6.5.4 succeeded',
          ),
        ),
        seenAt(
          5,
          condition(
            'Ready',
            'False',
            'RollbackSucceeded',
            'Helm rollback to previous release default/podinfo.v24 with chart podinfo@6.5.4 succeeded',
          ),
        ),
      ],
    },
    said: 'degraded: is not ready: Helm rollback to previous release default/podinfo.v24 with chart podinfo@6.5.4 succeeded',
  },
  {
    source: 'kustomize-controller, API reference: ready',
    kind: 'kustomize.toolkit.fluxcd.io/v1 Kustomization',
    status: {
      observedGeneration: 1,
      conditions: [
        seenAt(
          1,
          condition('Ready', 'True', 'ReconciliationSucceeded', 'Applied revision: master@sha1:450796ddb2ab6724ee1cc32a4be56da032d1cca0'),
        ),
      ],
    },
    said: 'healthy',
  },
  {
    source: 'argo-cd Kustomization/degraded',
    kind: 'kustomize.toolkit.fluxcd.io/v1 Kustomization',
    status: {
      observedGeneration: -1,
      conditions: [seenAt(1, condition('Ready', 'False', 'ArtifactFailed', 'GitRepository.source.toolkit.fluxcd.io "podinfo" not found'))],
    },
    said: 'degraded: is not ready: GitRepository.source.toolkit.fluxcd.io "podinfo" not found',
  },
  {
    source: 'kustomize-controller, API reference: dependencies',
    kind: 'kustomize.toolkit.fluxcd.io/v1 Kustomization',
    status: {
      observedGeneration: -1,
      conditions: [seenAt(1, condition('Ready', 'False', 'DependencyNotReady', "dependency 'flux-system/infrastructure' is not ready"))],
    },
    said: "progressing: is not ready yet: dependency 'flux-system/infrastructure' is not ready",
  },
  {
    source: 'kustomize-controller, a change that it has not seen',
    kind: 'kustomize.toolkit.fluxcd.io/v1 Kustomization',
    metadata: { generation: 2 },
    status: { observedGeneration: 1, conditions: [seenAt(1, condition('Ready', 'True', 'ReconciliationSucceeded'))] },
    said: 'progressing: its controller has not seen the last change',
  },
  { source: 'argo-cd HelmRepository/oci', kind: 'source.toolkit.fluxcd.io/v1 HelmRepository', spec: { type: 'oci' }, said: 'healthy' },
  { source: 'Flux, suspended in git', kind: 'kustomize.toolkit.fluxcd.io/v1 Kustomization', spec: { suspend: true }, said: 'healthy' },
];

export const APPLICATIONS: readonly Recorded[] = [
  {
    source: 'argo-cd gitops-engine application-healthy',
    kind: 'argoproj.io/v1alpha1 Application',
    status: {
      health: { status: 'Healthy' },
      sync: { status: 'Synced' },
      operationState: { phase: 'Succeeded', message: 'successfully synced (all tasks run)' },
    },
    said: 'healthy',
  },
  {
    source: 'argo-cd gitops-engine application-degraded',
    kind: 'argoproj.io/v1alpha1 Application',
    status: { health: { status: 'Degraded' } },
    said: 'degraded: what it deploys is degraded',
  },
  {
    source: 'argo-cd issue 21858',
    kind: 'argoproj.io/v1alpha1 Application',
    status: {
      health: { status: 'Healthy' },
      sync: { status: 'OutOfSync' },
      operationState: { phase: 'Failed', message: 'one or more synchronization tasks completed unsuccessfully' },
    },
    said: 'degraded: its last sync failed: one or more synchronization tasks completed unsuccessfully',
  },
  {
    source: 'argo-cd issue 10330',
    kind: 'argoproj.io/v1alpha1 Application',
    status: {
      health: { status: 'Healthy' },
      sync: { status: 'Unknown' },
      conditions: [{ type: 'ComparisonError', message: 'rpc error: code = Unknown desc = path/in/git: app path does not exist' }],
    },
    said: 'degraded: cannot be synced: rpc error: code = Unknown desc = path/in/git: app path does not exist',
  },
  {
    source: 'argo-cd issue 16568',
    kind: 'argoproj.io/v1alpha1 Application',
    status: { health: { status: 'Missing' }, sync: { status: 'OutOfSync' } },
    said: 'progressing: what it deploys is not there',
  },
  {
    source: 'kargo issue 670',
    kind: 'argoproj.io/v1alpha1 Application',
    status: { health: { status: 'Healthy' }, sync: { status: 'OutOfSync' }, operationState: { phase: 'Succeeded' } },
    said: 'progressing: is out of sync with its git',
  },
  {
    source: 'argo-workflows issue 3374',
    kind: 'argoproj.io/v1alpha1 Workflow',
    status: { phase: 'Failed', message: "child 'work-gluc26zpc-1' failed" },
    said: "degraded: workflow failed: child 'work-gluc26zpc-1' failed",
  },
  { source: 'argo-workflows issue 788', kind: 'argoproj.io/v1alpha1 Workflow', status: { phase: 'Running' }, said: 'progressing: runs' },
  { source: 'argo-workflows issue 10994', kind: 'argoproj.io/v1alpha1 Workflow', status: { phase: 'Succeeded' }, said: 'healthy' },
];

export const SERVING: readonly Recorded[] = [
  {
    source: 'argo-cd serving.knative.dev/Service/healthy',
    kind: 'serving.knative.dev/v1 Service',
    status: { conditions: [condition('ConfigurationsReady', 'True'), condition('Ready', 'True'), condition('RoutesReady', 'True')] },
    said: 'healthy',
  },
  {
    source: 'argo-cd serving.knative.dev/Service/progressing',
    kind: 'serving.knative.dev/v1 Service',
    status: {
      conditions: [condition('Ready', 'Unknown', 'RolloutInProgress', 'A gradual rollout of the latest revision(s) is in progress.')],
    },
    said: 'progressing: is not ready yet: A gradual rollout of the latest revision(s) is in progress.',
  },
  {
    source: 'argo-cd serving.knative.dev/Service/degraded',
    kind: 'serving.knative.dev/v1 Service',
    status: { conditions: [condition('Ready', 'False', 'RevisionFailed', REVISION)] },
    said: `degraded: is not ready: ${REVISION}`,
  },
  {
    source: 'argo-cd InferenceService/healthy_ocp',
    kind: 'serving.kserve.io/v1beta1 InferenceService',
    status: { conditions: [condition('Ready', 'True'), condition('Stopped', 'False')], modelStatus: { transitionStatus: 'UpToDate' } },
    said: 'healthy',
  },
  {
    source: 'argo-cd InferenceService/progressing',
    kind: 'serving.kserve.io/v1beta1 InferenceService',
    status: { conditions: [condition('Ready', 'Unknown', 'RevisionMissing', WAITING_REVISION)] },
    said: `progressing: is not ready yet: ${WAITING_REVISION}`,
  },
  {
    source: 'argo-cd InferenceService/progressing_modelmesh',
    kind: 'serving.kserve.io/v1beta1 InferenceService',
    status: { conditions: [condition('Ready', 'False')], modelStatus: { transitionStatus: 'InProgress' } },
    said: 'progressing: its model is being loaded',
  },
  {
    source: 'argo-cd InferenceService/degraded_modelmesh',
    kind: 'serving.kserve.io/v1beta1 InferenceService',
    status: { conditions: [condition('Ready', 'True')], modelStatus: { transitionStatus: 'BlockedByFailedLoad' } },
    said: 'degraded: its model cannot be loaded',
  },
  {
    source: 'argo-cd InferenceService/stopped',
    kind: 'serving.kserve.io/v1beta1 InferenceService',
    status: { conditions: [condition('Ready', 'False', 'Stopped'), condition('Stopped', 'True')] },
    said: 'healthy',
  },
];
