import { capsuleOf, type RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { EnvironmentGate } from '#model/declarations.generated.ts';
import type { CapsuleSource, DesiredEnvironment } from '#model/desired.ts';
import { compileExpression } from '#model/expression.ts';
import { parseDuration } from '#model/instant.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { closureOf } from './targets.ts';

/** V-92: gates have names of their own, conditions that can be judged, and look at what is there. */
export function gateProblems(context: RuleContext): readonly Problem[] {
  return [
    ...context.state.environments.flatMap((environment) => [
      ...names(environment),
      ...conditions(environment),
      ...references(context, environment),
      ...ungated(environment),
    ]),
    ...context.state.capsules.flatMap(triggers),
  ];
}

type Report = (pointer: string, message: string, remedy: string) => void;

function reporting(environment: DesiredEnvironment, judge: (report: Report) => void): readonly Problem[] {
  const problems: Problem[] = [];
  judge((pointer, message, remedy) => {
    problems.push(problemOf({ code: 'gate-invalid', rule: 'V-92', place: environment.declared.at(pointer), message, remedy }));
  });
  return problems;
}

/** Approvals are gates named `approval-<n>`. */
function names(environment: DesiredEnvironment): readonly Problem[] {
  const { approvals = [], gates = [] } = environment.declared.value.spec;
  const taken = new Set(approvals.map((_, index) => `approval-${index + 1}`));
  return reporting(environment, (report) => {
    for (const [index, { name }] of gates.entries()) {
      if (taken.has(name))
        report(
          `/spec/gates/${index}/name`,
          `two gates of ${environment.name} are named ${quoted(name)}`,
          /^approval-[0-9]+$/.test(name)
            ? 'Choose another name: approvals are gates of this kind of name.'
            : 'Give each gate a name of its own.',
        );
      taken.add(name);
    }
  });
}

/** What `when` may name, as the gates see it. */
const INPUTS: ReadonlyMap<string, string> = new Map([
  ['change', 'dyn'],
  ...['id', 'risk', 'kind'].map((name): [string, string] => [`change.${name}`, 'string']),
  ['capsule', 'dyn'],
  ...['name', 'type', 'version', 'risk'].map((name): [string, string] => [`capsule.${name}`, 'string']),
  ['capsule.labels', 'map'],
  ['environment', 'dyn'],
  ...['name', 'risk'].map((name): [string, string] => [`environment.${name}`, 'string']),
  ['environment.labels', 'map'],
]);
const ROOTS: readonly string[] = [...INPUTS.keys()].filter((name) => !name.includes('.'));

function conditions(environment: DesiredEnvironment): readonly Problem[] {
  const { approvals = [], gates = [] } = environment.declared.value.spec;
  const all = [
    ...gates.map(({ name, when }, index) => ({ what: `gate ${quoted(name)}`, when, pointer: `/spec/gates/${index}/when` })),
    ...approvals.map(({ when }, index) => ({ what: `approval-${index + 1}`, when, pointer: `/spec/approvals/${index}/when` })),
  ];
  return reporting(environment, (report) => {
    for (const { what, when, pointer } of all) {
      const mistake = when === undefined ? undefined : mistakeIn(when);
      if (mistake !== undefined)
        report(pointer, `${what} of ${environment.name}: when: ${mistake}`, 'Write a CEL expression over change, capsule and environment.');
    }
  });
}

function mistakeIn(when: string): string | undefined {
  const compiled = compileExpression(when, ROOTS);
  if (!compiled.ok) return compiled.message;
  const type = compiled.value.typeWith(INPUTS);
  if (!type.ok) return type.message;
  return type.value === 'bool' || type.value === 'dyn' ? undefined : `it gives a ${type.value}, and a bool is wanted`;
}

const OWN_CHECK = 'capstan/promote';

function references(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  const { gates = [] } = environment.declared.value.spec;
  return reporting(environment, (report) => {
    for (const [index, gate] of gates.entries()) {
      const base = `/spec/gates/${index}`;
      const what = `gate ${quoted(gate.name)} of ${environment.name}`;
      switch (gate.type) {
        case 'check':
          if (gate.checks === undefined) report(base, `${what} names no checks`, 'List the names of the checks under checks.');
          else if (gate.checks.includes(OWN_CHECK))
            report(
              `${base}/checks/${gate.checks.indexOf(OWN_CHECK)}`,
              `${what} waits for ${OWN_CHECK}, which waits for it`,
              `Take ${OWN_CHECK} out: it is what the gates together say.`,
            );
          break;
        case 'policy':
          if (gate.ref === undefined) report(base, `${what} names no policy`, 'Name it under ref.');
          break;
        case 'external':
          if (gate.url === undefined) report(base, `${what} has no address to ask`, 'Write it under url.');
          break;
        case 'plan':
          planDriver(environment, { gate, base, what }, report);
          break;
        case 'slo':
          objective(context, { environment, gate, base, what }, report);
          break;
        case 'soak':
        case 'window':
        case 'approval':
        case 'tests':
        case 'scan':
        case 'eval':
        case 'signature':
        case 'cost':
        case 'drift':
        case 'compat':
        case 'drill':
        case 'health':
          break;
      }
    }
  });
}

interface Named {
  readonly gate: EnvironmentGate;
  readonly base: string;
  readonly what: string;
}

function planDriver(environment: DesiredEnvironment, { gate, base, what }: Named, report: Report): void {
  const drivers = [...new Set(environment.targets.map((target) => target.value.driver))].sort();
  if (gate.driver === undefined || drivers.includes(gate.driver)) return;
  report(
    `${base}/driver`,
    `${what} wants a plan of driver ${quoted(gate.driver)}, which no target of ${environment.name} has (known: ${listed(drivers)})${didYouMean(gate.driver, drivers)}`,
    'Name the driver of one of its targets.',
  );
}

/** The budget may be that of another environment; undeclared ones are V-97's. */
function objective(context: RuleContext, named: Named & { readonly environment: DesiredEnvironment }, report: Report): void {
  const { gate, base, what } = named;
  const where = gate.environment === undefined ? named.environment : context.environments.get(gate.environment);
  if (gate.slo === undefined || where === undefined) return;
  const known = objectivesOf(context, where);
  if (known === undefined || known.includes(gate.slo)) return;
  report(
    `${base}/slo`,
    `${what} looks at SLO ${quoted(gate.slo)}, which no capsule of ${where.name} has (known: ${listed(known)})${didYouMean(gate.slo, known)}`,
    'Name an objective of a capsule that runs there, or declare it under slo.',
  );
}

/** Names of the objectives of what an environment deploys; undefined where a capsule is not at hand. */
function objectivesOf(context: RuleContext, environment: DesiredEnvironment): readonly string[] | undefined {
  const requests = Object.entries(environment.declared.value.spec.capsules ?? {}).filter(([, request]) => request.enabled !== false);
  const found = new Set<string>();
  const instances = requests.map(([instance, request]) => ({ instance, capsule: capsuleOf(instance, request) }));
  const requested = new Set(instances.map((one) => one.capsule));
  const others = closureOf(context, [...requested]).filter((name) => !requested.has(name));
  for (const { instance, capsule } of [...instances, ...others.map((name) => ({ instance: name, capsule: name }))]) {
    const source = context.capsules.get(capsule);
    if (source === undefined) return undefined;
    const { slo } = source.declared.value.spec;
    if (slo?.profile !== undefined) for (const name of PROFILE) found.add(name).add(`${instance}-${name}`);
    for (const path of slo?.files ?? []) for (const name of objectiveNames(source.contents.get(path))) found.add(name);
  }
  return [...found].sort();
}

/** The objectives of the one profile, by their short names. */
const PROFILE = ['availability', 'latency'] as const;

/** What a capsule goes back because of: its analyses, its metrics, its objectives. */
function triggers(capsule: CapsuleSource): readonly Problem[] {
  const { health, rollback, slo, strategy } = capsule.declared.value.spec;
  const named = [health?.metrics?.application, health?.metrics?.business, health?.metrics?.custom].flatMap((list) => list ?? []);
  const metrics = [...Object.keys(strategy?.analysis ?? {}), ...(health?.metrics?.system ?? []), ...named.map(({ name }) => name)];
  const files = (slo?.files ?? []).flatMap((path) => objectiveNames(capsule.contents.get(path)));
  const objectives = [...(slo?.profile === undefined ? [] : PROFILE), ...files];
  return (rollback?.triggers ?? []).flatMap((trigger, index) =>
    (['metric', 'slo'] as const).flatMap((field) => {
      const name = trigger[field];
      const known = field === 'metric' ? metrics : objectives;
      if (name === undefined || known.includes(name)) return [];
      return [
        problemOf({
          code: 'trigger-looks-at-nothing',
          rule: 'V-92',
          place: capsule.declared.at(`/spec/rollback/triggers/${index}/${field}`),
          message: `rollback of ${capsule.name} looks at ${field} ${quoted(name)}, which it does not declare (known: ${listed(known)})${didYouMean(name, known)}`,
          remedy: field === 'metric' ? 'Declare it under health.metrics or strategy.analysis.' : 'Declare it under slo.',
        }),
      ];
    }),
  );
}

function objectiveNames(content: Uint8Array | undefined): readonly string[] {
  const read = content === undefined ? undefined : readKubernetesYaml(new TextDecoder().decode(content), '');
  if (read?.ok !== true) return [];
  return read.value.flatMap(({ value }) => {
    if (!isJsonObject(value) || value['kind'] !== 'SLO') return [];
    const name = jsonText(valueAt(value, '/metadata/name'));
    const objectives = valueAt(value, '/spec/objectives');
    const count = Array.isArray(objectives) ? objectives.length : 0;
    return count > 1 ? [name, ...Array.from({ length: count }, (_, at) => `${name}-${at + 1}`)] : [name];
  });
}

/** A soak is a gate, too; so is a window. */
function ungated(environment: DesiredEnvironment): readonly Problem[] {
  const { approvals = [], gates = [], promotion, risk, windows = [] } = environment.declared.value.spec;
  if (promotion?.merge !== 'auto' || risk === 'low') return [];
  const soaks = (promotion.from?.environments ?? []).length > 0 && (parseDuration(promotion.soak ?? '0s') ?? 0) > 0;
  if (soaks || approvals.length + gates.length + windows.length > 0) return [];
  return reporting(environment, (report) =>
    report(
      '/spec/promotion/merge',
      `${environment.name} merges automatically but has no gate`,
      'Add gates, approvals or a soak, or let a person merge: merge: manual.',
    ),
  );
}
