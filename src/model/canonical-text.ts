import { canonicalJson, isJsonObject, type Json } from '#model/json.ts';

const POLLUTING: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads a JSON text that is the one byte sequence of its value (RFC 8785): no key twice, no second spelling of anything. Undefined for
 * every other text, for one that nests too deep, and for keys that reach into prototypes.
 */
export function readCanonicalJson(text: string, depthLimit: number): Json | undefined {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  return isPlain(value, depthLimit) && canonicalJson(value) === text ? value : undefined;
}

function isPlain(value: Json, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth <= 1) return false;
  if (isJsonObject(value) && Object.keys(value).some((key) => POLLUTING.has(key))) return false;
  return Object.values(value).every((item: Json) => isPlain(item, depth - 1));
}
