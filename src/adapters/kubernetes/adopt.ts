import { PortError } from '#ports/port-error.ts';
import { apiPath } from './api.ts';
import type { Found } from './cluster.ts';
import { readObject } from './look-again.ts';
import { toFound } from './lookups.ts';
import { serverWords } from './refusals.ts';
import { FIELD_MANAGER } from './seen-object.ts';
import { takeOverPatch } from './take-over.ts';
import type { Writing } from './writing.ts';

const MOST_TRIES = 4;

/** Makes what other tools hold of an object ours; the object as it is then, or undefined where it is not as it was seen. */
export async function takeOver(
  { cluster, step, object, resource }: Writing,
  isAsSeen: (found: Found) => boolean,
  signal: AbortSignal | undefined,
): Promise<Found | undefined> {
  const { key } = step;
  for (let tries = 1; ; tries += 1) {
    const live = await readObject(cluster, resource, key, signal);
    const found = live && toFound(key, live);
    if (live === undefined || found === undefined || !isAsSeen(found)) return undefined;
    const patch = takeOverPatch(live, object);
    if (patch === undefined) return found;
    const path = `${apiPath(resource, key.namespace, key.name)}?fieldManager=${FIELD_MANAGER}`;
    const body = JSON.stringify(patch);
    const answer = await cluster.api.request({ method: 'PATCH', path, body, contentType: 'application/json-patch+json' }, signal);
    if (answer.status === 200) return toFound(key, answer.body);
    if (answer.status !== 409 || tries === MOST_TRIES) {
      throw new PortError('transient', `${key.kind} ${key.name} could not be taken over: ${serverWords(answer)}`);
    }
  }
}
