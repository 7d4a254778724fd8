import type { Recorded } from './build-live.ts';
import { condition, seenAt } from './build-live.ts';

const ABSENT = condition('Issuing', 'True', 'DoesNotExist', 'Issuing certificate as Secret does not exist');
const NOT_READY = condition('Ready', 'False', 'DoesNotExist', 'Issuing certificate as Secret does not exist');
const SYNCED = condition('Synced', 'True', 'ReconcileSuccess');
const PROVIDED = { providerConfigRef: { name: 'default' } };
const TAKEN = [seenAt(1, condition('Accepted', 'True', 'Accepted')), seenAt(1, condition('ResolvedRefs', 'True', 'ResolvedRefs'))];
const PROGRAMMED = seenAt(1, condition('Programmed', 'True', 'Programmed'));
const PROGRAMMING = seenAt(1, condition('Programmed', 'False', 'ProgrammingInProgress', 'Gateway is still being programmed'));
const DENIED = 'update failed: cannot update DBInstance in AWS: InvalidParameterValue: Invalid DB Instance class: db.t4g.foobar';
const QUOTA = 'failed to reconcile infrastructure: quota exceeded';

export const CERTIFICATES: readonly Recorded[] = [
  {
    source: 'argo-cd Certificate/healthy_issued',
    kind: 'cert-manager.io/v1 Certificate',
    status: { conditions: [condition('Ready', 'True', 'CertIssued', 'Certificate issued successfully')] },
    said: 'healthy',
  },
  {
    source: 'argo-cd Certificate/progressing_issuing',
    kind: 'cert-manager.io/v1 Certificate',
    status: { conditions: [NOT_READY, ABSENT] },
    said: 'progressing: is being issued: Issuing certificate as Secret does not exist',
  },
  {
    source: 'argo-cd Certificate/progressing_noStatus',
    kind: 'cert-manager.io/v1 Certificate',
    said: 'progressing: waits for its controller',
  },
  {
    source: 'aws-privateca-issuer pull request 291',
    kind: 'cert-manager.io/v1 Certificate',
    status: {
      failedIssuanceAttempts: 2,
      conditions: [
        seenAt(1, NOT_READY),
        seenAt(
          1,
          condition(
            'Issuing',
            'False',
            'Failed',
            'The certificate request has failed to complete and will be retried: issuer could not be found',
          ),
        ),
      ],
    },
    said: 'degraded: could not be issued: The certificate request has failed to complete and will be retried: issuer could not be found',
  },
  {
    source: 'argo-cd Certificate/degraded_configError',
    kind: 'cert-manager.io/v1 Certificate',
    status: { conditions: [condition('Ready', 'False', 'ConfigError', 'Resource validation failed: spec.acme.config: Required value')] },
    said: 'degraded: is not ready: Resource validation failed: spec.acme.config: Required value',
  },
  {
    source: 'cert-manager, a renewal of a good certificate',
    kind: 'cert-manager.io/v1 Certificate',
    status: {
      conditions: [
        condition('Ready', 'True', 'Ready', 'Certificate is up to date and has not expired'),
        condition('Issuing', 'True', 'Renewing', 'Renewing certificate as renewal was scheduled'),
      ],
    },
    said: 'healthy',
  },
];

export const EXTERNAL_SECRETS: readonly Recorded[] = [
  {
    source: 'argo-cd ExternalSecret/healthy',
    kind: 'external-secrets.io/v1 ExternalSecret',
    status: { conditions: [condition('Ready', 'True', 'SecretSynced', 'Secret was synced')] },
    said: 'healthy',
  },
  {
    source: 'argo-cd ExternalSecret/progressing',
    kind: 'external-secrets.io/v1 ExternalSecret',
    said: 'progressing: waits for its controller',
  },
  {
    source: 'argo-cd ExternalSecret/degraded',
    kind: 'external-secrets.io/v1 ExternalSecret',
    status: {
      conditions: [condition('Ready', 'False', 'SecretSyncedError', 'could not get secret data from provider: key "secret/sa/example"')],
    },
    said: 'degraded: is not ready: could not get secret data from provider: key "secret/sa/example"',
  },
];

