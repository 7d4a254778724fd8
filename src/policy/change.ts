import type { Policy } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import type { Instant } from '#model/instant.ts';
import type { Json, JsonObject } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import type { PolicyReading } from '#model/promotion.ts';
import type { CompiledPolicy } from './compiled.ts';
import { compilePolicy, judge, policyInputs } from './compiled.ts';
import { hasLabels, isInForce } from './in-force.ts';
import { environmentInput } from './subjects.ts';
import { problemOf } from './verdict-wording.ts';

/** One capsule that a change moves. */
export interface MovedCapsule {
  /** `capsule` in expressions: what arrives, or null. */
  readonly capsule: JsonObject | null;
  /** `previous` in expressions: what was locked, or null. */
  readonly previous: JsonObject | null;
  readonly instance: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ChangeQuestion {
  readonly environment: DesiredEnvironment;
  readonly on: 'promotion' | 'pullRequest';
  readonly at: Instant;
  /** `change` in expressions: id, author, authors, approvals, risk, kind, files, moves. */
  readonly change: JsonObject;
  readonly moved: readonly MovedCapsule[];
  readonly lock: Json;
  readonly evidence: readonly Json[];
  /** Policies that a gate names: they are judged whatever they select. */
  readonly named: ReadonlySet<string>;
}

/** Inputs that may become different while a change waits: a denial that follows from them may end by itself. */
const CHANGING: readonly string[] = ['change', 'evidence', 'now'];
const OF_OBJECTS: readonly string[] = ['object', 'oldObject', 'target', 'capsule'];
const OF_CAPSULES: readonly string[] = ['capsule', 'previous'];

export function readChange(policies: readonly Declared<Policy>[], question: ChangeQuestion): readonly PolicyReading[] {
  return policies.flatMap((policy) => {
    const { metadata, spec } = policy.value;
    const isNamed = question.named.has(metadata.name);
    if (!spec.on.includes(question.on)) {
      if (!isNamed) return [];
      const detail = `policy ${metadata.name} is not judged on ${question.on}`;
      return [{ policy: metadata.name, inForce: false, status: 'inconclusive', detail, problems: [] }];
    }
    const compiled = compilePolicy(policy.value);
    if (question.on === 'pullRequest' && !isOfChangeAlone(compiled)) return [];
    const inForce = isInForce(policy.value, question.environment);
    return isNamed || inForce ? [{ ...readOne(policy, compiled, question), inForce }] : [];
  });
}

/** On a pull request: judged once for an environment, not for each of its objects. */
export function isOfChangeAlone({ names }: CompiledPolicy): boolean {
  return names.has('change') && !OF_OBJECTS.some((name) => names.has(name));
}

function readOne(policy: Declared<Policy>, compiled: CompiledPolicy, question: ChangeQuestion): Omit<PolicyReading, 'inForce'> {
  const { match } = policy.value.spec;
  const selected = question.moved.filter((one) => hasLabels(one.labels, match?.capsules?.matchLabels));
  const isPerCapsule = OF_CAPSULES.some((name) => compiled.names.has(name)) || Object.keys(match?.capsules?.matchLabels ?? {}).length > 0;
  const problems = (isPerCapsule ? selected : [undefined]).flatMap((moved) => judgeMove(policy, compiled, { question, moved }));
  const denied = problems.filter((problem) => problem.severity === 'error');
  const words = problems.map((problem) => problem.message).join('; ');
  if (denied.length === 0) return { policy: policy.value.metadata.name, status: 'passed', detail: words || 'holds', problems };
  const mayEnd = CHANGING.some((name) => compiled.names.has(name));
  return {
    policy: policy.value.metadata.name,
    status: mayEnd ? 'waiting' : 'failed',
    detail: denied.map((problem) => problem.message).join('; '),
    problems,
  };
}

function judgeMove(
  policy: Declared<Policy>,
  compiled: CompiledPolicy,
  { question, moved }: { readonly question: ChangeQuestion; readonly moved: MovedCapsule | undefined },
): readonly Problem[] {
  const { environment, change } = question;
  const inputs = policyInputs(
    {
      change,
      environment: environmentInput(environment),
      capsule: moved?.capsule ?? null,
      previous: moved?.previous ?? null,
      lock: question.lock,
      evidence: question.evidence,
    },
    compiled.names.has('now') ? question.at : undefined,
  );
  const kind = change['kind'];
  const named = moved === undefined ? question.moved : [moved];
  const judged = {
    subject: moved === undefined ? `change to ${environment.name}` : `${moved.instance} to ${environment.name}`,
    // A change of several capsules is let through by an exception for one of them only where that is all it moves.
    about: { environment: environment.name, capsules: oneOf(named), change: typeof kind === 'string' ? kind : undefined },
    at: question.at,
    phase: 'promote' as const,
    remedy: 'Bring what the policy asks for (approvals, evidence, another change), or have the policy changed.',
    related: [],
  };
  return judge(compiled, inputs).map((violation) => problemOf(policy, violation, judged));
}

function oneOf(moved: readonly MovedCapsule[]): readonly string[] {
  const [only] = moved;
  return moved.length === 1 && only !== undefined ? [only.instance, only.name] : [];
}
