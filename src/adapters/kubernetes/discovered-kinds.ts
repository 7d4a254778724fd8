import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import type { PortErrorKind } from '#ports/port-error.ts';
import { PortError } from '#ports/port-error.ts';
import { listItemsOf } from './answers.ts';
import type { Api, ApiAnswer, ApiResource } from './api.ts';

export interface FoundKinds {
  /** Within a kind the preferred version first. */
  readonly resources: readonly ApiResource[];
  /** Groups that are there but could not be asked, with the reason. */
  readonly silent: ReadonlyMap<string, string>;
}

const list = (version: string): string => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
const AGGREGATED = [list('v2'), list('v2beta1'), 'application/json'].join(',');

/** All kinds in two requests (Kubernetes 1.27 and later); undefined from a server that does not know how. */
export async function aggregatedKinds(api: Api): Promise<FoundKinds | undefined> {
  const answers = await Promise.all(['/api', '/apis'].map((path) => askKinds(api, path, AGGREGATED)));
  if (!answers.every(({ body }) => body['kind'] === 'APIGroupDiscoveryList')) return undefined;
  const groups = answers.flatMap(({ body }) => listItemsOf(body));
  const silent = new Map<string, string>();
  for (const group of groups) {
    const stale = objectsOf(group['versions']).filter((version) => version['freshness'] === 'Stale');
    if (stale.length > 0) silent.set(nameOf(group), 'the API service behind it does not answer');
  }
  return { resources: groups.flatMap(resourcesOf), silent };
}

/** An answer about kinds; PortError for a refusal, because without kinds nothing can be told about objects. */
export async function askKinds(api: Api, path: string, accept?: string): Promise<ApiAnswer> {
  const answer = await api.request({ method: 'GET', path, ...(accept === undefined ? {} : { accept }) });
  if (answer.status === 200) return answer;
  throw new PortError(
    kindOf(answer.status),
    `the server does not tell its kinds: GET ${path} was answered ${answer.status} ${jsonText(answer.body['message'])}`,
  );
}

function kindOf(status: number): PortErrorKind {
  if (status >= 500) return 'transient';
  return status === 403 ? 'denied' : 'invalid';
}

export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: Json): item is JsonObject => isJsonObject(item)) : [];
}

export function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item: Json): item is string => typeof item === 'string') : [];
}

function nameOf(group: JsonObject): string {
  return jsonText(valueAt(group, '/metadata/name'));
}

function resourcesOf(group: JsonObject): readonly ApiResource[] {
  return objectsOf(group['versions']).flatMap((version) =>
    objectsOf(version['resources']).map((resource) => ({
      group: nameOf(group),
      version: jsonText(version['version']),
      kind: jsonText(valueAt(resource, '/responseKind/kind')),
      resource: jsonText(resource['resource']),
      namespaced: resource['scope'] === 'Namespaced',
      verbs: textsOf(resource['verbs']),
    })),
  );
}
