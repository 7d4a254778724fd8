import { compileExpression } from '#model/expression.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { createMemo } from '#model/memo.ts';

/** CEL over one object: what says that it is as it should be, still on its way, or broken. Flux has the same three. */
export interface HealthExpressions {
  readonly current?: string;
  readonly inProgress?: string;
  readonly failed?: string;
}

/** What they may name. */
const INPUTS: ReadonlyMap<string, string> = new Map([
  ['apiVersion', 'string'],
  ['kind', 'string'],
  ...['metadata', 'spec', 'status'].map((name): [string, string] => [name, 'dyn']),
]);

/** What is wrong with an expression, without an object; undefined when nothing is. */
export function healthExpressionMistake(text: string): string | undefined {
  const compiled = compileExpression(text, [...INPUTS.keys()]);
  if (!compiled.ok) return compiled.message;
  const type = compiled.value.typeWith(INPUTS);
  if (!type.ok) return type.message;
  return type.value === 'bool' || type.value === 'dyn' ? undefined : `it gives a ${type.value}, and a bool is wanted`;
}

export interface ExpressedHealth {
  readonly state: 'healthy' | 'progressing' | 'degraded';
  readonly reason: string;
}

/**
 * The worst that holds: `failed` before `inProgress` before `current`. A status that does not have yet what an expression asks for has no
 * answer, and an object without one is on its way.
 */
export function expressedHealth(expressions: HealthExpressions, object: JsonObject, status: JsonObject): ExpressedHealth {
  const { apiVersion = '', kind = '', metadata = {}, spec = {} } = object;
  const variables = { apiVersion, kind, metadata, spec, status };
  if (holds(expressions.failed, variables)) return { state: 'degraded', reason: told(status, 'its health expression "failed" holds') };
  if (holds(expressions.inProgress, variables))
    return { state: 'progressing', reason: told(status, 'its health expression "inProgress" holds') };
  if (holds(expressions.current, variables)) return { state: 'healthy', reason: 'its health expression "current" holds' };
  return { state: 'progressing', reason: told(status, 'none of its health expressions holds yet') };
}

/** One capsule's expressions judge many objects; parsing costs as much as evaluating. */
const PARSED = createMemo<ReturnType<typeof compileExpression>>(256);

function holds(text: string | undefined, variables: Readonly<Record<string, Json>>): boolean {
  if (text === undefined) return false;
  const compiled = PARSED.get(text) ?? PARSED.set(text, compileExpression(text, undefined));
  const answer = compiled.ok ? compiled.value.evaluate(variables) : compiled;
  return answer.ok && answer.value === true;
}

/** With what the object itself says: the message of its first condition that has one. */
function told(status: JsonObject, reason: string): string {
  const conditions: readonly Json[] = Array.isArray(status['conditions']) ? status['conditions'] : [];
  for (const condition of conditions) {
    const message = isJsonObject(condition) ? condition['message'] : undefined;
    if (typeof message === 'string' && message !== '') return `${reason}: ${message}`;
  }
  return reason;
}
