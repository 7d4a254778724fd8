import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';
import { belowField, belowItem } from './ignored-fields.ts';
import type { IgnoredFields } from './ignored-fields.ts';
import { listItems } from './list-items.ts';
import type { FoundItem, ListItems } from './list-items.ts';

/** Deeper than any object of a real API; a call stack holds it many times over. */
const DEEPEST = 200;
/** Fields visited for one object, far above what 1.5 MB (the most a server stores) can name. */
const MOST_STEPS = 1_000_000;

export interface FieldQuestion {
  readonly object: JsonObject;
  /** `fieldsV1` of our entry. */
  readonly fields: JsonObject;
  /** `fieldsV1` of everybody else's. */
  readonly others: readonly JsonObject[];
  readonly ignored: readonly IgnoredFields[];
}

interface Place {
  readonly value: Json | undefined;
  readonly others: readonly JsonObject[];
  readonly ignored: readonly IgnoredFields[];
  readonly depth: number;
}

interface Work {
  steps: number;
}

/**
 * One text of the fields that `fields` names with the values `object` holds: equal as long as nobody changed, took or removed one of them.
 * Undefined where there are none, or more or deeper ones than any server has. The format is that of FieldsV1: `f:<field>`,
 * `k:<keys of a list item>`, `v:<value of a set>`, `i:<index>`; `.` says the item itself, and an empty map all that is below.
 */
export function ownedText(question: FieldQuestion): string | undefined {
  // At the root an empty map names nothing.
  if (Object.keys(question.fields).every((key) => key === '.')) return undefined;
  const work: Work = { steps: MOST_STEPS };
  const text = fieldsText(question.fields, { value: question.object, others: question.others, ignored: question.ignored, depth: 0 }, work);
  return work.steps < 0 ? undefined : text;
}

function fieldsText(fields: JsonObject, place: Place, work: Work): string | undefined {
  if (spent(place.depth, work) || place.value === undefined || place.ignored.some((each) => each.whole)) return undefined;
  const keys = Object.keys(fields).filter((key) => key !== '.');
  if (keys.length === 0) return Object.hasOwn(fields, '.') ? 'true' : wholeText(place, work);
  const items = Array.isArray(place.value) ? listItems(place.value) : undefined;
  const parts: string[] = [];
  for (const key of keys.toSorted(compareText)) {
    const below = fields[key];
    const found = childPlace(key, place, items);
    const text = found === undefined || !isJsonObject(below) ? undefined : fieldsText(below, found, work);
    if (text !== undefined) parts.push(`${JSON.stringify(key)}:${text}`);
  }
  // What is left out everywhere is as if it were not there: an ignored field may leave us to another manager, its parents with it.
  return parts.length === 0 ? undefined : `{${parts.join(',')}}`;
}

function childPlace(key: string, place: Place, items: ListItems | undefined): Place | undefined {
  const depth = place.depth + 1;
  const others = place.others.flatMap((other) => fieldsBelow(other, key));
  if (key.startsWith('f:')) {
    const name = key.slice(2);
    if (!isJsonObject(place.value) || !Object.hasOwn(place.value, name)) return undefined;
    return { value: place.value[name], others, ignored: belowField(place.ignored, name), depth };
  }
  const found: FoundItem | undefined = items?.find(key);
  return found && { value: found.item, others, ignored: belowItem(place.ignored, found.item, found.index), depth };
}

function fieldsBelow(fields: JsonObject, key: string): readonly JsonObject[] {
  const below = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return isJsonObject(below) ? [below] : [];
}

/** All of a value, except what other managers hold of it by name (it is a map or list of parts then) and what is ignored. */
function wholeText(place: Place, work: Work): string | undefined {
  if (spent(place.depth, work) || place.ignored.some((each) => each.whole)) return undefined;
  const { value } = place;
  if (Array.isArray(value)) return listText(value, place, work);
  if (!isJsonObject(value)) return JSON.stringify(value);
  const parts: string[] = [];
  for (const name of Object.keys(value).toSorted(compareText)) {
    const others = place.others.flatMap((other) => fieldsBelow(other, `f:${name}`));
    if (others.some((other) => Object.keys(other).length === 0)) continue;
    const text = wholeText({ value: value[name], others, ignored: belowField(place.ignored, name), depth: place.depth + 1 }, work);
    if (text !== undefined) parts.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${parts.join(',')}}`;
}

function listText(list: readonly Json[], place: Place, work: Work): string {
  const items = listItems(list);
  const held = new Set(place.others.flatMap((other) => Object.keys(other).map((key) => items.find(key)?.index)));
  const parts: string[] = [];
  for (const [index, item] of list.entries()) {
    if (held.has(index)) continue;
    const text = wholeText({ value: item, others: [], ignored: belowItem(place.ignored, item, index), depth: place.depth + 1 }, work);
    if (text !== undefined) parts.push(text);
  }
  return `[${parts.join(',')}]`;
}

function spent(depth: number, work: Work): boolean {
  work.steps -= depth > DEEPEST ? MOST_STEPS + 1 : 1;
  return work.steps < 0;
}
