import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { isJsonObject, type Json, pointerToken, valueAt } from '#model/json.ts';
import { placeInFile, type Problem } from '#model/problem.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { parseYamlText } from '#model/yaml-text.ts';

interface FileReference {
  readonly pointer: string;
  readonly path: string;
  readonly folder: boolean;
}

/** V-11 to V-13: files that a capsule names; V-14: its changelog. */
export function fileProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap((capsule) => [
    ...fileReferences(capsule).flatMap((reference) => referenceProblems(capsule, reference)),
    ...versionFileProblems(capsule),
    ...changelogProblems(capsule),
    ...unusedObjectives(context, capsule),
  ]);
}

/** OpenSLO documents of the capsule's own directory that neither it nor what extends it names. */
function unusedObjectives({ state }: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const files = [...capsule.contents].flatMap(([path, bytes]) =>
    /^slo\/.*\.ya?ml$/.test(path) &&
    (capsule.directoryOf?.(path) ?? capsule.directory) === capsule.directory &&
    /^apiVersion:\s*["']?openslo\//m.test(new TextDecoder().decode(bytes))
      ? [path]
      : [],
  );
  if (files.length === 0) return [];
  const users = state.capsules.filter((one) => one.name === capsule.name || one.parents?.some((parent) => parent.name === capsule.name));
  const named = new Set(users.flatMap(({ declared }) => declared.value.spec.slo?.files ?? []));
  return files
    .filter((path) => !named.has(path))
    .map((path) =>
      problemOf({
        code: 'slo-unused',
        severity: 'warning',
        place: placeInFile(`${capsule.directory}/${path}`),
        message: `${visibleText(path)} holds objectives that spec.slo.files does not name: they are not rendered`,
        remedy: `Add ${quoted(path)} to spec.slo.files of ${capsule.directory}/capsule.yaml, or delete the file.`,
      }),
    );
}

/** V-14, where there is a changelog: `## 1.2.3`, `## [1.2.3] - date` and `## v1.2.3` count. */
function changelogProblems(capsule: CapsuleSource): readonly Problem[] {
  const bytes = capsule.contents.get('CHANGELOG.md');
  const { version } = capsule.declared.value.metadata;
  if (bytes === undefined) return [];
  const titles = new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .flatMap((line) =>
      line.startsWith('## ') ? [(line.slice(3).trim().split(/\s/)[0] ?? '').replace(/^\[(.*)\]$/, '$1').replace(/^v/, '')] : [],
    );
  if (titles.includes(version)) return [];
  const message = `CHANGELOG.md has no section for ${version}`;
  const place = placeInFile(`${capsule.directory}/CHANGELOG.md`);
  return [
    problemOf({
      code: 'changelog-lacks-version',
      rule: 'V-14',
      severity: 'warning',
      place,
      message,
      remedy: `Add "## ${version}" and what changed.`,
    }),
  ];
}

/** Every place of a capsule.yaml that names a file of the capsule. */
function fileReferences(capsule: CapsuleSource): readonly FileReference[] {
  const { spec } = capsule.declared.value;
  const out: FileReference[] = [];
  const add = (pointer: string, path: string | undefined, folder = false): void => {
    if (path !== undefined) out.push({ pointer, path, folder });
  };
  for (const [name, component] of Object.entries(spec.components ?? {})) {
    const base = `/spec/components${pointerToken(name)}`;
    for (const [target, file] of Object.entries(component.files ?? {})) {
      const at = `${base}/files${pointerToken(target)}`;
      if (file.template === undefined) add(`${at}/file`, file.file);
      else add(`${at}/template`, file.template);
    }
    const { kind, source } = component;
    // What stands for something outside may be a path in there; a chart or kustomization lies in the capsule, wherever it came from.
    const isHere = kind === 'Helm' || kind === 'Kustomize' || (source?.repo === undefined && source?.url === undefined);
    if (isHere) add(`${base}/source/path`, source?.path, true);
  }
  for (const [name, provided] of Object.entries(spec.provides ?? {})) add(`/spec/provides${pointerToken(name)}/openapi`, provided.openapi);
  if (typeof spec.config?.schema === 'string') add('/spec/config/schema', spec.config.schema);
  for (const [index, file] of (spec.slo?.files ?? []).entries()) add(`/spec/slo/files/${index}`, file);
  for (const [index, file] of (spec.observability?.dashboards ?? []).entries()) add(`/spec/observability/dashboards/${index}`, file);
  for (const [index, file] of (spec.versionFiles ?? []).entries()) add(`/spec/versionFiles/${index}/path`, file.path);
  return out;
}

function referenceProblems(capsule: CapsuleSource, reference: FileReference): readonly Problem[] {
  const { pointer, path } = reference;
  const place = capsule.declared.at(pointer);
  if (leavesFolder(path)) {
    return [
      problemOf({
        code: 'file-outside-capsule',
        rule: 'V-11',
        place,
        message: `${pointer} refers to ${quoted(path)}, which is outside the capsule directory`,
        remedy: `Name a path below ${capsule.directory}.`,
      }),
    ];
  }
  // What configuration puts in is known when it is rendered.
  if (reference.folder && path.includes('{{')) return [];
  // One file has one spelling: what is rendered looks paths up as they are written.
  if (capsule.contents.has(path) || (reference.folder && hasFolder(capsule, path.replace(/\/+$/, '')))) return [];
  const plain = plainPath(path);
  const isThere = capsule.contents.has(plain) || (reference.folder && hasFolder(capsule, plain));
  return [
    problemOf({
      code: 'file-missing',
      rule: 'V-12',
      place,
      message: `${pointer} refers to ${quoted(path)}, which does not exist in the capsule${didYouMean(plain, capsule.contents.keys())}`,
      remedy: isThere
        ? `Write ${quoted(plain)}, the path from the capsule's own directory.`
        : `Add ${capsule.directory}/${visibleText(plain)}, or correct the path.`,
    }),
  ];
}

function leavesFolder(path: string): boolean {
  if (path.startsWith('/') || path.includes('\\') || /^[a-zA-Z]:/.test(path)) return true;
  return path.split('/').includes('..');
}

function plainPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function hasFolder(capsule: CapsuleSource, folder: string): boolean {
  return folder === '' || capsule.files.some((file) => file.path.startsWith(`${folder}/`));
}

/** V-13. */
function versionFileProblems(capsule: CapsuleSource): readonly Problem[] {
  const { metadata, spec } = capsule.declared.value;
  return (spec.versionFiles ?? []).flatMap(({ path, pointer }, index) => {
    const bytes = leavesFolder(path) ? undefined : capsule.contents.get(plainPath(path));
    if (bytes === undefined) return [];
    const found = valueAt(readData(path, bytes), pointer);
    if (found === metadata.version) return [];
    const shown = found === undefined ? 'absent' : typeof found === 'string' ? quoted(found, 80) : 'no text';
    return [
      problemOf({
        code: 'version-file-differs',
        rule: 'V-13',
        place: capsule.declared.at(`/spec/versionFiles/${index}`),
        message: `${visibleText(path)}${pointer} is ${shown} but metadata.version is ${quoted(metadata.version)}`,
        remedy: `Write ${metadata.version} there, or correct metadata.version.`,
      }),
    ];
  });
}

function readData(path: string, bytes: Uint8Array): Json | undefined {
  if (/\.ya?ml$/.test(path)) {
    const parsed = parseYamlText(bytes, path);
    return parsed.ok ? parsed.value.value : undefined;
  }
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isJson(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isJson(value: unknown): value is Json {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value) || Array.isArray(value) || isJsonObject(value as Json);
}
