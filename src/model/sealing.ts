import type { Capsule } from '#model/declarations.generated.ts';
import { canonicalJson, isJsonObject, pointerToken, type Json, type JsonObject } from '#model/json.ts';

/** Fields of spec that say who a capsule is and what it does with its own children: no parent's to close. */
const IDENTITY: ReadonlySet<string> = new Set([
  'type',
  'owner',
  'system',
  'lifecycle',
  'deprecation',
  'engine',
  'extends',
  'sealed',
  'extensionPoints',
  'versionFiles',
  'conflicts',
]);

/** Files that speak of one capsule alone: nobody inherits them. */
export function isOwnFile(path: string): boolean {
  return /^(capsule\.ya?ml|CHANGELOG\.md|README\.md|tests\/.*)$/.test(path);
}

/** A capsule's declaration and the paths of its files. */
export interface Sealable {
  readonly declaration: Capsule;
  readonly files: readonly string[];
}

/** What lies open below a sealed capsule, as pointers into its spec; `/templates`, `/files` and `/patches` open those. */
function openPoints({ declaration }: Pick<Sealable, 'declaration'>): readonly string[] {
  return (declaration.spec.extensionPoints ?? []).map((point) => point.path);
}

export function isOpen(sealed: Pick<Sealable, 'declaration'>, pointer: string): boolean {
  return openPoints(sealed).some((point) => pointer === point || pointer.startsWith(`${point}/`));
}

/**
 * V-26: what a child writes that its sealed parent does not open, as pointers into spec, by order of writing; files as `/templates/<path>`
 * (it renders more) and `/files/<path>` (it stands before the parent's). To say what the parent says changes nothing.
 */
export function closedWrites(child: Sealable, sealed: Sealable): readonly string[] {
  const points = openPoints(sealed);
  const own = Object.entries(jsonOf(child.declaration.spec)).filter(([key]) => !IDENTITY.has(key));
  const theirs = jsonOf(sealed.declaration.spec);
  const written = own.flatMap(([key, value]) => writes(points, pointerToken(key), { value, theirs: memberOf(theirs, key) }));
  return [...written, ...fileWrites(child, sealed).filter((pointer) => !isOpen(sealed, pointer))];
}

function jsonOf(spec: Capsule['spec']): JsonObject {
  return spec as unknown as JsonObject;
}

function memberOf(object: Json | undefined, key: string): Json | undefined {
  return isJsonObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}

function writes(
  points: readonly string[],
  pointer: string,
  { value, theirs }: { readonly value: Json; readonly theirs: Json | undefined },
): readonly string[] {
  if (points.some((point) => pointer === point || pointer.startsWith(`${point}/`))) return [];
  const opensBelow = points.some((point) => point.startsWith(`${pointer}/`));
  if (isJsonObject(value) && (isJsonObject(theirs) || opensBelow)) {
    return Object.entries(value).flatMap(([key, inner]) =>
      writes(points, `${pointer}${pointerToken(key)}`, { value: inner, theirs: memberOf(theirs, key) }),
    );
  }
  return theirs !== undefined && canonicalJson(theirs) === canonicalJson(value) ? [] : [pointer];
}

function fileWrites(child: Sealable, sealed: Sealable): readonly string[] {
  const theirs = new Set(sealed.files);
  const { path = 'templates' } = { ...sealed.declaration.spec.render, ...child.declaration.spec.render };
  const folder = `${path.replace(/\/+$/, '')}/`;
  return child.files.flatMap((file) => {
    if (isOwnFile(file)) return [];
    if (theirs.has(file)) return [`/files/${file}`];
    return file.startsWith(folder) ? [`/templates/${file.slice(folder.length)}`] : [];
  });
}
