import { setTimeout as delay } from 'node:timers/promises';

import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, valueAt } from '#model/json.ts';
import type { WritingStep } from '#model/plan.ts';
import type { Cluster } from './cluster.ts';

const POLL_MS = 25;
const PATIENCE_MS = 30_000;

/** Returns once the server has the kinds that were just defined, or has had time enough: what needs them then fails by itself. */
export async function waitUntilEstablished(
  cluster: Cluster,
  steps: readonly WritingStep[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const waiting = new Set(steps.map(({ key }) => key));
  for (let waited = 0; waiting.size > 0 && waited < PATIENCE_MS; waited += POLL_MS) {
    for (const key of waiting) {
      const seen = cluster.views.seen(key);
      if (seen !== undefined && isEstablished(seen.live.object)) waiting.delete(key);
    }
    if (waiting.size > 0) await delay(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}

function isEstablished(object: JsonObject): boolean {
  const conditions = valueAt(object, '/status/conditions');
  return (
    Array.isArray(conditions) &&
    conditions.some((one: Json) => isJsonObject(one) && one['type'] === 'Established' && one['status'] === 'True')
  );
}
