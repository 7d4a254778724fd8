import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';

const DEEPEST = 3;

/**
 * The objects of a document as kubectl takes it: the items of a `List` or of a typed list (`RoleList`), three levels deep; anything else is
 * itself. Items of a typed list that say no kind have the list's.
 */
export function listedObjects(value: Json): readonly Json[] {
  return unpacked(value, 0);
}

function unpacked(value: Json, depth: number): readonly Json[] {
  if (!isJsonObject(value) || depth > DEEPEST || !isList(value)) return [value];
  const { kind, apiVersion } = value;
  const items: Json | undefined = value['items'];
  if (!Array.isArray(items)) return [];
  const itemKind = jsonText(kind).slice(0, -'List'.length);
  const typed = itemKind === '' ? {} : { apiVersion: apiVersion ?? '', kind: itemKind };
  return items.flatMap((item: Json) => unpacked(isJsonObject(item) ? { ...typed, ...item } : item, depth + 1));
}

/** A custom object may be called `...List`, too: it has a name. */
function isList({ apiVersion, kind, items, metadata }: JsonObject): boolean {
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return false;
  if (apiVersion === 'v1' && kind === 'List') return true;
  return kind.endsWith('List') && Array.isArray(items) && !(isJsonObject(metadata) && metadata['name'] !== undefined);
}
