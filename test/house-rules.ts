import { parseSync } from 'oxc-parser';

import { CHAPTERS, folderRule, FORBIDDEN_NAMES, IMPURE, IMPURE_CRYPTO, PUBLIC_FOLDERS } from './house-table.ts';

export interface HouseFile {
  /** Relative to the repository: `src/plan/plan.ts`. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly from: string;
  readonly names: readonly string[];
}

const LONGEST_FILE = 400;
/** The files of the core that load packages later than at its start. */
const LOADS_ON_DEMAND: ReadonlySet<string> = new Set(['src/model/on-demand.ts', 'src/render/handlebars.ts']);

/** Every broken rule of the house, one sentence each, in order of files. */
export function brokenRules(files: readonly HouseFile[]): readonly string[] {
  return files.flatMap((file) => [...judgeName(file), ...judgeText(file)].map((sentence) => `${file.path}: ${sentence}`));
}

/** `plan` for src/plan/x.ts, `adapters/git` for src/adapters/git/x.ts, `main.ts` for src/main.ts. */
export function folderOf(path: string): string {
  const [, first = '', second = '', ...rest] = path.split('/');
  return first === 'adapters' && rest.length > 0 ? `${first}/${second}` : first;
}

function judgeName(file: HouseFile): readonly string[] {
  const names = file.path
    .split('/')
    .slice(1)
    .map((name) => name.replace(/(\.generated)?\.(ts|cjs)$/, ''));
  const drawer = names.find((name) => FORBIDDEN_NAMES.has(name));
  const odd = names.find((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name));
  return [
    ...(drawer === undefined ? [] : [`"${drawer}" is a drawer; find the noun`]),
    ...(odd === undefined ? [] : [`"${odd}" is not kebab-case`]),
  ];
}

function judgeText(file: HouseFile): readonly string[] {
  if (!file.path.endsWith('.ts')) return [];
  const folder = folderOf(file.path);
  const rule = folderRule(folder);
  if (rule === undefined) return [`folder ${folder} is not in the table of the house`];
  const parsed = parseSync(file.path, file.text);
  if (parsed.errors.length > 0) return [`does not parse: ${parsed.errors[0]?.message}`];
  const lines = file.text.split('\n').length - 1;
  return [
    ...(lines > LONGEST_FILE && !file.path.endsWith('.generated.ts') ? [`has ${lines} lines; ${LONGEST_FILE} is the most`] : []),
    ...judgeExports(parsed.module.staticExports),
    ...importsOf(parsed, file.text).flatMap((each) => judgeImport(folder, each)),
    ...(CHAPTERS.has(folder) || folder === 'model' ? judgePurity(file.path, parsed.program) : []),
  ];
}

function judgeExports(exports: ReturnType<typeof parseSync>['module']['staticExports']): readonly string[] {
  const entries = exports.flatMap((each) => each.entries);
  return [
    ...(entries.some((entry) => entry.exportName.kind === 'Default') ? ['has a default export'] : []),
    ...(entries.some((entry) => entry.moduleRequest !== null) ? ['re-exports another module'] : []),
  ];
}

function importsOf(parsed: ReturnType<typeof parseSync>, text: string): readonly Import[] {
  const named = parsed.module.staticImports.map((each) => ({
    from: each.moduleRequest.value,
    names: each.entries.flatMap((entry) => entry.importName.name ?? []),
  }));
  const dynamic = parsed.module.dynamicImports.map((each) => ({
    from: text.slice(each.moduleRequest.start, each.moduleRequest.end).replace(/^['"`]|['"`]$/g, ''),
    names: [],
  }));
  const types: Import[] = [];
  walk(parsed.program, (node) => {
    if (node['type'] === 'TSImportType' && isNode(node['source'])) types.push({ from: String(node['source']['value']), names: [] });
  });
  return [...named, ...dynamic, ...types];
}

function judgeImport(folder: string, { from, names }: Import): readonly string[] {
  if (from.split('/').includes('..')) return [`imports ${from}; other folders are imported by #`];
  if (/(^|\/)index(\.[a-z]+)?$/.test(from)) return [`imports ${from}; a folder's door has the folder's name`];
  if (from.startsWith('.')) return from.endsWith('.ts') || from.endsWith('.json') ? [] : [`imports ${from} without its ending`];
  if (from.startsWith('#')) return judgeEdge(folder, from);
  return judgePackage(folder, from, names);
}

function judgeEdge(folder: string, from: string): readonly string[] {
  const target = folderOf(`src/${from.slice(1)}`);
  if (target === folder) return [];
  if (folderRule(folder)?.folders.includes(target) !== true) return [`${folder} imports ${from}; it may not know ${target}`];
  if (target === 'schemas' || /\.(ts|json)$/.test(target) || PUBLIC_FOLDERS.has(target)) return [];
  const door = `#${target}/${target.split('/').at(-1)}.ts`;
  return from === door || folderRule(target)?.doors?.includes(from) === true ? [] : [`imports ${from}; the door is ${door}`];
}

function judgePackage(folder: string, from: string, names: readonly string[]): readonly string[] {
  const name = from.startsWith('node:') ? from : from.split('/', from.startsWith('@') ? 2 : 1).join('/');
  const rule = folderRule(folder);
  const allowed = rule?.packages.includes(name) === true || (rule?.packages.includes('node:*') === true && name.startsWith('node:'));
  if (!allowed) return [`${folder} imports the package ${name}, which has another address`];
  const chapter = CHAPTERS.has(folder) || folder === 'model';
  const impure = chapter && name === 'node:crypto' ? names.filter((each) => IMPURE_CRYPTO.has(each)) : [];
  return impure.map((each) => `imports ${each} of node:crypto; the core has no randomness`);
}

function judgePurity(path: string, program: unknown): readonly string[] {
  const found = new Set<string>();
  walk(program, (node, parent, key) => {
    if (node['async'] === true) found.add('an async function');
    if (node['type'] === 'AwaitExpression') found.add('await');
    if (node['type'] === 'ImportExpression') found.add('a dynamic import');
    if (node['type'] === 'MetaProperty' && !LOADS_ON_DEMAND.has(path)) found.add('import.meta');
    if (isMathRandom(node)) found.add('Math.random');
    if (node['type'] !== 'Identifier' || isOnlyAName(parent, key)) return;
    const name = String(node['name']);
    if (IMPURE.has(name) && !(IMPURE.get(name)?.includes(path) === true)) found.add(name);
  });
  return [...found].map((what) => `uses ${what}; the core is silent and timeless`);
}

function isMathRandom(node: Readonly<Record<string, unknown>>): boolean {
  const { object, property } = node;
  return (
    node['type'] === 'MemberExpression' && isNode(object) && isNode(property) && object['name'] === 'Math' && property['name'] === 'random'
  );
}

/** The name of a property or key, which is no use of the global of that name. */
function isOnlyAName(parent: Readonly<Record<string, unknown>> | undefined, key: string): boolean {
  if (parent === undefined || parent['computed'] === true) return false;
  return (
    (key === 'property' && parent['type'] === 'MemberExpression') ||
    (key === 'key' && parent['shorthand'] !== true) ||
    (key === 'right' && parent['type'] === 'TSQualifiedName')
  );
}

type Visit = (node: Readonly<Record<string, unknown>>, parent: Readonly<Record<string, unknown>> | undefined, key: string) => void;

function walk(node: unknown, visit: Visit, parent?: Readonly<Record<string, unknown>>, key = ''): void {
  if (Array.isArray(node)) {
    for (const each of node) walk(each, visit, parent, key);
    return;
  }
  if (!isNode(node)) return;
  if (typeof node['type'] === 'string') visit(node, parent, key);
  for (const [name, child] of Object.entries(node)) walk(child, visit, node, name);
}

function isNode(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
