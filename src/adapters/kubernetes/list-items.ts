import { isJsonObject } from '#model/json.ts';
import type { Json } from '#model/json.ts';

export interface FoundItem {
  readonly item: Json;
  readonly index: number;
}

/** The items of one list as `fieldsV1` names them. */
export interface ListItems {
  find(key: string): FoundItem | undefined;
}

const LONGEST_KEY = 16_384;
/** A list has one set of keys; a few more are answered, so that nobody makes us index a list again and again. */
const MOST_INDEXES = 4;

export function listItems(list: readonly Json[]): ListItems {
  const indexes = new Map<string, ReadonlyMap<string, number>>();
  function indexOf(names: readonly string[]): ReadonlyMap<string, number> | undefined {
    const id = JSON.stringify(names);
    const known = indexes.get(id);
    if (known !== undefined || indexes.size >= MOST_INDEXES) return known;
    const made = new Map<string, number>();
    for (const [index, item] of list.entries()) {
      const text = itemText(item, names);
      if (text !== undefined && !made.has(text)) made.set(text, index);
    }
    indexes.set(id, made);
    return made;
  }
  function at(index: number | undefined): FoundItem | undefined {
    const item = index === undefined ? undefined : list[index];
    return index === undefined || item === undefined ? undefined : { item, index };
  }
  return {
    find(key) {
      if (key.length > LONGEST_KEY) return undefined;
      if (key.startsWith('i:')) return /^i:[0-9]{1,9}$/.test(key) ? at(Number(key.slice(2))) : undefined;
      const value = /^[kv]:/.test(key) ? parsed(key.slice(2)) : undefined;
      if (value === undefined) return undefined;
      if (key.startsWith('v:')) return at(indexOf([])?.get(JSON.stringify(value)));
      if (!isJsonObject(value)) return undefined;
      const names = Object.keys(value);
      return names.length === 0 ? undefined : at(indexOf(names)?.get(itemText(value, names) ?? ''));
    },
  };
}

/** The values of these fields, all of which must be there; with no names a value that is no map or list itself. */
function itemText(item: Json, names: readonly string[]): string | undefined {
  if (names.length === 0) return typeof item === 'object' && item !== null ? undefined : JSON.stringify(item);
  if (!isJsonObject(item)) return undefined;
  const values: string[] = [];
  for (const name of names) {
    const value = Object.hasOwn(item, name) ? item[name] : undefined;
    if (value === undefined || (typeof value === 'object' && value !== null)) return undefined;
    values.push(JSON.stringify(value));
  }
  return values.join(',');
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
