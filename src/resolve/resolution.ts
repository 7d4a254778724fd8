import type { InstanceName } from '#model/names.ts';
import { compareText, type Place, type Problem } from '#model/problem.ts';
import type { Pin, Release, ReleasedCapsule, Resolution, ResolvedInstance } from '#model/resolution.ts';
import { suggest } from '#model/suggest.ts';
import { givenTo } from './children.ts';
import { clashText, type Clash } from './clash.ts';
import { compositionProblems } from './composition-check.ts';
import type { Ancestor } from './lineage.ts';
import { orderOf } from './order.ts';
import type { ResolveInput } from './resolve-input.ts';
import { recipesOf, type Choice, type Slot } from './slot.ts';
import { solve } from './solve.ts';
import { checkWiring } from './wiring.ts';

export type Resolved =
  | { readonly kind: 'resolved'; readonly resolution: Resolution; readonly warnings: readonly Problem[] }
  | { readonly kind: 'needs'; readonly releases: readonly Release[] }
  | { readonly kind: 'unresolvable'; readonly problems: readonly Problem[] };

const NOTHING: ReadonlyMap<string, boolean> = new Map();
const NO_EDGES: ResolvedInstance['dependencies'] = new Map();
const ENVIRONMENT: readonly string[] = ['environment'];

export function resolutionOf(input: ResolveInput): Resolved {
  const solution = solve(input);
  switch (solution.kind) {
    case 'needs':
      return solution;
    case 'failed':
      return { kind: 'unresolvable', problems: [clashProblem(input, solution.clash)] };
    case 'exhausted':
      return { kind: 'unresolvable', problems: [exhaustedProblem(input, solution.tries)] };
    case 'solved':
      return ordered(input, solution.slots, solution.notes);
  }
}

function ordered(input: ResolveInput, slots: ReadonlyMap<InstanceName, Slot>, notes: readonly string[]): Resolved {
  const decided = [...slots.values()]
    .flatMap((slot) => (slot.choice?.released === undefined ? [] : [{ slot, choice: slot.choice, released: slot.choice.released }]))
    .sort((a, b) => compareText(a.slot.instance, b.slot.instance));
  const order = orderOf(new Map(decided.map(({ slot, choice }) => [slot.instance, choice.edges])));
  if (order.cycle !== undefined) return { kind: 'unresolvable', problems: [cycleProblem(input, order.cycle, undefined)] };
  const instances = decided
    .flatMap(({ slot, choice, released }): readonly ResolvedInstance[] => {
      const wave = order.waves.get(slot.instance) ?? 0;
      const parents = parentPins(slot.instance, choice.ancestors);
      const instance: ResolvedInstance = {
        pin: pinned(slot.instance, released, askers(slot)),
        dependencies: new Map(choice.edges.map((edge) => [edge.dependency, edge.instance])),
        capabilities: capabilitiesOf(choice),
        wave,
        ...recipesIn(slot),
        ...(parents.length === 0 ? {} : { parents }),
        ...nestingOf(slot, choice),
      };
      const shaping = parents.map((pin) => ({ pin, dependencies: NO_EDGES, capabilities: NOTHING, wave, shapes: slot.instance }));
      return [instance, ...shaping];
    })
    .sort((a, b) => compareText(a.pin.instance, b.pin.instance));
  const released = new Map(decided.map((one) => [one.slot.instance, one.released]));
  const composed = decided.map(({ slot, choice, released: one }) => ({
    instance: slot.instance,
    released: one,
    ancestors: choice.ancestors,
  }));
  const problems = [...checkWiring(input.environment, instances, released), ...compositionProblems(input.environment, composed, instances)];
  if (problems.length > 0) return { kind: 'unresolvable', problems };
  const warnings = order.cut.map((cut) => cycleProblem(input, cut.cycle, cut.dependency));
  return { kind: 'resolved', resolution: { environment: input.environment.name, instances, notes }, warnings };
}

function recipesIn(slot: Slot): Pick<ResolvedInstance, 'recipes'> {
  const recipes = recipesOf(slot);
  return recipes.length === 0 ? {} : { recipes };
}

function nestingOf(slot: Slot, choice: Choice): Pick<ResolvedInstance, 'children' | 'given'> {
  const children = choice.edges.flatMap((edge) => (edge.isChild === true ? [edge.instance] : []));
  const given = givenTo(slot);
  return { ...(children.length === 0 ? {} : { children }), ...(given === undefined ? {} : { given }) };
}

function pinned(instance: InstanceName, { release, sha256 }: ReleasedCapsule, requestedBy: readonly string[]): Pin {
  const { capsule, version, commit, gitTree } = release;
  return { instance, capsule, version, commit, gitTree, sha256, requestedBy };
}

/** Each is asked for by what extends it. */
function parentPins(child: InstanceName, ancestors: readonly Ancestor[]): readonly Pin[] {
  return ancestors.map((one, at) => pinned(one.instance, one.released, [ancestors[at - 1]?.instance ?? child]));
}

function askers(slot: Slot): readonly string[] {
  if (slot.requests.some((request) => request.by === undefined)) return ENVIRONMENT;
  return [...new Set(slot.requests.flatMap((request) => (request.by === undefined ? [] : [String(request.by.instance)])))].sort(
    compareText,
  );
}