export const GATEWAYS: readonly Recorded[] = [
  {
    source: 'argo-cd Gateway/healthy',
    kind: 'gateway.networking.k8s.io/v1 Gateway',
    status: { conditions: [PROGRAMMED, ...TAKEN], listeners: [{ name: 'http', attachedRoutes: 1, conditions: [PROGRAMMED, ...TAKEN] }] },
    said: 'healthy',
  },
  {
    source: 'argo-cd Gateway/progressing',
    kind: 'gateway.networking.k8s.io/v1 Gateway',
    status: { conditions: [PROGRAMMING, ...TAKEN] },
    said: 'progressing: is not programmed yet: Gateway is still being programmed',
  },
  {
    source: 'Gateway API, the status every Gateway is made with',
    kind: 'gateway.networking.k8s.io/v1 Gateway',
    status: {
      conditions: [
        condition('Accepted', 'Unknown', 'Pending', 'Waiting for controller'),
        condition('Programmed', 'Unknown', 'Pending', 'Waiting for controller'),
      ],
    },
    said: 'progressing: is not accepted yet: Waiting for controller',
  },
  {
    source: 'argo-cd Gateway/degraded_resolved_refs',
    kind: 'gateway.networking.k8s.io/v1 Gateway',
    status: {
      conditions: [
        PROGRAMMED,
        TAKEN[0] ?? {},
        seenAt(1, condition('ResolvedRefs', 'False', 'InvalidGatewayClass', 'Failed to resolve references')),
      ],
    },
    said: 'degraded: does not find what it refers to: Failed to resolve references',
  },
  {
    source: 'argo-cd Gateway/listener_degraded',
    kind: 'gateway.networking.k8s.io/v1 Gateway',
    status: {
      conditions: [PROGRAMMED, ...TAKEN],
      listeners: [
        {
          name: 'http',
          conditions: [PROGRAMMED, seenAt(1, condition('Accepted', 'False', 'ListenerNotAccepted', 'Listener has not been accepted'))],
        },
      ],
    },
    said: 'degraded: listener http: is not accepted: Listener has not been accepted',
  },
  {
    source: 'argo-cd HTTPRoute/healthy_multiple_generations',
    kind: 'gateway.networking.k8s.io/v1 HTTPRoute',
    metadata: { generation: 2 },
    status: {
      parents: [
        {
          parentRef: { name: 'eg' },
          conditions: [seenAt(1, condition('Accepted', 'False', 'NoMatchingParent', 'No listeners match this parent ref'))],
        },
        {
          parentRef: { name: 'eg' },
          conditions: [seenAt(2, condition('Accepted', 'True', 'Accepted')), seenAt(2, condition('ResolvedRefs', 'True', 'ResolvedRefs'))],
        },
      ],
    },
    said: 'healthy',
  },
  {
    source: 'argo-cd HTTPRoute/progressing',
    kind: 'gateway.networking.k8s.io/v1 HTTPRoute',
    status: {
      parents: [
        {
          parentRef: { name: 'example-gateway' },
          conditions: [...TAKEN, seenAt(1, condition('Programmed', 'False', 'ProgrammingInProgress', 'Route is still being programmed'))],
        },
      ],
    },
    said: 'progressing: gateway example-gateway: is not programmed yet: Route is still being programmed',
  },
  {
    source: 'argo-cd HTTPRoute/degraded_resolved_refs',
    kind: 'gateway.networking.k8s.io/v1 HTTPRoute',
    status: {
      parents: [
        {
          parentRef: { name: 'example-gateway' },
          conditions: [
            TAKEN[0] ?? {},
            seenAt(1, condition('ResolvedRefs', 'False', 'BackendNotFound', 'BackendRef service-does-not-exist not found')),
          ],
        },
      ],
    },
    said: 'degraded: gateway example-gateway: does not find what it refers to: BackendRef service-does-not-exist not found',
  },
  {
    source: 'Gateway API, a route that no gateway has looked at',
    kind: 'gateway.networking.k8s.io/v1 HTTPRoute',
    status: { parents: [] },
    said: 'progressing: waits for a gateway',
  },
];

