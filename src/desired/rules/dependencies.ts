import { capsuleOf, type RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { CapsuleSource, DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { compareVersions, isBoundedAbove, isInRange, parseRange } from '#model/version.ts';

/** V-15 to V-17, and V-20 as far as one capsule tells it: dependencies name one thing each, their ranges parse and end, and what they name exists. */
export function dependencyProblems(context: RuleContext): readonly Problem[] {
  const bounded = boundedCapsules(context);
  return [
    ...context.state.capsules.flatMap((capsule) => [
      ...choiceProblems(capsule),
      ...rangeProblems(capsule, bounded.get(capsule.name)),
      ...existenceProblems(context, capsule),
      ...versionProblems(context, capsule),
    ]),
    ...context.state.environments.flatMap((environment) => [
      ...environmentRangeProblems(environment),
      ...environmentExistenceProblems(context, environment),
    ]),
  ];
}

/** V-15. */
function choiceProblems(capsule: CapsuleSource): readonly Problem[] {
  return Object.entries(capsule.declared.value.spec.dependencies ?? {}).flatMap(([name, dependency]) => {
    const chosen = (['capsule', 'type', 'service'] as const).filter((key) => dependency[key] !== undefined);
    if (chosen.length === 1) return [];
    return [
      problemOf({
        code: 'dependency-kind',
        rule: 'V-15',
        place: capsule.declared.at(`/spec/dependencies${pointerToken(name)}`),
        message: `dependency ${quoted(name)} must name exactly one of capsule, type or service`,
        remedy: chosen.length === 0 ? 'Add one of them.' : `Keep one of ${chosen.join(', ')}.`,
      }),
    ];
  });
}

/** Capsules whose ranges must end, with an environment that asks for it. */
function boundedCapsules(context: RuleContext): ReadonlyMap<string, DesiredEnvironment> {
  const found = new Map<string, DesiredEnvironment>();
  for (const environment of context.state.environments) {
    if (!needsBounds(environment)) continue;
    for (const name of context.deployed.get(environment.name) ?? []) if (!found.has(name)) found.set(name, environment);
  }
  return found;
}

function needsBounds(environment: DesiredEnvironment): boolean {
  return environment.declared.value.spec.risk !== 'low';
}

interface RangeUse {
  readonly what: string;
  readonly range: string | undefined;
  readonly place: Place;
  /** Environment whose risk wants an upper end. */
  readonly bound: DesiredEnvironment | undefined;
}

/** V-16. */
function rangeProblem(use: RangeUse): readonly Problem[] {
  const parsed = parseRange(use.range ?? '*');
  const unbounded = parsed !== undefined && use.bound !== undefined && !isBoundedAbove(parsed);
  if (parsed !== undefined && !unbounded) return [];
  const word = parsed === undefined ? 'invalid' : 'unbounded';
  return [
    problemOf({
      code: parsed === undefined ? 'range-invalid' : 'range-unbounded',
      rule: 'V-16',
      place: use.place,
      message: `${use.what} range ${quoted(use.range ?? '*')} is ${word}${unbounded && use.bound !== undefined ? `; ${use.bound.name} has risk ${use.bound.declared.value.spec.risk}` : ''}`,
      remedy:
        parsed === undefined
          ? 'Write a SemVer range such as ^1.4.0 or >=7.2.0 <8.0.0.'
          : 'Give every alternative an upper end, such as ^1.4.0 or >=7.2.0 <8.0.0.',
    }),
  ];
}

function rangeProblems(capsule: CapsuleSource, bound: DesiredEnvironment | undefined): readonly Problem[] {
  const { spec } = capsule.declared.value;
  const at = (pointer: string): Place => capsule.declared.at(pointer);
  const uses: RangeUse[] = Object.entries(spec.dependencies ?? {}).flatMap(([name, dependency]) =>
    dependency.service === undefined || dependency.version !== undefined
      ? [
          {
            what: `dependency ${quoted(name)}`,
            range: dependency.version,
            place: at(`/spec/dependencies${pointerToken(name)}/version`),
            bound: dependency.service === undefined ? bound : undefined,
          },
        ]
      : [],
  );
  if (spec.extends)
    uses.push({ what: `extends ${quoted(spec.extends.capsule)}`, range: spec.extends.version, place: at('/spec/extends/version'), bound });
  for (const [name, child] of Object.entries(spec.instances ?? {})) {
    uses.push({ what: `instance ${quoted(name)}`, range: child.version, place: at(`/spec/instances${pointerToken(name)}/version`), bound });
  }
  const plain = (what: string, range: string | undefined, pointer: string): void => {
    if (range !== undefined) uses.push({ what, range, place: at(pointer), bound: undefined });
  };
  plain('engine', spec.engine, '/spec/engine');
  plain('kubernetes', spec.compatibility?.kubernetes, '/spec/compatibility/kubernetes');
  plain('upgradesFrom', spec.compatibility?.upgradesFrom, '/spec/compatibility/upgradesFrom');
  for (const [index, conflict] of (spec.conflicts ?? []).entries()) plain('conflict', conflict.version, `/spec/conflicts/${index}/version`);
  for (const [index, migration] of (spec.migrations ?? []).entries()) plain('migration', migration.from, `/spec/migrations/${index}/from`);
  return uses.flatMap(rangeProblem);
}

function environmentRangeProblems(environment: DesiredEnvironment): readonly Problem[] {
  const { spec } = environment.declared.value;
  const bound = needsBounds(environment) ? environment : undefined;
  const requests = Object.entries(spec.capsules ?? {}).map(([instance, request]) => ({
    what: `capsule ${quoted(instance)}`,
    range: request.version,
    place: environment.declared.at(`/spec/capsules${pointerToken(instance)}/version`),
    bound,
  }));
  const recipes = Object.entries(spec.recipes ?? {}).map(([type, recipe]) => ({
    what: `recipe ${quoted(type)}`,
    range: recipe.version,
    place: environment.declared.at(`/spec/recipes${pointerToken(type)}/version`),
    bound,
  }));
  return [...requests, ...recipes].flatMap(rangeProblem);
}

/** V-17 as far as the snapshot and the names of released capsules tell. */
function existenceProblems(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const { spec } = capsule.declared.value;
  const uses = Object.entries(spec.dependencies ?? {}).flatMap(([name, dependency]) =>
    dependency.capsule === undefined ? [] : [{ name: dependency.capsule, pointer: `/spec/dependencies${pointerToken(name)}/capsule` }],
  );
  if (spec.extends) uses.push({ name: spec.extends.capsule, pointer: '/spec/extends/capsule' });
  for (const [name, child] of Object.entries(spec.instances ?? {}))
    uses.push({ name: child.capsule, pointer: `/spec/instances${pointerToken(name)}/capsule` });
  const known = (name: string): boolean => context.capsuleNames.has(name) || Object.hasOwn(spec.imports ?? {}, name);
  return uses
    .filter((use) => !known(use.name))
    .map((use) => unknownCapsule(context, { who: capsule.name, name: use.name, place: capsule.declared.at(use.pointer) }));
}

/** V-20 wherever it will be deployed: no released version and none of this snapshot is in the range of what a capsule needs. */
function versionProblems(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const { spec } = capsule.declared.value;
  const needs: Need[] = Object.entries(spec.dependencies ?? {}).flatMap(([name, { capsule: wanted, version, optional }]) =>
    wanted === undefined || optional === true
      ? []
      : [{ wanted, version: version ?? '*', verb: 'needs', at: `/dependencies${pointerToken(name)}` }],
  );
  if (spec.extends) needs.push({ wanted: spec.extends.capsule, version: spec.extends.version, verb: 'extends', at: '/extends' });
  for (const [name, child] of Object.entries(spec.instances ?? {}))
    needs.push({ wanted: child.capsule, version: child.version, verb: 'needs', at: `/instances${pointerToken(name)}` });
  return needs.flatMap((need) => unmetRange(context, capsule, need));
}

interface Need {
  readonly wanted: string;
  readonly version: string;
  readonly verb: 'needs' | 'extends';
  /** Below spec. */
  readonly at: string;
}

function unmetRange(context: RuleContext, capsule: CapsuleSource, { wanted, version, verb, at }: Need): readonly Problem[] {
  const { released } = context.facts;
  const { spec, metadata } = capsule.declared.value;
  const range = parseRange(version);
  if (range === undefined || released === undefined) return [];
  if (!context.capsuleNames.has(wanted) || Object.hasOwn(spec.imports ?? {}, wanted)) return [];
  const own = context.capsules.get(wanted)?.declared.value.metadata.version;
  const versions = [...new Set([...(released.get(wanted)?.keys() ?? []), ...(own === undefined ? [] : [own])])].sort(compareVersions);
  if (versions.length === 0 || versions.some((one) => isInRange(one, range))) return [];
  return [
    problemOf({
      code: 'unresolvable',
      rule: 'V-20',
      phase: 'resolve',
      place: capsule.declared.at(`/spec${at}/version`),
      message: `no version of ${wanted} satisfies all of: ${capsule.name}@${metadata.version} ${verb} ${version}; available ${versions.join(', ')}`,
      remedy: `Widen the range, or release a version of ${wanted} that it accepts.`,
    }),
  ];
}

function environmentExistenceProblems(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  const { spec } = environment.declared.value;
  const problems: Problem[] = [];
  for (const [instance, request] of Object.entries(spec.capsules ?? {})) {
    const name = capsuleOf(instance, request);
    const pointer = `/spec/capsules${pointerToken(instance)}${request.capsule === undefined ? '' : '/capsule'}`;
    if (!context.capsuleNames.has(name))
      problems.push(unknownCapsule(context, { who: environment.name, name, place: environment.declared.at(pointer) }));
  }
  for (const [type, recipe] of Object.entries(spec.recipes ?? {})) {
    const place = environment.declared.at(`/spec/recipes${pointerToken(type)}/capsule`);
    if (!context.capsuleNames.has(recipe.capsule))
      problems.push(unknownCapsule(context, { who: environment.name, name: recipe.capsule, place }));
  }
  return [...problems, ...recipeProblems(context, environment)];
}

/** An abstract dependency of a deployed capsule needs a recipe; without one nothing satisfies it (V-17). */
function recipeProblems(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  const recipes = environment.declared.value.spec.recipes ?? {};
  const problems: Problem[] = [];
  for (const name of [...(context.deployed.get(environment.name) ?? [])].sort()) {
    const capsule = context.capsules.get(name);
    for (const [local, dependency] of Object.entries(capsule?.declared.value.spec.dependencies ?? {})) {
      if (dependency.type === undefined || dependency.optional === true || Object.hasOwn(recipes, dependency.type)) continue;
      const asked = capsule?.declared.at(`/spec/dependencies${pointerToken(local)}/type`);
      problems.push(
        problemOf({
          code: 'missing-recipe',
          rule: 'V-17',
          phase: 'resolve',
          place: environment.declared.at('/spec/recipes'),
          message: `${environment.name} has no recipe for type ${quoted(dependency.type)}, which ${name} depends on${didYouMean(dependency.type, Object.keys(recipes))}`,
          remedy: `Add spec.recipes.${dependency.type} with the capsule to use.`,
          related: asked === undefined ? [] : relatedTo(asked, 'asked for here'),
        }),
      );
    }
  }
  return problems;
}

function unknownCapsule(context: RuleContext, use: { readonly who: string; readonly name: string; readonly place: Place }): Problem {
  return problemOf({
    code: 'unknown-capsule',
    rule: 'V-17',
    phase: 'resolve',
    place: use.place,
    message: `${use.who} depends on ${quoted(use.name)}, which is not in capsules/ nor in imports${didYouMean(use.name, context.capsuleNames)}`,
    remedy: `Use one of: ${listed([...context.capsuleNames].sort())}.`,
  });
}
