import { sha256Of } from '#model/digest.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { canonicalJson, isJsonObject, jsonText } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import { refusal } from './answers.ts';
import { apiPath } from './api.ts';
import type { Api, ApiResource } from './api.ts';
import type { Found } from './cluster.ts';
import { inParallel } from './parallel.ts';
import { distil } from './seen.ts';

/** What a look found of objects that no view has. */
export interface Lookups {
  get(key: ObjectKey): Found | undefined;
  /** Looks for objects of one kind and namespace, and replaces what was known of them. PortError where the server does not tell. */
  look(resource: ApiResource, namespace: string, keys: readonly ObjectKey[], signal?: AbortSignal): Promise<void>;
  /** Takes in an object that was read. */
  note(key: ObjectKey, object: JsonObject): Found | undefined;
  forget(key: ObjectKey): void;
  clear(): void;
}

const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
/** More than this many of one kind and namespace are looked for by a list. */
const FEW = 4;
const PAGE = 500;
const AT_ONCE = 16;

export function openLookups(api: Api): Lookups {
  const known = new Map<string, Found>();

  async function one(resource: ApiResource, key: ObjectKey, signal: AbortSignal | undefined): Promise<void> {
    const namespace = resource.namespaced ? key.namespace : '';
    const answer = await api.request({ method: 'GET', path: apiPath(resource, namespace, key.name), accept: METADATA }, signal);
    if (answer.status === 200) note(known, key, answer.body);
    else if (answer.status !== 404) throw refusal(resource, answer.status, answer.body);
  }

  async function many(resource: ApiResource, namespace: string, keys: readonly ObjectKey[], signal: AbortSignal | undefined) {
    const byName = new Map(keys.map((key) => [key.name, key]));
    let next = '';
    do {
      const query = `limit=${PAGE}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
      const path = `${apiPath(resource, namespace)}?${query}`;
      const answer = await api.request({ method: 'GET', path, accept: METADATA_LIST }, signal);
      if (answer.status === 404) return;
      if (answer.status !== 200) throw refusal(resource, answer.status, answer.body);
      for (const item of itemsOf(answer.body)) {
        const key = byName.get(jsonText(metadataOf(item)['name']));
        if (key !== undefined) note(known, key, item);
      }
      next = jsonText(metadataOf(answer.body)['continue']);
    } while (next !== '');
  }

  return {
    get: (key) => known.get(keyText(key)),
    forget: (key) => void known.delete(keyText(key)),
    note: (key, object) => note(known, key, object),
    clear: () => known.clear(),
    async look(resource, namespace, keys, signal) {
      for (const key of keys) known.delete(keyText(key));
      if (keys.length > FEW) await many(resource, namespace, keys, signal);
      else await inParallel(keys, AT_ONCE, (key) => one(resource, key, signal));
    },
  };
}

function note(known: Map<string, Found>, key: ObjectKey, object: JsonObject): Found | undefined {
  const found = toFound(key, object);
  if (found !== undefined) known.set(keyText(key), found);
  return found;
}

/** What can be said of an object by its metadata. */
export function toFound(key: ObjectKey, object: JsonObject): Found | undefined {
  const metadata = metadataOf(object);
  // Of its metadata only, whoever asked for more: digests of both would differ.
  const seen = distil(key, { metadata }, []);
  if (seen === undefined) return undefined;
  const entries = metadata['managedFields'];
  const holders = Array.isArray(entries) ? entries.filter((entry: Json) => isJsonObject(entry) && entry['subresource'] !== 'status') : [];
  return {
    uid: seen.uid,
    resourceVersion: seen.resourceVersion,
    owned: seen.owned,
    applied: seen.applied,
    managers: seen.managers,
    holders: sha256Of(canonicalJson(holders)),
  };
}

function itemsOf(body: JsonObject): readonly JsonObject[] {
  const items = body['items'];
  return Array.isArray(items) ? items.filter((item: Json): item is JsonObject => isJsonObject(item)) : [];
}

function metadataOf(object: JsonObject): JsonObject {
  const metadata = object['metadata'];
  return isJsonObject(metadata) ? metadata : {};
}
