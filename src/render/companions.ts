import type { JsonObject } from '#model/json.ts';
import { filesObject } from './files.ts';
import { networkPolicyOf } from './network.ts';
import type { Part } from './part.ts';
import { metadataOf } from './part.ts';
import { placeholderOf } from './placeholder.ts';
import { resilienceOf } from './resilience.ts';
import { isReplicated, scalersOf } from './scaling.ts';
import type { Scope } from './scope.ts';
import { compact, entriesOf, unlessEmpty } from './scope.ts';
import { claimObjects } from './storage.ts';
import { serviceAccountName } from './workload.ts';

/** The objects that a component's fields imply beside its workload. */
export function companionsOf(scope: Scope, part: Part): readonly JsonObject[] {
  if (part.component.kind === 'Manifests') return [];
  const metadata = (name: string): JsonObject => metadataOf(scope, part, name);
  const files = filesObject(scope, part, metadata);
  return [
    ...servicesOf(part, metadata),
    ...(files === undefined ? [] : [files]),
    ...accountOf(scope, part, metadata),
    ...claimObjects(scope, part, metadata),
    ...budgetOf(part, metadata),
    ...scalersOf(scope, part, metadata),
    ...placeholderOf(scope, part, metadata),
    ...resilienceOf(scope, part, metadata),
    ...networkPolicyOf(scope, part, metadata),
  ];
}

type Metadata = (name: string) => JsonObject;

function servicesOf(part: Part, metadata: Metadata): readonly JsonObject[] {
  const ports = entriesOf(part.component.ports);
  const service = (name: string, exposed: typeof ports, more: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name),
    spec: compact({
      ports: unlessEmpty(
        exposed.map(([portName, port]) => compact({ name: portName, port: port.port, protocol: port.protocol, targetPort: portName })),
      ),
      selector: part.selector,
      ...more,
    }),
  });
  const reachable = ports.filter(([, port]) => port.expose !== 'none');
  const open = ports.filter(([, port]) => port.expose === 'public');
  const services: JsonObject[] = [];
  if (reachable.length > 0) services.push(service(part.name, reachable, { type: 'ClusterIP' }));
  if (open.length > 0) services.push(service(`${part.name}-public`, open, { type: 'LoadBalancer' }));
  if (part.component.kind === 'StatefulSet') services.push(service(`${part.name}-headless`, ports, { clusterIP: 'None' }));
  return services;
}

function accountOf(scope: Scope, part: Part, metadata: Metadata): readonly JsonObject[] {
  const account = part.component.security?.serviceAccount;
  const name = serviceAccountName(part);
  if (account === undefined || name === undefined) return [];
  const objects: JsonObject[] = [];
  if (account.create !== false)
    objects.push({ apiVersion: 'v1', automountServiceAccountToken: false, kind: 'ServiceAccount', metadata: metadata(name) });
  if (account.rules === undefined || account.rules.length === 0) return objects;
  const rules = account.rules.map((rule) =>
    compact({
      apiGroups: rule.apiGroups ?? [''],
      resourceNames: rule.resourceNames,
      resources: rule.resources,
      verbs: rule.verbs,
    }),
  );
  objects.push({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: metadata(part.name), rules });
  objects.push({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: metadata(part.name),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: part.name },
    subjects: [{ kind: 'ServiceAccount', name, namespace: scope.namespace }],
  });
  return objects;
}

function budgetOf(part: Part, metadata: Metadata): readonly JsonObject[] {
  const budget = part.component.availability?.disruptionBudget;
  if (budget === undefined || !isReplicated(part.component)) return [];
  const spec = compact({
    maxUnavailable: budget.maxUnavailable,
    minAvailable: budget.minAvailable,
    selector: { matchLabels: part.selector },
  });
  return [{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: metadata(part.name), spec }];
}
