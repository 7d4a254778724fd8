import { isJsonObject, type Json, type JsonObject, valueAt } from '#model/json.ts';

type Check = (value: Json) => boolean;

/** By the identity of a root schema, then of a part of it. */
const known = new WeakMap<JsonObject, WeakMap<JsonObject, Check>>();

/** Keywords that say nothing about a value, beside those that begin with `x-`. */
const NOTES: ReadonlySet<string> = new Set(
  '$schema $id $defs $comment title description default examples deprecated readOnly writeOnly'.split(' '),
);

/**
 * Whether a value surely obeys one of Capstan's own schemas. False means that it does not, or that the schema uses what is not
 * known here; either way the real validator has the word. Most documents are right, and building that validator takes longer
 * than everything else that is done with them.
 */
export function obeys(schema: JsonObject, value: Json): boolean {
  return checkOf(schema, schema)(value);
}

/** Keywords of a schema that somebody else wrote which can be judged here, and whether they are given what they take. */
const PLAIN: Readonly<Record<string, (argument: Json) => boolean>> = {
  type: (argument) =>
    Array.isArray(argument)
      ? argument.length > 0 && new Set(argument).size === argument.length && argument.every(isTypeName)
      : isTypeName(argument),
  enum: (argument) => Array.isArray(argument) && argument.length > 0 && new Set(argument).size === argument.length,
  const: () => true,
  required: (argument) => Array.isArray(argument) && argument.every((key) => typeof key === 'string'),
  properties: (argument) => isJsonObject(argument) && Object.values(argument).every(isPlainSchema),
  additionalProperties: isPlainSchema,
  items: isPlainSchema,
  minimum: (argument) => typeof argument === 'number',
  maximum: (argument) => typeof argument === 'number',
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  minProperties: isCount,
};

const TYPES: ReadonlySet<string> = new Set(['null', 'array', 'object', 'integer', 'number', 'string', 'boolean']);

/** Whether a schema that somebody else wrote is sound, and says nothing but what `obeys` judges without a pattern or a reference. */
export function isPlainSchema(schema: Json): boolean {
  if (typeof schema === 'boolean') return true;
  if (!isJsonObject(schema)) return false;
  return Object.entries(schema).every(([keyword, argument]) => {
    if (keyword === '$id' || keyword === '$defs') return false;
    if (NOTES.has(keyword) || keyword.startsWith('x-')) return true;
    return Object.hasOwn(PLAIN, keyword) && PLAIN[keyword]?.(argument) === true;
  });
}

function isTypeName(argument: Json): boolean {
  return typeof argument === 'string' && TYPES.has(argument);
}

function isCount(argument: Json): boolean {
  return Number.isSafeInteger(argument) && Number(argument) >= 0;
}

function checkOf(root: JsonObject, schema: Json | undefined): Check {
  if (schema === true) return () => true;
  if (!isJsonObject(schema)) return () => false;
  const ofRoot = known.get(root) ?? new WeakMap<JsonObject, Check>();
  known.set(root, ofRoot);
  const before = ofRoot.get(schema);
  if (before !== undefined) return before;
  // A schema may refer to itself: the parts are made on first use.
  let checks: readonly Check[] | undefined;
  const check: Check = (value) => {
    checks ??= checksOf(root, schema);
    return checks.every((one) => one(value));
  };
  ofRoot.set(schema, check);
  return check;
}

function checksOf(root: JsonObject, schema: JsonObject): readonly Check[] {
  const checks = Object.entries(schema).flatMap(([keyword, argument]) => {
    if (NOTES.has(keyword) || keyword.startsWith('x-')) return [];
    return [aboutAny(root, keyword, argument) ?? aboutLeaves(keyword, argument) ?? aboutParts(root, schema, keyword) ?? (() => false)];
  });
  return checks;
}

