import { templateEngine } from './handlebars.ts';

export const BLOCKS: ReadonlySet<string> = new Set(['if', 'unless', 'each', 'with']);
const CLOSED_LIST =
  'if unless each with eq ne lt lte gt gte and or not concat join lower upper trimSuffix replace truncate default has keys json base64 sha256 file';
export const HELPERS: ReadonlySet<string> = new Set(CLOSED_LIST.split(' '));
/** Internal helper that every emission is rewritten to. Its name cannot be written in a template. */
export const EMIT = 'emit value';

type Program = hbs.AST.Program;
type Statement = hbs.AST.Statement;
type Expression = hbs.AST.Expression;

/** Something a template must not contain, with the line where it stands. */
export interface SyntaxIssue {
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly message: string;
}

export type Parsed = { readonly ok: true; readonly program: Program } | { readonly ok: false; readonly issue: SyntaxIssue };

export function parseTemplate(text: string): Parsed {
  try {
    return { ok: true, program: templateEngine().parse(text) };
  } catch (error) {
    return { ok: false, issue: issueOf(error instanceof Error ? error.message : String(error)) };
  }
}

/** The parser names its tokens (`Expecting 'CLOSE', 'ID', got 'EOF'`), its place in two ways; people wrote tags and blocks. */
function issueOf(text: string): SyntaxIssue {
  const [, before, column] = / - (\d+):(\d+)$/u.exec(text) ?? [];
  const line = before ?? /line (\d+)/iu.exec(text)?.[1];
  const [, open, close] = /^(\S+) doesn't match (\S+) - /u.exec(text) ?? [];
  const [, path] = /^Invalid path: (.*) - \d+:\d+$/su.exec(text) ?? [];
  const message =
    open !== undefined && close !== undefined
      ? `{{#${open}}} is closed by {{/${close}}}`
      : path === undefined
        ? slipOf(/ got '(\w+)'/u.exec(text)?.[1] ?? '', text)
        : `${path} is no path`;
  return {
    line: line === undefined ? undefined : Number(line),
    column: column === undefined ? undefined : Number(column) + 1,
    message: message.slice(0, 200),
  };
}

function slipOf(got: string, text: string): string {
  switch (got) {
    case 'EOF':
      return text.includes("'OPEN_ENDBLOCK'")
        ? 'a block is open at the end: its {{/...}} is missing'
        : 'a tag is not finished: its }} is missing';
    case 'OPEN_ENDBLOCK':
      return 'a {{/...}} closes a block that is not open';
    case 'INVERSE':
      return 'an {{else}} stands outside of a block, or a second time in one';
    case 'CLOSE':
    case 'CLOSE_UNESCAPED':
      return 'a tag ends before it says enough, or with braces unlike those it began with';
    default:
      return 'a tag is not finished, or holds what does not belong into one';
  }
}

/** `a.b` of a path or literal; undefined for anything else. */
export function pathOf(expression: Expression): hbs.AST.PathExpression | undefined {
  return expression.type === 'PathExpression' ? (expression as hbs.AST.PathExpression) : undefined;
}

/** The helper that a call names: it has arguments, or is the bare name of a helper. */
export function helperName(call: {
  readonly path: Expression;
  readonly params: readonly Expression[];
  readonly hash: hbs.AST.Hash | undefined;
}): string | undefined {
  const path = pathOf(call.path);
  const bare =
    path !== undefined &&
    !path.data &&
    path.depth === 0 &&
    path.parts.length === 1 &&
    !path.original.startsWith('this') &&
    !path.original.startsWith('.');
  const called = call.params.length > 0 || (call.hash?.pairs.length ?? 0) > 0;
  if (called) return path?.original ?? '';
  return bare && HELPERS.has(path.original) ? path.original : undefined;
}

/** Names of the partials a program includes by a static name, in order, each once. */
export function partialsOf(program: Program): readonly string[] {
  const names = new Set<string>();
  visitStatements(program, (statement) => {
    if (statement.type === 'PartialStatement') names.add(partialName(statement as hbs.AST.PartialStatement) ?? '');
  });
  return [...names];
}

