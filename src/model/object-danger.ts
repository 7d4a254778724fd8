import type { FieldDifference } from '#model/field-change.ts';
import { valueAt } from '#model/json.ts';
import type { KubernetesObject, ObjectKey } from '#model/kubernetes-object.ts';
import { compareText } from '#model/problem.ts';

/** What a reviewer must not miss in a change of one object. */
export type Danger = 'delete' | 'immutable' | 'rbac' | 'crd' | 'replicas-to-zero' | 'namespace' | 'storage';

interface Frozen {
  readonly fields: readonly string[];
  /** Fields below those that may change all the same. */
  readonly except?: readonly string[];
}

/** Fields that the API server of Kubernetes 1.35 refuses to change (`pkg/apis/<group>/validation`): such an object has to be created anew. */
const IMMUTABLE: Readonly<Record<string, Frozen>> = {
  'apps/Deployment': { fields: ['/spec/selector'] },
  'apps/ReplicaSet': { fields: ['/spec/selector'] },
  'apps/DaemonSet': { fields: ['/spec/selector'] },
  'apps/StatefulSet': {
    fields: ['/spec'],
    except: [
      '/spec/replicas',
      '/spec/ordinals',
      '/spec/template',
      '/spec/updateStrategy',
      '/spec/revisionHistoryLimit',
      '/spec/persistentVolumeClaimRetentionPolicy',
      '/spec/minReadySeconds',
    ],
  },
  'batch/Job': { fields: ['/spec/selector', '/spec/template', '/spec/completions', '/spec/completionMode', '/spec/podFailurePolicy'] },
  '/Pod': {
    fields: ['/spec'],
    except: ['/spec/activeDeadlineSeconds', '/spec/tolerations', '/spec/terminationGracePeriodSeconds', '/spec/schedulingGates'],
  },
  '/Service': { fields: ['/spec/clusterIP', '/spec/clusterIPs', '/spec/healthCheckNodePort'] },
  '/PersistentVolumeClaim': { fields: ['/spec'], except: ['/spec/resources/requests', '/spec/volumeAttributesClassName'] },
  '/PersistentVolume': {
    fields: ['/spec'],
    except: ['/spec/capacity', '/spec/accessModes', '/spec/claimRef', '/spec/persistentVolumeReclaimPolicy', '/spec/mountOptions'],
  },
  '/Secret': { fields: ['/type'] },
  'rbac.authorization.k8s.io/RoleBinding': { fields: ['/roleRef'] },
  'rbac.authorization.k8s.io/ClusterRoleBinding': { fields: ['/roleRef'] },
  'storage.k8s.io/StorageClass': { fields: ['/parameters', '/provisioner', '/reclaimPolicy', '/volumeBindingMode'] },
  'storage.k8s.io/VolumeAttributesClass': { fields: ['/driverName', '/parameters'] },
  'scheduling.k8s.io/PriorityClass': { fields: ['/value', '/preemptionPolicy'] },
  'networking.k8s.io/IngressClass': { fields: ['/spec/controller'] },
  'node.k8s.io/RuntimeClass': { fields: ['/handler'] },
  'discovery.k8s.io/EndpointSlice': { fields: ['/addressType'] },
  'apiextensions.k8s.io/CustomResourceDefinition': { fields: ['/spec/group', '/spec/scope', '/spec/names/plural'] },
  'gateway.networking.k8s.io/GatewayClass': { fields: ['/spec/controllerName'] },
};

const STORAGE = new Set([
  '/PersistentVolumeClaim',
  '/PersistentVolume',
  'storage.k8s.io/StorageClass',
  'storage.k8s.io/VolumeAttributesClass',
]);

export interface ObjectChange {
  readonly key: ObjectKey;
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject | undefined;
  readonly fields: readonly FieldDifference[];
}

/** Sorted. A deletion is always one; so is whatever touches roles, custom resource definitions, namespaces or storage. */
export function dangersOf(change: ObjectChange): readonly Danger[] {
  const { key, before, after, fields } = change;
  const kind = `${key.group}/${key.kind}`;
  const dangers: Danger[] = [];
  if (after === undefined) dangers.push('delete');
  if (before !== undefined && fields.some(({ path }) => isImmutable(kind, before, path))) dangers.push('immutable');
  if (key.group === 'rbac.authorization.k8s.io') dangers.push('rbac');
  if (kind === 'apiextensions.k8s.io/CustomResourceDefinition') dangers.push('crd');
  if (kind === '/Namespace') dangers.push('namespace');
  if (touchesStorage(kind, change)) dangers.push('storage');
  if (before !== undefined && fields.some(({ path, after: now }) => path === '/spec/replicas' && now === 0))
    dangers.push('replicas-to-zero');
  return dangers.sort(compareText);
}

function isImmutable(kind: string, before: KubernetesObject, path: string): boolean {
  const isSealed = (kind === '/ConfigMap' || kind === '/Secret') && before['immutable'] === true;
  if (isSealed && ['/data', '/binaryData', '/stringData', '/immutable'].some((field) => isBelow(path, field))) return true;
  const frozen = Object.hasOwn(IMMUTABLE, kind) ? IMMUTABLE[kind] : undefined;
  if (frozen === undefined || !frozen.fields.some((field) => isBelow(path, field) || isBelow(field, path))) return false;
  if (kind === '/Pod' && /^\/spec\/(initC|c)ontainers\/\d+\/image$/.test(path)) return false;
  return !(frozen.except ?? []).some((field) => isBelow(path, field));
}

function isBelow(path: string, field: string): boolean {
  return path === field || path.startsWith(`${field}/`);
}

function touchesStorage(kind: string, { before, after, fields }: ObjectChange): boolean {
  if (before === undefined) return false;
  if (STORAGE.has(kind)) return true;
  if (kind !== 'apps/StatefulSet') return false;
  const claims = '/spec/volumeClaimTemplates';
  if (after === undefined) return valueAt(before, claims) !== undefined;
  return fields.some(({ path }) => isBelow(path, claims) || isBelow(path, '/spec/persistentVolumeClaimRetentionPolicy'));
}
