import { comesToAnEnd } from '#model/component-end.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { InstanceName } from '#model/names.ts';
import type { Place, Problem } from '#model/problem.ts';
import type { ReleasedCapsule, ResolvedInstance } from '#model/resolution.ts';
import { closedWrites, isOpen, type Sealable } from '#model/sealing.ts';
import { didYouMean } from '#model/suggest.ts';
import type { Ancestor } from './lineage.ts';
import { wishOf } from './wishes.ts';

/** An instance as it was decided. */
export interface Composed {
  readonly instance: InstanceName;
  /** With what it inherits. */
  readonly released: ReleasedCapsule;
  readonly ancestors: readonly Ancestor[];
}

/** V-26, V-27 and V-30 on what an environment would run, and V-97 on what it says of instances inside of others. */
export function compositionProblems(
  environment: DesiredEnvironment,
  composed: readonly Composed[],
  instances: readonly ResolvedInstance[],
): readonly Problem[] {
  return [
    ...composed.flatMap((one) => sealProblems(environment, one)),
    ...nameProblems(environment, composed),
    ...completionProblems(composed, instances),
    ...wishProblems(environment, composed),
  ];
}

const OF_CAPSULE = { severity: 'error', phase: 'resolve', related: [] } as const;

function placeIn(capsule: string, pointer: string): Place {
  return { file: `capsules/${capsule}/capsule.yaml`, line: undefined, column: undefined, pointer };
}

function sealable({ own, declaration, files }: ReleasedCapsule): Sealable {
  return { declaration: own ?? declaration, files: files ?? [] };
}

/** V-26, of the chosen versions: each descendant of a sealed capsule, and the environment's own patches. */
function sealProblems(environment: DesiredEnvironment, { instance, released, ancestors }: Composed): readonly Problem[] {
  const line = [released, ...ancestors.map((one) => one.released)];
  const problems: Problem[] = [];
  for (const [at, parent] of line.entries()) {
    if ((parent.own ?? parent.declaration).spec.sealed !== true) continue;
    const { capsule } = parent.release;
    for (const child of line.slice(0, at)) {
      for (const pointer of closedWrites(sealable(child), sealable(parent)))
        problems.push(sealProblem(child.release.capsule, capsule, pointer));
    }
    const wish = wishOf(environment, instance);
    if ((wish.patches ?? []).length > 0 && !isOpen(sealable(parent), '/patches')) {
      problems.push({
        ...OF_CAPSULE,
        code: 'sealed-changed',
        rule: 'V-26',
        message: `${environment.name} changes /patches of ${instance}, which ${capsule} does not open as an extension point`,
        remedy: `Take the patches out, or let ${capsule} open /patches.`,
        place: environment.declared.at(`${wish.pointer}/patches`),
      });
    }
  }
  return problems;
}

function sealProblem(child: string, parent: string, pointer: string): Problem {
  return {
    ...OF_CAPSULE,
    code: 'sealed-changed',
    rule: 'V-26',
    message: `${child} changes ${pointer}, which ${parent} does not open as an extension point`,
    remedy: `Take it out of ${child}, or add an extension point with this path to ${parent}.`,
    place: placeIn(child, `/spec${pointer}`),
  };
}

const LONGEST = 63;

/** V-27: names of objects are made of names of instances; where one of them is nested they must stay apart, and fit. */
function nameProblems(environment: DesiredEnvironment, composed: readonly Composed[]): readonly Problem[] {
  if (composed.every((one) => one.ancestors.length === 0 && !one.instance.includes('.'))) return [];
  const owners = new Map<string, InstanceName>();
  const problems: Problem[] = [];
  const known = new Set(composed.map((one) => one.instance));
  const problem = (instance: InstanceName, message: string, remedy: string): void => {
    const place = environment.declared.at(wishOf(environment, instance).pointer);
    problems.push({ ...OF_CAPSULE, code: 'derived-name', rule: 'V-27', message, remedy, place });
  };
  for (const { instance, released, ancestors } of composed) {
    for (const { instance: parent, released: extended } of ancestors) {
      if (known.has(parent))
        problem(
          instance,
          `derived name "${parent}" is used by what ${instance} extends and by an instance of its own`,
          `Give the child or dependency of ${instance} another name than ${extended.release.capsule}.`,
        );
    }
    for (const name of derivedNames(instance, released)) {
      const other = owners.get(name);
      if (other !== undefined && (other.includes('.') || instance.includes('.')))
        problem(
          instance,
          `derived name "${name}" is used by ${other} and ${instance}`,
          `Give one of ${other} and ${instance} another name.`,
        );
      owners.set(name, other ?? instance);
      if (name.length > LONGEST && instance.includes('.'))
        problem(
          instance,
          `derived name "${name}" is ${name.length} characters; the limit is ${LONGEST}`,
          'Shorten the name of the instance, of the child or of the component.',
        );
    }
  }
  return problems;
}

