import type { Policy } from '#model/declarations.generated.ts';
import type { Capsule } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment, DesiredState } from '#model/desired.ts';
import type { Scope } from '#model/expression.ts';
import type { Instant } from '#model/instant.ts';
import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { groupAndVersion, keyText } from '#model/kubernetes-object.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import type { InstanceName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { PolicyReading } from '#model/promotion.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';
import { isOfChangeAlone, readChange } from './change.ts';
import type { ChangeQuestion } from './change.ts';
import type { CompiledPolicy } from './compiled.ts';
import { compilePolicy, judge, policyInputs } from './compiled.ts';
import { exportedObjects, exportMistakes } from './export.ts';
import type { ExportFormat } from './export.ts';
import { hasLabels, isInForce, timeKey } from './in-force.ts';
import { checkPolicy, lapsedExceptions } from './policy-tests.ts';
import { environmentInput } from './subjects.ts';
import { problemOf } from './verdict-wording.ts';

export interface RenderingQuestion {
  readonly environment: DesiredEnvironment;
  /** The objects to judge, all of a target's or some. */
  readonly rendering: Pick<TargetRendering, 'target' | 'instances' | 'objects'>;
  /** What the target had before, by key; `oldObject` in expressions. */
  readonly previous: ReadonlyMap<string, Json> | undefined;
  readonly on: 'render' | 'reconcile' | 'pullRequest';
  readonly at: Instant;
  /** The proposal that brings it, on a pull request; `change` in expressions. */
  readonly change?: JsonObject;
  /** The capsules by instance; a policy that selects by their labels judges every one that is not given. */
  readonly capsules?: ReadonlyMap<InstanceName, Declared<Capsule>>;
}

/** Judges each object of a target's rendering. Errors refuse it; warnings do not. What cannot be evaluated is refused unless the policy says `ignore`. */
export function judgeRendering(policies: readonly Declared<Policy>[], question: RenderingQuestion): readonly Problem[] {
  const asked = policies
    .filter((policy) => policy.value.spec.on.includes(question.on) && isInForce(policy.value, question.environment))
    .map((policy) => ({ policy, compiled: compilePolicy(policy.value) }))
    .filter(({ compiled }) => question.on !== 'pullRequest' || !isOfChangeAlone(compiled));
  if (asked.length === 0) return [];
  const at = asked.some(({ compiled }) => compiled.names.has('now')) ? question.at : undefined;
  return question.rendering.objects.flatMap((object) => {
    let inputs: Scope | undefined;
    return asked.flatMap(({ policy, compiled }) => {
      if (!matchesObject(policy.value, object) || !matchesCapsule(policy.value, object, question)) return [];
      inputs ??= policyInputs(inputsOf(object, question), at);
      return judgeObject(policy, compiled, { object, inputs, question });
    });
  });
}

/** The policies in force for a change of a lock or of declarations, each with its verdict. */
export function readPolicies(policies: readonly Declared<Policy>[], question: ChangeQuestion): readonly PolicyReading[] {
  return readChange(policies, question);
}

/** V-90: expressions whose types agree, names that are known, and tests that pass, with at least one of each verdict. */
export function checkPolicies(policies: readonly Declared<Policy>[]): readonly Problem[] {
  return policies.flatMap((policy) => [
    ...checkPolicy(policy),
    ...((policy.value.spec.export ?? []).length === 0 ? [] : exportMistakes(policy)),
  ]);
}

/** Policies as objects that a cluster enforces by itself: those named, or else those that list the format in `export`. */
export function exportPolicies(
  state: Pick<DesiredState, 'policies' | 'environments'>,
  wanted: { readonly format: ExportFormat; readonly names: ReadonlySet<string> },
): { readonly objects: readonly JsonObject[]; readonly problems: readonly Problem[]; readonly idle: readonly string[] } {
  const { format, names } = wanted;
  const chosen = state.policies.filter(({ value }) =>
    names.size > 0 ? names.has(value.metadata.name) : value.spec.export?.includes(format) === true,
  );
  const problems = chosen.flatMap((policy) => exportMistakes(policy));
  const sound = chosen.filter((policy) => exportMistakes(policy).length === 0);
  const idle = sound.filter(({ value }) => !state.environments.some((environment) => isInForce(value, environment)));
  return {
    objects: sound.flatMap(({ value }) => exportedObjects(value, state.environments, format)),
    problems,
    idle: idle.map(({ value }) => value.metadata.name),
  };
}

