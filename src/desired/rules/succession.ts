import { capsuleOf, type RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import { retirementOf } from '#model/succession.ts';
import { didYouMean } from '#model/suggest.ts';
import { isInRange, parseRange } from '#model/version.ts';

/** V-24 as far as this snapshot tells it: who may get a version that its own capsule calls retired or deprecated. */
export function successionProblems(context: RuleContext): readonly Problem[] {
  return [
    ...context.state.capsules.flatMap((capsule) => [...deprecationProblems(context, capsule), ...usesOf(context, capsule)]),
    ...context.state.environments.flatMap((environment) =>
      Object.entries(environment.declared.value.spec.capsules ?? {}).flatMap(([instance, request]) => {
        if (request.enabled === false) return [];
        const place = environment.declared.at(`/spec/capsules${pointerToken(instance)}`);
        return useProblems(context, { user: environment.name, used: capsuleOf(instance, request), range: request.version, place });
      }),
    ),
  ];
}

function usesOf(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  return Object.entries(capsule.declared.value.spec.dependencies ?? {}).flatMap(([name, dependency]) => {
    if (dependency.capsule === undefined) return [];
    const place = capsule.declared.at(`/spec/dependencies${pointerToken(name)}`);
    return useProblems(context, { user: capsule.name, used: dependency.capsule, range: dependency.version ?? '*', place });
  });
}

interface Use {
  readonly user: string;
  readonly used: string;
  readonly range: string;
  readonly place: Place;
}

function useProblems(context: RuleContext, use: Use): readonly Problem[] {
  const source = context.capsules.get(use.used);
  const range = parseRange(use.range);
  if (source === undefined || range === undefined) return [];
  const { metadata, spec } = source.declared.value;
  const found = isInRange(metadata.version, range)
    ? retirementOf(use.user, { capsule: source.name, version: metadata.version, spec }, context.facts.now)
    : undefined;
  if (found === undefined) return [];
  const related = relatedTo(source.declared.at('/spec/lifecycle'), 'says so');
  return [problemOf({ ...found, rule: 'V-24', phase: 'resolve', place: use.place, related })];
}

/** Who deprecates says so in full, and names only what there is. */
function deprecationProblems(context: RuleContext, capsule: CapsuleSource): readonly Problem[] {
  const { lifecycle, deprecation } = capsule.declared.value.spec;
  const problems: Problem[] = [];
  if (lifecycle === 'deprecated' && (deprecation === undefined || deprecation === null)) {
    problems.push(
      problemOf({
        code: 'deprecation-missing',
        rule: 'V-24',
        place: capsule.declared.at('/spec/lifecycle'),
        message: `${capsule.name} is deprecated, but spec.deprecation does not say what replaces it or until when it stays`,
        remedy: 'Add spec.deprecation with replacedBy, sunset or note.',
      }),
    );
  }
  const next = deprecation?.replacedBy;
  if (next !== undefined && !context.capsuleNames.has(next)) {
    const names = [...context.capsuleNames].sort();
    problems.push(
      problemOf({
        code: 'reference-undeclared',
        rule: 'V-97',
        place: capsule.declared.at('/spec/deprecation/replacedBy'),
        message: `/spec/deprecation/replacedBy names capsule ${quoted(next)}, which is not declared (known: ${listed(names)})${didYouMean(next, names)}`,
        remedy: 'Use a declared one, or declare it.',
      }),
    );
  }
  return problems;
}
