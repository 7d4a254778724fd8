import { isJsonObject } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import type { SeenObject } from './seen-object.ts';

/** Of one object, before and after; undefined: not there. At least one is. */
export interface SeenChange {
  readonly before: SeenObject | undefined;
  readonly after: SeenObject | undefined;
}

/** Objects of one kind and scope, by namespace and name; what is older than what is held never replaces it. */
export interface HeldObjects {
  get(namespace: string, name: string): SeenObject | undefined;
  all(): Iterable<SeenObject>;
  put(seen: SeenObject): SeenChange | undefined;
  /** The server says that it is gone, as of the version it names. */
  remove(seen: SeenObject): SeenChange | undefined;
  forget(namespace: string, name: string, uid: string): void;
  /** Before everything is read anew: what the server tells from now on is from after all that was forgotten. */
  begin(): void;
  /** After a whole list of this version: whatever it does not name went away unseen, unless it was written later. */
  keepOnly(named: ReadonlySet<string>, version: string): readonly SeenChange[];
}

/** Objects of ours that were removed and of which late news may still come. */
const MOST_FORGOTTEN = 10_000;

export function holdObjects(): HeldObjects {
  const held = new Map<string, SeenObject>();
  const forgotten = new Set<string>();
  function put(seen: SeenObject): SeenChange | undefined {
    // News from before our own removal would bring it back; one that is being deleted is there for as long as a finalizer holds it.
    if (forgotten.has(seen.uid) && !isTerminating(seen)) return undefined;
    const id = objectId(seen);
    const before = held.get(id);
    if (before !== undefined && isOlder(seen.resourceVersion, before.resourceVersion)) return undefined;
    held.set(id, seen);
    return changed(before, seen);
  }
  function remove(seen: SeenObject): SeenChange | undefined {
    forgotten.delete(seen.uid);
    const before = held.get(objectId(seen));
    if (before === undefined || isOlder(seen.resourceVersion, before.resourceVersion)) return undefined;
    held.delete(objectId(seen));
    return { before, after: undefined };
  }
  return {
    get: (namespace, name) => held.get(`${namespace}/${name}`),
    all: () => held.values(),
    put,
    remove,
    forget(namespace, name, uid) {
      const before = held.get(`${namespace}/${name}`);
      if (before?.uid === uid) held.delete(`${namespace}/${name}`);
      forgotten.add(uid);
      for (const oldest of forgotten) {
        if (forgotten.size <= MOST_FORGOTTEN) break;
        forgotten.delete(oldest);
      }
    },
    begin: () => forgotten.clear(),
    keepOnly(named, version) {
      const gone = [...held].filter(([id, seen]) => !named.has(id) && !isOlder(version, seen.resourceVersion));
      for (const [id] of gone) held.delete(id);
      return gone.map(([, before]) => ({ before, after: undefined }));
    },
  };
}

export function objectId(seen: SeenObject): string {
  return `${seen.key.namespace}/${seen.key.name}`;
}

const DECIMAL = /^[0-9]{1,20}$/;

/** Versions are numbers that grow (KEP-5504); what is none says nothing of order, and the later message wins. */
export function isOlder(version: string, than: string): boolean {
  if (!DECIMAL.test(version) || !DECIMAL.test(than)) return false;
  return BigInt(version) < BigInt(than);
}

/** The change, if it is one that somebody wants to know: a status that only tells the time again is none. */
function changed(before: SeenObject | undefined, after: SeenObject): SeenChange | undefined {
  if (before !== undefined && isSame(before, after)) return undefined;
  return { before, after };
}

function isSame(before: SeenObject, after: SeenObject): boolean {
  return (
    before.uid === after.uid &&
    before.owned === after.owned &&
    before.isProtected === after.isProtected &&
    isTerminating(before) === isTerminating(after) &&
    saysTheSame(before.live.object, after.live.object)
  );
}

function isTerminating(seen: SeenObject): boolean {
  const { metadata } = seen.live.object;
  return isJsonObject(metadata) && metadata['deletionTimestamp'] !== undefined;
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Equal but for times; both are bounded in depth and size. */
function saysTheSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a === 'string' && typeof b === 'string') return TIME.test(a) && TIME.test(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && saysTheSame(Reflect.get(a, key) as Json, Reflect.get(b, key) as Json));
}
