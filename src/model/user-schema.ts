import type { ValidateFunction } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';

import { findingsOf, type SchemaFinding } from '#model/json-schema.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject, pointerToken, valueAt } from '#model/json.ts';
import { addAjvFormats, ajvPackage } from '#model/on-demand.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import { isPlainSchema, obeys } from '#model/schema-obeyed.ts';
import { didYouMean } from '#model/suggest.ts';

/** A capsule's configuration schema, ready to judge. Patterns run on RE2, so no text makes them slow. */
export interface UserSchema {
  readonly schema: JsonObject;
  /** A plain schema is compiled only when a value may not obey it. */
  readonly isPlain: boolean;
  validator(): ValidateFunction;
}

/** What is wrong with a schema that somebody wrote; `pointer` is within the schema. */
export interface SchemaMistake {
  readonly pointer: string;
  readonly message: string;
}

export type CompiledSchema =
  | { readonly ok: true; readonly schema: UserSchema }
  | { readonly ok: false; readonly mistakes: readonly SchemaMistake[] };

export const USER_SCHEMA_LIMITS = { nodes: 10_000, depth: 32, unfolded: 100_000, pattern: 1_000 } as const;

const compiled = new WeakMap<JsonObject, CompiledSchema>();

/** Compiles a JSON Schema 2020-12 of a capsule: no remote references, known keywords, linear patterns, bounded size. Memoised by identity. */
export function compileUserSchema(schema: JsonObject): CompiledSchema {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const fresh = compileFresh(schema);
  compiled.set(schema, fresh);
  return fresh;
}

function compileFresh(schema: JsonObject): CompiledSchema {
  const mistakes = schemaMistakes(schema);
  if (mistakes.length > 0) return { ok: false, mistakes };
  if (isPlainSchema(schema)) {
    const validators: ValidateFunction[] = [];
    return { ok: true, schema: { schema, isPlain: true, validator: () => (validators[0] ??= validatorOf(schema)) } };
  }
  try {
    const validate = validatorOf(schema);
    return { ok: true, schema: { schema, isPlain: false, validator: () => validate } };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, mistakes: metaschemaMistakes(schema) };
  }
}

/** What JSON Schema 2020-12 itself says against a schema that cannot be compiled: better words than the compiler's. */
function metaschemaMistakes(schema: JsonObject): readonly SchemaMistake[] {
  const { Ajv2020 } = ajvPackage();
  const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false });
  addAjvFormats(ajv);
  const isSchema = ajv.validateSchema(schema);
  const found = isSchema === true ? [] : (ajv.errors ?? []).slice(0, 10);
  if (found.length === 0) return [{ pointer: '', message: 'this is not a schema that can be used' }];
  return found.map(({ instancePath, message }) => ({ pointer: instancePath, message: visibleText(`this ${message ?? 'is not valid'}`) }));
}

function validatorOf(schema: JsonObject): ValidateFunction {
  const { Ajv2020 } = ajvPackage();
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: false, validateSchema: false, code: { regExp: re2 } });
  addAjvFormats(ajv);
  const spent = { steps: 0 };
  ajv.addKeyword({
    keyword: STEP,
    errors: false,
    validate: () => {
      spent.steps += 1;
      if (spent.steps > MOST_STEPS) throw new RangeError('the schema takes too many steps');
      return true;
    },
  });
  // The package compares every item with every other.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', validate: hasNoItemTwice, error: TWICE });
  const validate = ajv.compile(counted(schema));
  const begun: ValidateFunction = Object.assign((value: unknown): value is unknown => {
    spent.steps = 0;
    const isValid = validate(value);
    begun.errors = validate.errors ?? null;
    return isValid;
  }, validate);
  return begun;
}

/** A keyword of our own, which no schema of others has: unknown keywords are refused. */
const STEP = 'capstanStep';
/** References followed while one value is judged: alternatives that refer to themselves multiply with every level of the value. */
const MOST_STEPS = 50_000;
const TWICE = { message: 'must NOT have duplicate items' };

function hasNoItemTwice(isWanted: boolean, items: readonly Json[]): boolean {
  return !isWanted || new Set(items.map(canonicalJson)).size === items.length;
}

/** The schema with a step at whatever it refers to. */
function counted(schema: JsonObject): JsonObject {
  const targets = new Set(
    subschemas(schema).flatMap(({ schema: { $ref: reference } }) => (typeof reference === 'string' ? [reference] : [])),
  );
  if (targets.size === 0) return schema;
  const copy = structuredClone(schema);
  for (const reference of targets) {
    const target = valueAt(copy, reference.slice(1));
    if (isJsonObject(target)) Object.assign(target, { [STEP]: true });
  }
  return copy;
}

/**
 * Checks a merged configuration. The key `global` (environment-wide layers) need not be declared by the schema.
 * A schema that refers to itself without end refuses every value. `whole` is what the value as a whole is called.
 */
