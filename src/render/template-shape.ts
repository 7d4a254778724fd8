import type { Capsule } from '#model/declarations.generated.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, valueAt } from '#model/json.ts';

/**
 * What a name of a template can be, as a JSON Schema: `true` is anything. Only `properties`, `additionalProperties`, `items`,
 * local `$ref` and the combinations are read; a schema with none of them is anything.
 */
export type Shape = { readonly root: JsonObject; readonly schema: Json };

const TEXT: JsonObject = { type: 'string' };
const CLOSED = { type: 'object', additionalProperties: false } as const;
const ANY_MAP: JsonObject = { type: 'object', additionalProperties: true };

/** The names every template of a capsule has. */
export function variablesShape(declaration: Capsule, configuration: JsonObject | undefined): Shape {
  const { spec } = declaration;
  const dependencies = Object.keys({ ...spec.dependencies, ...spec.instances });
  const dependency: JsonObject = { ...CLOSED, properties: { instance: TEXT, outputs: { type: 'object', additionalProperties: TEXT } } };
  const outputs = Object.entries(spec.provides ?? {}).map(([name, provided]): [string, JsonObject] => [
    name,
    closedMap(Object.keys(provided.outputs ?? {}), TEXT),
  ]);
  const config = configuration ?? ANY_MAP;
  const schema: JsonObject = {
    ...CLOSED,
    properties: {
      ...Object.fromEntries(['name', 'instance', 'capsule', 'version', 'namespace', 'environment'].map((name) => [name, TEXT])),
      config: withGlobal(config),
      capabilities: closedMap(dependencies, { type: 'boolean' }),
      dependencies: closedMap(dependencies, dependency),
      outputs: { ...CLOSED, properties: Object.fromEntries(outputs) },
      target: {
        ...CLOSED,
        properties: { name: TEXT, driver: TEXT, labels: { type: 'object', additionalProperties: TEXT }, facts: ANY_MAP },
      },
    },
  };
  return { root: config, schema };
}

function closedMap(names: readonly string[], value: JsonObject): JsonObject {
  return { ...CLOSED, properties: Object.fromEntries(names.map((name) => [name, value])) };
}

/** Environment-wide layers live under `global`, which schemas need not declare. */
function withGlobal(config: JsonObject): JsonObject {
  const properties = isJsonObject(config['properties']) ? config['properties'] : undefined;
  return properties === undefined || Object.hasOwn(properties, 'global')
    ? config
    : { ...config, properties: { ...properties, global: ANY_MAP } };
}

/** The shapes that a member can have; empty when no alternative knows it. */
export function memberShapes(shape: Shape, key: string): readonly Shape[] {
  return parts(shape, 0)
    .flatMap((part) => memberOf(part, key))
    .map((schema) => ({ root: shape.root, schema }));
}

/** The shapes of what a loop over it goes through. */
export function elementShapes(shape: Shape): readonly Shape[] {
  const found = parts(shape, 0).flatMap((part): readonly Json[] => {
    if (!isJsonObject(part)) return [true];
    const { items, prefixItems, properties, additionalProperties } = part;
    const known = [
      ...(Array.isArray(prefixItems) ? (prefixItems as readonly Json[]) : []),
      ...(isJsonObject(properties) ? Object.values(properties) : []),
    ];
    const open = [items, additionalProperties].filter((one): one is Json => one !== undefined && one !== false);
    return known.length + open.length > 0 ? [...known, ...open] : [true];
  });
  return found.map((schema) => ({ root: shape.root, schema }));
}

/** Members a person could have meant, for messages. */
export function knownMembers(shape: Shape): readonly string[] {
  const names = parts(shape, 0).flatMap((part) =>
    isJsonObject(part) && isJsonObject(part['properties']) ? Object.keys(part['properties']) : [],
  );
  return [...new Set(names)].sort();
}

/** A schema with what it refers to and its alternatives; bounded, because schemas may refer to themselves. */
function parts(shape: Shape, depth: number): readonly Json[] {
  const { schema, root } = shape;
  if (!isJsonObject(schema) || depth > 16) return [true];
  const reference = schema['$ref'];
  const found: Json[] = [];
  if (typeof reference === 'string') {
    const target = reference === '#' ? root : valueAt(root, reference.slice(1));
    found.push(...parts({ root, schema: target ?? true }, depth + 1));
  }
  for (const word of ['allOf', 'anyOf', 'oneOf', 'then', 'else']) {
    const below = schema[word];
    const list = Array.isArray(below) ? (below as readonly Json[]) : below === undefined ? [] : [below];
    for (const one of list) found.push(...parts({ root, schema: one }, depth + 1));
  }
  const own = ['properties', 'additionalProperties', 'patternProperties', 'items', 'prefixItems', 'type', 'enum', 'const'].some((word) =>
    Object.hasOwn(schema, word),
  );
  return own || found.length === 0 ? [schema, ...found] : found;
}

function memberOf(part: Json, key: string): readonly Json[] {
  if (!isJsonObject(part)) return part === false ? [] : [true];
  const { properties, patternProperties, additionalProperties, items, type } = part;
  if (isJsonObject(properties) && Object.hasOwn(properties, key)) return [properties[key] ?? true];
  if (isJsonObject(patternProperties)) return [true];
  if (key === 'length' && (type === 'array' || type === 'string')) return [{ type: 'integer' }];
  if (/^[0-9]+$/.test(key) && (items !== undefined || type === 'array')) return [items ?? true];
  if (additionalProperties === false) return [];
  if (additionalProperties !== undefined) return [additionalProperties];
  if (isJsonObject(properties) || (typeof type === 'string' && type !== 'object')) return [];
  return [true];
}
