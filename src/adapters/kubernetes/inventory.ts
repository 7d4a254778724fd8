import type { Sha256 } from '#model/digest.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { compareKeys, keyText } from '#model/kubernetes-object.ts';
import { compareText } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';
import { PortError } from '#ports/port-error.ts';
import { apiPath } from './api.ts';
import type { Api, ApiAnswer, ApiResource } from './api.ts';
import { doubledRow, PART_LIMITS, partData, readPart, rowLine } from './inventory-rows.ts';
import type { Part, Row } from './inventory-rows.ts';
import { serverWords } from './refusals.ts';
import { ENVIRONMENT_LABEL, FIELD_MANAGER, INVENTORY_LABEL, TARGET_LABEL } from './seen-object.ts';

/** What the ConfigMaps say together. */
export interface HeldInventory {
  /** By `keyText`. */
  readonly rows: ReadonlyMap<string, Row>;
  /** Undefined: there is none. */
  readonly rendering: Sha256 | undefined;
  /** A ConfigMap that was there is gone: rows may be missing. */
  readonly isDamaged: boolean;
}

export interface ClusterInventory {
  /** Asks the server, unless `isCurrent` says of each ConfigMap held (and of the one after them, by an empty version) that it is as it was. */
  load(isCurrent: (name: string, resourceVersion: string) => boolean, signal?: AbortSignal): Promise<HeldInventory>;
  /** Writes the ConfigMaps that change; answers how many. PortError `conflict` where somebody else wrote since `load`. */
  save(rows: ReadonlyMap<string, Row>, rendering: Sha256, signal?: AbortSignal): Promise<number>;
  held(): HeldInventory;
  /** Whether a ConfigMap of the namespace is one of ours. */
  owns(name: string): boolean;
}

export interface InventoryPlace {
  readonly environment: string;
  readonly target: string;
  readonly namespace: string;
  /** Part of the ConfigMaps' names; absent: the environment. */
  readonly name?: string | undefined;
  /** Is told each ConfigMap as the server answered it. */
  readonly written: (body: JsonObject) => void;
}

interface HeldPart extends Part {
  readonly resourceVersion: string;
}

const CONFIG_MAPS: ApiResource = { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespaced: true, verbs: [] };
/** 128,000 objects; more ConfigMaps with our labels were not written by this. */
const MOST_PARTS = 64;
/** Each may be 1 MiB. */
const PAGE = 8;

