import type { celEnv, CelInput, CelValue, parse } from '@bufbuild/cel';

import { LIBRARY_SIGNATURES, libraryFunctions, NAMESPACED } from '#model/expression-functions.ts';
import type { Signature, TypeName } from '#model/expression-functions.ts';
import { charged, spend } from '#model/expression-meter.ts';
import type { Meter } from '#model/expression-meter.ts';
import { typeOfExpression } from '#model/expression-types.ts';
import type { Json } from '#model/json.ts';
import { cel, celExtension } from '#model/on-demand.ts';
import { quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';

/** The CEL package has no cost limit of its own. Crossing one of these is an error, and an error denies. */
export const EXPRESSION_LIMITS = {
  characters: 8192,
  nesting: 32,
  nodes: 2000,
  inputValues: 200_000,
  /** Of one expression; see `Meter` for the unit. */
  cost: 1_000_000,
  resultCharacters: 1_048_576,
} as const;

export type Evaluated<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

/** A parsed expression; evaluating it is pure. */
export interface Expression {
  readonly text: string;
  /** Names it takes from outside. */
  readonly names: readonly string[];
  evaluate(variables: Readonly<Record<string, Json>>): Evaluated<Json>;
  /** The type that it gives, or the first mistake that can be seen without values. `inputs` names what it may take, with types. */
  typeWith(inputs: ReadonlyMap<string, TypeName>): Evaluated<TypeName>;
  /** The same on values that several expressions share. */
  evaluateIn(scope: Scope): Evaluated<ScopeValue>;
}

/** A value in the evaluator's form. */
export type ScopeValue = CelValue;

/** Values in the evaluator's form, made once for many expressions, and what all of these may still cost together. */
export interface Scope {
  readonly values: Readonly<Record<string, CelInput>>;
  readonly meter: Meter;
}

/** A scope in which expressions may together spend `cost`. */
export function toScope(variables: Readonly<Record<string, Json>>, cost: number): Scope {
  return { values: toInputs(variables), meter: { left: cost } };
}

/** The scope with a value that another expression gave: a number, a time or a quantity stays what it is. Both pay from one purse. */
export function withValue(scope: Scope, name: string, value: CelInput): Scope {
  return { values: { ...scope.values, [name]: value }, meter: scope.meter };
}

/** The scope with a map of such values. */
export function withMap(scope: Scope, name: string, values: ReadonlyMap<string, ScopeValue>): Scope {
  return withValue(scope, name, cel().celMap(values));
}

/** The scope with a time; RFC 3339, and unchanged where the text is none. */
export function withTime(scope: Scope, name: string, text: string): Scope {
  const time = compileExpression(`timestamp(${JSON.stringify(text.slice(0, 64))})`, []);
  const value = time.ok ? time.value.evaluateIn(scope) : time;
  return value.ok ? withValue(scope, name, value.value) : scope;
}

/** A value of an expression as JSON. */
export function jsonOf(value: ScopeValue): Evaluated<Json> {
  try {
    return { ok: true, value: toJson(value) };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

/** Parses and bounds an expression. `known` names what it may take from outside; undefined allows any name. */
export function compileExpression(text: string, known: readonly string[] | undefined): Evaluated<Expression> {
  const parsed = parseExpression(text);
  if (!parsed.ok) return parsed;
  try {
    const facts = prepare(parsed.value.expr);
    if (facts.nodes > EXPRESSION_LIMITS.nodes) return failed(`the expression has more than ${EXPRESSION_LIMITS.nodes} parts`);
    const unknown = known === undefined ? undefined : facts.names.find((name) => !known.includes(name));
    if (unknown !== undefined)
      return failed(
        `the expression names ${unknown}, which is not known here (known: ${(known ?? []).join(', ')})${didYouMean(unknown, known ?? [])}`,
      );
    const { environment, purse, signatures } = evaluator();
    const run = cel().plan(environment, parsed.value);
    const evaluateIn = (scope: Scope): Evaluated<ScopeValue> => {
      const most = Math.min(scope.meter.left, EXPRESSION_LIMITS.cost);
      purse.left = most;
      try {
        const value = run(scope.values);
        // What gave no answer for want of means may have become a plain false on its way here: the limit is the verdict.
        if (purse.left < 0) return failed(`the expression costs more than it may (${EXPRESSION_LIMITS.cost})`);
        return cel().isCelError(value) ? failed(value.message) : { ok: true, value };
      } catch (error) {
        return failed(error instanceof Error ? error.message : String(error));
      } finally {
        scope.meter.left -= most - Math.max(purse.left, 0);
      }
    };
    const evaluate = (variables: Readonly<Record<string, Json>>): Evaluated<Json> => {
      try {
        const answer = evaluateIn(toScope(variables, EXPRESSION_LIMITS.cost));
        return answer.ok ? jsonOf(answer.value) : answer;
      } catch (error) {
        return failed(error instanceof Error ? error.message : String(error));
      }
    };
    const typeWith = (inputs: ReadonlyMap<string, TypeName>): Evaluated<TypeName> => {
      const found = typeOfExpression(parsed.value.expr, { inputs, signatures });
      return found.ok ? found : failed(found.message);
    };
    return { ok: true, value: { text, names: facts.names, evaluate, evaluateIn, typeWith } };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function parseExpression(text: string): Evaluated<ReturnType<typeof parse>> {
  if (text.length > EXPRESSION_LIMITS.characters) return failed(`the expression is longer than ${EXPRESSION_LIMITS.characters} characters`);
  if (bracketDepth(text) > EXPRESSION_LIMITS.nesting)
    return failed(`the expression is nested deeper than ${EXPRESSION_LIMITS.nesting} levels`);
  try {
    return { ok: true, value: cel().parse(text) };
  } catch (error) {
    return failed(slipOf(text, error instanceof Error ? error.message : String(error)));
  }
}

/** What other languages write, and how CEL writes it. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['and', '&&'],
  ['or', '||'],
  ['not', '!'],
  ['=', '=='],
  ['===', '=='],
  ['&', '&&'],
  ['|', '||'],
]);

/** The parser says `<input>:1:3: found = but expecting end of input`: where it stopped helps, what it could have gone on with does not. */
function slipOf(text: string, message: string): string {
  const [, line, column] = /^<input>:(\d+):(\d+): found /u.exec(message) ?? [];
  if (line === undefined || column === undefined) return message;
  const rest = text
    .split('\n')
    .slice(Number(line) - 1)
    .join('\n')
    .slice(Number(column) - 1)
    .trim();
  if (text.trim() === '') return 'the expression is empty';
  if (rest === '') return 'the expression ends where more is needed';
  const [word = ''] = /^(?:\w+|[=&|]+)/u.exec(rest) ?? [];
  const cel = ELSEWHERE.get(word);
  return `the expression cannot be read from ${quoted(rest, 60)} on${cel === undefined ? '' : `; CEL writes ${cel}`}`;
}

interface Evaluator {
  readonly environment: ReturnType<typeof celEnv>;
  /** What the evaluation that is going on may still spend; evaluation never waits, so there is one at a time. */
  readonly purse: Meter;
  readonly signatures: readonly Signature[];
}

/** Made when the first expression is compiled, and the same for all. */
const made = new Map<'evaluator', Evaluator>();

function evaluator(): Evaluator {
  const known = made.get('evaluator');
  if (known !== undefined) return known;
  const purse: Meter = { left: 0 };
  const plain = [...cel().celEnv().funcs, ...celExtension().strings.filter((one) => one.name !== 'format')];
  const all = [...plain, ...libraryFunctions()].map((func) => charged(func, purse));
  const { DYN, INT } = cel().CelScalar;
  const step = cel().celFunc(STEP, [DYN, INT], DYN, (condition, nodes) => {
    spend(purse, Number(nodes));
    return condition;
  });
  const signatures = [
    ...plain.map((func) => ({
      name: func.name,
      on: func.target?.name,
      takes: func.arguments.map((type) => type.name),
      gives: func.result.name,
    })),
    ...LIBRARY_SIGNATURES,
  ];
  const fresh = { environment: cel().celEnv({ funcs: [...all, step] }), purse, signatures };
  made.set('evaluator', fresh);
  return fresh;
}

/** True or false; anything else, an error included, is not an answer. */
export function evaluateCondition(text: string, variables: Readonly<Record<string, Json>>): Evaluated<boolean> {
  const expression = compileExpression(text, Object.keys(variables));
  if (!expression.ok) return expression;
  const answer = expression.value.evaluate(variables);
  if (!answer.ok) return answer;
  return typeof answer.value === 'boolean' ? { ok: true, value: answer.value } : failed('the expression is neither true nor false');
}

function failed(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message: (message.split('\n', 1)[0] ?? '').slice(0, 300) };
}

function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of text) {
    if (char === '(' || char === '[' || char === '{') deepest = Math.max(deepest, (depth += 1));
    else if (char === ')' || char === ']' || char === '}') depth -= 1;
  }
  return deepest;
}

const STEP = 'capstan_step';
type Expr = NonNullable<ReturnType<typeof parse>['expr']>;

interface Facts {
  nodes: number;
  readonly names: string[];
}

/** Counts parts, collects free names, and makes every turn of a comprehension pay a step. */
function prepare(root: Expr): Facts {
  const facts: Facts = { nodes: 0, names: [] };
  visit(root, [], facts);
  return facts;
}

function visit(expr: Expr | undefined, bound: readonly string[], facts: Facts): void {
  if (expr === undefined) return;
  facts.nodes += 1;
  const kind = expr.exprKind;
  switch (kind.case) {
    case 'identExpr':
      if (!bound.includes(kind.value.name) && !TYPE_NAMES.has(kind.value.name) && !facts.names.includes(kind.value.name))
        facts.names.push(kind.value.name);
      return;
    case 'selectExpr':
      visit(kind.value.operand, bound, facts);
      return;
    case 'callExpr':
      if (!isNamespaced(kind.value.target, kind.value.function)) visit(kind.value.target, bound, facts);
      for (const argument of kind.value.args) visit(argument, bound, facts);
      return;
    case 'listExpr':
      for (const element of kind.value.elements) visit(element, bound, facts);
      return;
    case 'structExpr':
      if (kind.value.messageName !== '') throw new Error(`messages such as ${kind.value.messageName} are not available`);
      for (const entry of kind.value.entries) {
        if (entry.keyKind.case === 'mapKey') visit(entry.keyKind.value, bound, facts);
        visit(entry.value, bound, facts);
      }
      return;
    case 'comprehensionExpr': {
      const loop = kind.value;
      const inside = [...bound, loop.iterVar, loop.accuVar];
      visit(loop.iterRange, bound, facts);
      visit(loop.accuInit, bound, facts);
      const before = facts.nodes;
      for (const part of [loop.loopCondition, loop.loopStep, loop.result]) visit(part, inside, facts);
      loop.loopCondition = paying(loop.loopCondition, expr, facts.nodes - before);
      return;
    }
    case 'constExpr':
    case undefined:
  }
}

const TYPE_NAMES: ReadonlySet<string> = new Set([
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
  'google',
]);

/** `ip.isCanonical(x)`: there is no variable `ip`. */
function isNamespaced(target: Expr | undefined, name: string): boolean {
  return target?.exprKind.case === 'identExpr' && NAMESPACED.has(`${target.exprKind.value.name}.${name}`);
}

/** Every turn of a loop pays for the parts that it evaluates. */
function paying(condition: Expr | undefined, near: Expr, nodes: number): Expr {
  if (condition === undefined) throw new Error('a comprehension without a condition');
  const price: Expr = {
    $typeName: 'cel.expr.Expr',
    id: near.id,
    exprKind: {
      case: 'constExpr',
      value: { $typeName: 'cel.expr.Constant', constantKind: { case: 'int64Value', value: BigInt(nodes) } },
    },
  };
  return {
    $typeName: 'cel.expr.Expr',
    id: near.id,
    exprKind: { case: 'callExpr', value: { $typeName: 'cel.expr.Expr.Call', function: STEP, args: [condition, price] } },
  };
}

function toInputs(variables: Readonly<Record<string, Json>>): Record<string, CelInput> {
  const budget = { left: EXPRESSION_LIMITS.inputValues };
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, toInput(value, budget)]));
}

/** Whole numbers are ints, as they are to Kubernetes' own policies. */
function toInput(value: Json, budget: { left: number }): CelInput {
  budget.left -= 1;
  if (budget.left < 0) throw new Error(`the expression is given more than ${EXPRESSION_LIMITS.inputValues} values`);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => toInput(item, budget));
  return new Map(Object.entries(value).map(([key, item]) => [key, toInput(item, budget)]));
}

function toJson(value: CelValue): Json {
  const json = jsonAt(value, 0);
  if (typeof json === 'string' && json.length > EXPRESSION_LIMITS.resultCharacters) throw new Error('the expression gives too long a text');
  return json;
}

function jsonAt(value: CelValue, depth: number): Json {
  if (depth > 64) throw new Error('the expression gives too deep a value');
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (cel().isCelUint(value)) return Number(value.value);
  if (cel().isCelList(value)) return [...value].map((item) => jsonAt(item, depth + 1));
  if (cel().isCelMap(value))
    return Object.fromEntries(
      [...value.entries()].map(([key, item]) => [cel().isCelUint(key) ? String(key.value) : String(key), jsonAt(item, depth + 1)]),
    );
  throw new Error('the expression gives a value that is not JSON');
}
