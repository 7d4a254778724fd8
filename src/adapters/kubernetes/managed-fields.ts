import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { childMap } from './answers.ts';
import { FIELD_MANAGER } from './seen-object.ts';

export function managedEntries(object: JsonObject): readonly JsonObject[] {
  const entries = childMap(object, 'metadata')['managedFields'];
  return Array.isArray(entries) ? entries.filter((entry: Json): entry is JsonObject => isJsonObject(entry)) : [];
}

/** Whether an entry is what we applied. */
export function isAppliedEntry(entry: JsonObject): boolean {
  return entry['manager'] === FIELD_MANAGER && entry['operation'] === 'Apply' && jsonText(entry['subresource']) === '';
}

/** The fields that are ours, as `fieldsV1` names them. */
export function appliedFields(object: JsonObject): JsonObject {
  const entry = managedEntries(object).find(isAppliedEntry);
  return entry === undefined ? {} : childMap(entry, 'fieldsV1');
}
