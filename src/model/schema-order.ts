import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';

/** What a schema says of the order of keys: those it names come first, as it names them. */
export interface KeyOrder {
  /** Place of a key; undefined: the schema does not name it. */
  rank(key: string): number | undefined;
  /** Of the value under a key. */
  below(key: string): KeyOrder;
  /** Of the items of a list. */
  items(): KeyOrder;
}

const NO_ORDER: KeyOrder = { rank: () => undefined, below: () => NO_ORDER, items: () => NO_ORDER };

export function keyOrder(schema: JsonObject | undefined): KeyOrder {
  return schema === undefined ? NO_ORDER : orderOf(schema, schema, 0);
}

function orderOf(given: Json | undefined, root: JsonObject, depth: number): KeyOrder {
  const schema = resolved(given, root, 0);
  if (schema === undefined || depth > 64) return NO_ORDER;
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const ranks = new Map(Object.keys(properties).map((key, at) => [key, at]));
  return {
    rank: (key) => ranks.get(key),
    below: (key) => orderOf(Object.hasOwn(properties, key) ? properties[key] : schema['additionalProperties'], root, depth + 1),
    items: () => orderOf(schema['items'], root, depth + 1),
  };
}

/** References followed; of alternatives the first that speaks of keys or items. */
function resolved(schema: Json | undefined, root: JsonObject, depth: number): JsonObject | undefined {
  if (!isJsonObject(schema) || depth > 16) return undefined;
  const reference = schema['$ref'];
  if (typeof reference === 'string' && reference.startsWith('#/$defs/')) {
    const definitions = root['$defs'];
    return resolved(isJsonObject(definitions) ? definitions[reference.slice('#/$defs/'.length)] : undefined, root, depth + 1);
  }
  if (isJsonObject(schema['properties']) || isJsonObject(schema['additionalProperties']) || isJsonObject(schema['items'])) return schema;
  for (const word of ['anyOf', 'oneOf', 'allOf']) {
    const choices: Json | undefined = schema[word];
    if (!Array.isArray(choices)) continue;
    for (const choice of choices as readonly Json[]) {
      const found = resolved(choice, root, depth + 1);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
