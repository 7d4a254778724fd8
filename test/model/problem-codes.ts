import { parseSync, Visitor } from 'oxc-parser';

export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** One place of the source that makes a problem. */
export interface CodeSite {
  readonly path: string;
  readonly code: string;
  /** What stands beside the code: a rule, undefined where the source says that there is none, `'unknown'` where it is decided elsewhere. */
  readonly rule: string | undefined;
}

export interface CodeSearch {
  readonly sites: readonly CodeSite[];
  /** A code that no reader of the syntax can follow; there must be none. */
  readonly lost: readonly string[];
}

type Node = { readonly type: string; readonly start: number; readonly [key: string]: unknown };

interface Shape {
  readonly parameters: readonly (string | undefined)[];
}

interface FileFacts {
  readonly file: SourceText;
  /** `const NAME = {...}` or `'text'` anywhere in the file. */
  readonly constants: ReadonlyMap<string, Node>;
  readonly functions: ReadonlyMap<string, Shape>;
  readonly imported: ReadonlySet<string>;
  readonly exported: ReadonlySet<string>;
}

/**
 * Every problem code that the source can produce, by its syntax: the property `code` of an object, an argument for a parameter
 * called `code`, the members of a type of a property `code` or of a type called ...Code. Tables, conditions and `??` are followed.
 */
export function findProblemCodes(files: readonly SourceText[]): CodeSearch {
  const sites: CodeSite[] = [];
  const lost: string[] = [];
  const facts = files.map(factsOf);
  const shared = new Map(facts.flatMap((item) => [...item.functions].filter(([name]) => item.exported.has(name))));
  for (const item of facts) {
    const found = searchFile(item, (name) => item.functions.get(name) ?? (item.imported.has(name) ? shared.get(name) : undefined));
    sites.push(...found.sites);
    lost.push(...found.lost);
  }
  return { sites, lost };
}

function factsOf(file: SourceText): FileFacts {
  const constants = new Map<string, Node>();
  const functions = new Map<string, Shape>();
  const imported = new Set<string>();
  const exported = new Set<string>();
  const remember = (name: string, node: { readonly params: readonly unknown[] }): void =>
    void functions.set(name, { parameters: node.params.map((parameter) => nameOf(parameter)) });
  const { program } = parseSync(file.path, file.text);
  new Visitor({
    VariableDeclarator: (node) => {
      if (node.id.type !== 'Identifier' || node.init === null) return;
      const value = bare(toNode(node.init));
      constants.set(node.id.name, value);
      if (node.init.type === 'ArrowFunctionExpression') remember(node.id.name, node.init);
    },
    FunctionDeclaration: (node) => {
      if (node.id !== null) remember(node.id.name, node);
    },
    ExportNamedDeclaration: ({ declaration }) => {
      if (declaration?.type === 'FunctionDeclaration' && declaration.id !== null) exported.add(declaration.id.name);
      if (declaration?.type !== 'VariableDeclaration') return;
      for (const { id } of declaration.declarations) if (id.type === 'Identifier') exported.add(id.name);
    },
    ImportSpecifier: (node) => void imported.add(node.local.name),
  }).visit(program);
  return { file, constants, functions, imported, exported };
}