export function partialName(statement: hbs.AST.PartialStatement): string | undefined {
  const name = statement.name.type === 'PathExpression' ? (statement.name as hbs.AST.PathExpression).original : undefined;
  return name !== undefined && /^[A-Za-z0-9_-]{1,60}$/.test(name) ? name : undefined;
}

export function visitStatements(program: Program, visit: (statement: Statement) => void): void {
  for (const statement of program.body) {
    visit(statement);
    if (statement.type !== 'BlockStatement') continue;
    const block = statement as hbs.AST.BlockStatement;
    visitStatements(block.program, visit);
    if (block.inverse !== undefined) visitStatements(block.inverse, visit);
  }
}

/** The program in which every `{{x}}` hands its value, and the words it was written with, to the emitting helper. Throws on forms V-88 refuses. */
export function emitting(program: Program): Program {
  return { ...program, body: program.body.map((statement) => emittingStatement(statement)) };
}

function emittingStatement(statement: Statement): Statement {
  const refusal = refusedForm(statement);
  if (refusal !== undefined) throw new Error(`line ${statement.loc.start.line}: ${refusal}`);
  if (statement.type === 'BlockStatement') {
    const block = statement as hbs.AST.BlockStatement;
    const inverse = block.inverse === undefined || block.inverse === null ? {} : { inverse: emitting(block.inverse) };
    return { ...block, program: emitting(block.program), ...inverse } as hbs.AST.BlockStatement;
  }
  if (statement.type !== 'MustacheStatement') return statement;
  const mustache = statement as hbs.AST.MustacheStatement;
  const value: Expression =
    helperName(mustache) === undefined
      ? mustache.path
      : ({
          type: 'SubExpression',
          path: mustache.path,
          params: mustache.params,
          hash: mustache.hash,
          loc: mustache.loc,
        } as hbs.AST.SubExpression);
  const { loc } = mustache;
  const path = { type: 'PathExpression', data: false, depth: 0, parts: [EMIT], original: EMIT, loc } as hbs.AST.PathExpression;
  const words = { type: 'StringLiteral', value: wordsOf(mustache), original: '', loc } as hbs.AST.StringLiteral;
  return { ...mustache, path, params: [value, words], hash: undefined } as unknown as hbs.AST.MustacheStatement;
}

function wordsOf(mustache: hbs.AST.MustacheStatement): string {
  const path = pathOf(mustache.path);
  return `line ${mustache.loc.start.line}: {{${path?.original ?? 'literal'}${mustache.params.length > 0 ? ' ...' : ''}}}`;
}

/** Why a statement is refused whatever its names are; undefined when its form is fine. */
export function refusedForm(statement: Statement): string | undefined {
  switch (statement.type) {
    case 'MustacheStatement':
      return (statement as hbs.AST.MustacheStatement).escaped ? undefined : unescaped(statement as hbs.AST.MustacheStatement);
    case 'BlockStatement': {
      const name = pathOf((statement as hbs.AST.BlockStatement).path)?.original ?? '';
      return BLOCKS.has(name) ? undefined : `{{#${name}}} is not a block; the blocks are ${[...BLOCKS].join(', ')}`;
    }
    case 'PartialStatement':
      return partialName(statement as hbs.AST.PartialStatement) === undefined ? 'a partial is included by a plain name only' : undefined;
    case 'PartialBlockStatement':
    case 'Decorator':
    case 'DecoratorBlock':
      return 'inline partials, partial blocks and decorators are not allowed';
    case 'ContentStatement':
    case 'CommentStatement':
      return undefined;
    default:
      return `${statement.type} is not allowed`;
  }
}

function unescaped(mustache: hbs.AST.MustacheStatement): string {
  const name = pathOf(mustache.path)?.original ?? 'x';
  return `{{{${name}}}} is not allowed; values are JSON-encoded by default`;
}
