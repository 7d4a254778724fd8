import type { parse } from '@bufbuild/cel';

import { NAMESPACED } from '#model/expression-functions.ts';
import type { Signature, TypeName } from '#model/expression-functions.ts';
import { didYouMean } from '#model/suggest.ts';

type Expr = NonNullable<ReturnType<typeof parse>['expr']>;
type Kind<C> = Extract<Expr['exprKind'], { readonly case: C }> extends { readonly value: infer V } ? V : never;

export interface TypeFacts {
  /** Names from outside and their types; `variables.x` stands for the member `x` of `variables`. */
  readonly inputs: ReadonlyMap<string, TypeName>;
  readonly signatures: readonly Signature[];
}

export type TypeVerdict = { readonly ok: true; readonly value: TypeName } | { readonly ok: false; readonly message: string };

/** What a type check finds before any value is there. Most inputs are `dyn`: of those nothing is known. */
export function typeOfExpression(expr: Expr | undefined, facts: TypeFacts): TypeVerdict {
  const mistakes: string[] = [];
  const value = typeOf(expr, { ...facts, bound: new Map(), mistakes });
  const [message] = mistakes;
  return message === undefined ? { ok: true, value } : { ok: false, message };
}

interface Scope extends TypeFacts {
  /** Variables of the loops around. */
  readonly bound: ReadonlyMap<string, TypeName>;
  readonly mistakes: string[];
}

const OPEN: ReadonlySet<TypeName> = new Set(['dyn', 'map']);
const NUMBERS: ReadonlySet<TypeName> = new Set(['int', 'uint', 'double']);
const SPOKEN: ReadonlyMap<TypeName, string> = new Map([
  ['string', 'text'],
  ['google.protobuf.Timestamp', 'timestamp'],
  ['google.protobuf.Duration', 'duration'],
  ['null_type', 'null'],
]);

function typeOf(expr: Expr | undefined, scope: Scope): TypeName {
  const kind = expr?.exprKind;
  if (kind === undefined) return 'dyn';
  switch (kind.case) {
    case 'constExpr':
      return typeOfConstant(kind.value);
    case 'identExpr':
      // An unknown name is found when the expression is compiled; a known type's name is a value, too.
      return scope.bound.get(kind.value.name) ?? scope.inputs.get(kind.value.name) ?? 'dyn';
    case 'selectExpr':
      return typeOfMember(kind.value, scope);
    case 'callExpr':
      return typeOfCall(kind.value, scope);
    case 'listExpr':
      for (const element of kind.value.elements) typeOf(element, scope);
      return 'list';
    case 'structExpr':
      for (const entry of kind.value.entries) {
        if (entry.keyKind.case === 'mapKey') typeOf(entry.keyKind.value, scope);
        typeOf(entry.value, scope);
      }
      return 'map';
    case 'comprehensionExpr':
      return typeOfLoop(kind.value, scope);
    case undefined:
      return 'dyn';
  }
}

function typeOfConstant(constant: Kind<'constExpr'>): TypeName {
  switch (constant.constantKind.case) {
    case 'boolValue':
      return 'bool';
    case 'bytesValue':
      return 'bytes';
    case 'doubleValue':
      return 'double';
    case 'int64Value':
      return 'int';
    case 'uint64Value':
      return 'uint';
    case 'stringValue':
      return 'string';
    case 'nullValue':
      return 'null_type';
    case 'durationValue':
    case 'timestampValue':
    case undefined:
      return 'dyn';
  }
}

function typeOfMember(select: Kind<'selectExpr'>, scope: Scope): TypeName {
  const { operand, field, testOnly } = select;
  const owner = operand?.exprKind.case === 'identExpr' && !scope.bound.has(operand.exprKind.value.name) ? operand.exprKind.value.name : '';
  const members = [...scope.inputs.keys()].filter((name) => name.startsWith(`${owner}.`)).map((name) => name.slice(owner.length + 1));
  if (owner !== '' && (members.length > 0 || owner === 'variables')) {
    const known = scope.inputs.get(`${owner}.${field}`);
    if (known === undefined) {
      const list = members.length === 0 ? 'there are none' : `known: ${members.join(', ')}`;
      scope.mistakes.push(`${owner} has no ${field} (${list})${didYouMean(field, members)}`);
    }
    return testOnly ? 'bool' : (known ?? 'dyn');
  }
  const type = typeOf(operand, scope);
  if (!OPEN.has(type)) scope.mistakes.push(`a ${spoken(type)} has no member ${field}`);
  return testOnly ? 'bool' : 'dyn';
}

