import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';

/**
 * What health reads of an object beside its whole `status`, as keys from the root. The chapter health reads nothing else, so an adapter
 * that keeps these fields keeps enough.
 */
export const HEALTH_FIELDS: readonly (readonly string[])[] = [
  ['metadata', 'generation'],
  ['metadata', 'creationTimestamp'],
  ['metadata', 'deletionTimestamp'],
  ['metadata', 'finalizers'],
  ['metadata', 'annotations', 'crossplane.io/paused'],
  ['metadata', 'annotations', 'crossplane.io/external-name'],
  ['metadata', 'annotations', 'autoscaling.keda.sh/paused'],
  ['metadata', 'annotations', 'autoscaling.keda.sh/paused-replicas'],
  ['metadata', 'annotations', 'cluster.x-k8s.io/paused'],
  ['metadata', 'annotations', 'rollout.argoproj.io/workload-generation'],
  ['metadata', 'annotations', 'serving.kserve.io/stop'],
  ['spec', 'replicas'],
  ['spec', 'paused'],
  ['spec', 'suspend'],
  ['spec', 'type'],
  ['spec', 'completions'],
  ['spec', 'updateStrategy', 'type'],
  ['spec', 'updateStrategy', 'rollingUpdate', 'partition'],
  ['spec', 'compositionRef', 'name'],
  ['spec', 'resourceRef', 'name'],
  ['spec', 'providerConfigRef', 'name'],
  ['spec', 'crossplane', 'compositionRef', 'name'],
];

/** `status` and the fields above, in a new object. What is not there is absent. */
export function healthPart(object: JsonObject): JsonObject {
  return picked(object, FIELDS);
}

/** Whether its pods can say why it is not as it should be: a workload that has fewer good ones than it wants. Takes the health part. */
export function asksForPods({ group, kind }: ObjectKey, object: JsonObject): boolean {
  const workload = WORKLOADS.get(kind);
  if (workload?.group !== group) return false;
  const status = childOf(object, 'status');
  if (kind === 'Job') return numberAt(status, 'failed') > 0 || numberAt(status, 'active') > numberAt(status, 'ready');
  const wanted = kind === 'DaemonSet' ? numberAt(status, 'desiredNumberScheduled') : numberAt(childOf(object, 'spec'), 'replicas', 1);
  return workload.good.some((field) => numberAt(status, field) < wanted);
}

/** Of each kind of workload its group, and the numbers in its status that reach what is wanted once it is well. */
const WORKLOADS: ReadonlyMap<string, { readonly group: string; readonly good: readonly string[] }> = new Map([
  ['Deployment', { group: 'apps', good: ['updatedReplicas', 'availableReplicas'] }],
  ['StatefulSet', { group: 'apps', good: ['readyReplicas'] }],
  ['ReplicaSet', { group: 'apps', good: ['availableReplicas'] }],
  ['DaemonSet', { group: 'apps', good: ['updatedNumberScheduled', 'numberAvailable'] }],
  ['Rollout', { group: 'argoproj.io', good: ['updatedReplicas', 'availableReplicas'] }],
  ['Job', { group: 'batch', good: [] }],
]);

/** Keys to keep; undefined below one keeps its whole value. */
type Fields = ReadonlyMap<string, Fields | undefined>;

const FIELDS: Fields = fieldsOf([['status'], ...HEALTH_FIELDS]);

function fieldsOf(paths: readonly (readonly string[])[]): Fields {
  const byFirst = Map.groupBy(paths, (path) => path[0] ?? '');
  return new Map(
    [...byFirst].map(([first, group]): [string, Fields | undefined] => {
      const rest = group.map((path) => path.slice(1)).filter((path) => path.length > 0);
      return [first, rest.length === 0 ? undefined : fieldsOf(rest)];
    }),
  );
}

function picked(value: JsonObject, fields: Fields): JsonObject {
  const kept: Record<string, Json> = {};
  for (const [key, below] of fields) {
    const child = Object.hasOwn(value, key) ? value[key] : undefined;
    if (below === undefined) {
      if (child !== undefined) kept[key] = child;
    } else if (isJsonObject(child)) {
      const part = picked(child, below);
      if (Object.keys(part).length > 0) kept[key] = part;
    }
  }
  return kept;
}

function childOf(value: JsonObject, key: string): JsonObject {
  const child = value[key];
  return isJsonObject(child) ? child : {};
}

function numberAt(value: JsonObject, key: string, otherwise = 0): number {
  const number = value[key];
  return typeof number === 'number' ? number : otherwise;
}
