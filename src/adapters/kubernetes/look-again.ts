import type { JsonObject } from '#model/json.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import { PortError } from '#ports/port-error.ts';
import { apiPath } from './api.ts';
import type { ApiResource } from './api.ts';
import type { Cluster, Found } from './cluster.ts';
import { foundOf } from './observe.ts';
import { serverWords } from './refusals.ts';

/** Reads one object anew, where a view may be behind; undefined: it is gone. */
export async function lookAgain(
  cluster: Cluster,
  resource: ApiResource,
  key: ObjectKey,
  signal: AbortSignal | undefined,
): Promise<Found | undefined> {
  const body = await readObject(cluster, resource, key, signal);
  const view = cluster.views.of(key);
  const known = view?.get(key.namespace, key.name);
  if (body === undefined) {
    if (known !== undefined) view?.forget(key.namespace, key.name, known.uid);
    cluster.lookups.forget(key);
    return undefined;
  }
  if (known === undefined) return cluster.lookups.note(key, body);
  view?.note(body, 'read');
  return foundOf(cluster, key);
}

/** The whole object, or undefined where there is none. */
export async function readObject(
  cluster: Cluster,
  resource: ApiResource,
  key: ObjectKey,
  signal: AbortSignal | undefined,
): Promise<JsonObject | undefined> {
  const answer = await cluster.api.request({ method: 'GET', path: apiPath(resource, key.namespace, key.name) }, signal);
  if (answer.status === 200) return answer.body;
  if (answer.status === 404) return undefined;
  throw new PortError(answer.status === 403 ? 'denied' : 'transient', `${key.kind} ${key.name} cannot be read: ${serverWords(answer)}`);
}
