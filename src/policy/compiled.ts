import type { Policy } from '#model/declarations.generated.ts';
import type { Evaluated, Expression, Scope, ScopeValue } from '#model/expression.ts';
import { compileExpression, EXPRESSION_LIMITS, jsonOf, toScope, withMap, withTime } from '#model/expression.ts';
import { instantText } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { Json } from '#model/json.ts';

/** What expressions of a policy may name, with types. Those that a place has no value for are null there. */
const INPUT_TYPES: ReadonlyMap<string, string> = new Map([
  ['change', 'dyn'],
  ...['id', 'author', 'authors', 'approvals', 'risk', 'kind', 'files', 'moves'].map((name): [string, string] => [`change.${name}`, 'dyn']),
  ['capsule', 'dyn'],
  ['previous', 'dyn'],
  ['environment', 'dyn'],
  ['target', 'dyn'],
  ['object', 'dyn'],
  ['oldObject', 'dyn'],
  ['lock', 'dyn'],
  ['evidence', 'dyn'],
  ['now', 'google.protobuf.Timestamp'],
  ['variables', 'map'],
]);
const POLICY_INPUTS: readonly string[] = [...INPUT_TYPES.keys()].filter((name) => !name.includes('.'));
const ABSENT: Readonly<Record<string, Json>> = Object.fromEntries(POLICY_INPUTS.map((name) => [name, null]));
const MOST_VARIABLES = 32;
/** What all expressions of one policy may cost together, for one object or change. */
const PURSE = 4 * EXPRESSION_LIMITS.cost;

export interface CompiledPolicy {
  readonly policy: Policy;
  /** Inputs that any of its expressions takes. */
  readonly names: ReadonlySet<string>;
  readonly variables: readonly { readonly name: string; readonly expression: Evaluated<Expression> }[];
  readonly validations: readonly {
    readonly expression: Evaluated<Expression>;
    readonly messageExpression: Evaluated<Expression> | undefined;
  }[];
}

/** A validation that did not hold; `pointer` is its place in the policy. Never a value of a secret: messages are the policy's own. */
export interface Violation {
  readonly pointer: string;
  readonly message: string;
}

const compiled = new WeakMap<Policy, CompiledPolicy>();

/** Compiled once per document. */
export function compilePolicy(policy: Policy): CompiledPolicy {
  const known = compiled.get(policy);
  if (known !== undefined) return known;
  const fresh = freshlyCompiled(policy);
  compiled.set(policy, fresh);
  return fresh;
}

function freshlyCompiled(policy: Policy): CompiledPolicy {
  const compile = (text: string): Evaluated<Expression> => compileExpression(text, POLICY_INPUTS);
  const variables = (policy.spec.variables ?? []).map(({ name, expression }) => ({ name, expression: compile(expression) }));
  const validations = policy.spec.validations.map(({ expression, messageExpression }) => ({
    expression: compile(expression),
    messageExpression: messageExpression === undefined ? undefined : compile(messageExpression),
  }));
  const all = [...variables, ...validations].flatMap((one) =>
    'messageExpression' in one ? [one.expression, one.messageExpression] : [one.expression],
  );
  return { policy, names: new Set(all.flatMap((one) => (one?.ok === true ? one.value.names : []))), variables, validations };
}

/** A mistake that shows before anything is judged; `pointer` is its place in the policy. */
export function expressionMistakes({ variables, validations }: CompiledPolicy): readonly Violation[] {
  const types = new Map(INPUT_TYPES);
  const found: Violation[] = [];
  const check = (pointer: string, expression: Expression, wanted: 'bool' | 'string' | undefined): string => {
    const type = expression.typeWith(types);
    if (!type.ok) found.push({ pointer, message: type.message });
    else if (wanted !== undefined && type.value !== wanted && type.value !== 'dyn')
      found.push({ pointer, message: `it gives a ${type.value}, and a ${wanted} is wanted` });
    return type.ok ? type.value : 'dyn';
  };
  for (const [at, { name, expression }] of variables.entries()) {
    const pointer = `/spec/variables/${at}/expression`;
    if (!expression.ok) found.push({ pointer, message: `variable ${name}: ${expression.message}` });
    else types.set(`variables.${name}`, check(pointer, expression.value, undefined));
  }
  for (const [at, { expression, messageExpression }] of validations.entries()) {
    const pointer = `/spec/validations/${at}`;
    if (!expression.ok) found.push({ pointer: `${pointer}/expression`, message: expression.message });
    else check(`${pointer}/expression`, expression.value, 'bool');
    if (messageExpression?.ok === false) found.push({ pointer: `${pointer}/messageExpression`, message: messageExpression.message });
    else if (messageExpression?.ok === true) check(`${pointer}/messageExpression`, messageExpression.value, 'string');
  }
  if (variables.length > MOST_VARIABLES)
    found.push({ pointer: '/spec/variables', message: `it has more than ${MOST_VARIABLES} variables` });
  return found;
}

/** The inputs of a policy in the evaluator's form: for every policy that judges the same thing. */
export function policyInputs(inputs: Readonly<Record<string, Json>>, at: Instant | undefined): Scope {
  const now = at === undefined ? inputs['now'] : instantText(at);
  const scope = toScope({ ...ABSENT, ...inputs, ...(now === undefined ? {} : { now }) }, PURSE);
  return typeof now === 'string' ? withTime(scope, 'now', now) : scope;
}

/** Every validation that does not hold for these inputs. An evaluation that fails is a violation, unless the policy says `ignore`. */
export function judge(compiled: CompiledPolicy, inputs: Scope): readonly Violation[] {
  const { spec } = compiled.policy;
  const fresh: Scope = { values: inputs.values, meter: { left: PURSE } };
  const values = new Map<string, ScopeValue>();
  const broken = new Map<string, string>();
  for (const { name, expression } of compiled.variables.slice(0, MOST_VARIABLES)) {
    const value = expression.ok ? expression.value.evaluateIn(withMap(fresh, 'variables', values)) : expression;
    if (value.ok) values.set(name, value.value);
    else broken.set(name, value.message);
  }
  const scope = withMap(fresh, 'variables', values);
  return compiled.validations.flatMap((validation, at) => {
    const pointer = `/spec/validations/${at}`;
    const answer = evaluate(validation.expression, scope);
    if (answer.ok && answer.value === true) return [];
    if (answer.ok && answer.value === false) return [{ pointer, message: messageOf(compiled, at, scope) }];
    if (spec.failurePolicy === 'ignore') return [];
    const [brokenVariable] = broken;
    const reason = answer.ok
      ? 'it is neither true nor false'
      : brokenVariable === undefined
        ? answer.message
        : `variable ${brokenVariable[0]}: ${brokenVariable[1]}`;
    return [{ pointer, message: `validation ${at + 1} could not be evaluated (${reason})` }];
  });
}

function evaluate(expression: Evaluated<Expression>, scope: Scope): Evaluated<Json> {
  const answer = expression.ok ? expression.value.evaluateIn(scope) : expression;
  return answer.ok ? jsonOf(answer.value) : answer;
}

function messageOf(compiled: CompiledPolicy, at: number, scope: Scope): string {
  const declared = compiled.policy.spec.validations[at];
  const expression = compiled.validations[at]?.messageExpression;
  const computed = expression === undefined ? undefined : evaluate(expression, scope);
  if (computed?.ok === true && typeof computed.value === 'string' && computed.value.trim() !== '') return computed.value.slice(0, 1000);
  return declared?.message ?? `${declared?.reason ?? 'refused'}: ${(declared?.expression ?? '').slice(0, 200)} does not hold`;
}
