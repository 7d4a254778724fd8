import { sha256Of } from '#model/digest.ts';
import { canonicalJson, isJsonObject, pointerKeys, pointerToken, type Json, type JsonObject } from '#model/json.ts';
import { objectOf } from '#model/merge-patch.ts';
import type { Place, Problem } from '#model/problem.ts';
import type { Configuration, ConfigurationLayer } from '#model/resolution.ts';
import { propertyDefaults, propertySchema, schemaRoot, type SchemaNode } from './schema-defaults.ts';

/** The capsule's schema and where it stands; its defaults are the lowest layer. */
export interface ConfigurationSchema {
  readonly value: JsonObject;
  at(pointer: string): Place;
}

export interface Merged {
  readonly configuration: Configuration;
  /** V-78. */
  readonly warnings: readonly Problem[];
}

/** The lower layer that a leaf came from, for V-78 and origins. */
interface Origin {
  readonly layer: string;
  readonly place: Place;
  readonly deleted: boolean;
}

interface Merging {
  readonly schema: ConfigurationSchema | undefined;
  readonly origins: Map<string, Origin>;
  readonly warnings: Problem[];
}

/**
 * RFC 7396 over the layers, low to high. Schema defaults lie below: those of an object's properties come into being together with the object.
 */
export function merged(layers: readonly ConfigurationLayer[], schema: ConfigurationSchema | undefined, dynamic: readonly string[]): Merged {
  const merging: Merging = { schema, origins: new Map(), warnings: [] };
  const root = schemaRoot(schema?.value);
  let value: Json = withDefaults(merging, new Map(), root, '');
  for (const layer of layers) value = patched(merging, value, { layer, patch: layer.value, pointer: '', node: root });
  const whole = isJsonObject(value) ? value : {};
  const shared = sha256Of(canonicalJson(whole));
  const fixed = dynamic.length === 0 ? whole : dynamic.reduce<JsonObject>((left, key) => without(left, pathOf(key)), whole);
  return {
    configuration: {
      value: whole,
      origins: new Map([...merging.origins].map(([pointer, origin]) => [pointer, origin.place])),
      sha256: shared,
      staticSha256: fixed === whole ? shared : sha256Of(canonicalJson(fixed)),
    },
    warnings: merging.warnings,
  };
}

interface Patch {
  readonly layer: ConfigurationLayer;
  readonly patch: Json;
  readonly pointer: string;
  readonly node: SchemaNode | undefined;
}

function patched(merging: Merging, target: Json | undefined, step: Patch): Json {
  const { layer, patch, pointer, node } = step;
  if (!isJsonObject(patch)) {
    warnRepeated(merging, step, target);
    forget(merging, pointer, target);
    merging.origins.set(pointer, { layer: layer.name, place: layer.at(pointer), deleted: false });
    return patch;
  }
  let base: Map<string, Json>;
  if (isJsonObject(target)) base = new Map(Object.entries(target));
  else {
    forget(merging, pointer, target);
    base = new Map(Object.entries(withDefaults(merging, new Map(), node, pointer)));
  }
  for (const [key, value] of Object.entries(patch)) {
    const below = `${pointer}${pointerToken(key)}`;
    if (value !== null)
      base.set(key, patched(merging, base.get(key), { layer, patch: value, pointer: below, node: propertySchema(node, key) }));
    else if (base.has(key)) {
      forget(merging, below, base.get(key));
      base.delete(key);
      merging.origins.set(below, { layer: layer.name, place: layer.at(below), deleted: true });
    } else merging.warnings.push(warning('null-deletes-nothing', layer.at(below), `null at ${below} deletes nothing`, 'Remove this line.'));
  }
  if (base.size === 0 && pointer !== '') merging.origins.set(pointer, { layer: layer.name, place: layer.at(pointer), deleted: false });
  else merging.origins.delete(pointer);
  return objectOf(base);
}

/** `present` with the defaults of its missing properties. */
function withDefaults(merging: Merging, present: ReadonlyMap<string, Json>, node: SchemaNode | undefined, pointer: string): JsonObject {
  const filled = new Map(present);
  for (const [key, found] of propertyDefaults(node)) {
    if (filled.has(key)) continue;
    const below = `${pointer}${pointerToken(key)}`;
    filled.set(key, defaultValue(merging, found, { pointer: below, node: propertySchema(node, key) }));
  }
  return objectOf(filled);
}

function defaultValue(
  merging: Merging,
  found: { readonly value: Json; readonly pointer: string },
  where: { readonly pointer: string; readonly node: SchemaNode | undefined },
): Json {
  const place = merging.schema?.at(found.pointer);
  const origin = (): void => {
    if (place !== undefined) merging.origins.set(where.pointer, { layer: 'schema default', place, deleted: false });
  };
  if (!isJsonObject(found.value)) {
    origin();
    return found.value;
  }
  const inner = new Map<string, Json>();
  for (const [key, value] of Object.entries(found.value)) {
    const below = { pointer: `${where.pointer}${pointerToken(key)}`, node: propertySchema(where.node, key) };
    inner.set(key, defaultValue(merging, { value, pointer: `${found.pointer}${pointerToken(key)}` }, below));
  }
  const filled = withDefaults(merging, inner, where.node, where.pointer);
  if (Object.keys(filled).length === 0) origin();
  return filled;
}

/** Drops what is known of a pointer and everything below it. */
function forget(merging: Merging, pointer: string, value: Json | undefined): void {
  merging.origins.delete(pointer);
  if (!isJsonObject(value)) return;
  const prefix = `${pointer}/`;
  for (const known of merging.origins.keys()) if (known.startsWith(prefix)) merging.origins.delete(known);
}

function warnRepeated(merging: Merging, step: Patch, target: Json | undefined): void {
  const lower = merging.origins.get(step.pointer);
  if (target === undefined || lower === undefined || lower.deleted || lower.layer === 'schema default') return;
  if (isJsonObject(target) || canonicalJson(target) !== canonicalJson(step.patch)) return;
  const message = `${step.pointer} repeats the value of the ${lower.layer}`;
  merging.warnings.push(
    warning('override-repeats', step.layer.at(step.pointer), message, 'Remove this line; the lower layer says the same.'),
  );
}

function warning(code: string, place: Place, message: string, remedy: string): Problem {
  return { code, rule: 'V-78', severity: 'warning', phase: 'validate', message, remedy, place, related: [] };
}

/** A dynamic key is a pointer (`/cache/ttl`) or a dotted name (`cache.ttl`). */
function pathOf(key: string): readonly string[] {
  return key.startsWith('/') ? pointerKeys(key) : key.split('.');
}

function without(object: JsonObject, path: readonly string[]): JsonObject {
  const [key, ...rest] = path;
  if (key === undefined || !Object.hasOwn(object, key)) return object;
  const entries = new Map(Object.entries(object));
  const inner = object[key];
  if (rest.length === 0) entries.delete(key);
  else if (isJsonObject(inner)) entries.set(key, without(inner, rest));
  return objectOf(entries);
}
