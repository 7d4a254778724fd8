import { asksForPods } from '#model/health-fields.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { LiveObject, ObservedObject, PlannedObject } from '#model/plan.ts';
import { isPortError } from '#ports/port-error.ts';
import { childMap } from './answers.ts';
import type { Api } from './api.ts';
import { boundedHealth } from './bounded-health.ts';
import { inParallel } from './parallel.ts';

/** Workloads whose pods are asked for in one look, and pods of each. Words name two; a cluster where all is broken must not be asked for all. */
const MOST_WORKLOADS = 10;
const MOST_PODS = 50;
const AT_ONCE = 4;

/** An object whose pods can say why it is not well. */
type Troubled = ObservedObject & { readonly key: ObjectKey; readonly live: LiveObject };

/**
 * The same objects, workloads that are not well with their pods: one request each, none where all is well. A server that does not tell
 * (nobody may have allowed it) leaves them without.
 */
export async function withPods(
  api: Api,
  { objects, wanted }: { readonly objects: readonly ObservedObject[]; readonly wanted: readonly PlannedObject[] },
  signal: AbortSignal | undefined,
): Promise<readonly ObservedObject[]> {
  const troubled = objects.filter(isTroubled).slice(0, MOST_WORKLOADS);
  if (troubled.length === 0) return objects;
  const paths = new Set(troubled.map(({ path }) => path));
  const rendered = new Map(wanted.filter(({ path }) => paths.has(path)).map(({ path, object }) => [path, object]));
  const told = await inParallel(troubled, AT_ONCE, async (each): Promise<readonly [string, ObservedObject] | undefined> => {
    const selector = selectorOf(each.key, rendered.get(each.path));
    const pods = selector === undefined ? undefined : await podsOf(api, { namespace: each.key.namespace, selector }, signal);
    return pods === undefined ? undefined : [each.path, { ...each, live: { ...each.live, pods } }];
  });
  const known = new Map(told.filter((one) => one !== undefined));
  return objects.map((object) => known.get(object.path) ?? object);
}

function isTroubled(object: ObservedObject): object is Troubled {
  return object.key !== undefined && object.live !== undefined && asksForPods(object.key, object.live.object);
}

async function podsOf(
  api: Api,
  { namespace, selector }: { readonly namespace: string; readonly selector: string },
  signal: AbortSignal | undefined,
): Promise<readonly JsonObject[] | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?limit=${MOST_PODS}&labelSelector=${encodeURIComponent(selector)}`;
  try {
    const { status, body } = await api.request({ method: 'GET', path }, signal);
    const { items } = body;
    if (status !== 200 || !Array.isArray(items)) return undefined;
    return items.filter((item: Json): item is JsonObject => isJsonObject(item)).flatMap(podPart);
  } catch (error) {
    // Why something is not well is worth a request, not a run.
    if (!isPortError(error) || signal?.aborted === true) throw error;
    return undefined;
  }
}

/** Its name and status; nothing of a pod that is being deleted: its end is wanted. */
function podPart(pod: JsonObject): readonly JsonObject[] {
  const metadata = childMap(pod, 'metadata');
  if (metadata['deletionTimestamp'] !== undefined) return [];
  return [{ metadata: { name: jsonText(metadata['name']).slice(0, 512) }, ...boundedHealth({ status: childMap(pod, 'status') }) }];
}

/** Of the rendered object, which labels its pods have; a Job's are made by its controller. */
function selectorOf({ kind, name }: ObjectKey, rendered: JsonObject | undefined): string | undefined {
  if (kind === 'Job') return `batch.kubernetes.io/job-name=${name}`;
  const selector = childMap(childMap(rendered ?? {}, 'spec'), 'selector');
  const labels = Object.entries(childMap(selector, 'matchLabels')).map(([label, value]) => `${label}=${jsonText(value)}`);
  return labels.length === 0 ? undefined : labels.join(',');
}