export function checkAgainst(schema: UserSchema, value: Json, whole = 'the configuration'): readonly SchemaFinding[] {
  const declared = isJsonObject(schema.schema['properties']) && Object.hasOwn(schema.schema['properties'], 'global');
  try {
    if (declared || !isJsonObject(value)) return findingsIn(schema, value, whole);
    const { global: _, ...rest } = value;
    return findingsIn(schema, rest, whole);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const words = { message: 'the configuration schema refers to itself without end', remedy: 'Break the circle of $ref.' };
    return [{ code: 'schema-violation', pointer: '', onKey: false, ...words }];
  }
}

function findingsIn(schema: UserSchema, value: Json, whole: string): readonly SchemaFinding[] {
  return schema.isPlain && obeys(schema.schema, value) ? [] : findingsOf(schema.validator(), value, whole);
}

/**
 * The lowest configuration layer: the `default`s of a schema that apply beneath `value`, the merge of all layers above it.
 * A nested default appears only where its parent is there, by a layer or by a default of its own.
 */
export function defaultsOf(schema: JsonObject, value: JsonObject): JsonObject {
  const found = defaultsBelow({ root: schema, depth: 0 }, schema, value);
  return isJsonObject(found) ? found : {};
}

interface Walk {
  readonly root: JsonObject;
  readonly depth: number;
}

function defaultsBelow(walk: Walk, schema: JsonObject, value: Json | undefined): Json | undefined {
  if (walk.depth > USER_SCHEMA_LIMITS.depth || !isJsonObject(value)) return undefined;
  const deeper = { root: walk.root, depth: walk.depth + 1 };
  const out: Record<string, Json> = {};
  for (const part of partsOf(deeper, schema)) {
    const properties = isJsonObject(part['properties']) ? part['properties'] : {};
    for (const [key, below] of Object.entries(properties)) {
      if (!isJsonObject(below)) continue;
      const here = Object.hasOwn(value, key) ? value[key] : undefined;
      const fallback = here === undefined ? defaultOf(deeper, below) : undefined;
      const nested = defaultsBelow(deeper, below, here ?? fallback);
      const entry = isJsonObject(fallback) && isJsonObject(nested) ? { ...fallback, ...nested } : (fallback ?? nested);
      if (entry !== undefined) out[key] = entry;
    }
    const items = part['additionalProperties'];
    if (!isJsonObject(items)) continue;
    for (const [key, here] of Object.entries(value)) {
      if (Object.hasOwn(properties, key)) continue;
      const nested = defaultsBelow(deeper, items, here);
      if (nested !== undefined) out[key] = nested;
    }
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

/** A schema with what it refers to and is made of, each part once; alternatives have no defaults. */
function partsOf(walk: Walk, schema: JsonObject, parts = new Set<JsonObject>()): ReadonlySet<JsonObject> {
  if (walk.depth > USER_SCHEMA_LIMITS.depth || parts.has(schema)) return parts;
  const deeper = { root: walk.root, depth: walk.depth + 1 };
  parts.add(schema);
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const target = valueAt(walk.root, reference.slice(1));
    if (isJsonObject(target)) partsOf(deeper, target, parts);
  }
  const all = schema['allOf'];
  if (Array.isArray(all)) for (const part of all) if (isJsonObject(part)) partsOf(deeper, part, parts);
  return parts;
}

function defaultOf(walk: Walk, schema: JsonObject): Json | undefined {
  for (const part of partsOf(walk, schema)) if (part['default'] !== undefined) return part['default'];
  return undefined;
}

function re2(pattern: string): { readonly source: string; test(text: string): boolean } {
  const expression = RE2JS.compile(pattern);
  return { source: pattern, test: (text: string) => expression.matcher(text).find() };
}
re2.code = 'new RegExp';

const KEYWORDS = new Set(
  (
    '$schema $ref $defs $comment $anchor title description default deprecated readOnly writeOnly examples type enum const multipleOf maximum exclusiveMaximum ' +
    'minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems maxContains minContains contains maxProperties minProperties ' +
    'required dependentRequired dependentSchemas properties patternProperties additionalProperties propertyNames items prefixItems unevaluatedItems ' +
    'unevaluatedProperties allOf anyOf oneOf not if then else format contentEncoding contentMediaType contentSchema'
  ).split(' '),
);
/** Keywords whose value is a map of schemas, a list of schemas, or one schema. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'dependentSchemas']);
const LISTS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const SINGLES = new Set([
  'items',
  'additionalProperties',
  'propertyNames',
  'contains',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
  'contentSchema',
]);

/** Every schema within a schema, itself first, with its pointer; nothing below the depth limit. */
export function subschemas(schema: JsonObject): readonly { readonly pointer: string; readonly schema: JsonObject }[] {
  const out: { readonly pointer: string; readonly schema: JsonObject }[] = [];
  const visit = (here: Json | undefined, pointer: string, depth: number): void => {
    if (!isJsonObject(here) || depth > USER_SCHEMA_LIMITS.depth || out.length > USER_SCHEMA_LIMITS.nodes) return;
    out.push({ pointer, schema: here });
    for (const [key, value] of Object.entries(here)) {
      const below = `${pointer}${pointerToken(key)}`;
      if (SINGLES.has(key)) visit(value, below, depth + 1);
      else if (LISTS.has(key) && Array.isArray(value)) {
        for (const [index, item] of value.entries()) visit(item, `${below}/${index}`, depth + 1);
      } else if (MAPS.has(key) && isJsonObject(value)) {
        for (const [name, item] of Object.entries(value)) visit(item, `${below}${pointerToken(name)}`, depth + 1);
      }
    }
  };
  visit(schema, '', 0);
  return out;
}

function schemaMistakes(root: JsonObject): readonly SchemaMistake[] {
  const mistakes: SchemaMistake[] = [];
  const all = subschemas(root);
  if (all.length > USER_SCHEMA_LIMITS.nodes)
    return [{ pointer: '', message: `the schema has more than ${USER_SCHEMA_LIMITS.nodes} parts` }];
  if (depthOf(root, 0) > USER_SCHEMA_LIMITS.depth * 2) return [{ pointer: '', message: 'the schema nests too deep' }];
  for (const { pointer, schema } of all) {
    for (const [key, value] of Object.entries(schema)) {
      const at = `${pointer}${pointerToken(key)}`;
      if (key === '$ref') mistakes.push(...referenceMistakes(root, value, at));
      else if (key === 'pattern' && typeof value === 'string') mistakes.push(...patternMistakes(value, at));
      else if (key === 'patternProperties' && isJsonObject(value)) {
        for (const pattern of Object.keys(value)) mistakes.push(...patternMistakes(pattern, at));
      } else if (!KEYWORDS.has(key) && !key.startsWith('x-')) {
        mistakes.push({ pointer: at, message: `unknown keyword ${quoted(key)}${didYouMean(key, KEYWORDS)}` });
      }
    }
  }
  if (mistakes.length === 0 && unfoldedSize(root) > USER_SCHEMA_LIMITS.unfolded) {
    mistakes.push({
      pointer: '',
      message: `with its references written out the schema has more than ${USER_SCHEMA_LIMITS.unfolded} parts`,
    });
  }
  return mistakes;
}

function referenceMistakes(root: JsonObject, value: Json, pointer: string): readonly SchemaMistake[] {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text === '#' || (text.startsWith('#/') && valueAt(root, text.slice(1)) !== undefined)) return [];
  if (text.startsWith('#')) return [{ pointer, message: `$ref ${quoted(text)} names nothing in this schema` }];
  return [{ pointer, message: `$ref ${quoted(text)} is remote; a schema may refer to itself only` }];
}