/** The inventory of one target as ConfigMaps `capstan-<environment>-<n>` of its namespace. A row stays in the part that it was put into. */
export function clusterInventory(api: Api, place: InventoryPlace): ClusterInventory {
  const { environment, target, namespace } = place;
  const prefix = `capstan-${place.name ?? environment}-`;
  let parts: ReadonlyMap<number, HeldPart> | undefined;
  let together: HeldInventory = { rows: new Map(), rendering: undefined, isDamaged: false };

  function hold(next: ReadonlyMap<number, HeldPart>): void {
    together = joined(next, namespace, prefix);
    parts = next;
  }

  async function read(signal: AbortSignal | undefined): Promise<ReadonlyMap<number, HeldPart>> {
    const found = new Map<number, HeldPart>();
    const selector = `${INVENTORY_LABEL},${ENVIRONMENT_LABEL}=${environment},${TARGET_LABEL}=${target}`;
    let next = '';
    do {
      const query = `labelSelector=${encodeURIComponent(selector)}&limit=${PAGE}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
      const answer = await api.request({ method: 'GET', path: `${apiPath(CONFIG_MAPS, namespace)}?${query}` }, signal);
      if (answer.status !== 200) throw unreadable(namespace, answer);
      for (const item of itemsOf(answer.body)) {
        const [index, part] = toHeldPart(item, place, prefix);
        found.set(index, part);
        if (found.size > MOST_PARTS) throw unusable(namespace, `${prefix}*`, `there are more than ${MOST_PARTS} of them`);
      }
      next = jsonText(metadataOf(answer.body)['continue']);
    } while (next !== '');
    return found;
  }

  async function write(index: number, part: Part, signal: AbortSignal | undefined): Promise<HeldPart> {
    const name = `${prefix}${index}`;
    const before = parts?.get(index);
    const labels = { [INVENTORY_LABEL]: 'true', [ENVIRONMENT_LABEL]: environment, [TARGET_LABEL]: target };
    const metadata = { name, namespace, labels, ...(before === undefined ? {} : { resourceVersion: before.resourceVersion }) };
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: partData(part) });
    const path = `${apiPath(CONFIG_MAPS, namespace, before === undefined ? undefined : name)}?fieldManager=${FIELD_MANAGER}`;
    const answer = await api.request({ method: before === undefined ? 'POST' : 'PUT', path, body }, signal);
    if (answer.status !== 200 && answer.status !== 201) {
      parts = undefined;
      throw unwritten(namespace, name, answer);
    }
    place.written(answer.body);
    return { ...part, resourceVersion: jsonText(metadataOf(answer.body)['resourceVersion']) };
  }

  return {
    owns: (name) => name.startsWith(prefix) && /^[0-9]{1,4}$/.test(name.slice(prefix.length)),
    held: () => together,
    async load(isCurrent, signal) {
      const isKnown =
        parts !== undefined &&
        [...parts].every(([index, part]) => isCurrent(`${prefix}${index}`, part.resourceVersion)) &&
        isCurrent(`${prefix}${nextIndex(parts)}`, '');
      if (!isKnown) {
        parts = undefined;
        hold(await read(signal));
      }
      return together;
    },
    async save(rows, rendering, signal) {
      // What was read may be old by now: only a look says what may be written.
      if (parts === undefined) throw new PortError('conflict', 'the inventory was written by somebody else meanwhile');
      const held = parts;
      const changed = changedParts(held, rows, rendering);
      if (changed.size === 0) return 0;
      const count = Math.max(held.size, ...[...changed.keys()].map((index) => index + 1), nextIndex(held));
      const sequence = Math.max(0, ...[...held.values()].map((part) => part.sequence)) + 1;
      const next = new Map(held);
      for (const [index, part] of changed) {
        next.set(index, await write(index, { environment, target, parts: count, sequence, rendering, rows: part }, signal));
        hold(new Map(next));
      }
      return changed.size;
    },
  };
}

/** The rows of each part that has to be written, by its number. */
function changedParts(
  held: ReadonlyMap<number, HeldPart>,
  rows: ReadonlyMap<string, Row>,
  rendering: Sha256,
): ReadonlyMap<number, readonly Row[]> {
  const changed = new Map<number, readonly Row[]>();
  const placed = new Set<string>();
  const filling = new Map<number, { rows: Row[]; bytes: number; isChanged: boolean }>();
  for (const [index, part] of held) {
    const kept: Row[] = [];
    let isChanged = false;
    let bytes = 0;
    for (const row of part.rows) {
      const text = keyText(row.key);
      const now = rows.get(text);
      isChanged ||= now !== row && (now === undefined || rowLine(now) !== rowLine(row));
      if (now === undefined || placed.has(text)) continue;
      bytes += lineBytes(now);
      isChanged ||= bytes > PART_LIMITS.bytes;
      if (bytes > PART_LIMITS.bytes) continue;
      placed.add(text);
      kept.push(now);
    }
    filling.set(index, { rows: kept, bytes: Math.min(bytes, PART_LIMITS.bytes), isChanged });
  }
  const coming = [...rows].filter(([text]) => !placed.has(text)).map(([, row]) => row);
  coming.sort((a, b) => compareKeys(a.key, b.key));
  let index = 0;
  for (const row of coming) {
    const size = lineBytes(row);
    for (; ; index += 1) {
      const part = filling.get(index);
      if (part === undefined || (part.rows.length < PART_LIMITS.rows && part.bytes + size <= PART_LIMITS.bytes)) break;
    }
    const part = filling.get(index) ?? { rows: [], bytes: 0, isChanged: true };
    part.rows.push(row);
    part.bytes += size;
    part.isChanged = true;
    filling.set(index, part);
  }
  for (const [number, part] of [...filling].toSorted(([a], [b]) => a - b)) if (part.isChanged) changed.set(number, part.rows);
  if (changed.size === 0 && latestOf(held)?.rendering !== rendering) {
    // Whom nothing else changes says for which rendering all of this stands: the cheapest does.
    const [smallest] = [...filling].toSorted(([, a], [, b]) => a.bytes - b.bytes);
    changed.set(smallest?.[0] ?? 0, smallest?.[1].rows ?? []);
  }
  return changed;
}

/** What is announced gets longer once it is done, and has to stay where it is then. */
function lineBytes(row: Row): number {
  return Buffer.byteLength(rowLine(row)) + 1 + (row.pending ? 101 : 0);
}

function joined(parts: ReadonlyMap<number, HeldPart>, namespace: string, prefix: string): HeldInventory {
  const rows = new Map<string, Row>();
  const every = [...parts].toSorted(([a], [b]) => a - b).flatMap(([, part]) => part.rows);
  const doubled = doubledRow(every);
  if (doubled !== undefined) throw unusable(namespace, `${prefix}*`, doubled);
  for (const row of every.toSorted((a, b) => compareText(a.path, b.path))) rows.set(keyText(row.key), row);
  const latest = latestOf(parts);
  const expected = Math.max(latest?.parts ?? 0, ...[...parts.keys()].map((index) => index + 1));
  return { rows, rendering: latest?.rendering, isDamaged: parts.size < expected };
}

function latestOf(parts: ReadonlyMap<number, HeldPart>): HeldPart | undefined {
  let latest: HeldPart | undefined;
  for (const part of parts.values()) if (latest === undefined || part.sequence > latest.sequence) latest = part;
  return latest;
}

function nextIndex(parts: ReadonlyMap<number, HeldPart>): number {
  return Math.max(-1, ...parts.keys()) + 1;
}

function toHeldPart(item: JsonObject, place: InventoryPlace, prefix: string): readonly [number, HeldPart] {
  const metadata = metadataOf(item);
  const name = jsonText(metadata['name']);
  const index = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  const part = readPart(item['data']);
  if (!/^(?:0|[1-9][0-9]{0,3})$/.test(index)) throw unusable(place.namespace, name, 'it has the labels of an inventory and not its name');
  if (typeof part === 'string') throw unusable(place.namespace, name, part);
  if (part.environment !== place.environment || part.target !== place.target) {
    throw belongsTo(place.namespace, name, `target ${quoted(part.target, 60)} of environment ${quoted(part.environment, 60)}`);
  }
  return [Number(index), { ...part, resourceVersion: jsonText(metadata['resourceVersion']) }];
}

function itemsOf(body: JsonObject): readonly JsonObject[] {
  const items = body['items'];
  return Array.isArray(items) ? items.filter((item: Json): item is JsonObject => isJsonObject(item)) : [];
}

function metadataOf(object: JsonObject): JsonObject {
  const metadata = object['metadata'];
  return isJsonObject(metadata) ? metadata : {};
}

function unusable(namespace: string, name: string, why: string): PortError {
  return new PortError(
    'invalid',
    `the inventory ConfigMap ${quoted(`${namespace}/${name}`)} cannot be used: ${why}. Nothing was written or removed. Bring back what it was, or delete it: then it is made again from the objects' labels`,
  );
}

function belongsTo(namespace: string, name: string, whom: string): PortError {
  return new PortError(
    'conflict',
    `the inventory ConfigMap ${quoted(`${namespace}/${name}`)} belongs to ${whom}; give each target a namespace of its own`,
  );
}

function unreadable(namespace: string, answer: ApiAnswer): PortError {
  const kind = answer.status === 403 ? 'denied' : 'transient';
  return new PortError(kind, `the inventory in namespace ${quoted(namespace)} cannot be read: ${serverWords(answer)}`);
}

function unwritten(namespace: string, name: string, answer: ApiAnswer): PortError {
  const what = `the inventory ConfigMap ${quoted(`${namespace}/${name}`)}`;
  switch (answer.status) {
    case 403:
      return new PortError('denied', `${what} cannot be written: ${serverWords(answer)}`);
    case 404:
      return new PortError(
        'invalid',
        `${what} cannot be written: there is no namespace ${quoted(namespace)}. Create it, or render a Namespace object for it`,
      );
    case 409:
      return new PortError('conflict', `${what} was written by somebody else meanwhile: ${serverWords(answer)}`);
    case 413:
    case 422:
      return new PortError('invalid', `${what} is refused by the server: ${serverWords(answer)}`);
    default:
      return new PortError('transient', `${what} could not be written: ${serverWords(answer)}`);
  }
}
