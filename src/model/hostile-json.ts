import type { Json } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';

export interface JsonLimits {
  readonly bytes: number;
  readonly depth: number;
}

export type ReadJson = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly reason: string };

const STRING_OR_BRACKET = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]/gs;
const REACHES_PROTOTYPES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** JSON of somebody else: size before anything, then syntax, depth, keys that reach into prototypes, keys that stand twice. */
export function readHostileJson(bytes: Uint8Array, limits: JsonLimits): ReadJson {
  if (bytes.length > limits.bytes) return notRead(`it has more than ${limits.bytes} bytes`);
  let text: string;
  let value: Json;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text) as Json;
  } catch {
    return notRead('it is not JSON in UTF-8');
  }
  if (!isShallow(value, limits.depth)) return notRead(`it nests deeper than ${limits.depth} levels`);
  const odd = oddKey(text);
  return odd === undefined ? { ok: true, value } : notRead(odd);
}

function notRead(reason: string): ReadJson {
  return { ok: false, reason };
}

function isShallow(value: Json, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth <= 0) return false;
  return Object.values(value).every((item: Json) => isShallow(item, depth - 1));
}

/** Readers differ in which of two equal keys they take: what is signed for one is not what another sees. Only for text that parsed. */
function oddKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [found, colon] of text.matchAll(STRING_OR_BRACKET)) {
    if (found === '{') open.push(new Set());
    else if (found === '}') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(found.slice(0, -colon.length)) as string;
      const keys = open.at(-1);
      if (REACHES_PROTOTYPES.has(key)) return `the key "${key}" is not allowed`;
      if (keys?.has(key) === true) return `the key ${JSON.stringify(key.slice(0, 80))} stands twice`;
      keys?.add(key);
    }
  }
  return undefined;
}

/** What a JSON value must look like; a field that is not listed is a mistake, one that is null counts as absent. */
export type Shape =
  | 'text'
  | 'base64'
  | 'natural'
  /** base64 of at most so many characters. */
  | { readonly base64: number }
  | { readonly list: Shape; readonly most: number }
  | { readonly fields: Readonly<Record<string, Shape>> };

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
/** Other readers of this format skip them. */
const LINE_BREAKS = /[\r\n]/g;
const NATURAL = /^(?:0|[1-9][0-9]{0,18})$/;

/** The first place that differs from the shape, with what is wrong there. */
export function shapeMistake(value: Json, shape: Shape, pointer = ''): { readonly pointer: string; readonly reason: string } | undefined {
  const mistake = (reason: string) => ({ pointer, reason });
  if (shape === 'text') return typeof value === 'string' ? undefined : mistake('is not a string');
  if (shape === 'base64') return isBase64(value) ? undefined : mistake('is not base64');
  if (shape === 'natural')
    return (typeof value === 'string' && NATURAL.test(value)) || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
      ? undefined
      : mistake('is not a whole number of zero or more');
  if ('base64' in shape) {
    if (typeof value === 'string' && value.length > shape.base64) return mistake(`has more than ${shape.base64} characters`);
    return isBase64(value) ? undefined : mistake('is not base64');
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) return mistake('is not a list');
    if (value.length > shape.most) return mistake(`has ${value.length} entries; at most ${shape.most} are looked at`);
    return firstMistake(value.map((item: Json, index) => [`${pointer}/${index}`, item, shape.list]));
  }
  if (!isJsonObject(value)) return mistake('is not an object');
  const rows: [string, Json, Shape][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (!Object.hasOwn(shape.fields, key)) return { pointer: `${pointer}/${key.slice(0, 80)}`, reason: 'is not a field of this format' };
    const field = shape.fields[key];
    if (field !== undefined && item !== null) rows.push([`${pointer}/${key}`, item, field]);
  }
  return firstMistake(rows);
}

function isBase64(value: Json): boolean {
  return typeof value === 'string' && BASE64.test(value.replaceAll(LINE_BREAKS, ''));
}

function firstMistake(rows: readonly [string, Json, Shape][]): ReturnType<typeof shapeMistake> {
  for (const [pointer, value, shape] of rows) {
    const found = shapeMistake(value, shape, pointer);
    if (found !== undefined) return found;
  }
  return undefined;
}
