import type { LeftOut, Luggage } from '#model/arrival.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import type { Controlled } from './controllers.ts';
import { listOf, mapOf, textOf } from './controllers.ts';
import { folderOf, nameIn } from './paths.ts';

/** Of one set: more is a mistake, or an attack. */
const MOST = 1000;

type Parameters = ReadonlyMap<string, string>;

/** The Applications of a set with the generators `list` and `git` (directories); other generators ask something that is not in git. */
export function expandedSet(luggage: Luggage, set: Controlled, leftOut: LeftOut[]): readonly Controlled[] {
  const what = `ApplicationSet ${set.facts.name}`;
  const leave = (part: string, why: string): void =>
    void leftOut.push({ file: set.file, line: set.line, what: part === '' ? what : `${what}: ${part}`, why });
  const template = mapOf(set.spec['template']);
  const isGo = set.spec['goTemplate'] === true;
  const found: Controlled[] = [];
  for (const generator of listOf(set.spec['generators']).map((one) => mapOf(one))) {
    const parameters = parametersOf(luggage, generator, isGo);
    if (parameters === undefined) {
      leave(
        `generator ${Object.keys(generator).join(', ')}`,
        'asks something that is not in this folder: write its Applications, or a list',
      );
      continue;
    }
    for (const one of parameters) {
      if (found.length >= MOST) {
        leave('', `gives more than ${MOST} Applications`);
        return found;
      }
      const unknown = new Set<string>();
      const filled = mapOf(substituted({ metadata: template['metadata'] ?? {}, spec: template['spec'] ?? {} }, one, unknown));
      const name = textOf(mapOf(filled['metadata'])['name']) ?? set.facts.name;
      if (unknown.size > 0) leave(`Application ${name}`, `has expressions that are not read here: ${[...unknown].slice(0, 5).join(', ')}`);
      else found.push({ ...set, facts: { ...set.facts, kind: 'Application', name }, spec: mapOf(filled['spec']) });
    }
  }
  for (const field of ['templatePatch', 'strategy', 'ignoreApplicationDifferences', 'preservedFields']) {
    if (set.spec[field] !== undefined) leave(field, 'has nothing here that does the same');
  }
  return found;
}

function parametersOf(luggage: Luggage, generator: JsonObject, isGo: boolean): readonly Parameters[] | undefined {
  const { list, git } = generator;
  if (isJsonObject(list)) return listOf(list['elements']).map((element) => flat(mapOf(element), ''));
  const directories = isJsonObject(git) ? listOf(git['directories']).map((one) => mapOf(one)) : [];
  if (directories.length === 0) return undefined;
  const patterns = (excluded: boolean): readonly RegExp[] =>
    directories.flatMap((one) => ((one['exclude'] === true) === excluded ? [patternOf(textOf(one['path']) ?? '')] : []));
  const folders = new Set<string>();
  for (const path of luggage.files.keys()) for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) folders.add(folder);
  const [wanted, unwanted] = [patterns(false), patterns(true)];
  return [...folders]
    .sort()
    .filter((folder) => wanted.some((pattern) => pattern.test(folder)) && !unwanted.some((pattern) => pattern.test(folder)))
    .map((folder) => directoryParameters(folder, isGo));
}

/** Stars of one glob: each more makes matching slower. */
const MOST_STARS = 6;

/** `apps/*`: a star is one name. */
function patternOf(glob: string): RegExp {
  const plain = glob.replaceAll(/\*+/g, '*');
  if (plain.split('*').length > MOST_STARS + 1) return /(?!)/;
  const escaped = plain
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${escaped}$`);
}

function directoryParameters(folder: string, isGo: boolean): Parameters {
  const base = nameIn(folder);
  const plain = base.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
  const parts = folder.split('/').map((part, at): [string, string] => [`path[${at}]`, part]);
  return new Map([[isGo ? 'path.path' : 'path', folder], ['path.basename', base], ['path.basenameNormalized', plain], ...parts]);
}

function flat(value: JsonObject, prefix: string): Parameters {
  return new Map(
    Object.entries(value).flatMap(([key, item]): readonly (readonly [string, string])[] => {
      if (isJsonObject(item)) return [...flat(item, `${prefix}${key}.`)];
      return typeof item === 'object' ? [] : [[`${prefix}${key}`, String(item)]];
    }),
  );
}

/** Every text with its `{{name}}` (or Go's `{{.name}}`) put in. */
function substituted(value: Json, parameters: Parameters, unknown: Set<string>): Json {
  if (typeof value === 'string') {
    return value.replaceAll(/\{\{-?\s*(.*?)\s*-?\}\}/g, (whole, expression: string) => {
      const known = parameters.get(expression.replace(/^\./, '').replace(/^index \.path\.segments (\d+)$/, 'path[$1]'));
      if (known === undefined) unknown.add(whole.slice(0, 80));
      return known ?? '';
    });
  }
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substituted(item, parameters, unknown)]));
  return Array.isArray(value) ? value.map((item: Json) => substituted(item, parameters, unknown)) : value;
}
