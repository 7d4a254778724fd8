import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';
import type { ObjectFinding } from '#model/object-finding.ts';
import { listed } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { boundsMistake, isChosen } from './custom-resource-values.ts';
import { CHECK_LIMITS, checkMetadata } from './kubernetes-check.ts';
import type { Check } from './kubernetes-check.ts';
import { isInteger, typeName } from './kubernetes-values.ts';

interface Here {
  readonly check: Check;
  readonly pointer: string;
  readonly inStatus: boolean;
}

/** Findings of a custom resource against the structural schema of its definition. Rules in CEL are left to the server. */
export function checkCustomResource(check: Check, schema: JsonObject, value: JsonObject): void {
  checkResource({ check, pointer: '', inStatus: false }, schema, value);
}

/** A whole object: of its metadata Kubernetes itself knows more than the schema does. */
function checkResource(here: Here, schema: JsonObject, value: JsonObject): void {
  const { apiVersion: _, kind: __, metadata, ...rest } = value;
  if (metadata !== undefined) checkMetadata(here.check, metadata, `${here.pointer}/metadata`);
  const { required, ...others } = schema;
  const needed: readonly Json[] = Array.isArray(required) ? required : [];
  checkValue(here, { ...others, required: needed.filter((key: Json) => typeof key !== 'string' || !ENVELOPE.has(key)) }, rest);
}

const ENVELOPE: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

function checkValue(here: Here, schema: JsonObject, value: Json): void {
  const { check } = here;
  check.steps += 1;
  if (check.steps > CHECK_LIMITS.steps || check.findings.length >= CHECK_LIMITS.findings) return;
  // Null is dropped, or replaced by the default, unless the schema wants it.
  if (value === null) return;
  const wanted = wantedType(schema);
  if (wanted !== undefined && !isOfType(schema, value)) return wrong(here, `is ${typeName(value, check.isSecret)}; it must be ${wanted}`);
  if (!isChosen(check, schema, value)) {
    const choices: readonly Json[] = Array.isArray(schema['enum']) ? schema['enum'] : [];
    const texts = choices.map((one: Json) => (typeof one === 'string' ? one : JSON.stringify(one)));
    const meant = typeof value === 'string' ? didYouMean(value, texts) : '';
    return wrong(here, `is ${typeName(value, check.isSecret)}; it must be one of ${listed(texts, 20)}${meant}`);
  }
  const mistake = boundsMistake(check, schema, value);
  if (mistake !== undefined) wrong(here, mistake);
  if (isJsonObject(value)) checkFields(here, schema, value);
  else if (Array.isArray(value)) {
    const { items } = schema;
    if (isJsonObject(items)) value.forEach((item: Json, at) => checkValue(below(here, at), items, item));
  }
}

function checkFields(here: Here, schema: JsonObject, value: JsonObject): void {
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const { additionalProperties } = schema;
  const keeps =
    schema['x-kubernetes-preserve-unknown-fields'] === true || (additionalProperties !== undefined && additionalProperties !== false);
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  for (const [key, child] of Object.entries(value)) {
    const field = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (isJsonObject(field)) checkValue(below(here, key), field, child);
    else if (isJsonObject(additionalProperties)) checkValue(below(here, key), additionalProperties, child);
    else if (!keeps && !(isEmbedded && ENVELOPE.has(key))) unknownField(below(here, key), key, properties);
  }
  if (here.inStatus) return;
  const required: readonly Json[] = Array.isArray(schema['required']) ? schema['required'] : [];
  here.check.steps += required.length;
  for (const key of required) {
    if (typeof key !== 'string' || (Object.hasOwn(value, key) && value[key] !== null)) continue;
    const field = Object.hasOwn(properties, key) ? properties[key] : undefined;
    // The server fills it in before it looks.
    if (isJsonObject(field) && field['default'] !== undefined) continue;
    find(here, 'object-field-missing', `lacks ${key}, which its definition requires`, `Add ${key}.`);
  }
}

function unknownField(here: Here, key: string, properties: JsonObject): void {
  const names = Object.keys(properties);
  const meant = didYouMean(key, names);
  find(
    here,
    'object-field-unknown',
    `is a field that its definition does not know${meant}`,
    meant === '' ? `Remove it, or use one of: ${listed(names, 30)}.` : 'Correct the name, or remove the field.',
  );
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['object', 'an object'],
  ['array', 'a list'],
  ['string', 'a text'],
  ['integer', 'a whole number'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
]);

function wantedType(schema: JsonObject): string | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return 'a whole number or a text';
  const { type } = schema;
  return typeof type === 'string' ? TYPES.get(type) : undefined;
}

function isOfType(schema: JsonObject, value: Json): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) return typeof value === 'string' || isInteger(value, 'int64');
  const { type } = schema;
  if (type === 'object') return isJsonObject(value);
  if (type === 'array') return Array.isArray(value);
  return type === 'integer' ? isInteger(value, 'int64') : typeof value === type;
}

function wrong(here: Here, message: string): void {
  find(here, 'object-value-invalid', message, 'Give a value that its definition allows.');
}

function find(here: Here, code: ObjectFinding['code'], message: string, remedy: string): void {
  if (here.check.findings.length < CHECK_LIMITS.findings)
    here.check.findings.push({ code, pointer: here.pointer, message, remedy, isOfMinor: false, isTolerated: false });
}

function below(here: Here, key: string | number): Here {
  return {
    check: here.check,
    pointer: here.pointer + pointerToken(key),
    inStatus: here.inStatus || (here.pointer === '' && key === 'status'),
  };
}