function searchFile(facts: FileFacts, shapeOf: (name: string) => Shape | undefined): CodeSearch {
  const { file } = facts;
  const sites: CodeSite[] = [];
  const lost: string[] = [];
  const rules = (node: Node | undefined): CodeSite['rule'] => (node === undefined ? 'unknown' : ruleOf(node));
  const take = (node: Node, rule: CodeSite['rule']): void => {
    const codes = codesOf(node, facts);
    if (codes === undefined) lost.push(`${file.path}: ${file.text.slice(node.start, node.start + 60).split('\n')[0]}`);
    else sites.push(...codes.map((code) => ({ path: file.path, code, rule })));
  };
  const { program } = parseSync(file.path, file.text);
  new Visitor({
    ObjectExpression: (node) => {
      const properties = new Map(
        node.properties.flatMap((each) => (each.type === 'Property' ? [[nameOf(each.key) ?? '', toNode(each.value)] as const] : [])),
      );
      const code = properties.get('code');
      if (code === undefined || code.type === 'ObjectExpression') return;
      take(code, rules(properties.get('rule')));
    },
    CallExpression: (node) => {
      const shape = node.callee.type === 'Identifier' ? shapeOf(node.callee.name) : undefined;
      const at = shape?.parameters.indexOf('code') ?? -1;
      if (shape === undefined || at < 0) return;
      const argument = node.arguments[at];
      const rule = node.arguments[shape.parameters.indexOf('rule')];
      if (argument !== undefined) take(toNode(argument), rules(rule === undefined ? undefined : toNode(rule)));
    },
    TSPropertySignature: (node) => {
      if (nameOf(node.key) === 'code' && node.typeAnnotation) take(toNode(node.typeAnnotation.typeAnnotation), 'unknown');
    },
    TSTypeAliasDeclaration: (node) => {
      if (node.id.name.endsWith('Code')) take(toNode(node.typeAnnotation), 'unknown');
    },
  }).visit(program);
  return { sites, lost };
}

/** The texts a node can be; none where another place of the search makes it; undefined where it cannot be followed. */
function codesOf(given: Node, facts: FileFacts): readonly string[] | undefined {
  const node = bare(given);
  switch (node.type) {
    case 'Literal':
      return typeof node['value'] === 'string' ? [node['value']] : [];
    case 'TSLiteralType':
      return codesOf(toNode(node['literal']), facts);
    case 'ConditionalExpression':
      return all([node['consequent'], node['alternate']], facts);
    case 'LogicalExpression':
      return all([node['left'], node['right']], facts);
    case 'TSUnionType':
      return all(listOf(node['types']), facts);
    // A member called `code` was made by another object, a table is read in whole.
    case 'MemberExpression':
      return nameOf(node['property']) === 'code' && node['computed'] !== true ? [] : tableOf(toNode(node['object']), facts);
    // A parameter or binding called `code` gets its value from its callers.
    case 'Identifier':
      return node['name'] === 'code' ? [] : constantOf(node, facts);
    case 'TSStringKeyword':
    case 'TSNumberKeyword':
    case 'TSTypeReference':
    case 'TSIndexedAccessType':
      return [];
    default:
      return undefined;
  }
}

function all(nodes: readonly unknown[], facts: FileFacts): readonly string[] | undefined {
  const found = nodes.map((node) => codesOf(toNode(node), facts));
  return found.some((codes) => codes === undefined) ? undefined : found.flatMap((codes) => codes ?? []);
}

function constantOf(node: Node, facts: FileFacts): readonly string[] | undefined {
  const constant = facts.constants.get(String(node['name']));
  return constant === undefined ? undefined : codesOf(constant, facts);
}

function tableOf(node: Node, facts: FileFacts): readonly string[] | undefined {
  const table = node.type === 'Identifier' ? facts.constants.get(String(node['name'])) : undefined;
  if (table?.type !== 'ObjectExpression') return undefined;
  return all(
    listOf(table['properties']).map((each) => toNode(each)['value']),
    facts,
  );
}

/** `x as const` and `x satisfies T` are x. */
function bare(node: Node): Node {
  return node.type === 'TSAsExpression' || node.type === 'TSSatisfiesExpression' ? bare(toNode(node['expression'])) : node;
}

function ruleOf(node: Node): CodeSite['rule'] {
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  return node.type === 'Identifier' && node['name'] === 'undefined' ? undefined : 'unknown';
}

function nameOf(node: unknown): string | undefined {
  const { type, name, value } = toNode(node);
  return type === 'Identifier' ? String(name) : type === 'Literal' ? String(value) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function toNode(value: unknown): Node {
  return value as Node;
}
