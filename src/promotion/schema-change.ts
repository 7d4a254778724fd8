import type { FieldDifference } from '#model/field-change.ts';
import { fieldChanges } from '#model/field-change.ts';
import { isJsonObject, type Json, type JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';
import type { KeyChange } from '#model/promotion.ts';

const DEEPEST = 12;
const MOST_KEYS = 5000;
/** Words for people, which change nothing that is accepted. */
const PROSE = new Set(['title', 'description', 'examples', '$comment', '$id', '$schema', 'markdownDescription']);

/** Keys of a configuration that came, went, or are accepted otherwise, in the order of their names. */
export function keyChanges(before: JsonObject | undefined, after: JsonObject | undefined): readonly KeyChange[] {
  const [old, now] = [keysOf(before), keysOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort(compareText).flatMap((key): KeyChange[] => {
    const [was, is] = [old.get(key), now.get(key)];
    const keywords = fieldChanges(was ?? {}, is ?? {});
    if (was !== undefined && is !== undefined && keywords.length === 0) return [];
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
    const isSensitive = was?.['x-sensitive'] === true || is?.['x-sensitive'] === true;
    return [{ key, change, keywords: isSensitive ? keywords.map(withoutValue) : keywords }];
  });
}

const TELLS_VALUE = /^(default|const|enum)\b/;

function withoutValue(field: FieldDifference): FieldDifference {
  if (!TELLS_VALUE.test(field.field)) return field;
  const hide = (value: unknown): string | undefined => (value === undefined ? undefined : '[sensitive]');
  return { ...field, before: hide(field.before), after: hide(field.after) };
}

function keysOf(schema: JsonObject | undefined): ReadonlyMap<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  const visit = (value: JsonObject, key: string, from: { readonly depth: number; readonly required: boolean }): void => {
    if (found.size >= MOST_KEYS || from.depth > DEEPEST) return;
    const { properties, items, required } = value;
    const members = isJsonObject(properties) ? properties : {};
    const told = Object.entries(value).filter(([word, given]) => !isToldElsewhere(word, given));
    found.set(key, Object.fromEntries<Json>(from.required ? [...told, ['required', true]] : told));
    const wanted = new Set(Array.isArray(required) ? required : []);
    for (const [name, member] of Object.entries(members))
      if (isJsonObject(member)) visit(member, memberKey(key, name), { depth: from.depth + 1, required: wanted.has(name) });
    if (isJsonObject(items)) visit(items, `${key}[]`, { depth: from.depth + 1, required: false });
  };
  if (schema !== undefined) visit(schema, '', { depth: 0, required: false });
  return found;
}

/** Members and items are keys of their own; which are required is said at each. */
function isToldElsewhere(word: string, given: Json): boolean {
  if (word === 'properties' || word === 'items') return isJsonObject(given);
  return PROSE.has(word) || (word === 'required' && Array.isArray(given));
}

function memberKey(key: string, name: string): string {
  const plain = /^[A-Za-z][\w-]*$/.test(name) ? name : JSON.stringify(name);
  return key === '' ? plain : `${key}.${plain}`;
}
