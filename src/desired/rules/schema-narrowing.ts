import { canonicalJson, isJsonObject, type Json, type JsonObject, pointerToken, valueAt } from '#model/json.ts';
import { isPatternWider } from './pattern-width.ts';

/** What a configuration that was good under one schema may meet under the next; `key` is a pointer in the configuration. */
export type Narrowing =
  | { readonly kind: 'removes' | 'requires'; readonly key: string }
  | { readonly kind: 'narrows'; readonly key: string; readonly how: string };

const MOST_PARTS = 20_000;
/** Keys and listed values that are looked at: references let a small schema say a large one many times. */
const MOST_WORK = 500_000;
const MOST_FOUND = 1_000;
const DEEPEST = 32;
const MOST_ALTERNATIVES = 50;

interface Walk {
  readonly before: JsonObject;
  readonly after: JsonObject;
  /** The capsule's own defaults: what they give nobody has to give. */
  readonly defaults: Json | undefined;
  readonly found: Narrowing[];
  /** What one comparison spent, its attempts at alternatives included. */
  readonly spent: { parts: number; work: number };
}

/** Only what certainly refuses something that was accepted; what cannot be decided (another `not`, another `if`) is left alone. */
export function schemaNarrowings(before: JsonObject, after: JsonObject, defaults: Json | undefined): readonly Narrowing[] {
  const walk: Walk = { before, after, defaults, found: [], spent: { parts: 0, work: 0 } };
  compare(walk, { before, after, key: '', depth: 0 });
  return walk.found.slice(0, MOST_FOUND);
}

interface Step {
  readonly before: Json;
  readonly after: Json;
  readonly key: string;
  readonly depth: number;
}

function compare(walk: Walk, step: Step): void {
  walk.spent.parts += 1;
  if (walk.spent.parts > MOST_PARTS || walk.found.length >= MOST_FOUND || step.depth > DEEPEST) return;
  const before = flattened(walk, { root: walk.before, depth: 0 }, step.before);
  const after = flattened(walk, { root: walk.after, depth: 0 }, step.after);
  if (before === undefined || after === undefined || !pays(walk, before) || !pays(walk, after)) return;
  const alternatives = alternativesOf(before);
  if (alternatives !== undefined) {
    for (const one of alternatives) compare(walk, { ...step, before: one, depth: step.depth + 1 });
    return;
  }
  const here = { ...step, before, after };
  const hows = [...typeNarrowings(here), ...valueNarrowings(here), ...textNarrowings(here), ...addedConditions(here)];
  walk.found.push(...hows.map((how): Narrowing => ({ kind: 'narrows', key: step.key, how })));
  compareObjects(walk, here);
  compareItems(walk, here);
  compareAlternatives(walk, here);
}

interface Parts extends Step {
  readonly before: JsonObject;
  readonly after: JsonObject;
}

/** False when everything was spent. */
function pays({ spent }: Walk, schema: JsonObject): boolean {
  const { properties, required, enum: values } = schema;
  const lists = [required, values].reduce<number>((sum, list) => sum + (Array.isArray(list) ? list.length : 0), 0);
  spent.work += Object.keys(schema).length + (isJsonObject(properties) ? Object.keys(properties).length : 0) + lists;
  return spent.work <= MOST_WORK;
}

