import { isJsonObject, type Json, type JsonObject } from '#model/json.ts';

/** RFC 7396: objects merge, everything else replaces, `null` deletes. Neither argument is changed. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const merged = new Map(Object.entries(isJsonObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return objectOf(merged);
}

/** A plain object with exactly these own keys; `__proto__` becomes a key, never a prototype. */
export function objectOf(entries: ReadonlyMap<string, Json>): JsonObject {
  return Object.fromEntries(entries);
}
