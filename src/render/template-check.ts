import type { Capsule } from '#model/declarations.generated.ts';
import type { Problem } from '#model/problem.ts';
import { compareText } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import { configurationSchema } from './preparation.ts';
import type { Shape } from './template-shape.ts';
import { elementShapes, knownMembers, memberShapes, variablesShape } from './template-shape.ts';
import { helperName, HELPERS, parseTemplate, partialName, refusedForm } from './template-syntax.ts';
import { partialText, textOf } from './template.ts';

export interface CheckedCapsule {
  readonly declaration: Capsule;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly directory: string;
}

type Expression = hbs.AST.Expression;
type Located = { readonly loc: hbs.AST.SourceLocation };

interface Walk {
  readonly capsule: CheckedCapsule;
  readonly file: string;
  readonly problems: Problem[];
  /** Partials being walked, outermost first. */
  readonly inside: readonly string[];
  readonly budget: { statements: number };
  /** Shapes of `this`, innermost first; undefined elements are anything. */
  readonly contexts: readonly (readonly Shape[])[];
  readonly root: readonly Shape[];
  readonly blockParams: ReadonlyMap<string, readonly Shape[]>;
  /** Dependencies and children that may be absent, but for those that a block around asks for. */
  readonly uncertain: ReadonlySet<string>;
}

const MOST_STATEMENTS = 50_000;

/** V-88 over every template file of a capsule, `files` of components included. */
export function checkTemplates(capsule: CheckedCapsule): readonly Problem[] {
  const shape = variablesShape(capsule.declaration, configurationSchema(capsule.declaration, capsule.files));
  const problems: Problem[] = [];
  for (const path of templateFiles(capsule)) {
    const text = textOf(capsule.files.get(path));
    const file = `${capsule.directory}/${path}`;
    if (text === undefined) {
      problems.push(problemAt(file, undefined, 'is not UTF-8 text of at most 1 MiB'));
      continue;
    }
    const walk: Walk = {
      capsule,
      file,
      problems,
      inside: [],
      budget: { statements: 0 },
      contexts: [[shape]],
      root: [shape],
      blockParams: new Map(),
      uncertain: uncertainOf(capsule.declaration),
    };
    walkText(walk, text);
  }
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const mark = JSON.stringify([problem.place, problem.message]);
    return seen.size < seen.add(mark).size;
  });
}