function derivedNames(instance: InstanceName, { declaration }: ReleasedCapsule): readonly string[] {
  const base = instance.replaceAll('.', '-');
  const components = Object.entries(declaration.spec.components ?? {});
  const others = components.length < 2 ? [] : components.filter(([, component]) => component.primary !== true);
  return [...new Set([base, ...others.map(([name]) => `${base}-${name}`)])];
}

/** V-30. */
function completionProblems(composed: readonly Composed[], instances: readonly ResolvedInstance[]): readonly Problem[] {
  const known = new Map(composed.map((one) => [one.instance, one.released]));
  return instances.flatMap(({ pin, dependencies }) => {
    const declared = known.get(pin.instance)?.declaration.spec.dependencies ?? {};
    return Object.entries(declared).flatMap(([name, { condition }]) => {
      const provider = known.get(dependencies.get(name) ?? pin.instance);
      if (condition !== 'completed' || provider === undefined || !dependencies.has(name)) return [];
      if (comesToAnEnd(provider.declaration)) return [];
      const { capsule } = provider.release;
      return [
        {
          ...OF_CAPSULE,
          code: 'never-completes',
          rule: 'V-30',
          message: `dependency "${name}" waits for "completed" but ${capsule} has no Job component`,
          remedy: `Wait for "healthy" or "started", or depend on a capsule with a Job.`,
          place: placeIn(pin.capsule, `/spec/dependencies${pointerToken(name)}/condition`),
        },
      ];
    });
  });
}

/** V-97: what the environment says of an instance that nothing makes. A child whose condition does not hold may be spoken of. */
function wishProblems(environment: DesiredEnvironment, composed: readonly Composed[]): readonly Problem[] {
  const requests = Object.entries(environment.declared.value.spec.capsules ?? {}).filter(([, request]) => request.instances !== undefined);
  if (requests.length === 0) return [];
  const known = new Set<string>(composed.map((one) => one.instance));
  for (const { instance, released } of composed) {
    const { instances, dependencies } = released.declaration.spec;
    for (const name of Object.keys(instances ?? {})) known.add(`${instance}.${name}`);
    for (const [name, dependency] of Object.entries(dependencies ?? {})) if (dependency.shared === false) known.add(`${instance}.${name}`);
  }
  return requests.flatMap(([root, request]) =>
    Object.keys(request.instances ?? {}).flatMap((rest) => {
      const name = `${root}.${rest}`;
      if (
        request.enabled === false ||
        !composed.some((one) => one.instance === root) ||
        known.has(name) ||
        isBelowAbsent(name, composed, known)
      )
        return [];
      const inside = [...known].filter((one) => one.startsWith(`${root}.`)).map((one) => one.slice(root.length + 1));
      return [
        {
          ...OF_CAPSULE,
          code: 'nested-undeclared',
          rule: 'V-97',
          message: `/spec/capsules/${root}/instances names instance "${rest}", which is not declared (known: ${inside.join(', ') || 'none'})${didYouMean(rest, inside)}`,
          remedy: 'Use the name of a child or of a private dependency, without the name of what it belongs to.',
          place: environment.declared.at(`/spec/capsules${pointerToken(root)}/instances${pointerToken(rest)}`),
        },
      ];
    }),
  );
}

/** Whether it would belong to an instance that may be there and is not: nothing is known of what that would bring. */
function isBelowAbsent(name: string, composed: readonly Composed[], known: ReadonlySet<string>): boolean {
  const there = new Set<string>(composed.map((one) => one.instance));
  for (let end = name.lastIndexOf('.'); end > 0; end = name.lastIndexOf('.', end - 1)) {
    const owner = name.slice(0, end);
    if (known.has(owner)) return !there.has(owner);
  }
  return false;
}
