import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { canonicalJson, jsonText } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import { childMap, listItemsOf } from './answers.ts';
import { apiPath } from './api.ts';
import type { Api, ApiResource } from './api.ts';
import type { Found } from './cluster.ts';
import { managedEntries } from './managed-fields.ts';
import { inParallel } from './parallel.ts';
import { distil } from './seen.ts';

/** What a look found of objects that no view has. */
export interface Lookups {
  get(key: ObjectKey): Found | undefined;
  /** Everything found so far. */
  all(): Iterable<FoundObject>;
  /** Looks for objects of one kind and namespace; whether the server told. Replaces what was known of them. */
  look(resource: ApiResource, namespace: string, keys: readonly ObjectKey[], signal?: AbortSignal): Promise<boolean>;
  /** Notes the objects of one kind and namespace (empty: all) that carry labels; whether the server told. */
  lookFor(resource: ApiResource, namespace: string, labelSelector: string, signal?: AbortSignal): Promise<boolean>;
  /** Takes in an object that was read. */
  note(key: ObjectKey, object: JsonObject): Found | undefined;
  forget(key: ObjectKey): void;
  clear(): void;
}

export interface FoundObject {
  readonly key: ObjectKey;
  readonly found: Found;
}

const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
/** More than this many of one kind and namespace are looked for by a list. */
const FEW = 4;
const PAGE = 500;
const AT_ONCE = 16;

export function openLookups(api: Api): Lookups {
  const known = new Map<string, FoundObject>();

  function note(key: ObjectKey, object: JsonObject): Found | undefined {
    const found = toFound(key, object);
    if (found !== undefined) known.set(keyText(key), { key, found });
    return found;
  }

  return {
    get: (key) => known.get(keyText(key))?.found,
    all: () => known.values(),
    note,
    forget: (key) => void known.delete(keyText(key)),
    clear: () => known.clear(),
    async look(resource, namespace, keys, signal) {
      for (const key of keys) known.delete(keyText(key));
      if (keys.length <= FEW) {
        const told = await inParallel(keys, AT_ONCE, (key) => readOne(api, resource, { key, note }, signal));
        return told.every(Boolean);
      }
      const byName = new Map(keys.map((key) => [key.name, key]));
      return readList(api, apiPath(resource, namespace), signal, (item) => {
        const key = byName.get(jsonText(childMap(item, 'metadata')['name']));
        if (key !== undefined) note(key, item);
      });
    },
    lookFor({ group, kind, ...resource }, namespace, labelSelector, signal) {
      const base = `${apiPath({ group, kind, ...resource }, namespace)}?labelSelector=${encodeURIComponent(labelSelector)}`;
      return readList(api, base, signal, (item) => {
        const metadata = childMap(item, 'metadata');
        const key = { group, kind, namespace: jsonText(metadata['namespace']), name: jsonText(metadata['name']) };
        if (key.name !== '') note(key, item);
      });
    },
  };
}

interface One {
  readonly key: ObjectKey;
  readonly note: Lookups['note'];
}

async function readOne(api: Api, resource: ApiResource, { key, note }: One, signal: AbortSignal | undefined): Promise<boolean> {
  const { status, body } = await api.request({ method: 'GET', path: apiPath(resource, key.namespace, key.name), accept: METADATA }, signal);
  if (status === 200) note(key, body);
  return status === 200 || status === 404;
}

/** Each object of a list, page by page; whether the server told all of them. */
async function readList(api: Api, base: string, signal: AbortSignal | undefined, each: (item: JsonObject) => void): Promise<boolean> {
  let next = '';
  do {
    const page = `limit=${PAGE}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
    const path = `${base}${base.includes('?') ? '&' : '?'}${page}`;
    const { status, body } = await api.request({ method: 'GET', path, accept: METADATA_LIST }, signal);
    if (status !== 200) return status === 404;
    for (const item of listItemsOf(body)) each(item);
    next = jsonText(childMap(body, 'metadata')['continue']);
  } while (next !== '');
  return true;
}

/** What can be said of an object by its metadata. */
export function toFound(key: ObjectKey, object: JsonObject): Found | undefined {
  // Of its metadata only, whoever asked for more: digests of both would differ.
  const seen = distil(key, { metadata: childMap(object, 'metadata') }, []);
  if (seen === undefined) return undefined;
  const holders = managedEntries(object).filter((entry) => entry['subresource'] !== 'status');
  const { uid, resourceVersion, owned, applied, managers } = seen;
  return { uid, resourceVersion, owned, applied, managers, holders: sha256Of(canonicalJson(holders)) };
}
