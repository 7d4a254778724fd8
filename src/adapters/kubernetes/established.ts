import { setTimeout as delay } from 'node:timers/promises';

import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { WritingStep } from '#model/plan.ts';
import { wantedObjects } from './cluster.ts';
import type { Cluster } from './cluster.ts';

const POLL_MS = 25;
const PATIENCE_MS = 30_000;
const SERVED_POLL_MS = 100;
const SERVED_MS = 10_000;

/** Returns once the server has the kinds that were just defined, or has had time enough: what needs them then fails by itself. */
export async function waitUntilEstablished(
  cluster: Cluster,
  steps: readonly WritingStep[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (steps.length === 0) return;
  const waiting = new Set(steps.map(({ key }) => key));
  for (let waited = 0; waiting.size > 0 && waited < PATIENCE_MS; waited += POLL_MS) {
    for (const key of waiting) {
      const seen = cluster.views.seen(key);
      if (seen !== undefined && isDecided(seen.live.object)) waiting.delete(key);
    }
    if (waiting.size > 0) await delay(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
  await waitUntilServed(cluster, steps, signal);
}

/** A server tells of a kind a little later than its definition says that it has it. */
async function waitUntilServed(cluster: Cluster, steps: readonly WritingStep[], signal: AbortSignal | undefined): Promise<void> {
  const wanted = wantedObjects(cluster);
  const kinds = steps.flatMap(({ key }) => kindOf(wanted.get(keyText(key))?.object) ?? []);
  for (let waited = 0; waited < SERVED_MS; waited += SERVED_POLL_MS) {
    cluster.discovery.forget();
    const served = await Promise.all(kinds.map(({ group, kind }) => cluster.discovery.resource(group, kind, undefined, signal)));
    if (served.every((resource) => resource !== undefined)) return;
    await delay(SERVED_POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}

function kindOf(definition: JsonObject | undefined): { readonly group: string; readonly kind: string } | undefined {
  const [group, kind] = ['/spec/group', '/spec/names/kind'].map((at) => jsonText(valueAt(definition, at)));
  return group === undefined || group === '' || kind === undefined || kind === '' ? undefined : { group, kind };
}

/** Established, or never to be as long as another definition has its names. */
function isDecided(object: JsonObject): boolean {
  const conditions = valueAt(object, '/status/conditions');
  const is = (type: string, status: string): boolean =>
    Array.isArray(conditions) && conditions.some((one: Json) => isJsonObject(one) && one['type'] === type && one['status'] === status);
  return is('Established', 'True') || is('NamesAccepted', 'False');
}
