import { API_VERSION, type DeclarationKind, DECLARATION_SCHEMAS } from '#model/declaration-schemas.ts';
import type { Capsule, Device, Environment, EnvironmentLock, Fleet, Policy, Project } from '#model/declarations.generated.ts';
import type { Declared, SourceFile, TargetDeclaration } from '#model/desired.ts';
import { checkBySchema, type SchemaFinding } from '#model/json-schema.ts';
import { isJsonObject, type Json, type JsonObject, valueAt } from '#model/json.ts';
import { isName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { isVersion } from '#model/version.ts';
import type { BlockMemory } from '#model/yaml-plain.ts';
import { parseYamlText, type YamlText } from '#model/yaml-text.ts';
import { type DocumentPath, documentPath, type ParsedDocument } from './documents.ts';
import { problemOf } from './finding.ts';

export interface ParsedDeclaration {
  /** Undefined when there are problems that forbid using the file. */
  readonly document: ParsedDocument | undefined;
  readonly problems: readonly Problem[];
  /** The version of a capsule whose only mistake is V-05: history may hold it, and V-06 looks at it. */
  readonly refusedVersion?: string;
}

const KINDS = {
  project: 'Project',
  environment: 'Environment',
  lock: 'EnvironmentLock',
  fleet: 'Fleet',
  device: 'Device',
  policy: 'Policy',
  capsule: 'Capsule',
} as const satisfies Partial<Record<DocumentPath['kind'], DeclarationKind>>;

/** Schema of a file below targets/: one entry of spec.targets. */
const TARGET_SCHEMA: JsonObject = { $ref: '#/$defs/target', $defs: DECLARATION_SCHEMAS.Environment['$defs'] ?? {} };
const CONFIG_SCHEMA: JsonObject = { type: 'object' };

/** Parses one declaration; a function of path and bytes alone, so it can be kept by path and blob id. */
export function parseDocument(file: SourceFile, blocks?: BlockMemory): ParsedDeclaration {
  const shown = visibleText(file.path, 300);
  const where = documentPath(file.path);
  if (where === undefined) throw new Error(`not a declaration: ${shown}`);
  if (isLfsPointer(file.bytes)) return { document: undefined, problems: [lfsProblem(shown)] };
  const shared = where.kind === 'lock' ? blocks : undefined;
  const parsed = parseYamlText(file.bytes, shown, { blocks: shared });
  if (!parsed.ok) return { document: undefined, problems: parsed.problems };
  const text = parsed.value;
  const header = headerProblems(where, text);
  if (header.length > 0) return { document: undefined, problems: header };
  const findings = shared !== undefined && isGoodLock(text.value, shared) ? [] : checkBySchema(schemaOf(where), text.value);
  const problems = findings.map((finding) => problemOfSchema(finding, text));
  problems.push(...identityProblems(where, text));
  if (problems.length > 0) {
    const version = valueAt(text.value, '/metadata/version');
    const isOnlyVersion = where.kind === 'capsule' && problems.every((problem) => problem.code === 'version-not-semver');
    return { document: undefined, problems, ...(isOnlyVersion && typeof version === 'string' ? { refusedVersion: version } : {}) };
  }
  return { document: documentOf(where, { file, shown, text }), problems: [] };
}

/** Whether a lock obeys its schema, asked of what no lock before it had: each entry is judged by itself. */
function isGoodLock(lock: Json, { checked }: BlockMemory): boolean {
  const entries = valueAt(lock, '/capsules');
  if (!isJsonObject(lock) || !isJsonObject(entries)) return false;
  const fresh = Object.entries(entries).filter(([, entry]) => !isJsonObject(entry) || !checked.has(entry));
  if (checkBySchema(DECLARATION_SCHEMAS.EnvironmentLock, { ...lock, capsules: Object.fromEntries(fresh) }).length > 0) return false;
  for (const [, entry] of fresh) if (isJsonObject(entry)) checked.add(entry);
  return true;
}

const LFS_HEADER = Buffer.from('version https://git-lfs.github.com/spec/');

function isLfsPointer(bytes: Uint8Array): boolean {
  return LFS_HEADER.equals(bytes.subarray(0, LFS_HEADER.length));
}

function lfsProblem(file: string): Problem {
  return problemOf({
    code: 'lfs-pointer',
    place: { file, line: 1, column: 1, pointer: '' },
    message: `${file} is a pointer to a large file, not the file itself`,
    remedy: 'Keep declarations in git itself: take the path out of .gitattributes and commit the text.',
  });
}

function schemaOf(where: DocumentPath): JsonObject {
  if (where.kind === 'target') return TARGET_SCHEMA;
  return where.kind === 'config' ? CONFIG_SCHEMA : DECLARATION_SCHEMAS[KINDS[where.kind]];
}

/** A document of another apiVersion is not judged by this schema: its fields may mean something we do not know. */
function headerProblems(where: DocumentPath, text: YamlText): readonly Problem[] {
  if (where.kind === 'target' || where.kind === 'config') return [];
  const version = valueAt(text.value, '/apiVersion');
  if (typeof version !== 'string' || version === API_VERSION) return [];
  return [
    problemOf({
      code: 'unknown-api-version',
      place: text.at('/apiVersion'),
      message: `apiVersion ${quoted(version)} is not known to this Capstan${didYouMean(version, [API_VERSION])}`,
      remedy: `Write ${API_VERSION}, or use a Capstan that knows this format.`,
    }),
  ];
}

function identityProblems(where: DocumentPath, text: YamlText): readonly Problem[] {
  const problems: Problem[] = [];
  const name = valueAt(text.value, where.kind === 'lock' ? '/metadata/environment' : '/metadata/name');
  const directory =
    where.kind === 'capsule' ? where.name : where.kind === 'environment' || where.kind === 'lock' ? where.environment : undefined;
  if (directory !== undefined && typeof name === 'string' && name !== directory) {
    const kind = where.kind === 'capsule' ? 'capsule' : 'environment';
    const field = where.kind === 'lock' ? 'metadata.environment' : 'metadata.name';
    problems.push(
      problemOf({
        code: 'directory-name-differs',
        rule: 'V-03',
        place: text.at(where.kind === 'lock' ? '/metadata/environment' : '/metadata/name'),
        message: `${kind} directory ${quoted(directory)} must be named like ${field} ${quoted(name)}`,
        remedy: `Rename the directory to ${visibleText(name, 60)}, or correct ${field}.`,
      }),
    );
  }
  const loose = where.kind === 'target' || where.kind === 'config' ? where : undefined;
  if (loose !== undefined && !loose.name.split('.').every(isName)) {
    problems.push(
      problemOf({
        code: 'bad-format',
        place: text.at(''),
        message: `${quoted(loose.name)} cannot be the name of a ${loose.kind === 'target' ? 'target' : 'configuration layer'}`,
        remedy: 'Name the file after its target or instance: lower-case letters, digits and hyphens, at most 40 characters.',
      }),
    );
  }
  if (where.kind === 'capsule') problems.push(...versionProblems(text));
  return problems;
}

function versionProblems(text: YamlText): readonly Problem[] {
  const version = valueAt(text.value, '/metadata/version');
  if (typeof version !== 'string' || isVersion(version)) return [];
  const why = version.includes('+') ? ' (build metadata does not order versions)' : '';
  return [
    problemOf({
      code: 'version-not-semver',
      rule: 'V-05',
      place: text.at('/metadata/version'),
      message: `version ${quoted(version)} must be SemVer without build metadata${why}`,
      remedy: 'Write three numbers, such as 1.4.2, with an optional prerelease, such as 1.4.2-rc.1.',
    }),
  ];
}

/** Numbers where texts are wanted are quoted as they were written: `1.10` is not 1.1. */
function problemOfSchema(finding: SchemaFinding, text: YamlText): Problem {
  const value = valueAt(text.value, finding.pointer);
  const source = text.sourceAt(finding.pointer);
  const place = finding.onKey ? text.keyAt(finding.pointer) : text.at(finding.pointer);
  if (
    finding.code === 'wrong-type' &&
    (typeof value === 'number' || typeof value === 'boolean') &&
    source !== undefined &&
    finding.message.includes('a text')
  ) {
    const word = typeof value === 'number' ? 'a number' : 'true or false';
    return problemOf({
      code: 'unquoted-text',
      place,
      message: `${visibleText(finding.pointer)} must be a text; ${visibleText(source, 60)} without quotes is ${word}`,
      remedy: `Write "${visibleText(source, 60)}" in quotes.`,
    });
  }
  return problemOf({ code: finding.code, place, message: finding.message, remedy: finding.remedy });
}

interface ReadFile {
  readonly file: SourceFile;
  readonly shown: string;
  readonly text: YamlText;
}

function documentOf(where: DocumentPath, read: ReadFile): ParsedDocument {
  switch (where.kind) {
    case 'project':
      return { kind: 'project', declared: declared<Project>(read) };
    case 'policy':
      return { kind: 'policy', declared: declared<Policy>(read) };
    case 'environment':
      return { ...where, kind: 'environment', declared: declared<Environment>(read) };
    case 'lock':
      return { ...where, kind: 'lock', declared: declared<EnvironmentLock>(read) };
    case 'fleet':
      return { ...where, kind: 'fleet', declared: declared<Fleet>(read) };
    case 'device':
      return { ...where, kind: 'device', declared: declared<Device>(read) };
    case 'target':
      return { ...where, kind: 'target', declared: declared<TargetDeclaration>(read) };
    case 'config':
      return { ...where, kind: 'config', declared: declared<JsonObject>(read) };
    case 'capsule':
      return { ...where, kind: 'capsule', declared: declared<Capsule>(read) };
  }
}

/** The one cast of a document: its schema has just accepted it. */
function declared<T>(read: ReadFile): Declared<T> {
  const value: Json = isJsonObject(read.text.value) ? read.text.value : {};
  return { value: value as T, file: read.shown, blob: read.file.id, at: (pointer) => read.text.at(pointer) };
}
