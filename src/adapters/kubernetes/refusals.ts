import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import { listed, quoted, visibleText } from '#model/quoted.ts';
import type { ApiAnswer } from './api.ts';
import { fieldPointer, fieldPointerIn, undeclaredField } from './field-pointer.ts';

/** One field that another manager holds with another value. */
export interface FieldConflict {
  readonly manager: string;
  readonly field: string;
}

const LONGEST_WORDS = 600;

/** What the server says, cut and fit for a terminal. */
export function serverWords({ status, body }: ApiAnswer): string {
  const message = jsonText(body['message']);
  return message === '' ? `HTTP ${status}` : visibleText(message, LONGEST_WORDS);
}

/** The fields of a refused apply that others hold; empty where it was refused for something else. */
export function fieldConflicts({ status, body }: ApiAnswer): readonly FieldConflict[] {
  if (status !== 409) return [];
  return causesOf(body)
    .filter((cause) => cause['reason'] === 'FieldManagerConflict')
    .map((cause) => ({
      manager: /^conflict with "([^"]*)"/.exec(jsonText(cause['message']))?.[1] ?? 'another manager',
      field: jsonText(cause['field']),
    }));
}

/** A precondition (uid, resourceVersion) did not hold: the object is another one, or has been changed. */
export function isOutdated(answer: ApiAnswer): boolean {
  return answer.status === 409 && fieldConflicts(answer).length === 0;
}

/** Whether a field of the object cannot be changed in place. */
export function isImmutable({ status, body }: ApiAnswer): boolean {
  if (status !== 422) return false;
  const words = [jsonText(body['message']), ...causesOf(body).map((cause) => jsonText(cause['message']))];
  return words.some((text) => IMMUTABLE.test(text));
}

/** How servers, their admission and definitions of custom resources say it. */
const IMMUTABLE =
  /field is immutable|is immutable|may not be changed|cannot be changed|can not be changed|updates to .* are forbidden|updates to .* for fields other than|is forbidden after creation|primary clusterIP can not be unset/i;

/** Trouble of the server, not with the object: another try may end otherwise. */
export function isPassing({ status, body }: ApiAnswer): boolean {
  const words = jsonText(body['message']);
  if (status === 500 && MISSHAPEN.test(words)) return false;
  if (status === 403 && LEAVING.test(words)) return true;
  return status >= 500 || status === 429 || status === 408;
}

/** Nothing is written into a namespace that is on its way out; once it is gone, it can be made again. */
const LEAVING = /because it is being terminated/;
/** What a server says of an object that is none of its kind, with the status of an error of its own. */
const MISSHAPEN = /^failed to create typed patch object|field not declared in schema|^error (?:decoding|unmarshaling)/;

/** Why the server did not write an object, and where in it; `written` is what it was given, of whose secrets it may speak. */
export function writeRefusal(key: ObjectKey, given: ApiAnswer, written?: JsonObject): Problem {
  const problem = refusalOf(key, given, written);
  const [first] = causesOf(given.body).map((cause) => jsonText(cause['field']));
  const field = first === undefined || first === '' ? undeclaredField(jsonText(given.body['message'])) : first;
  const pointer = (written && fieldPointerIn(field ?? '', written)) ?? fieldPointer(field ?? '');
  return pointer === undefined ? problem : { ...problem, place: { ...problem.place, pointer } };
}

function refusalOf(key: ObjectKey, given: ApiAnswer, written: JsonObject | undefined): Problem {
  const answer = key.group === '' && key.kind === 'Secret' ? withoutSecrets(given, written) : given;
  const conflicts = fieldConflicts(answer);
  if (conflicts.length > 0) return conflictProblem(key, conflicts);
  if (isImmutable(answer)) return immutableProblem(key, answer);
  if (isPassing(answer)) return passingProblem(key, answer);
  const words = serverWords(answer);
  if (answer.status === 403) return forbiddenProblem(key, words);
  if (answer.status === 404) return missingProblem(key, words);
  if (DENIED.test(words)) return admissionProblem(key, words);
  return clusterProblem(
    'object-rejected',
    `${named(key)} was rejected by the server: ${words}`,
    'Correct the object where it comes from; the next run tries again.',
  );
}

