import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';

import { isJsonObject, type Json, type JsonObject, pointerToken, valueAt } from '#model/json.ts';
import { ajvPackage } from '#model/on-demand.ts';
import { listed, quoted, visibleText } from '#model/quoted.ts';
import { obeys } from '#model/schema-obeyed.ts';
import { didYouMean } from '#model/suggest.ts';

/** One mistake in a value; `pointer` is where, and `onKey` says that the key itself is the mistake. */
export interface SchemaFinding {
  readonly code:
    | 'unknown-field'
    | 'missing-field'
    | 'wrong-type'
    | 'value-not-allowed'
    | 'bad-format'
    | 'out-of-range'
    | 'fields-exclude-each-other'
    | 'schema-violation';
  readonly pointer: string;
  readonly onKey: boolean;
  readonly message: string;
  readonly remedy: string;
}

/** Errors that one check turns into findings; hostile documents could have a hundred thousand. */
const MOST_FINDINGS = 100;

const validators = new WeakMap<object, ValidateFunction>();

/** Checks a value against one of Capstan's own schemas (trusted: patterns are plain regular expressions). Compiled once per schema, when needed. */
export function checkBySchema(schema: JsonObject, value: Json): readonly SchemaFinding[] {
  if (obeys(schema, value)) return [];
  let validate = validators.get(schema);
  if (validate === undefined) {
    const { $id: _, ...anonymous } = schema;
    const { Ajv2020 } = ajvPackage();
    validate = new Ajv2020({ allErrors: true, verbose: true, strict: false, validateSchema: false, code: { optimize: false } }).compile(
      anonymous,
    );
    validators.set(schema, validate);
  }
  return findingsOf(validate, value, 'the document');
}

/** `whole` is what the value as a whole is called. */
export function findingsOf(validate: ValidateFunction, value: Json, whole: string): readonly SchemaFinding[] {
  if (validate(value)) return [];
  const errors = withoutNoise((validate.errors ?? []).slice(0, MOST_FINDINGS * 10), value);
  return errors.slice(0, MOST_FINDINGS).map((error) => describe(error, value, whole));
}

/**
 * Of alternatives (anyOf, oneOf) only the one that was probably meant is kept: the branch whose type fits, with the fewest errors.
 * A choice between fields is one error.
 */
function withoutNoise(errors: readonly ErrorObject[], value: Json): readonly ErrorObject[] {
  const dropped = new Set<ErrorObject>();
  for (const choice of errors) {
    if (choice.keyword !== 'anyOf' && choice.keyword !== 'oneOf') continue;
    const below = errors.filter((error) => error !== choice && isBelow(error, choice));
    const branches = new Map<string, ErrorObject[]>();
    for (const error of below) {
      const branch = error.schemaPath.slice(choice.schemaPath.length + 1).split('/')[0] ?? '';
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const fitting = [...branches.values()].filter(
      (branch) => !branch.some((error) => error.keyword === 'type' && error.instancePath === choice.instancePath),
    );
    const best = fitting.sort((a, b) => a.length - b.length)[0];
    const choosesFields =
      below.length > 0 && below.every((error) => error.keyword === 'required' && error.instancePath === choice.instancePath);
    for (const error of below) if (choosesFields || best === undefined || !best.includes(error)) dropped.add(error);
    if ((!choosesFields && best !== undefined) || (choosesFields && !isJsonObject(valueAt(value, choice.instancePath))))
      dropped.add(choice);
  }
  const seen = new Set<string>();
  return errors.filter((error) => {
    const mark = `${error.instancePath} ${error.keyword} ${JSON.stringify(error.params)}`;
    if (dropped.has(error) || seen.has(mark) || isEcho(error, value)) return false;
    seen.add(mark);
    return true;
  });
}

function isBelow(error: ErrorObject, choice: ErrorObject): boolean {
  return error.schemaPath.startsWith(`${choice.schemaPath}/`) && error.instancePath.startsWith(choice.instancePath);
}

/** `propertyNames` and `if` repeat what the error inside of them says; a pattern on a value of the wrong type says nothing. */
function isEcho(error: ErrorObject, value: Json): boolean {
  if (error.keyword === 'propertyNames' || error.keyword === 'if') return true;
  if (error.propertyName !== undefined) return false;
  return error.keyword === 'pattern' && typeof valueAt(value, error.instancePath) !== 'string';
}

function describe(error: ErrorObject, root: Json, whole: string): SchemaFinding {
  const pointer = error.instancePath;
  const value = valueAt(root, pointer);
  const name = pointer === '' ? whole : visibleText(pointer);
  const params: Record<string, unknown> = error.params;
  if (error.propertyName !== undefined) {
    const key = error.propertyName;
    const rule = error.keyword === 'pattern' ? noteOf(error) : `it must be ${error.message ?? 'another'}`;
    return finding('bad-format', `${pointer}${pointerToken(key)}`, true, {
      message: `${quoted(key)} cannot be a name in ${name}: ${rule}`,
      remedy: 'Rename it.',
    });
  }
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(params['additionalProperty'] ?? params['unevaluatedProperty']);
      const known = knownFields(error.parentSchema);
      return finding('unknown-field', `${pointer}${pointerToken(key)}`, true, {
        message: `unknown field ${quoted(key)} in ${name}${didYouMean(key, known)}`,
        remedy: known.length === 0 ? 'Delete it.' : `Use one of: ${listed([...known].sort(), 40)}.`,
      });
    }
    case 'required': {
      const key = String(params['missingProperty']);
      return finding('missing-field', pointer, false, { message: `${name} needs the field ${quoted(key)}`, remedy: `Add ${key}.` });
    }
    case 'dependentRequired': {
      const key = String(params['missingProperty']);
      return finding('missing-field', pointer, false, {
        message: `${name} has ${quoted(String(params['property']))} and therefore needs ${quoted(key)}`,
        remedy: `Add ${key}.`,
      });
    }
    case 'oneOf':
    case 'anyOf':
      return describeChoice(error, name, value);
    case 'type': {
      const wanted = [params['type']].flat().map((type) => typeWord(String(type)));
      return finding('wrong-type', pointer, false, {
        message: `${name} must be ${wanted.join(' or ')}, not ${shownValue(value)}`,
        remedy: `Write ${wanted[0] ?? 'another value'}.`,
      });
    }
    case 'enum':
    case 'const': {
      const allowed = error.keyword === 'enum' ? [params['allowedValues']].flat() : [params['allowedValue']];
      const words = allowed.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
      return finding('value-not-allowed', pointer, false, {
        message: `${name} cannot be ${shownValue(value)}${typeof value === 'string' ? didYouMean(value, words) : ''}`,
        remedy: `Use ${words.length === 1 ? '' : 'one of: '}${listed(words, 40)}.`,
      });
    }
    case 'pattern':
    case 'format':
      return finding('bad-format', pointer, false, {
        message: `${name} cannot be ${shownValue(value)}: ${noteOf(error)}`,
        remedy: remedyOf(error),
      });
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return finding('out-of-range', pointer, false, {
        message: `${name} must be ${comparisonWord(String(params['comparison']))} ${String(params['limit'])} (value ${shownValue(value)})`,
        remedy: 'Choose a value within the range.',
      });
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'maxProperties':
    case 'uniqueItems':
    case 'multipleOf':
      return finding('out-of-range', pointer, false, { message: `${name} ${error.message ?? 'is out of range'}`, remedy: 'Make it fit.' });
    default:
      return finding('schema-violation', pointer, false, {
        message: `${name} ${error.message ?? 'does not fit its schema'}`,
        remedy: 'Make it fit its schema.',
      });
  }
}

