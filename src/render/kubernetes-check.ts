import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';
import type { Distinct, FieldType, KubernetesApi, Shape } from '#model/kubernetes-shapes.ts';
import type { ObjectFinding } from '#model/object-finding.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { isBase64, isInteger, isQuantity, isTime, typeName } from './kubernetes-values.ts';

/** What one object may cost and say. */
export const CHECK_LIMITS = { findings: 20, steps: 500_000 } as const;

export interface Check {
  readonly api: KubernetesApi;
  /** Values of the object are never shown. */
  readonly isSecret: boolean;
  readonly findings: ObjectFinding[];
  steps: number;
}

interface Here {
  readonly check: Check;
  /** Of the whole. */
  readonly root: string;
  /** What it is in; undefined for the whole. A pointer is put together when something is found, and at no step before. */
  readonly parent: Here | undefined;
  readonly key: string | number;
  /** Below `status`, which the server fills in: nothing is missing there. */
  readonly inStatus: boolean;
  /** Below a schema in a schema the server drops what it does not know without a word. */
  readonly isLoose: boolean;
}

/** Findings of an object against a shape of Kubernetes, in the order of its fields. */
export function checkShape(check: Check, shape: string, value: JsonObject): void {
  checkObject({ check, root: '', parent: undefined, key: '', inStatus: false, isLoose: false }, shape, value);
}

/** `metadata` of a custom resource. */
export function checkMetadata(check: Check, value: Json, pointer: string): void {
  checkValue(
    { check, root: pointer, parent: undefined, key: '', inStatus: false, isLoose: false },
    { kind: 'shape', shape: 'meta.v1.ObjectMeta', loose: false },
    value,
  );
}

function checkObject(here: Here, name: string, value: JsonObject): void {
  const shape = here.check.api.shape(name);
  const title = name.slice(name.lastIndexOf('.') + 1);
  for (const [key, child] of Object.entries(value)) {
    const field = shape.fields.get(key);
    if (field === undefined) unknownField(here, { key, title, shape });
    else if (!isPlainlyFine(here.check, field.type, child)) checkValue(below(here, key), field.type, child);
  }
  if (here.inStatus) return;
  for (const key of shape.required) {
    if (Object.hasOwn(value, key) && value[key] !== null) continue;
    find(here, { code: 'object-field-missing', message: `lacks ${key}, which ${title} needs`, remedy: `Add ${key}.` });
  }
}

/** Most values are texts, numbers and truths that are as they should be: nothing is made for them. */
function isPlainlyFine(check: Check, type: FieldType, value: Json): boolean {
  const isFine =
    (type.kind === 'text' && typeof value === 'string') ||
    (type.kind === 'boolean' && typeof value === 'boolean') ||
    (type.kind === 'choice' && typeof value === 'string' && type.values.includes(value)) ||
    ((type.kind === 'int32' || type.kind === 'int64') && isInteger(value, type.kind));
  if (isFine) check.steps += 1;
  return isFine;
}

function unknownField(here: Here, at: { readonly key: string; readonly title: string; readonly shape: Shape }): void {
  const { key, title, shape } = at;
  const names = [...shape.fields.keys()];
  const meant = didYouMean(key, names);
  const remedy = meant === '' ? `Remove it, or use a field of ${title}: ${listed(names, 30)}.` : 'Correct the name, or remove the field.';
  find(below(here, key), { code: 'object-field-unknown', message: `is no field of ${title}${meant}`, remedy }, true);
}

function checkValue(here: Here, type: FieldType, value: Json): void {
  here.check.steps += 1;
  if (here.check.steps > CHECK_LIMITS.steps || here.check.findings.length >= CHECK_LIMITS.findings) return;
  // What is null was not given.
  if (value === null) return;
  switch (type.kind) {
    case 'shape':
      if (isJsonObject(value)) return checkObject(type.loose ? { ...here, isLoose: true } : here, type.shape, value);
      return type.loose ? undefined : wrongType(here, 'an object', value);
    case 'map':
      if (!isJsonObject(value)) return wrongType(here, 'an object', value);
      for (const [key, child] of Object.entries(value))
        if (!isPlainlyFine(here.check, type.value, child)) checkValue(below(here, key), type.value, child);
      return undefined;
    case 'list':
      if (!Array.isArray(value)) return wrongType(here, 'a list', value);
      value.forEach((child: Json, at) => {
        if (!isPlainlyFine(here.check, type.item, child)) checkValue(below(here, at), type.item, child);
      });
      return checkDistinct(here, type.distinct, value);
    case 'choice':
      if (typeof value !== 'string') return wrongType(here, 'a text', value);
      return value === '' || type.values.includes(value) ? undefined : wrongChoice(here, type.values, value);
    case 'object':
      return isJsonObject(value) ? undefined : wrongType(here, 'an object', value);
    case 'text':
      return typeof value === 'string' ? undefined : wrongType(here, 'a text', value);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : wrongType(here, 'true or false', value);
    case 'number':
      return typeof value === 'number' ? undefined : wrongType(here, 'a number', value);
    case 'int32':
    case 'int64':
      return isInteger(value, type.kind) ? undefined : wrongType(here, 'a whole number', value);
    case 'int-or-text':
      return typeof value === 'string' || isInteger(value, 'int32') ? undefined : wrongType(here, 'a whole number or a text', value);
    case 'quantity':
      return isQuantity(value) ? undefined : wrongForm(here, 'a quantity like 250m or 96Mi', value);
    case 'time':
      return isTime(value) ? undefined : wrongForm(here, 'a time like 2026-11-04T10:12:31Z', value);
    case 'bytes':
      return isBase64(value) ? undefined : wrongForm(here, 'base64', value);
    case 'any':
      return undefined;
  }
}

