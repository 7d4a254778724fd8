import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { visibleText } from '#model/quoted.ts';
import { addressesIn, isHarmlessPlugin, kustomizationTricks } from './kustomization-addresses.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { report } from './scope.ts';
import { fileText } from './template.ts';

const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
/** Lists of files and folders, which kustomize would otherwise take for addresses and fetch. */
const FOLDERS_OR_FILES = ['resources', 'bases', 'components'];
/** Lists of files, or of their texts, that say themselves which files they want. */
const PLUGINS = ['generators', 'transformers', 'validators'];
const FILES = ['crds', 'configurations', 'patchesStrategicMerge'];
/** Lists of entries with a file in `path`. */
const WITH_PATH = ['patches', 'patchesJson6902', 'replacements'];
const GENERATORS = ['configMapGenerator', 'secretGenerator'];
const MOST_FOLDERS = 200;

interface Reference {
  readonly field: string;
  readonly text: string;
  readonly folderAllowed: boolean;
}

/**
 * Every file and folder that a kustomization names, and that those name, lies in the capsule: then nothing is left that kustomize
 * would fetch. Its program is run without network beside that.
 */
export function checkKustomization(scope: Scope, part: Part, path: string): void {
  const pointer = `${part.pointer}/source/path`;
  const waiting = [path];
  const seen = new Set(waiting);
  for (const folder of waiting) {
    const file = kustomizationIn(scope, folder);
    if (file === undefined) {
      refuse(scope, pointer, `${visibleText(folder)} has no kustomization.yaml`, 'Add one, or name the folder that has it.');
      continue;
    }
    const text = fileText(scope, file, pointer);
    const read = text === undefined ? undefined : readKubernetesYaml(text, `${scope.unit.capsule.directory}/${file}`);
    if (read === undefined) continue;
    if (!read.ok) {
      scope.problems.push(...read.problems);
      continue;
    }
    const document = read.value[0]?.value;
    if (!isJsonObject(document)) {
      refuse(scope, pointer, `${visibleText(file)} is not a kustomization`, 'Write a map with resources.');
      continue;
    }
    const references = referencesOf(scope, pointer, { file, document });
    refuseTricks(scope, pointer, { file, text: text ?? '', document, named: new Set(references.map((reference) => reference.text)) });
    for (const reference of references) {
      const target = resolved(folder, reference.text);
      const isFile = target !== undefined && scope.unit.capsule.files.has(target);
      if (isFile) continue;
      if (target === undefined || !reference.folderAllowed || !hasFolder(scope, target)) {
        refuse(
          scope,
          pointer,
          `${visibleText(file)}: ${reference.field} names ${visibleText(JSON.stringify(reference.text), 160)}, which is not in the capsule`,
          'Copy it into the capsule and name it by a relative path: nothing is fetched while rendering.',
        );
      } else if (!seen.has(target)) {
        if (seen.size >= MOST_FOLDERS)
          return refuse(scope, pointer, `${visibleText(path)} has more than ${MOST_FOLDERS} folders`, 'Put some of them together.');
        seen.add(target);
        waiting.push(target);
      }
    }
  }
}

/** What our reading of the file and that of kustomize could differ in, and what is loaded by other ways than the lists of files. */
function refuseTricks(
  scope: Scope,
  pointer: string,
  from: { readonly file: string; readonly text: string; readonly document: JsonObject; readonly named: ReadonlySet<string> },
): void {
  const { file, text, document, named } = from;
  const remedy = 'Write the fields as kustomize documents them, and name files of the capsule: nothing is fetched while rendering.';
  for (const trick of kustomizationTricks(text, document)) refuse(scope, pointer, `${visibleText(file)} ${trick}`, remedy);
  for (const address of addressesIn(document)) {
    if (named.has(address) || named.has(address.slice(address.indexOf('=') + 1))) continue;
    refuse(scope, pointer, `${visibleText(file)} names ${visibleText(JSON.stringify(address), 160)}, which is not in the capsule`, remedy);
  }
  const folder = file.slice(0, Math.max(0, file.lastIndexOf('/')));
  for (const field of PLUGINS) {
    for (const plugin of texts(document[field])) {
      const target = resolved(folder, plugin);
      const found = target !== undefined && scope.unit.capsule.files.has(target) ? fileText(scope, target, pointer) : plugin;
      const isThere = found !== plugin || plugin.includes('\n') || isInline(plugin);
      if (isThere && (found === undefined || isHarmlessPlugin(found))) continue;
      const words = isThere ? 'which names what is not in the capsule' : 'which is not a file of the capsule';
      refuse(scope, pointer, `${visibleText(file)}: ${field} names ${visibleText(JSON.stringify(plugin), 160)}, ${words}`, remedy);
    }
  }
}

function kustomizationIn(scope: Scope, folder: string): string | undefined {
  const prefix = folder === '' ? '' : `${folder}/`;
  return NAMES.map((name) => `${prefix}${name}`).find((file) => scope.unit.capsule.files.has(file));
}

function hasFolder(scope: Scope, folder: string): boolean {
  return folder === '' || [...scope.unit.capsule.files.keys()].some((file) => file.startsWith(`${folder}/`));
}

function referencesOf(
  scope: Scope,
  pointer: string,
  { file, document }: { readonly file: string; readonly document: JsonObject },
): readonly Reference[] {
  for (const field of ['helmCharts', 'helmChartInflationGenerator']) {
    if (document[field] === undefined) continue;
    refuse(scope, pointer, `${visibleText(file)} has ${field}, which fetches and runs charts`, 'Make the chart a component of kind Helm.');
  }
  const openapi = document['openapi'];
  const schema = isJsonObject(openapi) ? openapi['path'] : undefined;
  return [
    ...FOLDERS_OR_FILES.flatMap((field) => texts(document[field]).map((text) => ({ field, text, folderAllowed: true }))),
    ...FILES.flatMap((field) => texts(document[field]).map((text) => ({ field, text, folderAllowed: false }))),
    ...WITH_PATH.flatMap((field) =>
      objects(document[field]).flatMap(({ path }) => texts([path ?? null]).map((text) => ({ field, text, folderAllowed: false }))),
    ),
    ...GENERATORS.flatMap((field) =>
      objects(document[field]).flatMap((entry) => generated(entry).map((text) => ({ field, text, folderAllowed: false }))),
    ),
    ...texts([schema ?? null]).map((text) => ({ field: 'openapi', text, folderAllowed: false })),
  ].filter(({ text }) => !text.includes('\n') && !isInline(text));
}

function generated(entry: JsonObject): readonly string[] {
  const { files, envs, env } = entry;
  return [...texts(files).map((text) => text.slice(text.indexOf('=') + 1)), ...texts(envs), ...texts([env ?? null])];
}

/** Patches and generators may stand there themselves, instead of their file. */
function isInline(text: string): boolean {
  return /^\s*[{[]/.test(text) || /^[\w-]+:\s/.test(text);
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item: Json): item is string => typeof item === 'string' && item !== '') : [];
}

function objects(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: Json): item is JsonObject => isJsonObject(item)) : [];
}

/** A path from the capsule's own directory; undefined for what leaves it, is absolute or is an address. */
function resolved(folder: string, text: string): string | undefined {
  if (text.startsWith('/') || text.includes('\\') || text.includes('\0') || /^[a-z][a-z0-9+.-]*:/i.test(text)) return undefined;
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

function refuse(scope: Scope, pointer: string, message: string, remedy: string): void {
  report(scope, pointer, { code: 'kustomization-invalid', rule: undefined, message, remedy });
}
