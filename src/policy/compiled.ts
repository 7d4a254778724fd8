import type { Policy } from '#model/declarations.generated.ts';
import type { Evaluated, Expression } from '#model/expression.ts';
import { compileExpression } from '#model/expression.ts';
import type { Json } from '#model/json.ts';

/** What expressions of a policy may name. Those that a place has no value for are null there. */
export const POLICY_INPUTS = [
  'change',
  'capsule',
  'previous',
  'environment',
  'target',
  'object',
  'oldObject',
  'lock',
  'evidence',
  'now',
  'variables',
] as const;
const MOST_VARIABLES = 32;

export interface CompiledPolicy {
  readonly policy: Policy;
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
  return {
    policy,
    variables: (policy.spec.variables ?? []).map(({ name, expression }) => ({ name, expression: compile(expression) })),
    validations: policy.spec.validations.map(({ expression, messageExpression }) => ({
      expression: compile(expression),
      messageExpression: messageExpression === undefined ? undefined : compile(messageExpression),
    })),
  };
}

/** Every validation that does not hold for these inputs. An evaluation that fails is a violation, unless the policy says `ignore`. */
export function judge(compiled: CompiledPolicy, inputs: Readonly<Record<string, Json>>): readonly Violation[] {
  const { spec } = compiled.policy;
  const absent = Object.fromEntries(POLICY_INPUTS.map((name): [string, Json] => [name, null]));
  const known: Record<string, Json> = { ...absent, ...inputs, variables: {} };
  const values: Record<string, Json> = {};
  const broken = new Map<string, string>();
  for (const { name, expression } of compiled.variables.slice(0, MOST_VARIABLES)) {
    const value = evaluate(expression, { ...known, variables: { ...values } });
    if (value.ok) values[name] = value.value;
    else broken.set(name, value.message);
  }
  known['variables'] = values;
  return compiled.validations.flatMap((validation, at) => {
    const pointer = `/spec/validations/${at}`;
    const answer = evaluate(validation.expression, known);
    if (answer.ok && answer.value === true) return [];
    if (answer.ok && answer.value === false) return [{ pointer, message: messageOf(compiled, at, known) }];
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

function evaluate(expression: Evaluated<Expression>, inputs: Readonly<Record<string, Json>>): Evaluated<Json> {
  return expression.ok ? expression.value.evaluate(inputs) : expression;
}

function messageOf(compiled: CompiledPolicy, at: number, inputs: Readonly<Record<string, Json>>): string {
  const declared = compiled.policy.spec.validations[at];
  const expression = compiled.validations[at]?.messageExpression;
  const computed = expression === undefined ? undefined : evaluate(expression, inputs);
  if (computed?.ok === true && typeof computed.value === 'string') return computed.value.slice(0, 1000);
  return declared?.message ?? `${declared?.reason ?? 'refused'}: ${(declared?.expression ?? '').slice(0, 200)} does not hold`;
}
