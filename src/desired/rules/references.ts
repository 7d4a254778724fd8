import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { CapsuleSource, Declared, DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { isInRange, parseRange } from '#model/version.ts';

/** V-97: references to something undeclared; V-98: capsules for another Capstan. */
export function referenceProblems(context: RuleContext): readonly Problem[] {
  return [
    ...context.state.environments.flatMap((environment) => environmentReferences(context, environment)),
    ...context.state.capsules.flatMap((capsule) => [...capsuleReferences(context, capsule), ...engineProblems(context, capsule)]),
  ];
}

interface Reference {
  readonly declared: Declared<unknown>;
  readonly pointer: string;
  readonly kind: string;
  readonly name: string;
}

function undeclared(known: Iterable<string>, reference: Reference): readonly Problem[] {
  const names = [...known].sort();
  if (names.includes(reference.name)) return [];
  return [
    problemOf({
      code: 'reference-undeclared',
      rule: 'V-97',
      place: reference.declared.at(reference.pointer),
      message: `${reference.pointer === '' ? reference.declared.file : reference.pointer} names ${reference.kind} ${quoted(reference.name)}, which is not declared (known: ${listed(names)})${didYouMean(reference.name, names)}`,
      remedy: names.length === 0 ? `Declare the ${reference.kind}, or take the reference away.` : 'Use a declared one, or declare it.',
    }),
  ];
}

function environmentReferences(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  const { declared } = environment;
  const { spec } = declared.value;
  const teams = teamNames(context);
  const instances = instanceNames(context, environment);
  const windows = (spec.windows ?? []).map((window) => window.name);
  const problems: Problem[] = [];
  const check = (known: Iterable<string>, kind: string, pointer: string, name: string | undefined): void => {
    if (name !== undefined) problems.push(...undeclared(known, { declared, pointer, kind, name }));
  };
  check(context.environmentNames, 'environment', '/spec/extends', spec.extends ?? undefined);
  for (const [index, policy] of (spec.policies ?? []).entries())
    check(policyNames(context), 'policy', `/spec/policies/${index}/ref`, policy.ref);
  for (const [index, approval] of (spec.approvals ?? []).entries()) {
    for (const [at, team] of (approval.teams ?? []).entries()) check(teams, 'team', `/spec/approvals/${index}/teams/${at}`, team);
  }
  for (const [index, gate] of (spec.gates ?? []).entries()) {
    const base = `/spec/gates/${index}`;
    for (const [at, team] of (gate.teams ?? []).entries()) check(teams, 'team', `${base}/teams/${at}`, team);
    check(context.environmentNames, 'environment', `${base}/environment`, gate.environment);
    check(windows, 'window', `${base}/window`, gate.window);
    if (gate.type === 'policy') check(policyNames(context), 'policy', `${base}/ref`, gate.ref);
  }
  for (const target of environment.targets) {
    const fleets = environment.fleets.map((fleet) => fleet.value.metadata.name);
    const at = (pointer: string): Declared<unknown> => ({ ...declared, at: () => target.at(pointer) });
    const base = `/spec/targets${pointerToken(target.name)}`;
    if (target.value.fleet !== undefined)
      problems.push(...undeclared(fleets, { declared: at('/fleet'), pointer: `${base}/fleet`, kind: 'fleet', name: target.value.fleet }));
    for (const name of Object.keys(target.value.overrides ?? {})) {
      const pointer = `/overrides${pointerToken(name)}`;
      problems.push(...undeclared(instances, { declared: at(pointer), pointer: `${base}${pointer}`, kind: 'instance', name }));
    }
  }
  for (const [name, layer] of environment.configs)
    problems.push(...undeclared(instances, { declared: layer, pointer: '', kind: 'instance', name }));
  for (const fleet of environment.fleets) {
    for (const name of Object.keys(fleet.value.spec.capsules ?? {})) {
      problems.push(...undeclared(instances, { declared: fleet, pointer: `/spec/capsules${pointerToken(name)}`, kind: 'instance', name }));
    }
  }
  for (const device of environment.devices) {
    for (const name of Object.keys(device.value.spec.overrides ?? {})) {
      problems.push(
        ...undeclared(instances, { declared: device, pointer: `/spec/overrides${pointerToken(name)}`, kind: 'instance', name }),
      );
    }
  }
  return problems;
}

function capsuleReferences(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const { declared } = capsule;
  const { spec } = declared.value;
  const problems: Problem[] = [];
  const entries = (context.state.project?.value.spec.trust ?? []).map((entry) => entry.name);
  for (const [index, name] of (spec.security?.signatures?.identities ?? []).entries()) {
    problems.push(
      ...undeclared(entries, { declared, pointer: `/spec/security/signatures/identities/${index}`, kind: 'trust entry', name }),
    );
  }
  for (const [index, name] of (spec.agent?.approvals?.teams ?? []).entries()) {
    problems.push(...undeclared(teamNames(context), { declared, pointer: `/spec/agent/approvals/teams/${index}`, kind: 'team', name }));
  }
  return problems;
}

/** V-98. */
function engineProblems(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const { engineVersion } = context.facts;
  const wanted = capsule.declared.value.spec.engine;
  const range = wanted === undefined ? undefined : parseRange(wanted);
  if (engineVersion === undefined || wanted === undefined || range === undefined || isInRange(engineVersion, range)) return [];
  return [
    problemOf({
      code: 'engine-version',
      rule: 'V-98',
      phase: 'resolve',
      place: capsule.declared.at('/spec/engine'),
      message: `${capsule.name} needs Capstan ${wanted}; this is ${engineVersion}`,
      remedy: 'Use a Capstan within that range, or widen spec.engine.',
    }),
  ];
}

function teamNames(context: RuleContext): readonly string[] {
  return Object.keys(context.state.project?.value.spec.teams ?? {});
}

function policyNames(context: RuleContext): readonly string[] {
  return context.state.policies.map((policy) => policy.value.metadata.name);
}

/** Instances by request, and by capsule name for what they need in turn; private ones are named `<instance>.<dependency>`. */
function instanceNames(context: RuleContext, environment: DesiredEnvironment): readonly string[] {
  const requested = Object.keys(environment.declared.value.spec.capsules ?? {});
  const locked = Object.keys(environment.lock?.value.capsules ?? {});
  return [...new Set([...requested, ...locked, ...(context.deployed.get(environment.name) ?? [])])];
}