function typeOfLoop(loop: Kind<'comprehensionExpr'>, scope: Scope): TypeName {
  const range = typeOf(loop.iterRange, scope);
  if (range !== 'list' && !OPEN.has(range)) scope.mistakes.push(`a ${spoken(range)} has nothing to go through`);
  const accumulated = typeOf(loop.accuInit, scope);
  const inside = { ...scope, bound: new Map([...scope.bound, [loop.iterVar, 'dyn'], [loop.accuVar, accumulated]]) };
  typeOf(loop.loopStep, inside);
  return typeOf(loop.result, inside);
}

function typeOfCall(call: Kind<'callExpr'>, scope: Scope): TypeName {
  switch (call.function) {
    case '_&&_':
    case '_||_':
      for (const argument of call.args) mustBeBool(argument, call.function, scope);
      return 'bool';
    case '@not_strictly_false':
      for (const argument of call.args) typeOf(argument, scope);
      return 'bool';
    case '_?_:_': {
      const [condition, yes, no] = call.args;
      mustBeBool(condition, call.function, scope);
      const [a, b] = [typeOf(yes, scope), typeOf(no, scope)];
      return a === b ? a : 'dyn';
    }
    case '_[_]': {
      const [operand, index] = call.args;
      const type = typeOf(operand, scope);
      typeOf(index, scope);
      if (type !== 'list' && !OPEN.has(type)) scope.mistakes.push(`a ${spoken(type)} has no members`);
      return 'dyn';
    }
    case '_==_':
    case '_!=_': {
      const [a = 'dyn', b = 'dyn'] = call.args.map((argument) => typeOf(argument, scope));
      const comparable = a === b || [a, b].some((type) => type === 'dyn' || type === 'null_type') || (NUMBERS.has(a) && NUMBERS.has(b));
      if (!comparable) scope.mistakes.push(`a ${spoken(a)} is never equal to a ${spoken(b)}`);
      return 'bool';
    }
    default:
      return typeOfFunction(call, scope);
  }
}

function mustBeBool(expr: Expr | undefined, operator: string, scope: Scope): void {
  const type = typeOf(expr, scope);
  if (type !== 'bool' && type !== 'dyn')
    scope.mistakes.push(`${operatorText(operator)} wants something true or false, and a ${spoken(type)} is neither`);
}

function typeOfFunction(call: Kind<'callExpr'>, scope: Scope): TypeName {
  const { target } = call;
  const namespaced = target?.exprKind.case === 'identExpr' ? `${target.exprKind.value.name}.${call.function}` : '';
  const isNamespaced = NAMESPACED.has(namespaced);
  const name = isNamespaced ? namespaced : call.function;
  const on = target === undefined || isNamespaced ? undefined : typeOf(target, scope);
  const given = call.args.map((argument) => typeOf(argument, scope));
  const forms = scope.signatures.filter((form) => form.name === name && (form.on === undefined) === (on === undefined));
  if (forms.length === 0) {
    const known = scope.signatures.filter((form) => /^[a-z]/i.test(form.name)).map((form) => form.name);
    scope.mistakes.push(`there is no function ${name}${didYouMean(name, known)}`);
    return 'dyn';
  }
  const fitting = forms.filter(
    (form) =>
      fits(form.on ?? 'dyn', on ?? 'dyn') &&
      form.takes.length === given.length &&
      form.takes.every((type, at) => fits(type, given[at] ?? 'dyn')),
  );
  const results = new Set(fitting.map((form) => form.gives));
  const [result = 'dyn'] = results;
  if (fitting.length === 0) {
    const what = given.map(spoken).join(', ');
    const where = on === undefined ? '' : `on a ${spoken(on)} `;
    scope.mistakes.push(`${operatorText(name)} cannot be used ${where}with ${what === '' ? 'nothing' : `(${what})`}`);
  }
  return results.size === 1 ? result : 'dyn';
}

function fits(wanted: TypeName, given: TypeName): boolean {
  return wanted === given || wanted === 'dyn' || given === 'dyn';
}

/** `_+_` is the evaluator's name of `+`. */
function operatorText(name: string): string {
  return name === '@in' ? 'in' : name.replaceAll('_', '') === '' ? name : /^[_!@-]/.test(name) ? name.replaceAll('_', '') : name;
}

function spoken(type: TypeName): string {
  return SPOKEN.get(type) ?? type;
}
