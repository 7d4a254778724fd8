import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { Outcome, Step, TargetPlan } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';
import { listed, visibleText } from '#model/quoted.ts';
import type { PortError } from '#ports/port-error.ts';
import { clusterProblem, named } from './refusals.ts';

export function outcomeOf(step: Step, result: Outcome['result'], problem?: Problem): Outcome {
  return { action: step.action, key: step.key, result, problem };
}

/** Somebody changed the object between the observation and the step. */
export function movedProblem(step: Step): Problem {
  return clusterProblem(
    'object-moved',
    `${named(step.key)} changed on the target since the plan was made; it was left alone`,
    'Nothing to do: the next run plans again from what is there. If it keeps happening, find who else writes to this target.',
  );
}

export function skippedProblem(plan: TargetPlan, step: Step): Problem {
  return clusterProblem(
    'prune-skipped',
    `${named(step.key)} was not removed from target ${plan.target}: not every object before it could be written`,
    'Mend what the other outcomes of this run name; the next run removes it.',
  );
}

/** The values of the object are encrypted in git, and stay so. */
export function sealedProblem(step: Step, error: PortError): Problem {
  return clusterProblem(
    'secret-not-opened',
    `${named(step.key)} could not be written: ${error.message}`,
    'Give this process the age key (sops.ageKey in its configuration) and sops, or encrypt the file again; the next run tries again.',
  );
}

/** The connection failed in the middle; what became of the request nobody knows. */
export function unansweredProblem(step: Step, error: PortError): Problem {
  return clusterProblem(
    'target-write-failed',
    `${named(step.key)} could not be ${step.action === 'prune' ? 'removed' : 'written'}: ${visibleText(error.message, 600)}`,
    'Nothing to do: the next run looks at what is there and tries again.',
  );
}

export function outsideProblem(key: ObjectKey, credentials: string): Problem {
  const where = key.namespace === '' ? `${key.kind} outside of namespaces` : `namespace ${JSON.stringify(key.namespace)}`;
  return clusterProblem(
    'outside-credentials',
    `${named(key)} was not written: credentials ${credentials} do not allow ${visibleText(where)}`,
    'Move the object, or let the configuration of the service allow it: namespaces or clusterResources of these credentials.',
  );
}

export function unknownKindProblem(key: ObjectKey, version: string | undefined): Problem {
  const kind = `${version === undefined ? key.group || 'core' : key.group === '' ? version : `${key.group}/${version}`} ${key.kind}`;
  return clusterProblem(
    'place-missing',
    `${visibleText(keyText(key), 300)} has no place to be written to: the server has no kind ${visibleText(kind)}`,
    'Bring its namespace or the definition of its kind to the cluster, in git or beside it; the next run tries again.',
  );
}

export function protectedProblem(step: Step): Problem {
  return clusterProblem(
    'prune-protected',
    `${named(step.key)} is no longer in git and was kept: an annotation on it says that it is not to be removed`,
    'Remove it by hand when it is not needed any more, or take the annotation away (capstan.dev/prune: "false" and the like).',
    'warning',
  );
}

export function blockedProblem(step: Step, finalizers: readonly string[], since: string): Problem {
  const who = finalizers.length === 0 ? 'the server' : `finalizer ${listed(finalizers, 5)}`;
  return clusterProblem(
    'deletion-blocked',
    `${named(step.key)} is being removed since ${visibleText(since, 40)}, and ${who} has not let it go`,
    'Find the controller that owns the finalizer and let it finish; take the finalizer away only if what it cleans up is gone.',
  );
}

/** The environment waits until what is removed is gone. */
export function leavingProblem(step: Step, finalizers: readonly string[]): Problem {
  const why = finalizers.length === 0 ? '' : ` (${listed(finalizers, 5)})`;
  return clusterProblem(
    'deletion-pending',
    `${named(step.key)} is being removed${why}`,
    'Nothing to do: the run goes on when it is gone. sync.deletionPolicy: Delete does not wait.',
    'warning',
  );
}
