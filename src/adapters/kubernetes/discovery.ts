import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import { PortError } from '#ports/port-error.ts';
import type { Api, ApiResource, Discovery } from './api.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
/** A kind that is not there is looked for again, but not more often than this. */
const AGAIN_MS = 2_000;

interface Kinds {
  readonly at: number;
  /** By `group/kind`, preferred version first. */
  readonly byKind: ReadonlyMap<string, readonly ApiResource[]>;
}

/** What kinds the server has, asked with two requests and kept for as long as the connection. */
export function openDiscovery(api: Api, now: () => number): Discovery {
  let known: Kinds | undefined;
  let asking: Promise<Kinds> | undefined;
  let version: string | undefined;

  function ask(signal: AbortSignal | undefined): Promise<Kinds> {
    asking ??= kindsOf(api, now, signal).finally(() => {
      asking = undefined;
    });
    return asking;
  }

  return {
    async resource(group, kind, wanted, signal) {
      known ??= await ask(signal);
      const found = pick(known, group, kind, wanted);
      if (found !== undefined || now() - known.at < AGAIN_MS) return found;
      known = await ask(signal);
      return pick(known, group, kind, wanted);
    },
    async serverVersion(signal) {
      version ??= jsonText((await api.request({ method: 'GET', path: '/version' }, signal)).body['gitVersion']);
      return version;
    },
  };
}

function pick(kinds: Kinds, group: string, kind: string, version: string | undefined): ApiResource | undefined {
  const found = kinds.byKind.get(`${group}/${kind}`) ?? [];
  return version === undefined ? found[0] : found.find((resource) => resource.version === version);
}

async function kindsOf(api: Api, now: () => number, signal: AbortSignal | undefined): Promise<Kinds> {
  const at = now();
  const roots = await Promise.all(['/api', '/apis'].map((path) => aggregated(api, path, signal)));
  const byKind = new Map<string, ApiResource[]>();
  for (const resource of roots.flat()) {
    const key = `${resource.group}/${resource.kind}`;
    byKind.set(key, [...(byKind.get(key) ?? []), resource]);
  }
  return { at, byKind };
}

async function aggregated(api: Api, path: string, signal: AbortSignal | undefined): Promise<readonly ApiResource[]> {
  const { status, body } = await api.request({ method: 'GET', path, accept: AGGREGATED }, signal);
  if (status !== 200)
    throw new PortError('denied', `the server does not say what kinds it has: GET ${path} answered ${status} ${jsonText(body['message'])}`);
  return listOf(body['items']).flatMap(groupResources);
}

function groupResources(item: JsonObject): readonly ApiResource[] {
  const group = jsonText(valueAt(item, '/metadata/name'));
  return listOf(item['versions']).flatMap((version) =>
    listOf(version['resources']).map((resource) => ({
      group,
      version: jsonText(version['version']),
      kind: jsonText(valueAt(resource, '/responseKind/kind')),
      resource: jsonText(resource['resource']),
      namespaced: resource['scope'] === 'Namespaced',
      verbs: Array.isArray(resource['verbs']) ? resource['verbs'].map(String) : [],
    })),
  );
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: Json): item is JsonObject => isJsonObject(item)) : [];
}
