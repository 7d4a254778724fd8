import type { JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { groupAndVersion, keyText } from '#model/kubernetes-object.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { Outcome, WritingStep } from '#model/plan.ts';
import { unsealedText } from '#model/sealed.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import { apiPath } from './api.ts';
import type { ApiAnswer, ApiResource } from './api.ts';
import type { Run } from './apply.ts';
import { applyBody, emptyBody } from './body.ts';
import type { Found } from './cluster.ts';
import { lookAgain } from './look-again.ts';
import { foundOf } from './observe.ts';
import { fieldConflicts, isOutdated, isPassing, writeRefusal } from './refusals.ts';
import { FIELD_MANAGER } from './seen-object.ts';
import { stateOf } from './state.ts';
import { movedProblem, outcomeOf, outsideProblem, sealedProblem, unansweredProblem, unknownKindProblem } from './step-problems.ts';

const APPLY = 'application/apply-patch+yaml';
/** How often a write is tried again that only met a newer status. */
const MOST_TRIES = 4;

/** One step with all that its requests need. */
export interface Writing {
  readonly run: Run;
  readonly step: WritingStep;
  readonly object: JsonObject;
  readonly resource: ApiResource;
}

/** Writes one object with one request, if it is still as the plan saw it. */
export async function writeObject(run: Run, step: WritingStep): Promise<Outcome> {
  const { cluster } = run;
  if (!cluster.allows(step.key)) return outcomeOf(step, 'failed', outsideProblem(step.key, cluster.credentials));
  const found = foundOf(cluster, step.key);
  const row = run.before.get(keyText(step.key));
  const state = found && stateOf(found, row, cluster.marks);
  if (state?.kind === 'own' && state.sha256 === step.sha256) return outcomeOf(step, 'done');
  if (state?.sha256 !== expectedBasis(step)) return outcomeOf(step, 'refused', movedProblem(step));
  try {
    const object = await objectOf(run, step);
    const { version } = groupAndVersion(jsonText(object['apiVersion']));
    const resource = await cluster.discovery.resource(step.key.group, step.key.kind, version, run.signal);
    if (resource === undefined) return outcomeOf(step, 'failed', unknownKindProblem(step.key, version));
    const writing: Writing = { run, step, object, resource };
    // The fields of what drifted were ours: they are taken back, whoever has them now.
    const takesBack = state?.kind === 'changed' && row?.sha256 === step.sha256;
    return await writeFound(writing, found, takesBack || step.action === 'adopt');
  } catch (error) {
    if (!isPortError(error) || run.signal?.aborted === true) throw error;
    if (error.kind === 'transient') return outcomeOf(step, 'refused', unansweredProblem(step, error));
    if (step.sealed !== undefined) return outcomeOf(step, 'failed', sealedProblem(step, error));
    throw error;
  }
}

async function writeFound(writing: Writing, found: Found | undefined, force: boolean): Promise<Outcome> {
  const { run, step } = writing;
  let there = found;
  let forced = force;
  for (let tries = 1; ; tries += 1) {
    const answer = await send(writing, there, forced);
    if (answer.status === 201) return taken(writing, answer);
    if (answer.status === 200) return there === undefined ? await metSomebody(writing, answer) : taken(writing, answer);
    if (tries < MOST_TRIES && isOutdated(answer)) {
      there = await lookAgain(run.cluster, writing.resource, step.key, run.signal);
      const state = there && stateOf(there, run.before.get(keyText(step.key)), run.cluster.marks);
      if (there === undefined || state?.sha256 !== expectedBasis(step)) return outcomeOf(step, 'refused', movedProblem(step));
      continue;
    }
    if (tries < MOST_TRIES && !forced && fieldConflicts(answer).length > 0) {
      if (there === undefined && !(await isOurs(writing))) return outcomeOf(step, 'refused', movedProblem(step));
      if (there === undefined || run.drifted.has(keyText(step.key))) {
        forced = true;
        continue;
      }
    }
    return outcomeOf(step, isPassing(answer) || isOutdated(answer) ? 'refused' : 'failed', writeRefusal(step.key, answer));
  }
}

async function send({ run, step, object, resource }: Writing, found: Found | undefined, force: boolean): Promise<ApiAnswer> {
  const { cluster } = run;
  const precondition = found && { uid: found.uid, resourceVersion: found.resourceVersion };
  const query = `fieldManager=${FIELD_MANAGER}&fieldValidation=Strict${force ? '&force=true' : ''}`;
  const path = `${apiPath(resource, step.key.namespace, step.key.name)}?${query}`;
  const body = applyBody(object, step.sha256, cluster.marks, precondition);
  return cluster.api.request({ method: 'PATCH', path, body, contentType: APPLY }, run.signal);
}

function taken({ run, step, resource }: Writing, answer: ApiAnswer): Outcome {
  const { cluster } = run;
  const seen = cluster.views.note(resource, answer.body);
  cluster.lookups.forget(step.key);
  if (seen?.owned !== undefined) {
    const { key, path, sha256 } = step;
    run.written.set(keyText(key), { key, path, sha256, pending: false, uid: seen.uid, owned: seen.owned });
  }
  return outcomeOf(step, 'done');
}

/** An object was there that nobody had seen. Ours without its labels is ours; of anybody else's we let go what we just took. */
async function metSomebody(writing: Writing, answer: ApiAnswer): Promise<Outcome> {
  const { run, step, object, resource } = writing;
  const { cluster } = run;
  const metadata = isJsonObject(answer.body['metadata']) ? answer.body['metadata'] : {};
  const uid = jsonText(metadata['uid']);
  const row = run.before.get(keyText(step.key));
  if (row !== undefined && !row.pending && row.uid === uid) return taken(writing, answer);
  const path = `${apiPath(resource, step.key.namespace, step.key.name)}?fieldManager=${FIELD_MANAGER}`;
  await cluster.api.request({ method: 'PATCH', path, body: emptyBody(object, uid), contentType: APPLY }, run.signal);
  cluster.views.of(step.key)?.forget(step.key.namespace, step.key.name, uid);
  return outcomeOf(step, 'refused', movedProblem(step));
}

/** Whether an object that no view has is the one of our row: somebody took its labels away. */
async function isOurs({ run, step, resource }: Writing): Promise<boolean> {
  const row = run.before.get(keyText(step.key));
  if (row === undefined || row.pending) return false;
  return (await lookAgain(run.cluster, resource, step.key, run.signal))?.uid === row.uid;
}

/** What the plan saw: at the object's path, or at the one that it leaves. */
function expectedBasis(step: WritingStep) {
  return step.basis ?? step.leaves[0]?.basis;
}

async function objectOf({ cluster, wanted, signal }: Run, step: WritingStep): Promise<JsonObject> {
  if (step.sealed === undefined) {
    const known = wanted.get(keyText(step.key));
    return known?.sha256 === step.sha256 ? known.object : parsed(step.text);
  }
  if (cluster.secrets === undefined) throw new PortError('unsupported', 'this process opens no encrypted files');
  const text = unsealedText(step.text, await cluster.secrets.open(step.sealed, signal));
  if (text === undefined) throw new PortError('invalid', 'the object has no placeholders for what the encrypted file holds');
  return parsed(text());
}

function parsed(text: string): JsonObject {
  const read = readKubernetesYaml(text, 'rendered object');
  const object = read.ok ? read.value[0]?.value : undefined;
  if (!isJsonObject(object)) throw new PortError('invalid', 'kubernetes target: the text of a step is no object');
  return object;
}
