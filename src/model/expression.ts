import { celEnv, celFunc, CelScalar, isCelError, isCelList, isCelMap, isCelUint, parse, plan } from '@bufbuild/cel';
import type { CelInput, CelValue } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';

import type { Json } from '#model/json.ts';

/** The CEL package has no cost limit of its own. Crossing one of these is an error, and an error denies. */
export const EXPRESSION_LIMITS = {
  characters: 8192,
  nesting: 32,
  nodes: 2000,
  inputValues: 200_000,
  steps: 200_000,
  resultCharacters: 1_048_576,
} as const;

export type Evaluated<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

/** A parsed expression; evaluating it is pure. */
export interface Expression {
  readonly text: string;
  /** Names it takes from outside. */
  readonly names: readonly string[];
  evaluate(variables: Readonly<Record<string, Json>>): Evaluated<Json>;
}

/** Parses and bounds an expression. `known` names what it may take from outside; undefined allows any name. */
export function compileExpression(text: string, known: readonly string[] | undefined): Evaluated<Expression> {
  if (text.length > EXPRESSION_LIMITS.characters) return failed(`the expression is longer than ${EXPRESSION_LIMITS.characters} characters`);
  if (bracketDepth(text) > EXPRESSION_LIMITS.nesting)
    return failed(`the expression is nested deeper than ${EXPRESSION_LIMITS.nesting} levels`);
  try {
    const parsed = parse(text);
    const budget = { steps: 0 };
    const facts = prepare(parsed.expr);
    if (facts.nodes > EXPRESSION_LIMITS.nodes) return failed(`the expression has more than ${EXPRESSION_LIMITS.nodes} parts`);
    const unknown = known === undefined ? undefined : facts.names.find((name) => !known.includes(name));
    if (unknown !== undefined)
      return failed(`the expression names ${unknown}, which is not known here (known: ${(known ?? []).join(', ')})`);
    const spend = celFunc(STEP, [CelScalar.DYN], CelScalar.DYN, (condition) => {
      budget.steps += 1;
      // False ends this loop and every other at its next turn; the verdict is then the limit, not the value.
      return budget.steps > EXPRESSION_LIMITS.steps ? false : condition;
    });
    const run = plan(celEnv({ funcs: [...strings.filter((one) => one.name !== 'format'), spend] }), parsed);
    const evaluate = (variables: Readonly<Record<string, Json>>): Evaluated<Json> => {
      budget.steps = 0;
      try {
        const value = run(toInputs(variables));
        if (budget.steps > EXPRESSION_LIMITS.steps) return failed(`the expression takes more than ${EXPRESSION_LIMITS.steps} steps`);
        return isCelError(value) ? failed(value.message) : { ok: true, value: toJson(value) };
      } catch (error) {
        return failed(error instanceof Error ? error.message : String(error));
      }
    };
    return { ok: true, value: { text, names: facts.names, evaluate } };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
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
      visit(kind.value.target, bound, facts);
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
      for (const part of [loop.loopCondition, loop.loopStep, loop.result]) visit(part, inside, facts);
      loop.loopCondition = paying(loop.loopCondition, expr);
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

function paying(condition: Expr | undefined, near: Expr): Expr {
  if (condition === undefined) throw new Error('a comprehension without a condition');
  return {
    $typeName: 'cel.expr.Expr',
    id: near.id,
    exprKind: { case: 'callExpr', value: { $typeName: 'cel.expr.Expr.Call', function: STEP, args: [condition] } },
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
  const json = jsonOf(value, 0);
  if (typeof json === 'string' && json.length > EXPRESSION_LIMITS.resultCharacters) throw new Error('the expression gives too long a text');
  return json;
}

function jsonOf(value: CelValue, depth: number): Json {
  if (depth > 64) throw new Error('the expression gives too deep a value');
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (isCelUint(value)) return Number(value.value);
  if (isCelList(value)) return [...value].map((item) => jsonOf(item, depth + 1));
  if (isCelMap(value))
    return Object.fromEntries(
      [...value.entries()].map(([key, item]) => [isCelUint(key) ? String(key.value) : String(key), jsonOf(item, depth + 1)]),
    );
  throw new Error('the expression gives a value that is not JSON');
}