function patternMistakes(pattern: string, pointer: string): readonly SchemaMistake[] {
  if (pattern.length > USER_SCHEMA_LIMITS.pattern)
    return [{ pointer, message: `the pattern is longer than ${USER_SCHEMA_LIMITS.pattern} characters` }];
  try {
    RE2JS.compile(pattern);
    return [];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return [{ pointer, message: `pattern ${quoted(pattern, 80)} cannot be matched in linear time: ${error.message}` }];
  }
}

/** Parts of the schema when every reference is followed, circles cut: what one validation can cost. */
function unfoldedSize(root: JsonObject): number {
  const sizes = new Map<JsonObject, number>();
  const open = new Set<JsonObject>();
  const sizeOf = (schema: JsonObject): number => {
    const known = sizes.get(schema);
    if (known !== undefined) return known;
    if (open.has(schema)) return 1;
    open.add(schema);
    let size = 1;
    for (const { schema: part } of ownParts(schema)) size += sizeOf(part);
    const reference = schema['$ref'];
    const target = typeof reference === 'string' ? valueAt(root, reference.slice(1)) : undefined;
    if (isJsonObject(target)) size += sizeOf(target);
    open.delete(schema);
    sizes.set(schema, size);
    return size;
  };
  return sizeOf(root);
}

function ownParts(schema: JsonObject): readonly { readonly schema: JsonObject }[] {
  const { $defs: _, ...rest } = schema;
  const depth = (pointer: string): number => pointer.split('/').length - 1;
  return subschemas(rest).filter((part) => part.pointer !== '' && depth(part.pointer) <= 2 && isDirect(part.pointer));
}

function isDirect(pointer: string): boolean {
  const [, keyword = '', second] = pointer.split('/');
  return SINGLES.has(keyword) ? second === undefined : second !== undefined;
}

function depthOf(value: Json, depth: number): number {
  if (typeof value !== 'object' || value === null || depth > 100) return depth;
  let deepest = depth;
  for (const item of Object.values(value)) deepest = Math.max(deepest, depthOf(item, depth + 1));
  return deepest;
}
