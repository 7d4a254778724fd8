import { setTimeout as delay } from 'node:timers/promises';

import type { JsonObject } from '#model/json.ts';
import { valueAt } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { childMap } from './answers.ts';
import { apiPath } from './api.ts';
import type { ApiAnswer } from './api.ts';
import type { Cluster, Found } from './cluster.ts';
import { readObject } from './look-again.ts';
import { writeRefusal } from './refusals.ts';
import { blockedProblem, movedProblem } from './step-problems.ts';
import { terminationOf } from './termination.ts';
import type { Writing } from './writing.ts';

const POLL_MS = 100;
const PATIENCE_MS = 60_000;

/** Git allows it for the whole environment, or for this object. */
export function mayBeMadeAgain({ sync }: Cluster, object: JsonObject): boolean {
  return sync.recreate || valueAt(object, '/metadata/annotations/capstan.dev~1recreate') === 'true';
}

/** Removes the object that was seen and waits until it is gone, its dependents with it; else the problem. */
export async function makeRoom(
  { cluster, step, resource }: Writing,
  found: Found,
  signal: AbortSignal | undefined,
): Promise<{ readonly result: 'refused' | 'failed'; readonly problem: Problem } | undefined> {
  const { key } = step;
  const options = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: found.uid },
    propagationPolicy: 'Foreground',
  };
  const path = apiPath(resource, key.namespace, key.name);
  const answer = await cluster.api.request({ method: 'DELETE', path, body: JSON.stringify(options) }, signal);
  if (answer.status === 409) return { result: 'refused', problem: movedProblem(step) };
  if (!isAccepted(answer)) return { result: 'failed', problem: writeRefusal(key, answer) };
  for (let waited = 0; ; waited += POLL_MS) {
    const there = await readObject(cluster, resource, key, signal);
    if (there === undefined || childMap(there, 'metadata')['uid'] !== found.uid) break;
    if (waited >= PATIENCE_MS) {
      const { finalizers = [], since = '' } = terminationOf(there) ?? {};
      return { result: 'refused', problem: blockedProblem(step, finalizers, since) };
    }
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
  cluster.views.of(key)?.forget(key.namespace, key.name, found.uid);
  cluster.lookups.forget(key);
  return undefined;
}

function isAccepted({ status }: ApiAnswer): boolean {
  return status === 200 || status === 202 || status === 404;
}