function templateFiles(capsule: CheckedCapsule): readonly string[] {
  const folder = `${(capsule.declaration.spec.render?.path ?? 'templates').replace(/\/+$/, '')}/`;
  const own = [...capsule.files.keys()].filter(
    (path) => path.endsWith('.hbs') && path.startsWith(folder) && !baseName(path).startsWith('_'),
  );
  const named = Object.values(capsule.declaration.spec.components ?? {}).flatMap((component) =>
    Object.values(component.files ?? {}).flatMap((file) =>
      file.template === undefined || !capsule.files.has(file.template) ? [] : [file.template],
    ),
  );
  return [...new Set([...own, ...named])].sort(compareText);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function walkText(walk: Walk, text: string): void {
  const parsed = parseTemplate(text);
  if (parsed.ok) walkProgram(walk, parsed.program);
  else walk.problems.push(problemAt(walk.file, parsed.issue.line, `does not parse: ${parsed.issue.message}`, parsed.issue.column));
}

function walkProgram(walk: Walk, program: hbs.AST.Program | undefined | null): void {
  for (const statement of program?.body ?? []) {
    walk.budget.statements += 1;
    if (walk.budget.statements > MOST_STATEMENTS) {
      if (walk.budget.statements === MOST_STATEMENTS + 1)
        report(walk, statement, `has more than ${MOST_STATEMENTS} statements with its partials`);
      return;
    }
    const refusal = refusedForm(statement);
    if (refusal !== undefined) {
      report(walk, statement, refusal);
      continue;
    }
    if (statement.type === 'MustacheStatement') walkMustache(walk, statement as hbs.AST.MustacheStatement);
    else if (statement.type === 'BlockStatement') walkBlock(walk, statement as hbs.AST.BlockStatement);
    else if (statement.type === 'PartialStatement') walkPartial(walk, statement as hbs.AST.PartialStatement);
  }
}

function walkMustache(walk: Walk, mustache: hbs.AST.MustacheStatement): void {
  const name = helperName(mustache);
  if (name === undefined) shapesOf(walk, mustache.path);
  else walkCall(walk, name, mustache);
}

function walkCall(
  walk: Walk,
  name: string,
  call: Located & { readonly params: readonly Expression[]; readonly hash: hbs.AST.Hash | undefined },
): void {
  if (!HELPERS.has(name)) report(walk, call, `${name} is not a helper; the helpers are ${[...HELPERS].join(', ')}`);
  for (const argument of call.params) shapesOf(walk, argument);
  for (const pair of call.hash?.pairs ?? []) shapesOf(walk, pair.value);
}

function walkBlock(walk: Walk, block: hbs.AST.BlockStatement): void {
  const name = (block.path as hbs.AST.PathExpression).original;
  const [first, ...others] = block.params.map((argument) => shapesOf(walk, argument));
  for (const pair of block.hash?.pairs ?? []) shapesOf(walk, pair.value);
  if (first === undefined || others.length > 0) report(walk, block, `{{#${name}}} takes one value`);
  const sure = name === 'if' || name === 'unless' ? block.params.flatMap((argument) => askedFor(argument)) : [];
  const known: Walk = sure.length === 0 ? walk : { ...walk, uncertain: new Set([...walk.uncertain].filter((one) => !sure.includes(one))) };
  const inner = name === 'each' ? (first ?? []).flatMap((shape) => elementShapes(shape)) : name === 'with' ? (first ?? []) : undefined;
  walkProgram(
    inner === undefined
      ? name === 'unless'
        ? walk
        : known
      : { ...walk, contexts: [inner, ...walk.contexts], blockParams: namedParams(walk, block, inner) },
    block.program,
  );
  walkProgram(name === 'unless' ? known : walk, block.inverse);
}

/** Capabilities that must be there for a condition to hold. */
function askedFor(condition: Expression): readonly string[] {
  if (condition.type === 'SubExpression') {
    const call = condition as hbs.AST.SubExpression;
    const isBoth = call.path.type === 'PathExpression' && (call.path as hbs.AST.PathExpression).original === 'and';
    return isBoth ? call.params.flatMap((argument) => askedFor(argument)) : [];
  }
  if (condition.type !== 'PathExpression') return [];
  const parts = (condition as hbs.AST.PathExpression).parts.map(String);
  const at = parts[0] === 'root' ? 1 : 0;
  return parts[at] === 'capabilities' && parts.length === at + 2 ? parts.slice(at + 1) : [];
}

function uncertainOf({ spec }: Capsule): ReadonlySet<string> {
  const conditional = (one: { readonly when?: string | null | undefined }): boolean => (one.when ?? undefined) !== undefined;
  return new Set([
    ...Object.entries(spec.dependencies ?? {}).flatMap(([name, one]) => (one.optional === true || conditional(one) ? [name] : [])),
    ...Object.entries(spec.instances ?? {}).flatMap(([name, one]) => (conditional(one) ? [name] : [])),
  ]);
}

function namedParams(walk: Walk, block: hbs.AST.BlockStatement, inner: readonly Shape[]): Walk['blockParams'] {
  const [value, key] = block.program.blockParams ?? [];
  const named = new Map(walk.blockParams);
  if (value !== undefined) named.set(value, inner);
  if (key !== undefined) named.set(key, [ANYTHING]);
  return named;
}

const ANYTHING: Shape = { root: {}, schema: true };

/** A partial is walked as part of the template that includes it, with the names it has there. */
function walkPartial(walk: Walk, partial: hbs.AST.PartialStatement): void {
  const name = partialName(partial) ?? '';
  const given = partial.params.map((argument) => shapesOf(walk, argument));
  for (const pair of partial.hash?.pairs ?? []) shapesOf(walk, pair.value);
  const text = partialText(walk.capsule.files, name);
  if (text === undefined) return report(walk, partial, `partial ${name} does not exist; partials are templates/_*.hbs of the same capsule`);
  if (walk.inside.includes(name)) return report(walk, partial, `partial ${name} includes itself`);
  const added = Object.fromEntries((partial.hash?.pairs ?? []).map((pair) => [pair.key, true]));
  const context = (given[0] ?? walk.contexts[0] ?? []).map((shape) => withMembers(shape, added));
  walkText(
    {
      ...walk,
      file: `${walk.capsule.directory}/templates/_${name}.hbs`,
      inside: [...walk.inside, name],
      contexts: [context, ...walk.contexts],
      blockParams: new Map(),
    },
    text,
  );
}

function withMembers(shape: Shape, members: Readonly<Record<string, boolean>>): Shape {
  if (Object.keys(members).length === 0) return shape;
  return { root: shape.root, schema: { anyOf: [shape.schema, { type: 'object', properties: members, additionalProperties: false }] } };
}

/** What an expression can be; reports names that nothing declares. Empty means that a problem was reported. */
function shapesOf(walk: Walk, expression: Expression): readonly Shape[] {
  if (expression.type === 'SubExpression') {
    const call = expression as hbs.AST.SubExpression;
    walkCall(walk, call.path.type === 'PathExpression' ? (call.path as hbs.AST.PathExpression).original : '', call);
    return [ANYTHING];
  }
  return expression.type === 'PathExpression' ? pathShapes(walk, expression as hbs.AST.PathExpression) : [ANYTHING];
}

const LOOP_DATA: ReadonlySet<string> = new Set(['index', 'key', 'first', 'last']);

function pathShapes(walk: Walk, path: hbs.AST.PathExpression): readonly Shape[] {
  const parts = path.parts.map(String);
  const [head] = parts;
  judgeGuard(walk, path, parts);
  if (path.data) {
    if (head === 'root') return follow(walk, path, { from: walk.root, parts: parts.slice(1) });
    if (head !== undefined && LOOP_DATA.has(head) && walk.contexts.length > 1) return [ANYTHING];
    report(walk, path, `{{${path.original}}} is not known here`);
    return [];
  }
  const named = path.depth === 0 && head !== undefined ? walk.blockParams.get(head) : undefined;
  if (named !== undefined) return follow(walk, path, { from: named, parts: parts.slice(1) });
  const from = walk.contexts[path.depth];
  if (from !== undefined) return follow(walk, path, { from, parts });
  report(walk, path, `{{${path.original}}} reaches above the outermost context`);
  return [];
}

/** V-28. */
function judgeGuard(walk: Walk, path: hbs.AST.PathExpression, parts: readonly string[]): void {
  const own = path.data && parts[0] === 'root' ? parts.slice(1) : !path.data && path.depth === walk.contexts.length - 1 ? parts : [];
  const [head, name] = own;
  if (head !== 'dependencies' || name === undefined || !walk.uncertain.has(name) || walk.problems.length >= 200) return;
  const { line, column } = path.loc.start;
  walk.problems.push({
    code: 'dependency-unguarded',
    rule: 'V-28',
    severity: 'error',
    phase: 'validate',
    message: `${walk.file}: {{${path.original}}} uses optional dependency ${JSON.stringify(name)} without when/capabilities guard`,
    remedy: `Put it inside {{#if capabilities.${name}}}.`,
    place: { file: walk.file, line, column: column + 1, pointer: undefined },
    related: [],
  });
}

function follow(
  walk: Walk,
  path: hbs.AST.PathExpression,
  way: { readonly from: readonly Shape[]; readonly parts: readonly string[] },
): readonly Shape[] {
  let shapes = way.from;
  for (const part of way.parts) {
    // Nothing known about the context: its problem was reported where it was made.
    if (shapes.length === 0) return [];
    const next = shapes.flatMap((shape) => memberShapes(shape, part));
    if (next.length === 0) {
      const known = shapes.flatMap((shape) => knownMembers(shape)).slice(0, 20);
      report(
        walk,
        path,
        `{{${path.original}}} names ${JSON.stringify(part)}, which nothing declares${known.length === 0 ? '' : ` (known: ${known.join(', ')})`}`,
      );
      return [];
    }
    shapes = next.slice(0, 50);
  }
  return shapes;
}

function report(walk: Walk, node: Located, message: string): void {
  if (walk.problems.length >= 200) return;
  const { start } = node.loc;
  walk.problems.push(problemAt(walk.file, start.line, message, start.column + 1));
}

function problemAt(file: string, line: number | undefined, message: string, column?: number): Problem {
  return {
    code: 'template-invalid',
    rule: 'V-88',
    severity: 'error',
    phase: 'validate',
    message: `${file}: ${visibleText(message, 500)}`,
    remedy: 'Use declared names and the listed helpers only; values are JSON-encoded where they are written.',
    place: { file, line, column, pointer: undefined },
    related: [],
  };
}
