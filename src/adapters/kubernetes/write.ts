import { jsonText } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { Outcome, WritingStep } from '#model/plan.ts';
import { isPortError } from '#ports/port-error.ts';
import { takeOver } from './adopt.ts';
import { childMap } from './answers.ts';
import { apiPath } from './api.ts';
import type { ApiAnswer } from './api.ts';
import type { Run } from './apply.ts';
import { appliedDigest, emptyBody } from './body.ts';
import type { Found } from './cluster.ts';
import type { Row } from './inventory-rows.ts';
import { lookAgain, readObject } from './look-again.ts';
import { isAppliedEntry, managedEntries } from './managed-fields.ts';
import { foundOf } from './observe.ts';
import { makeRoom, mayBeMadeAgain } from './recreate.ts';
import { fieldConflicts, isImmutable, isOutdated, isPassing, writeRefusal } from './refusals.ts';
import { FIELD_MANAGER } from './seen-object.ts';
import { stateOf } from './state.ts';
import type { ObjectState } from './state.ts';
import { movedProblem, outcomeOf, outsideProblem, sealedProblem, unansweredProblem } from './step-problems.ts';
import { APPLY, prepareWriting, sendWriting } from './writing.ts';
import type { Writing } from './writing.ts';

/** How often a write is tried again that only met a newer status, or a field that is taken back. */
const MOST_TRIES = 5;

/** Writes one object with one request, if it is still as the plan saw it. */
export async function writeObject(run: Run, step: WritingStep): Promise<Outcome> {
  const { cluster, signal } = run;
  if (!cluster.allows(step.key)) return outcomeOf(step, 'failed', outsideProblem(step.key, cluster.credentials));
  const found = foundOf(cluster, step.key);
  const state = stateIn(run, step, found);
  if (state?.kind === 'own' && state.sha256 === step.sha256) return outcomeOf(step, 'done');
  if (state?.sha256 !== expectedBasis(step)) return outcomeOf(step, 'refused', movedProblem(step));
  try {
    const writing = await prepareWriting(cluster, step, signal);
    if (writing.kind === 'refused') return outcomeOf(step, 'failed', writing.problem);
    const force = step.action === 'adopt' || wasOurs(run, step, { found, state });
    return await write(run, writing, { found, force, isTakenOver: step.action !== 'adopt' });
  } catch (error) {
    if (!isPortError(error) || signal?.aborted === true) throw error;
    if (error.kind === 'transient') return outcomeOf(step, 'refused', unansweredProblem(step, error));
    if (step.sealed !== undefined) return outcomeOf(step, 'failed', sealedProblem(step, error));
    throw error;
  }
}

/** Whether this very text was applied before: then all its fields were ours, and are taken back whoever has them now. */
function wasOurs(
  run: Run,
  step: WritingStep,
  there: { readonly found: Found | undefined; readonly state: ObjectState | undefined },
): boolean {
  if (there.state?.kind === 'changed') return rowOf(run, step)?.sha256 === step.sha256;
  return there.state?.kind === 'unconfirmed' && appliedDigest(run.cluster.marks, there.found?.applied) === step.sha256;
}

interface Attempt {
  readonly found: Found | undefined;
  readonly force: boolean;
  /** What other tools held is ours already. */
  readonly isTakenOver: boolean;
}

async function write(run: Run, writing: Writing, first: Attempt): Promise<Outcome> {
  const { step, object } = writing;
  let attempt = first;
  for (let tries = 1; ; tries += 1) {
    const next = attempt.isTakenOver ? attempt : await adopting(run, writing, attempt);
    if (next === undefined) return outcomeOf(step, 'refused', movedProblem(step));
    attempt = next;
    const answer = await sendWriting(writing, attempt, run.signal);
    if (answer.status === 201) return taken(run, writing, answer);
    if (answer.status === 200) return attempt.found === undefined ? metSomebody(run, writing, answer) : taken(run, writing, answer);
    const again = tries < MOST_TRIES ? await afterRefusal(run, writing, { attempt, answer }) : undefined;
    if (again === undefined) {
      return outcomeOf(step, isPassing(answer) || isOutdated(answer) ? 'refused' : 'failed', writeRefusal(step.key, answer, object));
    }
    if ('action' in again) return again;
    attempt = again;
  }
}

