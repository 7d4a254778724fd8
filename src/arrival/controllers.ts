import type { LeftOut, Luggage } from '#model/arrival.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { comparePaths } from './paths.ts';
import type { Facts } from './pieces.ts';
import { readManifest } from './pieces.ts';

/** One declaration of another tool's controller. */
export interface Controlled {
  readonly file: string;
  readonly line: number;
  readonly facts: Facts;
  readonly spec: JsonObject;
}

/** Every object of some kinds in a folder (`argoproj.io/Application`); files that are no manifests are passed over here. */
export function controlledBy(luggage: Luggage, kinds: ReadonlySet<string>): readonly Controlled[] {
  return [...luggage.files]
    .filter(([path]) => /\.ya?ml$/.test(path))
    .sort(([a], [b]) => comparePaths(a, b))
    .flatMap(([path, bytes]) => {
      // Most files hold none: the words are looked for before the file is read.
      const text = Buffer.from(bytes).toString('latin1');
      if (![...kinds].some((kind) => text.includes(kind.slice(0, kind.indexOf('/'))))) return [];
      return (readManifest(path, bytes, [])?.pieces ?? []).flatMap((piece) =>
        piece.objects
          .filter((facts) => kinds.has(`${facts.group}/${facts.kind}`))
          .map((facts) => ({ file: path, line: piece.line, facts, spec: mapOf(facts.value['spec']) })),
      );
    });
}

export function mapOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

export function textOf(value: Json | undefined): string | undefined {
  return jsonText(value) === '' ? undefined : jsonText(value);
}

/** Names every field of a declaration that nothing here acts on; fields that say what happens anyway are passed over. */
export function nameUnmapped(
  from: { readonly file: string; readonly line: number; readonly what: string },
  fields: JsonObject,
  known: Readonly<Record<string, string | undefined>>,
): readonly LeftOut[] {
  return Object.entries(fields).flatMap(([field, value]) => {
    const isNothing = value === null || value === false || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
    if (isNothing || (Object.hasOwn(known, field) && known[field] === undefined)) return [];
    const why = Object.hasOwn(known, field) ? (known[field] ?? '') : 'has nothing here that does the same';
    return [{ file: from.file, line: from.line, what: `${from.what}: ${field}`, why }];
  });
}
