import { isJsonObject, pointerToken, valueAt, type Json, type JsonObject } from '#model/json.ts';

/** A place in a JSON Schema; `pointer` is where it stands in the document `root`. */
export interface SchemaNode {
  readonly root: JsonObject;
  readonly pointer: string;
  readonly depth: number;
}

const DEPTH = 64;

export function schemaRoot(schema: Json | undefined): SchemaNode | undefined {
  return isJsonObject(schema) ? { root: schema, pointer: '', depth: 0 } : undefined;
}

/** The schema nodes that speak of one value: the node itself, what its local `$ref` names, and the members of `allOf`. */
function readings(node: SchemaNode | undefined): readonly { readonly node: SchemaNode; readonly schema: JsonObject }[] {
  if (node === undefined || node.depth > DEPTH) return [];
  const schema = valueAt(node.root, node.pointer);
  if (!isJsonObject(schema)) return [];
  const found = [{ node, schema }];
  const reference = own(schema, '$ref');
  if (typeof reference === 'string' && reference.startsWith('#')) {
    found.push(...readings({ root: node.root, pointer: reference.slice(1), depth: node.depth + 1 }));
  }
  const all = own(schema, 'allOf');
  for (const at of Array.isArray(all) ? all.keys() : []) {
    found.push(...readings({ root: node.root, pointer: `${node.pointer}/allOf/${at}`, depth: node.depth + 1 }));
  }
  return found;
}

/** Defaults of an object's properties, each with the pointer of its `default`. The first one that is found counts. */
export function propertyDefaults(node: SchemaNode | undefined): ReadonlyMap<string, { readonly value: Json; readonly pointer: string }> {
  const defaults = new Map<string, { value: Json; pointer: string }>();
  for (const { node: at, schema } of readings(node)) {
    const properties = own(schema, 'properties');
    if (!isJsonObject(properties)) continue;
    for (const key of Object.keys(properties)) {
      const child: SchemaNode = { root: at.root, pointer: `${at.pointer}/properties${pointerToken(key)}`, depth: at.depth + 1 };
      for (const reading of readings(child)) {
        const value = own(reading.schema, 'default');
        if (value !== undefined && !defaults.has(key)) defaults.set(key, { value, pointer: `${reading.node.pointer}/default` });
      }
    }
  }
  return defaults;
}

/** The schema of one property: a named one, else that of additional properties. */
export function propertySchema(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  let additional: SchemaNode | undefined;
  for (const { node: at, schema } of readings(node)) {
    const properties = own(schema, 'properties');
    if (isJsonObject(properties) && Object.hasOwn(properties, key)) {
      return { root: at.root, pointer: `${at.pointer}/properties${pointerToken(key)}`, depth: at.depth + 1 };
    }
    if (isJsonObject(own(schema, 'additionalProperties'))) {
      additional ??= { root: at.root, pointer: `${at.pointer}/additionalProperties`, depth: at.depth + 1 };
    }
  }
  return additional;
}

function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