/** What is tried next, or how it ended; undefined where the server's words are the end. */
async function afterRefusal(
  run: Run,
  writing: Writing,
  { attempt, answer }: { readonly attempt: Attempt; readonly answer: ApiAnswer },
): Promise<Attempt | Outcome | undefined> {
  const { step, resource, cluster, object } = writing;
  if (isOutdated(answer)) {
    const found = await lookAgain(cluster, resource, step.key, run.signal);
    const isSame = found !== undefined && stateIn(run, step, found)?.sha256 === expectedBasis(step);
    return isSame ? { ...attempt, found } : outcomeOf(step, 'refused', movedProblem(step));
  }
  if (fieldConflicts(answer).length > 0 && !attempt.force) {
    if (attempt.found !== undefined) return run.drifted.has(keyText(step.key)) ? { ...attempt, force: true } : undefined;
    return (await isOurs(run, writing)) ? { ...attempt, force: true } : outcomeOf(step, 'refused', movedProblem(step));
  }
  if (isImmutable(answer) && attempt.found !== undefined && mayBeMadeAgain(cluster, object)) {
    const refused = await makeRoom(writing, attempt.found, run.signal);
    return refused === undefined ? { ...attempt, found: undefined } : outcomeOf(step, refused.result, refused.problem);
  }
  return undefined;
}

/** Makes what other tools hold ours, if the object is as it was seen; undefined where it is not. */
async function adopting(run: Run, writing: Writing, attempt: Attempt): Promise<Attempt | undefined> {
  const { step } = writing;
  const found = await takeOver(writing, (seen) => stateIn(run, step, seen)?.sha256 === expectedBasis(step), run.signal);
  return found && { ...attempt, found, isTakenOver: true };
}

async function taken(run: Run, { cluster, step, resource }: Writing, answer: ApiAnswer): Promise<Outcome> {
  const read = cluster.views.resourceOf(step.key);
  // Of one kind git may have objects of two versions. The same fields have other names in each: they are noted as the view will see them.
  const isOther = read !== undefined && read.version !== resource.version;
  const body = isOther ? await readObject(cluster, read, step.key, run.signal) : answer.body;
  const seen = body && cluster.views.note(read ?? resource, body);
  cluster.lookups.forget(step.key);
  if (seen?.owned !== undefined) {
    const { key, path, sha256 } = step;
    run.written.set(keyText(key), {
      key,
      path,
      sha256,
      pending: false,
      uid: seen.uid,
      owned: seen.owned,
      version: (read ?? resource).version,
    });
  }
  return outcomeOf(step, 'done');
}

/**
 * An object was there that nobody had seen. Ours without its labels is ours, and so is one that we made by a request whose answer was lost.
 * Of anybody else's we let go what we just took, unless they write under our name: an empty apply would take all of theirs.
 */
async function metSomebody(run: Run, writing: Writing, answer: ApiAnswer): Promise<Outcome> {
  const { cluster, step, object, resource } = writing;
  const uid = jsonText(childMap(answer.body, 'metadata')['uid']);
  const row = rowOf(run, step);
  if (row !== undefined && !row.pending && row.uid === uid) return taken(run, writing, answer);
  const isOursAlone = managedEntries(answer.body).every((entry) => isAppliedEntry(entry) || jsonText(entry['subresource']) !== '');
  if (isOursAlone && answer.isRepeated === true) return taken(run, writing, answer);
  if (!isOursAlone) {
    const path = `${apiPath(resource, step.key.namespace, step.key.name)}?fieldManager=${FIELD_MANAGER}`;
    await cluster.api.request({ method: 'PATCH', path, body: emptyBody(object, uid), contentType: APPLY }, run.signal);
  }
  cluster.views.of(step.key)?.forget(step.key.namespace, step.key.name, uid);
  return outcomeOf(step, 'refused', movedProblem(step));
}

/** Whether an object that no view has is the one of our row: somebody took its labels away. */
async function isOurs(run: Run, { cluster, step, resource }: Writing): Promise<boolean> {
  const row = rowOf(run, step);
  if (row === undefined || row.pending) return false;
  return (await lookAgain(cluster, resource, step.key, run.signal))?.uid === row.uid;
}

function rowOf(run: Run, step: WritingStep): Row | undefined {
  return run.before.get(keyText(step.key));
}

function stateIn(run: Run, step: WritingStep, found: Found | undefined): ObjectState | undefined {
  return found && stateOf(found, rowOf(run, step), run.cluster.marks);
}

/** What the plan saw: at the object's path, or at the one that it leaves. */
function expectedBasis(step: WritingStep) {
  return step.basis ?? step.leaves[0]?.basis;
}