function describeChoice(error: ErrorObject, name: string, value: Json | undefined): SchemaFinding {
  const branches: readonly unknown[] = Array.isArray(error.schema) ? error.schema : [];
  const fields = branches.flatMap((branch) => requiredOf(branch));
  if (fields.length === branches.length && fields.length > 0) {
    const present = isJsonObject(value) ? fields.filter((field) => Object.hasOwn(value, field)) : [];
    const only = error.keyword === 'oneOf' ? 'exactly one of' : 'at least one of';
    return finding(present.length > 1 ? 'fields-exclude-each-other' : 'missing-field', error.instancePath, false, {
      message: `${name} needs ${only} ${fields.join(', ')}; it has ${present.length === 0 ? 'none' : present.join(' and ')}`,
      remedy: present.length > 1 ? `Keep one of ${present.join(', ')}.` : 'Add one of them.',
    });
  }
  const types = branches.flatMap((branch) => typesOf(branch)).map(typeWord);
  return finding('wrong-type', error.instancePath, false, {
    message: types.length > 0 ? `${name} must be ${types.join(' or ')}, not ${shownValue(value)}` : `${name} fits none of its alternatives`,
    remedy: 'Use one of the alternatives.',
  });
}

function finding(
  code: SchemaFinding['code'],
  pointer: string,
  onKey: boolean,
  words: { readonly message: string; readonly remedy: string },
): SchemaFinding {
  return { code, pointer, onKey, ...words };
}

function knownFields(schema: unknown): readonly string[] {
  return isRecord(schema) && isRecord(schema['properties']) ? Object.keys(schema['properties']) : [];
}

function requiredOf(branch: unknown): readonly string[] {
  if (!isRecord(branch) || Object.keys(branch).length !== 1 || !Array.isArray(branch['required'])) return [];
  return branch['required'].length === 1 ? [String(branch['required'][0])] : [];
}

function typesOf(branch: unknown): readonly string[] {
  if (!isRecord(branch)) return [];
  if (Array.isArray(branch['enum'])) return branch['enum'].map((item) => JSON.stringify(item));
  return branch['type'] === undefined ? [] : [branch['type']].flat().map(String);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the schema says of the value in words, else its pattern. */
function noteOf(error: ErrorObject): string {
  const shape = shapeOf(error);
  if (shape !== undefined) return `it must be ${shape}`;
  return error.keyword === 'format' ? `it must be ${String(error.schema)}` : `it must match ${visibleText(String(error.schema))}`;
}

function remedyOf(error: ErrorObject): string {
  const shape = shapeOf(error);
  if (shape !== undefined) return `Write ${shape}.`;
  return error.keyword === 'format' ? `Write ${String(error.schema)}.` : `Write a text that matches ${visibleText(String(error.schema))}.`;
}

/** A description that says how the value looks (`A duration such as 30s.`), and not what it is for. */
function shapeOf(error: ErrorObject): string | undefined {
  const note = isRecord(error.parentSchema) ? error.parentSchema['description'] : undefined;
  if (typeof note !== 'string' || !/^(?:An? |\d)/u.test(note)) return undefined;
  return visibleText(note.charAt(0).toLowerCase() + note.slice(1).replace(/\.$/u, ''));
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a map',
  array: 'a list',
  null: 'null',
};

function typeWord(type: string): string {
  return TYPE_WORDS[type] ?? type;
}

function comparisonWord(comparison: string): string {
  return { '<=': '≤', '>=': '≥' }[comparison] ?? comparison;
}

export function shownValue(value: Json | undefined): string {
  if (value === undefined) return 'absent';
  if (typeof value === 'string') return quoted(value, 80);
  if (Array.isArray(value)) return 'a list';
  return isJsonObject(value) ? 'a map' : JSON.stringify(value);
}
