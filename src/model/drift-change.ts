import { canonicalJson, isJsonObject, pointerToken, type Json } from '#model/json.ts';
import type { FieldChange } from '#model/plan.ts';

/**
 * What differs between what git wants of an object and what is there, as RFC 6901 pointers that hold in both: a list whose length changed
 * is one change. `before` is git's.
 */
export function driftChanges(wanted: Json, live: Json, path = ''): readonly FieldChange[] {
  if (isJsonObject(wanted) && isJsonObject(live)) {
    const keys = [...new Set([...Object.keys(wanted), ...Object.keys(live)])].sort();
    return keys.flatMap((key) => {
      const before = Object.hasOwn(wanted, key) ? wanted[key] : undefined;
      const after = Object.hasOwn(live, key) ? live[key] : undefined;
      const here = path + pointerToken(key);
      return before === undefined || after === undefined ? [{ path: here, before, after }] : driftChanges(before, after, here);
    });
  }
  if (isList(wanted) && isList(live) && wanted.length === live.length)
    return wanted.flatMap((before, index) => driftChanges(before, live[index] ?? null, path + pointerToken(index)));
  return canonicalJson(wanted) === canonicalJson(live) ? [] : [{ path, before: wanted, after: live }];
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
