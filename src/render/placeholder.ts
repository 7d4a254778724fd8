import type { JsonObject } from '#model/json.ts';
import { affinityOf } from './affinity.ts';
import { resourcesOf } from './container.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { compact, report } from './scope.ts';

/** Does nothing and is on most nodes already; version 3.10, by digest. */
const PAUSE = 'registry.k8s.io/pause:3.10@sha256:ee6521f290b2168b6e0935a181d4cff9be1ac3f505666ef0e3c98fae8199917a';

/**
 * Pods of the component's size that keep room on nodes: whatever else needs the room evicts them at once, and the cluster grows before the
 * component has to wait.
 */
export function placeholderOf(scope: Scope, part: Part, metadata: (name: string) => JsonObject): readonly JsonObject[] {
  const replicas = part.component.scaling?.cluster?.placeholderReplicas ?? 0;
  if (replicas === 0) return [];
  const requests = resourcesOf(scope, part)['requests'];
  if (requests === undefined) {
    report(scope, `${part.pointer}/scaling/cluster/placeholderReplicas`, {
      code: 'scaling-impossible',
      rule: undefined,
      message: `placeholders of component ${part.componentName} have no size: it requests neither cpu nor memory`,
      remedy: 'Add resources.cpu.request or resources.memory.request to the component.',
    });
    return [];
  }
  const name = `${part.name}-placeholder`;
  const className = `${scope.namespace}-${name}`;
  const selector = { ...part.selector, 'app.kubernetes.io/component': `${part.componentName}-placeholder` };
  const pod = compact({
    affinity: affinityOf(part.component),
    automountServiceAccountToken: false,
    containers: [
      {
        image: PAUSE,
        name: 'placeholder',
        resources: { limits: requests, requests },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        },
      },
    ],
    priorityClassName: className,
    securityContext: { runAsNonRoot: true, runAsUser: 65_535, seccompProfile: { type: 'RuntimeDefault' } },
    terminationGracePeriodSeconds: 0,
  });
  const { namespace: _, ...clusterWide } = metadata(className);
  return [
    {
      apiVersion: 'scheduling.k8s.io/v1',
      description: `Placeholders of ${part.name} in ${scope.namespace}: anything may take their room.`,
      globalDefault: false,
      kind: 'PriorityClass',
      metadata: clusterWide,
      preemptionPolicy: 'Never',
      value: -10,
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(name),
      spec: { replicas, selector: { matchLabels: selector }, template: { metadata: { labels: selector }, spec: pod } },
    },
  ];
}
