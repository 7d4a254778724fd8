import type { Capsule } from '#model/declarations.generated.ts';
import type { CapsuleSource, Declared } from '#model/desired.ts';
import { isJsonObject, valueAt, type Json, type JsonObject } from '#model/json.ts';
import { mergePatch } from '#model/merge-patch.ts';
import type { Place } from '#model/problem.ts';
import type { ConfigurationLayer } from '#model/resolution.ts';
import { isOwnFile } from '#model/sealing.ts';

/** Fields of spec that speak of one capsule's own versions or of its children: a child does not inherit them. */
const OWN: ReadonlySet<string> = new Set([
  'extends',
  'sealed',
  'extensionPoints',
  'versionFiles',
  'lifecycle',
  'deprecation',
  'migrations',
]);

/** What a capsule declares over what its parents (nearest first) declare: RFC 7396 on spec; identity is the child's. */
export function inheritedDeclaration(child: Capsule, parents: readonly Capsule[]): Capsule {
  if (parents.length === 0) return child;
  let spec: Json = {};
  for (const parent of [...parents].reverse()) spec = mergePatch(spec, heritable(parent));
  return { ...child, spec: mergePatch(spec, jsonOf(child.spec)) as unknown as Capsule['spec'] };
}

function heritable(capsule: Capsule): Json {
  const spec = Object.fromEntries(Object.entries(jsonOf(capsule.spec) as JsonObject).filter(([key]) => !OWN.has(key)));
  return Object.hasOwn(spec, 'compatibility') ? mergePatch(spec, { compatibility: { upgradesFrom: null } }) : spec;
}

/** Declarations were JSON before their schema gave them a type. */
function jsonOf(value: unknown): Json {
  return value as Json;
}

/**
 * A capsule with everything it inherits from its parents, nearest first. A file is looked up in the capsule itself, then in the nearest
 * parent that has it. Name, version and digests stay the child's; places stay those of the file that set a value.
 */
export function composedCapsule(child: CapsuleSource, parents: readonly CapsuleSource[]): CapsuleSource {
  if (parents.length === 0) return child;
  const line = [child, ...parents];
  const schemas = line.map(schemaOf);
  // The only one there is stays where it is, a file as well.
  const schema = schemas.filter((one) => one !== undefined).length < 2 ? undefined : inheritedSchema(schemas);
  const inherited = inheritedDeclaration(
    child.declared.value,
    parents.map((parent) => parent.declared.value),
  );
  const value = schema === undefined ? inherited : withSchema(inherited, schema);
  const contents = new Map<string, Uint8Array>();
  const files = new Map<string, CapsuleSource['files'][number]>();
  const places = new Map<string, string>();
  for (const one of [...line].reverse()) {
    const own = one === child;
    for (const [path, bytes] of one.contents) if (own || !isOwnFile(path)) contents.set(path, bytes);
    for (const file of one.files) if (own || !isOwnFile(file.path)) files.set(file.path, file);
    for (const path of [...one.contents.keys(), ...one.files.map((file) => file.path)])
      if (own || !isOwnFile(path)) places.set(path, one.directory);
  }
  const declared: Declared<Capsule> = { ...child.declared, value, at: (pointer) => originOf(line, pointer) };
  return {
    ...child,
    own: child.declared,
    declared,
    contents: sorted(contents),
    files: [...sorted(files).values()],
    parents,
    directoryOf: (path) => places.get(path) ?? child.directory,
  };
}

function sorted<T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Where the value under a pointer of the merged declaration was written: the child's own text, else the nearest parent's. */
function originOf(line: readonly CapsuleSource[], pointer: string): Place {
  const [child] = line;
  if (child === undefined) throw new Error('a line begins with its child');
  const inSchema = /^\/spec\/config\/schema(?<rest>\/.*|$)/.exec(pointer)?.groups?.['rest'];
  for (const one of line) {
    if (one !== child && isOwn(pointer)) continue;
    if (inSchema !== undefined && typeof one.declared.value.spec.config?.schema === 'string') {
      if (valueAt(schemaOf(one), inSchema) === undefined) continue;
      const file = `${one.directory}/${one.declared.value.spec.config.schema}`;
      return { file, line: undefined, column: undefined, pointer: inSchema };
    }
    if (valueAt(jsonOf(one.declared.value), pointer) !== undefined) return one.declared.at(pointer);
  }
  return child.declared.at(pointer);
}

function isOwn(pointer: string): boolean {
  const [, section, field] = pointer.split('/');
  return section !== 'spec' || (field !== undefined && OWN.has(field));
}

/** The configuration schemas of a line as one, child first; RFC 7396, the farthest parent lowest. */
export function inheritedSchema(line: readonly (JsonObject | undefined)[]): JsonObject | undefined {
  const schemas = line.filter((schema) => schema !== undefined);
  if (schemas.length < 2) return schemas[0];
  let merged: Json = {};
  for (const schema of schemas.reverse()) merged = mergePatch(merged, schema);
  return isJsonObject(merged) ? merged : undefined;
}

function withSchema(capsule: Capsule, schema: JsonObject): Capsule {
  return { ...capsule, spec: { ...capsule.spec, config: { ...capsule.spec.config, schema } } };
}

/** A capsule's configuration schema, inline or in a file; a file that is not a JSON object is a problem of its own, told elsewhere. */
export function schemaOf(source: Pick<CapsuleSource, 'declared' | 'contents'>): JsonObject | undefined {
  const schema = source.declared.value.spec.config?.schema;
  if (typeof schema !== 'string') return schema;
  const bytes = source.contents.get(schema);
  if (bytes === undefined) return undefined;
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What of a capsule its default layers follow from. */
export type Defaulted = Pick<CapsuleSource, 'name' | 'declared' | 'own' | 'parents'>;

/** Layers 2 and 3 of declarations.md 3.6: defaults of the parents, farthest first, then the capsule's own. */
export function defaultLayers(source: Defaulted): readonly ConfigurationLayer[] {
  const inherited = [...(source.parents ?? [])].reverse().flatMap((parent) => layerOf(parent, `default of ${parent.name}`));
  return [...inherited, ...layerOf(source, 'capsule default')];
}

function layerOf(source: Defaulted, name: string): readonly ConfigurationLayer[] {
  const own = source.own ?? source.declared;
  const value = own.value.spec.config?.defaults;
  return value === undefined ? [] : [{ name, value, at: (pointer) => own.at(`/spec/config/defaults${pointer}`) }];
}
