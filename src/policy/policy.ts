import type { Policy } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { groupAndVersion, keyText } from '#model/kubernetes-object.ts';
import type { InstanceName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';
import type { CompiledPolicy, Violation } from './compiled.ts';
import { compilePolicy, judge } from './compiled.ts';
import { checkPolicy } from './policy-tests.ts';

export interface RenderingQuestion {
  readonly environment: DesiredEnvironment;
  /** The objects to judge, all of a target's or some. */
  readonly rendering: Pick<TargetRendering, 'target' | 'instances' | 'objects'>;
  /** What the target had before; `oldObject` in expressions. */
  readonly previous: TargetRendering | undefined;
  readonly on: 'render' | 'reconcile' | 'pullRequest';
  /** Labels of the capsules by instance; a policy that selects by them judges every capsule whose labels are not given. */
  readonly capsuleLabels?: ReadonlyMap<InstanceName, Readonly<Record<string, string>>>;
}

/** Judges each object of a target's rendering. Errors refuse it; warnings do not. What cannot be evaluated is refused unless the policy says `ignore`. */
export function judgeRendering(policies: readonly Declared<Policy>[], question: RenderingQuestion): readonly Problem[] {
  const before = new Map((question.previous?.objects ?? []).map((object) => [keyText(object.key), object]));
  return policies
    .filter((policy) => policy.value.spec.on.includes(question.on) && matchesEnvironment(policy.value, question.environment))
    .flatMap((policy) => {
      const compiled = compilePolicy(policy.value);
      return question.rendering.objects
        .filter((object) => matchesObject(policy.value, object) && matchesCapsule(policy.value, object, question))
        .flatMap((object) => judgeObject(policy, compiled, { object, old: before.get(keyText(object.key)), question }));
    });
}

/** V-90: expressions that can be evaluated, names that are known, and tests that pass, with at least one of each verdict. */
export function checkPolicies(policies: readonly Declared<Policy>[]): readonly Problem[] {
  return policies.flatMap((policy) => checkPolicy(policy));
}

interface Judged {
  readonly object: RenderedObject;
  readonly old: RenderedObject | undefined;
  readonly question: RenderingQuestion;
}

function judgeObject(policy: Declared<Policy>, compiled: CompiledPolicy, judged: Judged): readonly Problem[] {
  return judge(compiled, inputsOf(judged)).map((violation) => problemOf(policy, violation, judged));
}

function inputsOf({ object, old, question }: Judged): Readonly<Record<string, Json>> {
  const { environment, rendering } = question;
  const { metadata, spec } = environment.declared.value;
  const { target } = rendering;
  const facts = rendering.instances.get(object.instance);
  const described: JsonObject = {
    name: environment.name,
    labels: metadata.labels ?? {},
    risk: spec.risk ?? 'low',
    ...(spec.dataClassification === undefined ? {} : { dataClassification: spec.dataClassification }),
  };
  return {
    object: object.object,
    oldObject: old?.object ?? null,
    environment: described,
    target: { name: target.name, driver: target.driver, namespace: target.namespace, labels: target.labels, facts: target.facts },
    capsule: { instance: object.instance, name: facts?.capsule ?? '', version: facts?.version ?? '', sha256: facts?.sha256 ?? '' },
  };
}

function problemOf(policy: Declared<Policy>, violation: Violation, { object, question }: Judged): Problem {
  const { enforcement = 'deny' } = policy.value.spec;
  const { target } = question.rendering;
  return {
    code: enforcement === 'deny' ? 'policy-denied' : enforcement === 'warn' ? 'policy-warned' : 'policy-audited',
    rule: undefined,
    severity: enforcement === 'deny' ? 'error' : 'warning',
    phase: question.on === 'reconcile' ? 'sync' : 'render',
    message: `policy ${policy.value.metadata.name}: ${violation.message} (${keyText(object.key)} of ${object.instance} on ${target.environment}/${target.name})`,
    remedy: 'Change the capsule or its configuration so that the policy holds, or have the policy changed.',
    place: policy.at(violation.pointer),
    related: [],
  };
}

function matchesEnvironment(policy: Policy, environment: DesiredEnvironment): boolean {
  return hasLabels(environment.declared.value.metadata.labels ?? {}, policy.spec.match?.environments?.matchLabels);
}

function matchesCapsule(policy: Policy, object: RenderedObject, question: RenderingQuestion): boolean {
  const labels = question.capsuleLabels?.get(object.instance);
  return labels === undefined || hasLabels(labels, policy.spec.match?.capsules?.matchLabels);
}

function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

function matchesObject(policy: Policy, object: RenderedObject): boolean {
  const selectors = policy.spec.match?.objects ?? [];
  const { group } = groupAndVersion(object.object.apiVersion);
  return selectors.length === 0 || selectors.some(({ apiGroups, kinds }) => includes(apiGroups, group) && includes(kinds, object.key.kind));
}

function includes(wanted: readonly string[] | undefined, value: string): boolean {
  return wanted === undefined || wanted.length === 0 || wanted.includes('*') || wanted.includes(value);
}
