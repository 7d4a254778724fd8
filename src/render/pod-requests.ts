import { isJsonObject, jsonText, valueAt, type Json, type JsonObject } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { groupAndVersion } from '#model/kubernetes-object.ts';
import { parseQuantity } from '#model/quantity.ts';
import type { RenderedObject } from '#model/rendering.ts';

/** Billionths, by resource: cpu, memory, storage, pods and what containers ask for beside. */
export type Amounts = ReadonlyMap<string, bigint>;

export interface Share {
  readonly object: RenderedObject;
  readonly amounts: Amounts;
}

const ONE = 1_000_000_000n;

/** What the objects of one target request at least: smallest numbers of replicas, with those that a rolling change adds for a while. */
export function requestsOf(objects: readonly RenderedObject[]): readonly Share[] {
  const scaled = smallestScales(objects);
  return objects.flatMap((object) => {
    const amounts = amountsOf(object, scaled.get(scaleKey(object.key.kind, object.key.namespace, object.key.name)));
    return amounts.size === 0 ? [] : [{ object, amounts }];
  });
}

function amountsOf({ object }: RenderedObject, scaled: number | undefined): Amounts {
  const claims = claimsOf(object);
  const pod = podSpecOf(object);
  if (pod === undefined) return claims.kind === 'own' ? new Map([['storage', claims.storage]]) : new Map();
  const { steady, surge } = podsOf(object, scaled);
  const amounts = new Map<string, bigint>();
  for (const [name, amount] of podAmounts(pod)) amounts.set(name, amount * BigInt(steady + surge));
  amounts.set('pods', ONE * BigInt(steady + surge));
  if (claims.kind === 'each') amounts.set('storage', claims.storage * BigInt(steady));
  return amounts;
}

/** The pod that an object makes; undefined where it makes none. */
export function podSpecOf(object: KubernetesObject): JsonObject | undefined {
  const path = object.kind === 'Pod' ? '/spec' : object.kind === 'CronJob' ? '/spec/jobTemplate/spec/template/spec' : '/spec/template/spec';
  const spec = POD_KINDS.has(object.kind) ? valueAt(object, path) : undefined;
  return isJsonObject(spec) ? spec : undefined;
}

const POD_KINDS: ReadonlySet<string> = new Set(
  'Pod Deployment StatefulSet DaemonSet ReplicaSet ReplicationController Job CronJob'.split(' '),
);

/** Every container of a pod. */
export function containersOf(pod: JsonObject): readonly JsonObject[] {
  return [...listOf(pod['initContainers']), ...listOf(pod['containers']), ...listOf(pod['ephemeralContainers'])];
}

/** How many nodes a DaemonSet meets is not declared: it counts once. */
function podsOf(object: KubernetesObject, scaled: number | undefined): { readonly steady: number; readonly surge: number } {
  switch (object.kind) {
    case 'Deployment': {
      const steady = scaled ?? numberAt(object, '/spec/replicas') ?? 1;
      return { steady, surge: surgeOf(object, steady) };
    }
    case 'StatefulSet':
    case 'ReplicaSet':
    case 'ReplicationController':
      return { steady: scaled ?? numberAt(object, '/spec/replicas') ?? 1, surge: 0 };
    case 'Job':
      return { steady: numberAt(object, '/spec/parallelism') ?? 1, surge: 0 };
    case 'CronJob':
      return { steady: numberAt(object, '/spec/jobTemplate/spec/parallelism') ?? 1, surge: 0 };
    default:
      return { steady: 1, surge: 0 };
  }
}

/** Kubernetes rounds a share up, and takes a quarter where nothing is said. */
function surgeOf(object: KubernetesObject, replicas: number): number {
  if (replicas === 0 || valueAt(object, '/spec/strategy/type') === 'Recreate') return 0;
  const surge = valueAt(object, '/spec/strategy/rollingUpdate/maxSurge') ?? '25%';
  if (typeof surge === 'number') return surge;
  const percent = /^([0-9]{1,4})%$/.exec(jsonText(surge))?.[1];
  return percent === undefined ? 0 : Math.ceil((replicas * Number(percent)) / 100);
}

/** Init containers run one after the other and before the rest, but for those that stay (`restartPolicy: Always`). */
function podAmounts(pod: JsonObject): Amounts {
  const init = listOf(pod['initContainers']);
  const staying = [...listOf(pod['containers']), ...init.filter((one) => one['restartPolicy'] === 'Always')];
  const passing = init.filter((one) => one['restartPolicy'] !== 'Always');
  const sum = new Map<string, bigint>();
  for (const container of staying) for (const [name, amount] of requested(container)) sum.set(name, (sum.get(name) ?? 0n) + amount);
  for (const container of passing)
    for (const [name, amount] of requested(container)) if (amount > (sum.get(name) ?? 0n)) sum.set(name, amount);
  for (const [name, amount] of quantities(pod['overhead'])) sum.set(name, (sum.get(name) ?? 0n) + amount);
  return sum;
}

/** A limit without a request is a request. */
function requested(container: JsonObject): Amounts {
  return new Map([...quantities(valueAt(container, '/resources/limits')), ...quantities(valueAt(container, '/resources/requests'))]);
}

function quantities(value: Json | undefined): Amounts {
  if (!isJsonObject(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([name, amount]): [string, bigint][] => {
      const parsed = typeof amount === 'string' || typeof amount === 'number' ? parseQuantity(amount) : undefined;
      return parsed === undefined ? [] : [[name, parsed]];
    }),
  );
}

type Claims = { readonly kind: 'none' } | { readonly kind: 'own' | 'each'; readonly storage: bigint };

function claimsOf(object: KubernetesObject): Claims {
  const size = (claim: JsonObject): bigint => quantities(valueAt(claim, '/spec/resources/requests')).get('storage') ?? 0n;
  if (object.kind === 'PersistentVolumeClaim') return { kind: 'own', storage: size(object) };
  const templates = object.kind === 'StatefulSet' ? listOf(valueAt(object, '/spec/volumeClaimTemplates')) : [];
  return templates.length === 0 ? { kind: 'none' } : { kind: 'each', storage: templates.reduce((sum, one) => sum + size(one), 0n) };
}

/** Of HorizontalPodAutoscalers and ScaledObjects, by what they scale. */
function smallestScales(objects: readonly RenderedObject[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { object, key } of objects) {
    const { group } = groupAndVersion(object.apiVersion);
    const isAutoscaler = group === 'autoscaling' && object.kind === 'HorizontalPodAutoscaler';
    if (!isAutoscaler && !(group === 'keda.sh' && object.kind === 'ScaledObject')) continue;
    const name = valueAt(object, '/spec/scaleTargetRef/name');
    if (typeof name !== 'string') continue;
    const kind = jsonText(valueAt(object, '/spec/scaleTargetRef/kind')) || 'Deployment';
    const least = isAutoscaler ? (numberAt(object, '/spec/minReplicas') ?? 1) : (numberAt(object, '/spec/minReplicaCount') ?? 0);
    found.set(scaleKey(kind, key.namespace, name), least);
  }
  return found;
}

function scaleKey(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

function numberAt(object: JsonObject, pointer: string): number | undefined {
  const value = valueAt(object, pointer);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isJsonObject) : [];
}
