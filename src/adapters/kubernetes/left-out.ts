import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { belowField, belowItem } from './ignored-fields.ts';
import type { IgnoredFields } from './ignored-fields.ts';
import { listItems } from './list-items.ts';

interface Spot {
  readonly live: Json | undefined;
  /** Of our entry of managedFields; undefined where nothing here is ours. */
  readonly fields: JsonObject | undefined;
  readonly ignored: readonly IgnoredFields[];
}

/**
 * An object without the fields that others may set. One that is still ours alone keeps the value it has: leaving it out would remove it
 * from the object, as nobody else holds it.
 */
export function withoutIgnored(object: JsonObject, live: JsonObject, fields: JsonObject, ignored: readonly IgnoredFields[]): JsonObject {
  const left = leftOf(object, { live, fields, ignored });
  return isJsonObject(left) ? left : object;
}

function leftOf(value: Json, spot: Spot): Json | undefined {
  if (spot.ignored.length === 0) return value;
  if (spot.ignored.some((each) => each.whole)) return spot.fields === undefined ? undefined : spot.live;
  if (Array.isArray(value)) return listLeft(value, spot);
  return isJsonObject(value) ? mapLeft(value, spot) : value;
}

function mapLeft(value: JsonObject, { live, fields, ignored }: Spot): JsonObject {
  const left: [string, Json][] = [];
  for (const [name, child] of Object.entries(value)) {
    const below = { live: own(live, name), fields: fieldsAt(fields, `f:${name}`), ignored: belowField(ignored, name) };
    const kept = leftOf(child, below);
    if (kept !== undefined) left.push([name, kept]);
  }
  return Object.fromEntries(left);
}

function listLeft(list: readonly Json[], { live, fields, ignored }: Spot): readonly Json[] {
  const items = Array.isArray(live) ? listItems(live) : undefined;
  // The same list with our names for its items: one of git's is found in the live one by what our entry calls it.
  const names = listItems(list);
  const named = new Map(
    Object.keys(fields ?? {}).flatMap((key) => {
      const found = names.find(key);
      return found === undefined ? [] : [[found.index, key] as const];
    }),
  );
  const left: Json[] = [];
  for (const [index, item] of list.entries()) {
    const key = named.get(index);
    const below = {
      live: key === undefined ? undefined : items?.find(key)?.item,
      fields: key === undefined ? undefined : fieldsAt(fields, key),
      ignored: belowItem(ignored, item, index),
    };
    const kept = leftOf(item, below);
    if (kept !== undefined) left.push(kept);
  }
  return left;
}

function own(value: Json | undefined, name: string): Json | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function fieldsAt(fields: JsonObject | undefined, key: string): JsonObject | undefined {
  const below = fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
  return isJsonObject(below) ? below : undefined;
}