/** A schema with its local references followed and the parts of `allOf` put together; undefined where that cannot be done. */
function flattened(walk: Walk, at: { readonly root: JsonObject; readonly depth: number }, schema: Json): JsonObject | undefined {
  const { root, depth } = at;
  if (schema === true) return {};
  if (!isJsonObject(schema) || depth > 16 || walk.spent.work > MOST_WORK) return undefined;
  const { $ref: reference, allOf, ...own } = schema;
  if (reference === undefined && allOf === undefined) return schema;
  const parts: JsonObject[] = [own];
  const others = Array.isArray(allOf) ? [...(allOf as readonly Json[])] : [];
  if (typeof reference === 'string') others.push(reference.startsWith('#') ? (valueAt(root, reference.slice(1)) ?? null) : null);
  for (const other of others) {
    const part = flattened(walk, { root, depth: depth + 1 }, other);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  let whole: JsonObject = {};
  for (const part of parts) {
    whole = {
      ...part,
      ...whole,
      ...joined('properties', whole, part),
      ...(Array.isArray(whole['required']) && Array.isArray(part['required'])
        ? { required: [...whole['required'], ...part['required']] }
        : {}),
    };
    if (!pays(walk, whole)) return undefined;
  }
  return whole;
}

function joined(key: string, a: JsonObject, b: JsonObject): JsonObject {
  const [left, right] = [a[key], b[key]];
  return isJsonObject(left) && isJsonObject(right) ? { [key]: { ...right, ...left } } : {};
}

function typesOf(schema: JsonObject): readonly string[] | undefined {
  const { type } = schema;
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? type.filter((one): one is string => typeof one === 'string') : undefined;
}

function typeNarrowings({ before, after }: Parts): readonly string[] {
  const allowed = typesOf(after);
  if (allowed === undefined) return [];
  const had = typesOf(before) ?? valuesOf(before)?.map(typeOf);
  if (had === undefined) return [`only ${allowed.join(' or ')}`];
  const lost = [...new Set(had)].filter((type) => !allowed.includes(type) && !(type === 'integer' && allowed.includes('number')));
  return lost.length === 0 ? [] : [`no ${lost.join(' or ')}`];
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function valuesOf(schema: JsonObject): readonly Json[] | undefined {
  if (schema['const'] !== undefined) return [schema['const']];
  return Array.isArray(schema['enum']) ? (schema['enum'] as readonly Json[]) : undefined;
}

function valueNarrowings({ before, after }: Parts): readonly string[] {
  const allowed = valuesOf(after)?.map(canonicalJson);
  if (allowed === undefined) return [];
  const had = valuesOf(before) ?? (canonicalJson(before['type'] ?? null) === '"boolean"' ? [true, false] : undefined);
  if (had === undefined) return [`only ${allowed.slice(0, 6).join(', ')}`];
  const kept = new Set(allowed);
  const lost = had.map(canonicalJson).filter((value) => !kept.has(value));
  return lost.length === 0 ? [] : [`no ${lost.slice(0, 6).join(', ')}`];
}

/** Lower and upper ends: what they are where absent, and by which keys. */
const ENDS = [
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
  ['minContains', 'maxContains'],
] as const;

function textNarrowings({ before, after }: Parts): readonly string[] {
  // Of a list of values each was judged by itself.
  if (valuesOf(before) !== undefined) return [];
  const hows: string[] = [];
  for (const [least, most] of ENDS) {
    const [low, high] = [numberOf(after[least]), numberOf(after[most])];
    if (low !== undefined && low > (numberOf(before[least]) ?? 0)) hows.push(`${least} ${low}`);
    if (high !== undefined && high < (numberOf(before[most]) ?? Infinity)) hows.push(`${most} ${high}`);
  }
  const [lowBefore, lowAfter] = [lowest(before), lowest(after)];
  if (lowAfter.at > lowBefore.at || (lowAfter.at === lowBefore.at && lowAfter.open && !lowBefore.open)) hows.push(`from ${lowAfter.at}`);
  const [highBefore, highAfter] = [highest(before), highest(after)];
  if (highAfter.at < highBefore.at || (highAfter.at === highBefore.at && highAfter.open && !highBefore.open))
    hows.push(`up to ${highAfter.at}`);
  const [step, stepBefore] = [numberOf(after['multipleOf']), numberOf(before['multipleOf'])];
  if (step !== undefined && (stepBefore === undefined || !Number.isInteger(stepBefore / step))) hows.push(`multiples of ${step}`);
  if (after['uniqueItems'] === true && before['uniqueItems'] !== true) hows.push('no item twice');
  for (const key of ['pattern', 'format'] as const) {
    const [was, now] = [before[key], after[key]];
    if (typeof now === 'string' && now !== was && !(key === 'pattern' && typeof was === 'string' && isPatternWider(was, now)))
      hows.push(key);
  }
  return hows;
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

interface End {
  readonly at: number;
  readonly open: boolean;
}

/** Of whole numbers `> 0` is `>= 1`. */
function lowest(schema: JsonObject): End {
  const closed = numberOf(schema['minimum']) ?? -Infinity;
  const open = numberOf(schema['exclusiveMinimum']) ?? -Infinity;
  if (typesOf(schema)?.join() === 'integer') return { at: Math.max(Math.ceil(closed), Math.floor(open) + 1), open: false };
  return open >= closed && open !== -Infinity ? { at: open, open: true } : { at: closed, open: false };
}

function highest(schema: JsonObject): End {
  const closed = numberOf(schema['maximum']) ?? Infinity;
  const open = numberOf(schema['exclusiveMaximum']) ?? Infinity;
  if (typesOf(schema)?.join() === 'integer') return { at: Math.min(Math.floor(closed), Math.ceil(open) - 1), open: false };
  return open <= closed && open !== Infinity ? { at: open, open: true } : { at: closed, open: false };
}

const CONDITIONS = ['not', 'if', 'contains', 'propertyNames', 'dependentRequired', 'dependentSchemas'] as const;

function addedConditions({ before, after }: Parts): readonly string[] {
  return CONDITIONS.filter((key) => after[key] !== undefined && before[key] === undefined).map((key) => `by ${key}`);
}

function compareObjects(walk: Walk, step: Parts): void {
  const { before, after, key, depth } = step;
  const [had, has] = [propertiesOf(before), propertiesOf(after)];
  for (const [name, schema] of had) {
    if (schema === false) continue;
    const below = `${key}${pointerToken(name)}`;
    const next = has.get(name) ?? otherKey(after, name);
    if (next === false) walk.found.push({ kind: 'removes', key: below });
    else if (next !== undefined) compare(walk, { before: schema, after: next, key: below, depth: depth + 1 });
  }
  const required = namesIn(after['required']);
  const known = new Set(namesIn(before['required']));
  for (const name of new Set(required)) {
    const below = `${key}${pointerToken(name)}`;
    const next = has.get(name);
    if (known.has(name) || (isJsonObject(next) && next['default'] !== undefined) || valueAt(walk.defaults, below) !== undefined) continue;
    walk.found.push({ kind: 'requires', key: below });
  }
  const [was, now] = [before['additionalProperties'] ?? true, after['additionalProperties'] ?? true];
  if (was === false || now === true || !mayBeObject(before)) return;
  if (now === false) walk.found.push({ kind: 'narrows', key, how: 'no other keys' });
  else compare(walk, { before: was, after: now, key: `${key}/*`, depth: depth + 1 });
}

function mayBeObject(schema: JsonObject): boolean {
  const types = typesOf(schema);
  return types === undefined ? propertiesOf(schema).size > 0 : types.includes('object');
}

function propertiesOf(schema: JsonObject): ReadonlyMap<string, Json> {
  return new Map(isJsonObject(schema['properties']) ? Object.entries(schema['properties']) : []);
}

/** What a key is held to that a schema does not name; undefined where that cannot be told. */
function otherKey(schema: JsonObject, name: string): Json | undefined {
  const patterns = isJsonObject(schema['patternProperties']) ? Object.keys(schema['patternProperties']) : [];
  if (patterns.length > 0 || schema['anyOf'] !== undefined || schema['oneOf'] !== undefined || schema['if'] !== undefined) return undefined;
  if (name.startsWith('x-')) return undefined;
  return schema['additionalProperties'] ?? (schema['unevaluatedProperties'] === false ? false : undefined);
}

function namesIn(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function compareItems(walk: Walk, { before, after, key, depth }: Parts): void {
  const now = after['items'];
  if (now === undefined || now === true || after['prefixItems'] !== undefined || before['prefixItems'] !== undefined) return;
  if (typesOf(before)?.includes('array') === true)
    compare(walk, { before: before['items'] ?? true, after: now, key: `${key}/*`, depth: depth + 1 });
}

/** Alternatives, types and listed values one by one: what comes next may take each of them in another place. */
function alternativesOf(schema: JsonObject): readonly Json[] | undefined {
  for (const word of ['anyOf', 'oneOf']) {
    const { [word]: branches, ...rest } = schema;
    if (Array.isArray(branches) && branches.length > 0 && branches.length <= MOST_ALTERNATIVES)
      return branches.map((branch: Json) => ({ allOf: [rest, branch] }));
  }
  const values = valuesOf(schema);
  if (values !== undefined && values.length > 1 && values.length <= MOST_ALTERNATIVES)
    return values.map((value) => ({ ...schema, enum: [value] }));
  const types = typesOf(schema);
  return types !== undefined && types.length > 1 ? types.map((type) => ({ ...schema, type })) : undefined;
}

function compareAlternatives(walk: Walk, step: Parts): void {
  for (const word of ['anyOf', 'oneOf'] as const) {
    const now = step.after[word];
    if (!Array.isArray(now) || now.length > MOST_ALTERNATIVES) continue;
    if (!now.some((after: Json) => takes(walk, step, { before: step.before, after })))
      walk.found.push({ kind: 'narrows', key: step.key, how: `by ${word}` });
  }
}

function takes(walk: Walk, step: Parts, pair: { readonly before: Json; readonly after: Json }): boolean {
  const inner: Walk = { ...walk, found: [] };
  compare(inner, { ...step, ...pair, depth: step.depth + 1 });
  return inner.found.length === 0;
}
