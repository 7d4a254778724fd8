import { circleText, type Edge, findCircles } from '#desired/cycle.ts';
import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import { pointerToken } from '#model/json.ts';
import { NOWHERE, type Place, type Problem } from '#model/problem.ts';

interface Need {
  readonly optional: boolean;
  readonly place: Place;
}

/** V-19 on the capsules of this snapshot: an error if every step must be there, a warning if an optional one can be cut. */
export function cycleProblems(context: RuleContext): readonly Problem[] {
  const edges: Edge<Need>[] = [];
  for (const capsule of context.state.capsules) {
    for (const [name, dependency] of Object.entries(capsule.declared.value.spec.dependencies ?? {})) {
      if (dependency.capsule === undefined || !context.capsules.has(dependency.capsule)) continue;
      const place = capsule.declared.at(`/spec/dependencies${pointerToken(name)}`);
      edges.push({ from: capsule.name, to: dependency.capsule, label: { optional: dependency.optional === true, place } });
    }
  }
  const firm = findCircles(edges.filter((edge) => !edge.label.optional));
  const cut = findCircles(edges).filter((circle) => circle.some((edge) => edge.label.optional));
  return [...firm.map((circle) => cycleProblem(circle, 'error')), ...cut.map((circle) => cycleProblem(circle, 'warning'))];
}

function cycleProblem(circle: readonly Edge<Need>[], severity: 'error' | 'warning'): Problem {
  const optional = circle.find((edge) => edge.label.optional);
  const note = optional === undefined ? '' : `; it is cut at the optional dependency of ${optional.from} on ${optional.to}`;
  return problemOf({
    code: 'dependency-cycle',
    rule: 'V-19',
    severity,
    phase: 'resolve',
    place: (optional ?? circle[0])?.label.place ?? NOWHERE,
    message: `dependency cycle: ${circleText(circle)}${note}`,
    remedy:
      severity === 'error'
        ? 'Take one of these dependencies away, or make it optional.'
        : 'Nothing, if the order at the cut does not matter.',
  });
}