export const CROSSPLANE: readonly Recorded[] = [
  {
    source: 'argo-cd rds.aws.crossplane.io/DBInstance/healthy',
    kind: 'rds.aws.crossplane.io/v1alpha1 DBInstance',
    spec: PROVIDED,
    status: { conditions: [condition('Ready', 'True', 'Available'), SYNCED] },
    said: 'healthy',
  },
  {
    source: 'argo-cd rds.aws.crossplane.io/DBInstance/creating',
    kind: 'rds.aws.crossplane.io/v1alpha1 DBInstance',
    spec: PROVIDED,
    status: { conditions: [condition('Ready', 'False', 'Creating'), SYNCED] },
    said: 'progressing: is not ready yet: Creating',
  },
  {
    source: 'argo-cd rds.aws.crossplane.io/DBInstance/degraded',
    kind: 'rds.aws.crossplane.io/v1alpha1 DBInstance',
    spec: PROVIDED,
    status: {
      conditions: [
        condition('Ready', 'True', 'Available'),
        condition('Synced', 'False', 'ReconcileError', `${DENIED}\n\tstatus code: 400, request id: `),
      ],
    },
    said: `degraded: is not synced: ${DENIED} status code: 400, request id:`,
  },
  {
    source: 'argo-cd route53.aws.crossplane.io/ResourceRecordSet/suspended_reconcilePaused',
    kind: 'route53.aws.crossplane.io/v1alpha1 ResourceRecordSet',
    spec: PROVIDED,
    status: { conditions: [condition('Synced', 'False', 'ReconcilePaused')] },
    said: 'progressing: is paused',
  },
  {
    source: 'a managed resource nobody has looked at',
    kind: 'rds.aws.crossplane.io/v1alpha1 DBInstance',
    spec: PROVIDED,
    said: 'progressing: waits for its controller',
  },
  {
    source: 'crossplane issue 5400, a composite',
    kind: 'aws.platform.upbound.io/v1alpha1 XNetwork',
    spec: { compositionRef: { name: 'xnetworks' } },
    status: { conditions: [SYNCED, condition('Ready', 'False', 'Creating', 'Unready resources: igw, mrt, route, and 13 more')] },
    said: 'progressing: is not ready yet: Unready resources: igw, mrt, route, and 13 more',
  },
  {
    source: 'crossplane issue 2957, a claim',
    kind: 'database.example.org/v1alpha1 PostgreSQLInstance',
    spec: { compositionRef: { name: 'azure' }, resourceRef: { name: 'my-db-4stxc' } },
    status: {
      conditions: [
        SYNCED,
        condition('Ready', 'False', 'Waiting', 'Composite resource claim is waiting for composite resource to become Ready'),
      ],
    },
    said: 'progressing: is not ready yet: Composite resource claim is waiting for composite resource to become Ready',
  },
  {
    source: 'crossplane, a claim that is ready',
    kind: 'database.example.org/v1alpha1 PostgreSQLInstance',
    spec: { compositionRef: { name: 'azure' } },
    status: { conditions: [SYNCED, condition('Ready', 'True', 'Available')] },
    said: 'healthy',
  },
  {
    source: 'argo-cd _.crossplane.io/provider_degraded',
    kind: 'pkg.crossplane.io/v1 Provider',
    metadata: { generation: 3 },
    status: {
      conditions: [
        seenAt(3, condition('Healthy', 'False', 'UnhealthyPackageRevision', 'Package runtime health is "False"')),
        seenAt(3, condition('Installed', 'True', 'ActivePackageRevision')),
      ],
    },
    said: 'degraded: is not healthy: Package runtime health is "False"',
  },
  { source: 'argo-cd _.crossplane.io/composition_healthy', kind: 'apiextensions.crossplane.io/v1 Composition', said: 'healthy' },
];