/** Exceptions that let nothing through any more. */
export function findLapsedExceptions(policies: readonly Declared<Policy>[], at: Instant): readonly Problem[] {
  return policies.flatMap((policy) => lapsedExceptions(policy, at));
}

/** Whether a policy looks at what was there before: it is judged only where there is something to compare with. */
export function looksBack(policy: Declared<Policy>): boolean {
  return compilePolicy(policy.value).names.has('oldObject');
}

/** Whether a policy looks at who proposes what. */
export function looksAtChange(policy: Declared<Policy>): boolean {
  return compilePolicy(policy.value).names.has('change');
}

/** Changes whenever a verdict may change by time alone: with the policies' ids it says what a verdict follows from. */
export function verdictKey(policies: readonly Declared<Policy>[], at: Instant): string {
  return [...policies.map((policy) => policy.blob), timeKey(policies, at)].join(' ');
}

interface Asked {
  readonly object: RenderedObject;
  readonly inputs: Scope;
  readonly question: RenderingQuestion;
}

function judgeObject(policy: Declared<Policy>, compiled: CompiledPolicy, { object, inputs, question }: Asked): readonly Problem[] {
  const violations = judge(compiled, inputs);
  if (violations.length === 0) return [];
  const { target } = question.rendering;
  const { instance, key } = object;
  const capsule = question.rendering.instances.get(instance)?.capsule;
  const judged = {
    subject: `${keyText(key)} of ${instance} on ${target.environment}/${target.name}`,
    about: {
      environment: question.environment.name,
      capsules: [instance, ...(capsule === undefined ? [] : [capsule])],
      change: typeof question.change?.['kind'] === 'string' ? question.change['kind'] : undefined,
    },
    at: question.at,
    phase: question.on === 'reconcile' ? ('sync' as const) : ('render' as const),
    remedy: 'Change the capsule or its configuration so that the policy holds, or have the policy changed.',
    related: declaredAt(object, question),
  };
  return violations.map((violation) => problemOf(policy, violation, judged));
}

/** The component behind an object, in the capsule it came from. */
function declaredAt(object: RenderedObject, question: RenderingQuestion): Problem['related'] {
  const capsule = question.capsules?.get(object.instance);
  if (capsule === undefined) return [];
  const component = labelsOf(object.object).get('app.kubernetes.io/component');
  const { file, line } = capsule.at(typeof component !== 'string' ? '/spec' : `/spec/components/${component}`);
  const { name, version } = capsule.value.metadata;
  return [{ file: file ?? capsule.file, line, note: `${keyText(object.key)} comes from ${name} ${version}` }];
}

function labelsOf(object: KubernetesObject): ReadonlyMap<string, Json> {
  const { labels } = object.metadata;
  return new Map(isJsonObject(labels) ? Object.entries(labels) : []);
}

function inputsOf(object: RenderedObject, question: RenderingQuestion): Readonly<Record<string, Json>> {
  const { environment, rendering, previous } = question;
  const { target } = rendering;
  const facts = rendering.instances.get(object.instance);
  const capsule = question.capsules?.get(object.instance)?.value;
  return {
    ...(question.change === undefined ? {} : { change: question.change }),
    object: object.object,
    oldObject: previous?.get(keyText(object.key)) ?? null,
    environment: environmentInput(environment),
    target: { name: target.name, driver: target.driver, namespace: target.namespace, labels: target.labels, facts: target.facts },
    capsule: {
      instance: object.instance,
      name: facts?.capsule ?? '',
      version: facts?.version ?? '',
      sha256: facts?.sha256 ?? '',
      labels: capsule?.metadata.labels ?? {},
      type: capsule?.spec.type ?? '',
      owner: capsule?.spec.owner ?? '',
    },
  };
}

function matchesCapsule(policy: Policy, object: RenderedObject, question: RenderingQuestion): boolean {
  const capsule = question.capsules?.get(object.instance);
  return capsule === undefined || hasLabels(capsule.value.metadata.labels ?? {}, policy.spec.match?.capsules?.matchLabels);
}

function matchesObject(policy: Policy, object: RenderedObject): boolean {
  const selectors = policy.spec.match?.objects ?? [];
  const { group } = groupAndVersion(object.object.apiVersion);
  return selectors.length === 0 || selectors.some(({ apiGroups, kinds }) => includes(apiGroups, group) && includes(kinds, object.key.kind));
}

function includes(wanted: readonly string[] | undefined, value: string): boolean {
  return wanted === undefined || wanted.length === 0 || wanted.includes('*') || wanted.includes(value);
}
