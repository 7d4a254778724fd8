import type { Sha256 } from '#model/digest.ts';
import { sha256Of } from '#model/digest.ts';
import { asksForPods } from '#model/health-fields.ts';
import { isJsonObject, valueAt } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { Timers } from '#ports/machine.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Api } from './api.ts';
import { boundedHealth } from './bounded-health.ts';

/** A workload as it is seen, and as it is wanted. */
export interface Workload {
  readonly key: ObjectKey;
  readonly resourceVersion: string;
  /** What health reads of it. */
  readonly live: JsonObject;
  readonly wanted: JsonObject;
}

/** The pods of workloads that are not well: they say why. Nothing is asked where all are well. */
export interface Pods {
  /** By `keyText`; a workload whose pods may not be looked at is left out. */
  of(workloads: Iterable<Workload>, signal?: AbortSignal): Promise<ReadonlyMap<string, readonly JsonObject[]>>;
  stop(): void;
}

/** So many workloads are asked about, and so many pods of each: enough for words. */
const MOST_WORKLOADS = 10;
const MOST_PODS = 20;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;

interface Known {
  readonly workload: Workload;
  readonly path: string;
  readonly pods: readonly JsonObject[];
  readonly digest: Sha256;
}

/**
 * A pod tells nobody of its troubles: its workload's own status stays what it is while an image cannot be pulled. As long as a workload is
 * not well its pods are looked at again, ever more rarely, and `moved` is called when they say something else.
 */
export function openPods(api: Api, timers: Timers, moved: () => void): Pods {
  let known: ReadonlyMap<string, Known> = new Map();
  let wait = FIRST_WAIT;
  let cancel: (() => void) | undefined;
  let isStopped = false;

  async function ask(workload: Workload, path: string, signal?: AbortSignal): Promise<Known | undefined> {
    const { status, body } = await api.request({ method: 'GET', path }, signal);
    // Words are not worth a run that fails: whoever may not see pods is told less.
    if (status !== 200) return undefined;
    const items = Array.isArray(body['items']) ? body['items'] : [];
    const pods = items.filter((item) => isJsonObject(item) && !isEnding(item)).map(podOf);
    return { workload, path, pods, digest: sha256Of(JSON.stringify(pods)) };
  }

  /** Why something is not well is worth a request, not a run. */
  async function askOrNot(workload: Workload, path: string, signal: AbortSignal | undefined): Promise<Known | undefined> {
    try {
      return await ask(workload, path, signal);
    } catch (error) {
      if (!isPortError(error) || signal?.aborted === true) throw error;
      return undefined;
    }
  }

  function arm(): void {
    cancel?.();
    cancel = undefined;
    if (isStopped || known.size === 0) return;
    cancel = timers.after(wait, () => void lookAgain());
    wait = Math.min(LONGEST_WAIT, wait * 2);
  }

  async function lookAgain(): Promise<void> {
    const before = known;
    const after = new Map<string, Known>();
    try {
      for (const [text, { workload, path }] of before) {
        const seen = await ask(workload, path);
        if (seen !== undefined) after.set(text, seen);
      }
    } catch {
      // Nobody waits for this: whatever went wrong, it is tried again.
      if (known === before) arm();
      return;
    }
    // A run looked meanwhile, and knows better.
    if (known !== before || isStopped) return;
    known = after;
    const hasChanged = [...after].some(([text, { digest }]) => before.get(text)?.digest !== digest);
    if (hasChanged) {
      wait = FIRST_WAIT;
      moved();
    }
    arm();
  }

  return {
    async of(workloads, signal) {
      const next = new Map<string, Known>();
      let looked = 0;
      for (const workload of workloads) {
        if (looked >= MOST_WORKLOADS) break;
        if (!asksForPods(workload.key, workload.live)) continue;
        const path = pathOf(workload);
        if (path === undefined) continue;
        looked += 1;
        const text = keyText(workload.key);
        const before = known.get(text);
        const isKnown = before?.workload.resourceVersion === workload.resourceVersion && before.path === path;
        const seen = isKnown ? before : await askOrNot(workload, path, signal);
        if (seen !== undefined) next.set(text, seen);
      }
      if (next.size !== known.size || [...next].some(([text, one]) => known.get(text) !== one)) {
        known = next;
        wait = FIRST_WAIT;
        arm();
      }
      return new Map([...next].map(([text, { pods }]) => [text, pods]));
    },
    stop() {
      isStopped = true;
      cancel?.();
    },
  };
}

/** The end of a pod that is being deleted is wanted. */
function isEnding(item: JsonObject): boolean {
  return valueAt(item, '/metadata/deletionTimestamp') !== undefined;
}

/** Its name and status, as far as they are worth keeping. */
function podOf(item: JsonObject): JsonObject {
  const name = valueAt(item, '/metadata/name');
  const status = isJsonObject(item['status']) ? item['status'] : {};
  return { metadata: { name: typeof name === 'string' ? name : '' }, ...boundedHealth({ status }) };
}

function pathOf({ key, wanted }: Workload): string | undefined {
  const selector = key.kind === 'Job' ? `batch.kubernetes.io/job-name=${key.name}` : selectorText(valueAt(wanted, '/spec/selector'));
  if (selector === undefined) return undefined;
  const query = new URLSearchParams({ labelSelector: selector, limit: String(MOST_PODS) });
  return `/api/v1/namespaces/${encodeURIComponent(key.namespace)}/pods?${query.toString()}`;
}

/** A label selector in the words of a query; undefined where it would fit everything. */
function selectorText(selector: Json | undefined): string | undefined {
  if (!isJsonObject(selector)) return undefined;
  const labels = isJsonObject(selector['matchLabels']) ? Object.entries(selector['matchLabels']) : [];
  const parts = labels.map(([name, value]) => `${name}=${textOf(value)}`);
  const expressions = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : [];
  for (const expression of expressions) if (isJsonObject(expression)) parts.push(expressionText(expression));
  return parts.length === 0 ? undefined : parts.join(',');
}

function expressionText({ key, operator, values }: JsonObject): string {
  const listed = Array.isArray(values) ? `(${values.map(textOf).join(',')})` : '()';
  if (operator === 'Exists') return textOf(key);
  if (operator === 'DoesNotExist') return `!${textOf(key)}`;
  return `${textOf(key)} ${operator === 'NotIn' ? 'notin' : 'in'} ${listed}`;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