function aboutAny(root: JsonObject, keyword: string, argument: Json): Check | undefined {
  switch (keyword) {
    case '$ref':
      return typeof argument === 'string' && argument.startsWith('#/') ? checkOf(root, valueAt(root, argument.slice(1))) : undefined;
    case 'type': {
      const types = Array.isArray(argument) ? argument : [argument];
      return (value) => types.some((type) => isOf(type, value));
    }
    case 'const':
    case 'enum': {
      const values: readonly Json[] = keyword === 'enum' && Array.isArray(argument) ? argument : [argument];
      return (value) => (typeof value !== 'object' || value === null) && values.includes(value);
    }
    case 'anyOf':
    case 'oneOf': {
      const branches = Array.isArray(argument) ? argument.map((branch) => checkOf(root, branch)) : [];
      if (keyword === 'anyOf') return (value) => branches.some((branch) => branch(value));
      return (value) => branches.filter((branch) => branch(value)).length === 1;
    }
    default:
      return undefined;
  }
}

function isOf(type: unknown, value: Json): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isJsonObject(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

/** Keywords of texts and numbers; they say nothing about other values. */
function aboutLeaves(keyword: string, argument: Json): Check | undefined {
  if (keyword === 'pattern' && typeof argument === 'string') {
    const pattern = new RegExp(argument, 'u');
    return (value) => typeof value !== 'string' || pattern.test(value);
  }
  if (typeof argument !== 'number') return undefined;
  switch (keyword) {
    case 'minLength':
      return (value) => typeof value !== 'string' || codePoints(value) >= argument;
    case 'maxLength':
      return (value) => typeof value !== 'string' || value.length <= argument || codePoints(value) <= argument;
    case 'minimum':
      return (value) => typeof value !== 'number' || value >= argument;
    case 'maximum':
      return (value) => typeof value !== 'number' || value <= argument;
    case 'minItems':
      return (value) => !Array.isArray(value) || value.length >= argument;
    case 'minProperties':
      return (value) => !isJsonObject(value) || Object.keys(value).length >= argument;
    default:
      return undefined;
  }
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Keywords of objects and lists; they say nothing about other values. */
function aboutParts(root: JsonObject, schema: JsonObject, keyword: string): Check | undefined {
  const argument = schema[keyword];
  switch (keyword) {
    case 'items': {
      const item = checkOf(root, argument);
      return (value) => !Array.isArray(value) || value.every(item);
    }
    case 'uniqueItems':
      // Lists of anything but texts and numbers are left to the real validator.
      return (value) => !Array.isArray(value) || (value.every((item) => typeof item !== 'object') && new Set(value).size === value.length);
    case 'required':
      if (!Array.isArray(argument)) return undefined;
      return (value) => !isJsonObject(value) || argument.every((key) => Object.hasOwn(value, String(key)));
    case 'dependentRequired':
      if (!isJsonObject(argument)) return undefined;
      return (value) =>
        !isJsonObject(value) ||
        Object.entries(argument).every(
          ([key, needed]) =>
            !Object.hasOwn(value, key) || (Array.isArray(needed) && needed.every((other) => Object.hasOwn(value, String(other)))),
        );
    case 'propertyNames': {
      const name = checkOf(root, argument);
      return (value) => !isJsonObject(value) || Object.keys(value).every(name);
    }
    case 'properties':
    case 'patternProperties':
      // Judged with what they leave over, or alone where nothing is said about that.
      return Object.hasOwn(schema, 'additionalProperties') || (keyword === 'properties' && Object.hasOwn(schema, 'patternProperties'))
        ? () => true
        : aboutMembers(root, schema);
    case 'additionalProperties':
      return aboutMembers(root, schema);
    default:
      return undefined;
  }
}

/** Every member is judged by its own schema, those of the patterns it matches, and if there are none by that of the others. */
function aboutMembers(root: JsonObject, schema: JsonObject): Check {
  const named = new Map(membersOf(schema['properties']).map(([key, part]) => [key, checkOf(root, part)]));
  const patterns = membersOf(schema['patternProperties']).map(([key, part]) => [new RegExp(key, 'u'), checkOf(root, part)] as const);
  const others = checkOf(root, schema['additionalProperties'] ?? true);
  return (value) =>
    !isJsonObject(value) ||
    Object.entries(value).every(([key, member]) => {
      const own = named.get(key);
      const matching = patterns.filter(([pattern]) => pattern.test(key));
      if (own === undefined && matching.length === 0) return others(member);
      return (own === undefined || own(member)) && matching.every(([, check]) => check(member));
    });
}

function membersOf(part: Json | undefined): readonly (readonly [string, Json])[] {
  return isJsonObject(part) ? Object.entries(part) : [];
}