/** A server quotes what it does not like, and so may a webhook. */
function withoutSecrets(answer: ApiAnswer, written: JsonObject | undefined): ApiAnswer {
  const values = ['data', 'stringData'].flatMap((field) => {
    const map = written?.[field];
    return isJsonObject(map) ? Object.values(map).filter((value) => typeof value === 'string') : [];
  });
  const texts = values.flatMap((value) => [value, Buffer.from(value).toString('base64'), Buffer.from(value, 'base64').toString('latin1')]);
  const hidden = [...new Set(texts)].filter((text) => text.length > 2).toSorted((a, b) => b.length - a.length);
  const hide = (text: string): string =>
    hidden.reduce(
      (left, value) => left.replaceAll(value, '[secret]'),
      text.replace(/Invalid value: (?:"(?:[^"\\]|\\.)*"|[^:]*)/g, 'Invalid value: [secret]'),
    );
  const causes = causesOf(answer.body).map((cause) => ({ ...cause, message: hide(jsonText(cause['message'])) }));
  return { ...answer, body: { message: hide(jsonText(answer.body['message'])), details: { causes } } };
}

const DENIED = /admission webhook|denied the request|ValidatingAdmissionPolicy/i;

export function named(key: ObjectKey): string {
  return visibleText(keyText(key), 300);
}

export function clusterProblem(code: string, message: string, remedy: string, severity: Problem['severity'] = 'error'): Problem {
  return { code, rule: undefined, severity, phase: 'sync', message, remedy, place: NOWHERE, related: [] };
}

function conflictProblem(key: ObjectKey, conflicts: readonly FieldConflict[]): Problem {
  const byManager = Map.groupBy(conflicts, (conflict) => conflict.manager);
  const held = [...byManager].map(([manager, each]) => `${quoted(manager, 80)} holds ${listed(each.map(({ field }) => field))}`);
  return clusterProblem(
    'field-conflict',
    `${named(key)} was not written: ${held.slice(0, 5).join('; ')}`,
    'Take the fields out of git, leave them to the other manager (sync.drift.ignore), or let git take the object over (targets.<target>.adopt).',
  );
}

function immutableProblem(key: ObjectKey, answer: ApiAnswer): Problem {
  const fields = causesOf(answer.body)
    .map((cause) => jsonText(cause['field']))
    .filter((field) => field !== '');
  const what = fields.length === 0 ? 'a field' : listed(fields, 5);
  return clusterProblem(
    'immutable-field',
    `${named(key)} cannot be changed in place (${what}): ${serverWords(answer)}`,
    'Take the change back, give the object another name, or let it be deleted and made again: annotation capstan.dev/recreate: "true" on it, or sync.force of the environment.',
  );
}

function passingProblem(key: ObjectKey, answer: ApiAnswer): Problem {
  return clusterProblem(
    'target-write-failed',
    `${named(key)} could not be written: ${serverWords(answer)}`,
    'Nothing to do: the next run tries again. If it stays, look at the server and at its admission webhooks.',
  );
}

function forbiddenProblem(key: ObjectKey, words: string): Problem {
  if (DENIED.test(words)) return admissionProblem(key, words);
  return clusterProblem(
    'not-permitted',
    `${named(key)} was not written, the user of these credentials may not: ${words}`,
    'Give that user the verbs get, list, watch, create, patch and delete for this kind (a Role or ClusterRole of the cluster), or take the object out of git.',
  );
}

function admissionProblem(key: ObjectKey, words: string): Problem {
  return clusterProblem(
    'admission-denied',
    `${named(key)} was refused by the cluster's admission: ${words}`,
    'Make the object what the policy named here wants; the next run tries again.',
  );
}

function missingProblem(key: ObjectKey, words: string): Problem {
  return clusterProblem(
    'place-missing',
    `${named(key)} has no place to be written to: ${words}`,
    'Bring its namespace or the definition of its kind to the cluster, in git or beside it; the next run tries again.',
  );
}

function causesOf(body: JsonObject): readonly JsonObject[] {
  const causes = valueAt(body, '/details/causes');
  return Array.isArray(causes) ? causes.filter((cause: Json): cause is JsonObject => isJsonObject(cause)).slice(0, 100) : [];
}