export const OTHERS: readonly Recorded[] = [
  {
    source: 'argo-cd ScaledObject/keda-healthy',
    kind: 'keda.sh/v1alpha1 ScaledObject',
    status: {
      conditions: [
        condition('Ready', 'True', 'ScaledObjectReady'),
        condition('Active', 'False', 'ScalerNotActive'),
        condition('Fallback', 'False', 'NoFallbackFound'),
        condition('Paused', 'Unknown'),
      ],
    },
    said: 'healthy',
  },
  {
    source: 'argo-cd ScaledObject/keda-progressing',
    kind: 'keda.sh/v1alpha1 ScaledObject',
    status: { conditions: [condition('Running', 'True', 'Running', 'Creating HorizontalPodAutoscaler Object')] },
    said: 'progressing: waits for its controller',
  },
  {
    source: 'argo-cd ScaledObject/keda-degraded',
    kind: 'keda.sh/v1alpha1 ScaledObject',
    status: {
      conditions: [condition('Ready', 'False', 'ScaledObjectCheckFailed', "ScaledObject doesn't have correct triggers specification")],
    },
    said: "degraded: is not ready: ScaledObject doesn't have correct triggers specification",
  },
  {
    source: 'argo-cd ScaledObject/keda-fallback',
    kind: 'keda.sh/v1alpha1 ScaledObject',
    status: {
      conditions: [
        condition('Ready', 'True', 'ScaledObjectReady'),
        condition('Fallback', 'True', 'FallbackExists', 'At least one trigger is falling back on this scaled object'),
      ],
    },
    said: 'degraded: is in fallback: At least one trigger is falling back on this scaled object',
  },
  {
    source: 'argo-cd cluster.x-k8s.io/Cluster/healthy_provisioned',
    kind: 'cluster.x-k8s.io/v1beta1 Cluster',
    metadata: { generation: 4 },
    status: { observedGeneration: 4, phase: 'Provisioned', conditions: [condition('Ready', 'True')] },
    said: 'healthy',
  },
  {
    source: 'argo-cd cluster.x-k8s.io/Cluster/progressing_not_ready',
    kind: 'cluster.x-k8s.io/v1beta1 Cluster',
    metadata: { generation: 4 },
    status: {
      observedGeneration: 4,
      phase: 'Provisioning',
      conditions: [{ ...condition('Ready', 'False', 'WaitingForInfrastructure'), severity: 'Info' }],
    },
    said: 'progressing: is being provisioned: WaitingForInfrastructure',
  },
  {
    source: 'argo-cd cluster.x-k8s.io/Cluster/degraded_provisioning_error',
    kind: 'cluster.x-k8s.io/v1beta1 Cluster',
    metadata: { generation: 4 },
    status: {
      observedGeneration: 4,
      phase: 'Provisioning',
      conditions: [{ ...condition('Ready', 'False', 'InfrastructureProvisioningFailed', QUOTA), severity: 'Error' }],
    },
    said: `degraded: is not ready: ${QUOTA}`,
  },
  {
    source: 'argo-cd cluster.x-k8s.io/Machine/healthy_running',
    kind: 'cluster.x-k8s.io/v1beta1 Machine',
    status: { phase: 'Running', conditions: [condition('Ready', 'True')] },
    said: 'healthy',
  },
  {
    source: 'argo-cd cluster.x-k8s.io/Machine/progressing_boot',
    kind: 'cluster.x-k8s.io/v1beta1 Machine',
    status: { phase: 'Provisioning', conditions: [{ ...condition('Ready', 'False', 'Cloning', '1 of 2 completed'), severity: 'Info' }] },
    said: 'progressing: is being provisioned: 1 of 2 completed',
  },
  {
    source: 'argo-cd cluster.x-k8s.io/Machine/degraded_failed',
    kind: 'cluster.x-k8s.io/v1beta1 Machine',
    status: { phase: 'Failed', conditions: [condition('Ready', 'False', '', 'Error message')] },
    said: 'degraded: failed: Error message',
  },
];
