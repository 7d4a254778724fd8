import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { findsPattern } from '#model/linear-pattern.ts';
import type { Check } from './kubernetes-check.ts';
import { CHECK_LIMITS } from './kubernetes-check.ts';
import { isBase64, isTime } from './kubernetes-values.ts';

/** `enum` of a structural schema. */
export function isChosen(check: Check, schema: JsonObject, value: Json): boolean {
  const choices = schema['enum'];
  if (!Array.isArray(choices)) return true;
  // Each is written down and compared, and each alternative may list them again.
  check.steps += choices.length;
  if (check.steps > CHECK_LIMITS.steps) return true;
  const text = JSON.stringify(value);
  return choices.some((one: Json) => JSON.stringify(one) === text);
}

/** What of length, size, pattern, format or alternatives does not hold: goes on after the place of the value. */
export function boundsMistake(check: Check, schema: JsonObject, value: Json): string | undefined {
  return ownMistake(check, schema, value) ?? alternativesMistake(check, schema, value);
}

function ownMistake(check: Check, schema: JsonObject, value: Json): string | undefined {
  if (typeof value === 'number') return numberMistake(schema, value);
  if (typeof value === 'string') return textMistake(check, schema, value);
  if (Array.isArray(value)) return countMistake(schema, { has: value.length, least: 'minItems', most: 'maxItems', of: 'items' });
  if (!isJsonObject(value)) return undefined;
  return countMistake(schema, { has: Object.keys(value).length, least: 'minProperties', most: 'maxProperties', of: 'fields' });
}

function numberMistake(schema: JsonObject, value: number): string | undefined {
  const { minimum, maximum, multipleOf } = schema;
  if (typeof minimum === 'number' && (schema['exclusiveMinimum'] === true ? value <= minimum : value < minimum))
    return `is ${value}; it must be ${schema['exclusiveMinimum'] === true ? 'more than' : 'at least'} ${minimum}`;
  if (typeof maximum === 'number' && (schema['exclusiveMaximum'] === true ? value >= maximum : value > maximum))
    return `is ${value}; it must be ${schema['exclusiveMaximum'] === true ? 'less than' : 'at most'} ${maximum}`;
  if (typeof multipleOf === 'number' && multipleOf > 0 && !Number.isInteger(value / multipleOf))
    return `is ${value}; it must be a multiple of ${multipleOf}`;
  return undefined;
}

function textMistake(check: Check, schema: JsonObject, value: string): string | undefined {
  const { pattern, format } = schema;
  if (typeof pattern === 'string') {
    // Time grows with the text and with the pattern.
    check.steps += Math.ceil((value.length * pattern.length) / 16);
    if (check.steps <= CHECK_LIMITS.steps && findsPattern(pattern, value) === false) return `does not match ${pattern.slice(0, 200)}`;
  }
  if (format === 'date-time' && !isTime(value)) return 'is no time like 2026-11-04T10:12:31Z';
  if (format === 'byte' && !isBase64(value)) return 'is not base64';
  return countMistake(schema, { has: charactersOf(value), least: 'minLength', most: 'maxLength', of: 'characters' });
}

/** As Kubernetes counts them: by code point. */
function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

interface Count {
  readonly has: number;
  readonly least: string;
  readonly most: string;
  readonly of: string;
}

function countMistake(schema: JsonObject, { has, least, most, of }: Count): string | undefined {
  const [atLeast, atMost] = [schema[least], schema[most]];
  if (typeof atLeast === 'number' && has < atLeast) return `has ${has} ${of}; it must have at least ${atLeast}`;
  if (typeof atMost === 'number' && has > atMost) return `has ${has} ${of}; it may have at most ${atMost}`;
  return undefined;
}

function alternativesMistake(check: Check, schema: JsonObject, value: Json): string | undefined {
  const { allOf, anyOf, oneOf, not } = schema;
  if (Array.isArray(allOf) && !allOf.every((one: Json) => holds(check, one, value)))
    return 'does not obey all that its definition asks (allOf)';
  if (Array.isArray(anyOf) && !anyOf.some((one: Json) => holds(check, one, value)))
    return 'fits none of the alternatives of its definition (anyOf)';
  if (Array.isArray(oneOf)) {
    const fitting = oneOf.filter((one: Json) => holds(check, one, value)).length;
    if (fitting !== 1 && check.steps <= CHECK_LIMITS.steps)
      return `fits ${fitting} of the alternatives of its definition; it must fit exactly one (oneOf)`;
  }
  if (isJsonObject(not) && check.steps <= CHECK_LIMITS.steps && holds(check, not, value)) return 'is what its definition excludes (not)';
  return undefined;
}

/** A part of a schema that only restricts values. */
function holds(check: Check, schema: Json, value: Json): boolean {
  check.steps += 1;
  if (check.steps > CHECK_LIMITS.steps || !isJsonObject(schema) || value === null) return true;
  if (typeof schema['type'] === 'string' && !isOfPlainType(schema['type'], value)) return false;
  if (!isChosen(check, schema, value) || boundsMistake(check, schema, value) !== undefined) return false;
  if (Array.isArray(value)) return value.every((item: Json) => holds(check, schema['items'] ?? {}, item));
  if (!isJsonObject(value)) return true;
  const { required, properties, additionalProperties } = schema;
  check.steps += Array.isArray(required) ? required.length : 0;
  if (Array.isArray(required) && !required.every((key: Json) => typeof key === 'string' && Object.hasOwn(value, key))) return false;
  return Object.entries(value).every(([key, child]) => {
    const below = isJsonObject(properties) && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    return below === undefined || holds(check, below, child);
  });
}

function isOfPlainType(type: string, value: Json): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isJsonObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
