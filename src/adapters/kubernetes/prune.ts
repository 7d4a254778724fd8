import { keyText } from '#model/kubernetes-object.ts';
import type { Outcome, Step } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';
import { isPortError } from '#ports/port-error.ts';
import { apiPath } from './api.ts';
import type { ApiResource } from './api.ts';
import type { Run } from './apply.ts';
import type { Cluster, Found } from './cluster.ts';
import { lookAgain } from './look-again.ts';
import { foundOf } from './observe.ts';
import { isOutdated, isPassing, writeRefusal } from './refusals.ts';
import { APPLIED_ANNOTATION, ENVIRONMENT_LABEL, FIELD_MANAGER, TARGET_LABEL } from './seen-object.ts';
import { stateOf } from './state.ts';
import {
  blockedProblem,
  leavingProblem,
  movedProblem,
  outcomeOf,
  outsideProblem,
  protectedProblem,
  unansweredProblem,
  unknownKindProblem,
} from './step-problems.ts';
import { terminationOf } from './termination.ts';
import type { Termination } from './termination.ts';

type PruneStep = Extract<Step, { readonly action: 'prune' }>;

const MOST_TRIES = 4;
/** A removal that takes longer is not waited for in silence. */
const PATIENCE_MS = 5 * 60_000;

/** Removes one object, if the inventory names it and it is still as the plan saw it. */
export async function pruneObject(run: Run, step: PruneStep): Promise<Outcome> {
  const { cluster } = run;
  const { key } = step;
  const found = foundOf(cluster, key);
  if (found === undefined) return outcomeOf(step, 'unchanged');
  if (!isPrunable(run, step, found)) return outcomeOf(step, 'refused', movedProblem(step));
  if (!cluster.allows(key)) return outcomeOf(step, 'failed', outsideProblem(key, cluster.credentials));
  const seen = cluster.views.seen(key);
  if (seen?.isProtected === true) {
    run.leaving.add(keyText(key));
    return outcomeOf(step, 'unchanged', protectedProblem(step));
  }
  const leaving = seen === undefined ? undefined : terminationOf(seen.live.object);
  if (leaving !== undefined) return stillThere(run, step, leaving);
  try {
    const resource = await cluster.discovery.resource(key.group, key.kind, undefined, run.signal);
    if (resource === undefined) return outcomeOf(step, 'failed', unknownKindProblem(key, undefined));
    return cluster.sync.deletionPolicy === 'Orphan'
      ? await release(run, step, { resource, found })
      : await remove(run, step, { resource, found });
  } catch (error) {
    if (!isPortError(error) || error.kind !== 'transient' || run.signal?.aborted === true) throw error;
    return outcomeOf(step, 'refused', unansweredProblem(step, error));
  }
}

/** Only what the inventory names and our manager applied is ours to delete, whatever the plan says. */
function isPrunable({ before, cluster }: Run, step: PruneStep, found: Found): boolean {
  const row = before.get(keyText(step.key));
  if (row === undefined || found.owned === undefined) return false;
  const state = stateOf(found, row, cluster.marks);
  return state.kind !== 'foreign' && state.sha256 === step.basis;
}

async function remove(run: Run, step: PruneStep, there: There): Promise<Outcome> {
  const { cluster } = run;
  const { key } = step;
  const { resource } = there;
  let { found } = there;
  for (let tries = 1; ; tries += 1) {
    const options = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: found.uid, resourceVersion: found.resourceVersion },
      propagationPolicy: cluster.sync.deletionPolicy === 'WaitForTermination' ? 'Foreground' : 'Background',
    };
    const path = apiPath(resource, key.namespace, key.name);
    const answer = await cluster.api.request({ method: 'DELETE', path, body: JSON.stringify(options) }, run.signal);
    if (answer.status === 404 || answer.status === 200 || answer.status === 202) {
      const leaving = answer.status === 404 ? undefined : terminationOf(answer.body);
      if (leaving === undefined) {
        cluster.views.of(key)?.forget(key.namespace, key.name, found.uid);
        cluster.lookups.forget(key);
      } else {
        cluster.views.note(resource, answer.body);
        run.leaving.add(keyText(key));
      }
      return outcomeOf(step, 'done', leaving === undefined ? undefined : awaited(cluster, step, leaving));
    }
    if (tries < MOST_TRIES && isOutdated(answer)) {
      const again = await lookAgain(cluster, resource, key, run.signal);
      if (again === undefined) return outcomeOf(step, 'done');
      if (!isPrunable(run, step, again)) return outcomeOf(step, 'refused', movedProblem(step));
      found = again;
      continue;
    }
    return outcomeOf(step, isPassing(answer) || isOutdated(answer) ? 'refused' : 'failed', writeRefusal(key, answer));
  }
}

/** Leaves the object as it is and takes our marks from it, so that nothing of ours sees it again. */
async function release(run: Run, step: PruneStep, { resource, found }: There): Promise<Outcome> {
  const { cluster } = run;
  const { key } = step;
  const labels = { [ENVIRONMENT_LABEL]: null, [TARGET_LABEL]: null };
  const { uid, resourceVersion } = found;
  const body = JSON.stringify({ metadata: { uid, resourceVersion, labels, annotations: { [APPLIED_ANNOTATION]: null } } });
  const path = `${apiPath(resource, key.namespace, key.name)}?fieldManager=${FIELD_MANAGER}`;
  const answer = await cluster.api.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }, run.signal);
  if (answer.status !== 200 && answer.status !== 404) {
    return outcomeOf(step, isPassing(answer) || isOutdated(answer) ? 'refused' : 'failed', writeRefusal(key, answer));
  }
  cluster.views.of(key)?.forget(key.namespace, key.name, uid);
  cluster.lookups.forget(key);
  return outcomeOf(step, 'done');
}

interface There {
  readonly resource: ApiResource;
  readonly found: Found;
}

/** Nobody removes it twice; whether its end is waited for is what the policy says. */
function stillThere({ cluster, leaving }: Run, step: PruneStep, { since, finalizers }: Termination): Outcome {
  leaving.add(keyText(step.key));
  const began = Date.parse(since);
  if (Number.isFinite(began) && cluster.clock.now() - began > PATIENCE_MS) {
    return outcomeOf(step, 'failed', blockedProblem(step, finalizers, since));
  }
  return outcomeOf(step, 'unchanged', awaited(cluster, step, { since, finalizers }));
}

function awaited({ sync }: Cluster, step: PruneStep, { finalizers }: Termination): Problem | undefined {
  return sync.deletionPolicy === 'WaitForTermination' ? leavingProblem(step, finalizers) : undefined;
}
