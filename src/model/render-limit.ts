import type { Problem } from '#model/problem.ts';
import type { RenderUnit } from '#model/rendering.ts';

/** A unit that broke a limit; `what` says which. */
export function renderLimitProblem(unit: Omit<RenderUnit, 'capsule'>, directory: string, what: string): Problem {
  return {
    code: 'render-limit',
    rule: undefined,
    severity: 'error',
    phase: 'render',
    message: `rendering ${unit.pin.instance} ${unit.pin.version} for ${unit.target.environment}/${unit.target.name} ${what}`,
    remedy: 'Make the templates of the capsule smaller: fewer loops within loops, less text.',
    place: { file: `${directory}/capsule.yaml`, line: undefined, column: undefined, pointer: undefined },
    related: [],
  };
}
