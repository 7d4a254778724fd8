import type { CapsulePatch } from '#model/declarations.generated.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { canonicalJson, isJsonObject, pointerKeys, pointerToken } from '#model/json.ts';

export type PatchOperation = CapsulePatch['ops'][number];
export type Patched = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly at: number; readonly message: string };

export const PATCH_LIMITS = { depth: 64, operations: 1000 } as const;
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** RFC 6902: all operations in order, or none; `at` is the index of the one that failed. */
export function applyPatch(value: Json, operations: readonly PatchOperation[]): Patched {
  if (operations.length > PATCH_LIMITS.operations)
    return { ok: false, at: PATCH_LIMITS.operations, message: `has more than ${PATCH_LIMITS.operations} operations` };
  let here = value;
  for (const [at, operation] of operations.entries()) {
    try {
      here = applied(here, operation);
    } catch (error) {
      if (!(error instanceof Error) || error.cause !== REFUSED) throw error;
      return { ok: false, at, message: error.message };
    }
  }
  return { ok: true, value: here };
}

/** Marks what this file throws to leave its recursion at any depth; it is caught at its door. */
const REFUSED = Symbol('refused');

function refuse(message: string): never {
  throw new Error(message, { cause: REFUSED });
}

function applied(value: Json, operation: PatchOperation): Json {
  const keys = keysOf(operation.path);
  switch (operation.op) {
    case 'add':
      return added(value, keys, given(operation));
    case 'remove':
      return removed(value, keys);
    case 'replace':
      found(value, keys);
      return keys.length === 0 ? given(operation) : replaced(value, keys, given(operation));
    case 'move': {
      const from = keysOf(sourceOf(operation));
      const moved = found(value, from);
      if (keys.length > from.length && from.every((key, at) => key === keys[at])) refuse('moves a value into itself');
      return added(removed(value, from), keys, moved);
    }
    case 'copy':
      return added(value, keys, found(value, keysOf(sourceOf(operation))));
    case 'test':
      if (canonicalJson(found(value, keys)) !== canonicalJson(given(operation))) refuse(`expects another value at ${operation.path}`);
      return value;
  }
}

function given(operation: PatchOperation): Json {
  return operation.value === undefined ? refuse(`${operation.op} has no value`) : operation.value;
}

function sourceOf(operation: PatchOperation): string {
  return operation.from ?? refuse(`${operation.op} has no from`);
}

function keysOf(pointer: string): readonly string[] {
  if (pointer !== '' && !pointer.startsWith('/')) refuse(`${JSON.stringify(pointer.slice(0, 120))} is no JSON pointer`);
  const keys = pointerKeys(pointer);
  if (keys.length > PATCH_LIMITS.depth) refuse(`goes deeper than ${PATCH_LIMITS.depth} levels`);
  const bad = keys.find((key) => FORBIDDEN.has(key));
  return bad === undefined ? keys : refuse(`names ${bad}`);
}

function found(value: Json, keys: readonly string[]): Json {
  let here = value;
  for (const [depth, key] of keys.entries()) {
    const inner = childOf(here, key);
    here = inner ?? absent(keys.slice(0, depth + 1), inner);
  }
  return here;
}

/** JSON's own null is a value that is there. */
function absent(keys: readonly string[], value: Json | undefined): null {
  return value === null ? null : refuse(`finds nothing at ${keys.map(pointerToken).join('')}`);
}

function childOf(value: Json, key: string): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Json[])[indexOf(key, value.length - 1)];
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function indexOf(key: string, last: number): number {
  if (!/^(0|[1-9][0-9]{0,6})$/.test(key)) refuse(`${JSON.stringify(key.slice(0, 40))} is no index of a list`);
  const index = Number(key);
  return index > last ? refuse(`index ${key} is beyond the end of the list`) : index;
}

type Change = (parent: Json, key: string) => Json;

/** The value with one parent changed; everything beside the path is shared. */
function changed(value: Json, keys: readonly string[], change: Change): Json {
  const [key, ...rest] = keys;
  if (key === undefined) return refuse('names the whole object, which would make it another one');
  if (rest.length === 0) return change(value, key);
  const inner = changed(found(value, [key]), rest, change);
  if (Array.isArray(value)) return (value as readonly Json[]).with(indexOf(key, value.length - 1), inner);
  return isJsonObject(value) ? { ...value, [key]: inner } : refuse(`finds nothing at ${pointerToken(key)}`);
}

function added(value: Json, keys: readonly string[], what: Json): Json {
  if (keys.length === 0) return what;
  return changed(value, keys, (parent, key) => {
    if (Array.isArray(parent)) {
      const list: readonly Json[] = parent;
      return list.toSpliced(key === '-' ? list.length : indexOf(key, list.length), 0, what);
    }
    return isJsonObject(parent) ? { ...parent, [key]: what } : refuse(`can add nothing to a ${typeof parent}`);
  });
}

function removed(value: Json, keys: readonly string[]): Json {
  found(value, keys);
  return changed(value, keys, (parent, key) => {
    if (Array.isArray(parent)) return (parent as readonly Json[]).toSpliced(indexOf(key, parent.length - 1), 1);
    if (!isJsonObject(parent)) return refuse(`finds nothing at ${pointerToken(key)}`);
    return Object.fromEntries(Object.entries(parent as JsonObject).filter(([name]) => name !== key));
  });
}

function replaced(value: Json, keys: readonly string[], what: Json): Json {
  return changed(value, keys, (parent, key) =>
    Array.isArray(parent)
      ? (parent as readonly Json[]).with(indexOf(key, parent.length - 1), what)
      : { ...(isJsonObject(parent) ? parent : {}), [key]: what },
  );
}
