import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { canonicalJson, jsonText } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import { childMap, listItemsOf, refusal } from './answers.ts';
import { apiPath } from './api.ts';
import type { Api, ApiResource } from './api.ts';
import { isWithin } from './bounded-health.ts';
import type { Found } from './cluster.ts';
import { managedEntries } from './managed-fields.ts';
import { inParallel } from './parallel.ts';
import { distil } from './seen.ts';

/** What a look found of objects that no view has. */
export interface Lookups {
  get(key: ObjectKey): Found | undefined;
  /** Everything found so far. */
  all(): Iterable<FoundObject>;
  /** Looks for objects of one kind and namespace, and replaces what was known of them. PortError where the server does not tell. */
  look(resource: ApiResource, namespace: string, keys: readonly ObjectKey[], signal?: AbortSignal): Promise<void>;
  /** Notes the objects of one kind and namespace (empty: all) that carry labels. PortError where the server does not tell. */
  lookFor(resource: ApiResource, namespace: string, labelSelector: string, signal?: AbortSignal): Promise<void>;
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
/** Characters of JSON. */
const LONGEST_HOLDERS = 1024 * 1024;

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
        await inParallel(keys, FEW, (key) => readOne(api, resource, { key, note }, signal));
        return;
      }
      const byName = new Map(keys.map((key) => [key.name, key]));
      await readList(api, { resource, namespace }, signal, (item) => {
        const key = byName.get(jsonText(childMap(item, 'metadata')['name']));
        if (key !== undefined) note(key, item);
      });
    },
    async lookFor(resource, namespace, labelSelector, signal) {
      const { group, kind } = resource;
      await readList(api, { resource, namespace, labelSelector }, signal, (item) => {
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

async function readOne(api: Api, resource: ApiResource, { key, note }: One, signal: AbortSignal | undefined): Promise<void> {
  const path = apiPath(resource, key.namespace, key.name);
  const { status, body } = await api.request({ method: 'GET', path, accept: METADATA }, signal);
  if (status === 200) note(key, body);
  else if (status !== 404) throw refusal(resource, status, body);
}

interface Listed {
  readonly resource: ApiResource;
  readonly namespace: string;
  readonly labelSelector?: string;
}

/** Each object of a list, page by page. */
async function readList(
  api: Api,
  { resource, namespace, labelSelector }: Listed,
  signal: AbortSignal | undefined,
  each: (item: JsonObject) => void,
): Promise<void> {
  let next = '';
  do {
    const query = new URLSearchParams({
      limit: String(PAGE),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(next === '' ? {} : { continue: next }),
    });
    const path = `${apiPath(resource, namespace)}?${query.toString()}`;
    const { status, body } = await api.request({ method: 'GET', path, accept: METADATA_LIST }, signal);
    if (status === 404) return;
    if (status !== 200) throw refusal(resource, status, body);
    for (const item of listItemsOf(body)) each(item);
    next = jsonText(childMap(body, 'metadata')['continue']);
  } while (next !== '');
}

/** What can be said of an object by its metadata. */
export function toFound(key: ObjectKey, object: JsonObject): Found | undefined {
  // Of its metadata only, whoever asked for more: digests of both would differ.
  const seen = distil(key, { metadata: childMap(object, 'metadata') }, []);
  if (seen === undefined) return undefined;
  const holders = managedEntries(object).filter((entry) => entry['subresource'] !== 'status');
  const { uid, resourceVersion, owned, applied, managers } = seen;
  // Times of entries have seconds only. A generation counts changes, but not those of a status; kinds without one have no status.
  const { generation = resourceVersion } = childMap(object, 'metadata');
  // What is deeper or longer than anything real is told apart by its version, which any change moves.
  const told = isWithin({ holders }, LONGEST_HOLDERS) ? [generation, ...holders] : [resourceVersion];
  return { uid, resourceVersion, owned, applied, managers, version: undefined, holders: sha256Of(canonicalJson(told)) };
}
