import { isJsonObject } from '#model/json.ts';
import type { Json } from '#model/json.ts';

/** A string of JSON, with the colon behind it if it is a key. */
const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/g;
/** What the YAML reader refuses or reads in another way: keys that reach into prototypes, long keys, numbers that may not be kept exactly. */
const ODD = /["](?:__proto__|constructor|prototype|<<)"|\d{16}|\d[eE]|-0(?![.\d])|\\u/;
const LONGEST_KEY = 200;

/**
 * Reads a JSON text that says the same as YAML, which is many times slower to read; undefined for everything else, mistakes and keys
 * that stand twice included.
 */
export function readJsonText(text: string, depthLimit: number): Json | undefined {
  if (!text.startsWith('{') || text.includes('\t') || text.includes('\r') || ODD.test(text)) return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  let written = 0;
  for (const [found, colon] of text.matchAll(STRING)) {
    if (colon === undefined) continue;
    if (found.length > LONGEST_KEY || colon !== ':') return undefined;
    written += 1;
  }
  // Of a key that stands twice one is left.
  return keysOf(value, depthLimit) === written ? value : undefined;
}

/** Keys of all objects; a number that no text has if it nests too deep. */
function keysOf(value: Json, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth <= 1) return Number.NaN;
  const own = isJsonObject(value) ? Object.keys(value).length : 0;
  let keys = own;
  for (const item of Object.values(value)) keys += keysOf(item, depth - 1);
  return keys;
}
