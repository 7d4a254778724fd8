import type { CapsuleComponent } from '#model/declarations.generated.ts';
import type { JsonObject } from '#model/json.ts';
import { affinityOf } from './affinity.ts';
import { milliseconds } from './amount.ts';
import { containerOf } from './container.ts';
import type { Part } from './part.ts';
import { metadataOf } from './part.ts';
import { isScaled, replicasOf } from './scaling.ts';
import type { Scope } from './scope.ts';
import { compact, entriesOf, report, unlessEmpty } from './scope.ts';
import { claimsOf, podVolumes } from './storage.ts';

/** The object that runs the component's pods. */
export function workloadOf(scope: Scope, part: Part): JsonObject | undefined {
  const metadata = metadataOf(scope, part);
  switch (part.component.kind) {
    case 'Deployment':
      return {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: { ...replicated(scope, part), ...deploymentStrategy(scope, part) },
      };
    case 'StatefulSet':
      return {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata,
        spec: compact({
          ...replicated(scope, part),
          serviceName: `${part.name}-headless`,
          volumeClaimTemplates: unlessEmpty(claimsOf(scope, part)),
          ...setStrategy(scope, 'OnDelete'),
        }),
      };
    case 'DaemonSet':
      return {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata,
        spec: {
          selector: { matchLabels: part.selector },
          template: podTemplate(scope, part, undefined),
          ...setStrategy(scope, 'OnDelete'),
        },
      };
    case 'Job':
      return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: podTemplate(scope, part, 'Never') } };
    case 'CronJob':
      return { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec: cronSpec(scope, part) };
    case 'Manifests':
      return undefined;
    case 'Function':
    case 'VirtualMachine':
    case 'Binary':
    case 'Static':
    case 'Helm':
    case 'Kustomize':
    case 'Terraform':
    case 'Pulumi':
    case 'CloudFormation':
    case 'Arm':
    case 'Ansible':
    case 'Puppet':
    case 'Chef':
    case 'Salt':
    case 'Exec':
    case 'External':
      report(scope, `${part.pointer}/kind`, {
        code: 'not-supported',
        rule: undefined,
        message: `component ${part.componentName} is a ${part.component.kind}, which this version does not render`,
        remedy: 'Use Deployment, StatefulSet, DaemonSet, Job, CronJob, Manifests or template files.',
      });
      return undefined;
  }
}

function replicated(scope: Scope, part: Part): JsonObject {
  const replicas = isScaled(part.component) ? undefined : replicasOf(scope, part);
  return compact({ replicas, selector: { matchLabels: part.selector }, template: podTemplate(scope, part, undefined) });
}

function deploymentStrategy(scope: Scope, part: Part): JsonObject {
  const { strategy } = scope.capsule.spec;
  const deadline = milliseconds(scope, strategy?.progressDeadline, '/spec/strategy/progressDeadline');
  const rolling = compact({ maxSurge: strategy?.rolling?.maxSurge, maxUnavailable: strategy?.rolling?.maxUnavailable });
  const kind = strategy?.type === 'recreate' || (strategy?.rolling === undefined && needsRecreate(part)) ? { type: 'Recreate' } : undefined;
  const rollingUpdate = unlessEmpty(rolling);
  return compact({
    progressDeadlineSeconds: deadline === undefined ? undefined : Math.ceil(deadline / 1000),
    strategy: kind ?? (rollingUpdate === undefined ? undefined : { type: 'RollingUpdate', rollingUpdate }),
  });
}

/** A volume that one node alone may mount cannot be handed over while the old pod holds it. */
function needsRecreate(part: Part): boolean {
  return entriesOf(part.component.storage).some(
    ([, storage]) => storage.type === 'persistent' && (storage.access === undefined || storage.access.startsWith('ReadWriteOnce')),
  );
}

function setStrategy(scope: Scope, onRecreate: string): JsonObject {
  const { strategy } = scope.capsule.spec;
  if (strategy?.type === 'recreate') return { updateStrategy: { type: onRecreate } };
  const maxUnavailable = strategy?.rolling?.maxUnavailable;
  if (maxUnavailable === undefined || maxUnavailable === 0 || maxUnavailable === '0%') return {};
  return { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable } } };
}

function cronSpec(scope: Scope, part: Part): JsonObject {
  const { schedule } = part.component;
  if (schedule === undefined) {
    report(scope, part.pointer, {
      code: 'component-incomplete',
      rule: 'V-87',
      message: `CronJob ${part.componentName} has no schedule`,
      remedy: 'Add `schedule: { cron: "0 3 * * *" }` to the component.',
    });
  }
  return compact({
    concurrencyPolicy: schedule?.concurrency,
    jobTemplate: { spec: { template: podTemplate(scope, part, 'Never') } },
    schedule: schedule?.cron ?? '',
    timeZone: schedule?.timeZone,
  });
}

function podTemplate(scope: Scope, part: Part, restartPolicy: string | undefined): JsonObject {
  const { component } = part;
  const { security } = component;
  const grace = milliseconds(scope, component.stop?.gracePeriod, `${part.pointer}/stop/gracePeriod`);
  const spec = compact({
    affinity: affinityOf(component),
    automountServiceAccountToken: (security?.serviceAccount?.rules?.length ?? 0) > 0,
    containers: [containerOf(scope, part)],
    priorityClassName: priorityOf(component),
    restartPolicy,
    securityContext: unlessEmpty(
      compact({
        fsGroup: security?.fsGroup,
        runAsGroup: security?.runAsGroup,
        runAsNonRoot: security?.runAsNonRoot,
        runAsUser: security?.runAsUser,
        seccompProfile: security?.seccomp === undefined ? undefined : { type: security.seccomp },
      }),
    ),
    serviceAccountName: serviceAccountName(part),
    terminationGracePeriodSeconds: grace === undefined ? undefined : Math.ceil(grace / 1000),
    topologySpreadConstraints: unlessEmpty(spreadOf(part)),
    volumes: unlessEmpty(podVolumes(scope, part)),
  });
  return {
    metadata: { annotations: { 'capstan.dev/config-hash': scope.unit.configuration.staticSha256 }, labels: part.selector },
    spec,
  };
}

/** The name of a PriorityClass of the cluster; `normal` is what pods have anyway. */
function priorityOf(component: CapsuleComponent): string | undefined {
  const priority = component.scaling?.cluster?.priority;
  return priority === 'normal' ? undefined : priority;
}

export function serviceAccountName(part: Part): string | undefined {
  const account = part.component.security?.serviceAccount;
  if (account === undefined) return undefined;
  return account.name ?? (account.create === false ? undefined : part.name);
}

function spreadOf(part: Part): readonly JsonObject[] {
  const { spread, minZones } = part.component.availability ?? {};
  if (spread === undefined || spread === 'none') return [];
  return [
    compact({
      labelSelector: { matchLabels: part.selector },
      maxSkew: 1,
      minDomains: spread === 'zone' ? minZones : undefined,
      topologyKey: spread === 'zone' ? 'topology.kubernetes.io/zone' : 'kubernetes.io/hostname',
      whenUnsatisfiable: spread === 'zone' && minZones !== undefined ? 'DoNotSchedule' : 'ScheduleAnyway',
    }),
  ];
}
