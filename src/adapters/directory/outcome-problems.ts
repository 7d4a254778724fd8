import type { Sha256 } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { Step, TargetPlan } from '#model/plan.ts';
import { placeInFile } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { PortError } from '#ports/port-error.ts';

/** Somebody changed the object between the observation and the step. */
export function movedProblem(step: Step, found: Sha256 | undefined): Problem {
  const now = found === undefined ? '' : ` (it now has sha256 ${found})`;
  return problem(
    'object-moved',
    `${keyText(step.key)} changed on the target since the plan was made${now}; it was left alone`,
    'Nothing to do: the next run plans again from what is there. If it keeps happening, find who else writes to this target.',
  );
}

export function skippedProblem(plan: TargetPlan, step: Step): Problem {
  return problem(
    'prune-skipped',
    `${keyText(step.key)} was not removed from target ${plan.target}: not every object before it could be written`,
    'Mend what the other outcomes of this run name; the next run removes it.',
  );
}

export function writeProblem(step: Step, error: PortError): Problem {
  return problem(
    'target-write-failed',
    `${keyText(step.key)} could not be ${step.action === 'prune' ? 'removed' : 'written'}: ${error.message}`,
    'Mend the directory (space, permissions, what stands in the way); the next run tries again.',
  );
}

/** The values of the object are encrypted in git, and stay so. */
export function sealedProblem(step: Step, error: PortError): Problem {
  return problem(
    'secret-not-opened',
    `${keyText(step.key)} could not be written: ${error.message}`,
    'Give this process the age key (sops.ageKey in its configuration) and sops, or encrypt the file again; the next run tries again.',
  );
}

function problem(code: string, message: string, remedy: string): Problem {
  return {
    code,
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message,
    remedy,
    place: placeInFile('.capstan/inventory.json'),
    related: [],
  };
}
