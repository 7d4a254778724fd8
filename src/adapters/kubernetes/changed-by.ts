import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';
import type { FieldWriter, SeenObject } from './seen-object.ts';

/** Longest text of fields that is read, and kept, of one manager; whoever holds more may hold anything. */
export const LONGEST_FIELDS = 4_096;

/** Field managers that hold fields which git wants, and wrote since we last did; empty where a field was only removed. */
export function changedBy({ writers }: SeenObject, wanted: JsonObject): readonly string[] {
  return [...new Set(writers.filter((writer) => holds(writer, wanted)).map(({ manager }) => manager))].toSorted(compareText);
}

function holds({ fields }: FieldWriter, wanted: JsonObject): boolean {
  return fields === undefined || reaches(JSON.parse(fields) as Json, wanted);
}

/** Whether any field that `fields` names, in the format of FieldsV1, is in `value`. No deeper than the text that was parsed is long. */
function reaches(fields: Json | undefined, value: Json | undefined): boolean {
  if (value === undefined || !isJsonObject(fields)) return false;
  const keys = Object.keys(fields).filter((key) => key !== '.');
  return keys.length === 0 || keys.some((key) => reaches(fields[key], valueOf(key, value)));
}

function valueOf(key: string, value: Json): Json | undefined {
  if (isJsonObject(value)) return key.startsWith('f:') && Object.hasOwn(value, key.slice(2)) ? value[key.slice(2)] : undefined;
  if (!Array.isArray(value) || !/^[kv]:/.test(key)) return undefined;
  const wanted = parsed(key.slice(2));
  return value.find((item: Json) => (key.startsWith('v:') ? item === wanted : hasKeys(item, wanted)));
}

/** Keys that the server fills in (`protocol: TCP`) are not in what git says. */
function hasKeys(item: Json, keys: Json | undefined): boolean {
  if (!isJsonObject(item) || !isJsonObject(keys)) return false;
  return Object.entries(keys).every(([name, value]) => !Object.hasOwn(item, name) || item[name] === value);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