/** Two items that are one to whoever merges lists: one of them is lost when the object is applied. */
function checkDistinct(here: Here, distinct: Distinct, items: readonly Json[]): void {
  if (distinct === 'no') return;
  const seen = new Map<string, number>();
  for (const [at, item] of items.entries()) {
    const key = identityOf(distinct, item);
    if (key === undefined) continue;
    const first = seen.get(key.text);
    if (first === undefined) seen.set(key.text, at);
    else {
      find(below(here, at), {
        code: 'object-item-repeated',
        message: `has the same ${key.of} as item ${first}: when this is applied, one of them is lost`,
        remedy: 'Leave one of them, or tell them apart.',
      });
    }
  }
}

function identityOf(distinct: Exclude<Distinct, 'no'>, item: Json): { readonly text: string; readonly of: string } | undefined {
  if (distinct === 'whole') return typeof item === 'object' ? undefined : { text: JSON.stringify(item), of: 'value' };
  if (!isJsonObject(item)) return undefined;
  const parts = distinct.map(({ key, absent }) => (Object.hasOwn(item, key) ? item[key] : absent));
  return { text: JSON.stringify(parts.map((part) => part ?? null)), of: distinct.map(({ key }) => key).join(' and ') };
}

function wrongType(here: Here, wanted: string, value: Json): void {
  const message = `is ${typeName(value, here.check.isSecret)}; it must be ${wanted}`;
  find(here, { code: 'object-value-invalid', message, remedy: remedyOfType(here, wanted, value) });
}

function remedyOfType(here: Here, wanted: string, value: Json): string {
  if (here.check.isSecret) return `Give ${wanted}.`;
  // `yes` was read as true and 0644 as 420: what was written is not known here.
  if (wanted === 'a text' && (typeof value === 'number' || typeof value === 'boolean')) return 'Put quotes around what is written there.';
  const isQuoted = typeof value === 'string' && (wanted === 'a whole number' ? /^-?\d{1,10}$/ : /^(true|false)$/).test(value);
  if (isQuoted && (wanted === 'a whole number' || wanted === 'true or false')) return `Write ${value} without quotes.`;
  return `Give ${wanted}.`;
}

function wrongForm(here: Here, wanted: string, value: Json): void {
  const found = typeName(value, here.check.isSecret || wanted === 'base64');
  find(here, { code: 'object-value-invalid', message: `is ${found}; it must be ${wanted}`, remedy: `Give ${wanted}.` });
}

function wrongChoice(here: Here, values: readonly string[], value: string): void {
  const known = values.filter((one) => one !== '');
  const message = `is ${quoted(value, 60)}; it must be one of ${listed(known, 20)}${didYouMean(value, known)}`;
  find(here, { code: 'object-value-invalid', message, remedy: 'Use one of these values.' }, true);
}

function find(here: Here, found: Omit<ObjectFinding, 'pointer' | 'isOfMinor' | 'isTolerated'>, isOfMinor = false): void {
  if (here.check.findings.length >= CHECK_LIMITS.findings) return;
  const isTolerated = found.code === 'object-item-repeated' || (here.isLoose && found.code === 'object-field-unknown');
  here.check.findings.push({ ...found, pointer: pointerOf(here), isOfMinor, isTolerated });
}

function below(here: Here, key: string | number): Here {
  const inStatus = here.inStatus || (here.parent === undefined && here.root === '' && key === 'status');
  return { check: here.check, root: here.root, parent: here, key, inStatus, isLoose: here.isLoose };
}

function pointerOf({ root, parent, key }: Here): string {
  return parent === undefined ? root : pointerOf(parent) + pointerToken(key);
}