function capabilitiesOf(choice: Choice): ReadonlyMap<string, boolean> {
  if (choice.edges.length + choice.optional.length + choice.skipped.length + choice.external.length === 0) return NOTHING;
  const there = new Set([...choice.edges.map((edge) => edge.dependency), ...choice.external]);
  const names = [...there, ...choice.optional.map((edge) => edge.dependency), ...choice.skipped];
  return new Map([...new Set(names)].sort(compareText).map((name) => [name, there.has(name)]));
}

function clashProblem(input: ResolveInput, clash: Clash): Problem {
  const place = placeOf(input, clash);
  const { file } = input.environment.declared;
  const related =
    clash.kind === 'no-version' || clash.kind === 'conflict' ? clash.chain.map((note) => ({ file, line: undefined, note })) : [];
  const base = { severity: 'error', phase: 'resolve', place, related } as const;
  switch (clash.kind) {
    case 'unknown-capsule': {
      const near = suggest(clash.capsule, [...input.index.releases.keys()]);
      const hint = near === undefined ? '' : `; did you mean "${near}"?`;
      return {
        ...base,
        code: 'unknown-capsule',
        rule: 'V-17',
        message: `${clashText(clash)}${hint}`,
        remedy:
          near === undefined
            ? `Add capsules/${clash.capsule}, or remove the dependency.`
            : `Write "${near}", or add capsules/${clash.capsule}.`,
      };
    }
    case 'unknown-type':
      return {
        ...base,
        code: 'missing-recipe',
        rule: 'V-17',
        message: clashText(clash),
        remedy: `Add spec.recipes.${clash.type} to environment ${input.environment.name}.`,
      };
    case 'too-deep':
      return {
        ...base,
        code: 'nested-too-deep',
        rule: 'V-25',
        message: clashText(clash),
        remedy: 'Nest less: share the dependency (shared: true), or take a bundle out of the other.',
      };
    case 'endless':
      return {
        ...base,
        code: 'extends-endless',
        rule: 'V-25',
        message: clashText(clash),
        remedy: 'Let the chain end: a capsule and all that it extends are at most 8, each a different one.',
      };
    case 'name-taken':
      return {
        ...base,
        code: 'instance-name-taken',
        rule: 'V-17',
        message: clashText(clash),
        remedy: `Give the instance "${clash.instance}" another name.`,
      };
    case 'no-import':
      return {
        ...base,
        code: clash.reason === undefined ? 'import-missing' : 'import-refused',
        rule: 'V-17',
        message: clashText(clash),
        remedy:
          clash.reason === undefined
            ? `Run capstan lock ${input.environment.name} where that repository can be reached: it keeps what it fetches in this clone.`
            : `Correct spec.imports.${clash.name} of ${clash.who}.`,
      };
    case 'conflict': {
      const { capsule, index } = clash.declared;
      const declared = {
        file: `capsules/${capsule}/capsule.yaml`,
        line: undefined,
        note: `spec.conflicts[${index}] of ${clash.a} says so`,
      };
      return {
        ...base,
        code: 'capsule-conflict',
        rule: 'V-21',
        message: clashText(clash),
        remedy: `Take one of the two out of environment ${clash.environment}, or ask for versions that go together.`,
        related: [...related, declared],
      };
    }
    case 'no-version':
      return {
        ...base,
        code: 'unresolvable',
        rule: 'V-20',
        message: clashText(clash),
        remedy: `Widen one of these ranges, or release a version of ${clash.capsule} that all of them accept.`,
      };
  }
}

function exhaustedProblem(input: ResolveInput, tries: number): Problem {
  return {
    code: 'unresolvable',
    rule: 'V-20',
    severity: 'error',
    phase: 'resolve',
    message: `no versions found for environment ${input.environment.name} after ${tries} attempts`,
    remedy: 'Narrow the ranges so that fewer combinations remain.',
    place: input.environment.declared.at('/spec/capsules'),
    related: [],
  };
}

function cycleProblem(input: ResolveInput, cycle: readonly InstanceName[], cutAt: string | undefined): Problem {
  const [first] = cycle;
  const text = `dependency cycle: ${cycle.join(' → ')}`;
  return {
    code: 'dependency-cycle',
    rule: 'V-19',
    severity: cutAt === undefined ? 'error' : 'warning',
    phase: 'resolve',
    message: cutAt === undefined ? text : `${text}; cut at the optional dependency "${cutAt}"`,
    remedy:
      cutAt === undefined
        ? 'Remove one of these dependencies, or make it optional.'
        : 'Remove one of these dependencies if their order matters.',
    place: input.environment.declared.at(first === undefined ? '/spec/capsules' : `/spec/capsules/${first}`),
    related: [],
  };
}

function placeOf(input: ResolveInput, clash: Clash): Place {
  const { root, capsule, dependency, pointer } = clash.asked;
  if (capsule !== undefined && pointer !== undefined)
    return { file: `capsules/${capsule}/capsule.yaml`, line: undefined, column: undefined, pointer };
  if (clash.kind !== 'no-version' && capsule !== undefined && dependency !== undefined) {
    return { file: `capsules/${capsule}/capsule.yaml`, line: undefined, column: undefined, pointer: `/spec/dependencies/${dependency}` };
  }
  return input.environment.declared.at(`/spec/capsules/${root}`);
}
