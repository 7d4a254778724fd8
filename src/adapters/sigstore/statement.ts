import type { Envelope } from '@sigstore/bundle';

import { readHostileJson } from '#model/hostile-json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import type { SignatureFact } from '#model/signature-finding.ts';
import { LARGEST_BUNDLE } from '#model/signature-finding.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';

const IN_TOTO = 'application/vnd.in-toto+json';
const STATEMENTS: ReadonlySet<Json | undefined> = new Set(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']);
const LIMITS = { bytes: LARGEST_BUNDLE, depth: 64 };
const MOST_SUBJECTS = 1_000;
const MOST_DIGESTS = 16;

export interface StatedSubject {
  readonly name: string;
  readonly digest: SignatureFact['subjects'][number]['digest'];
  readonly annotations: Readonly<Record<string, string>>;
}

/** An in-toto statement (version 0.1 or 1), as the payload of an envelope. */
export interface Statement {
  readonly subjects: readonly StatedSubject[];
  readonly predicateType: string;
  readonly predicate: Json | undefined;
}

export function readStatement({ payloadType, payload }: Envelope): Statement | Refusal {
  if (payloadType !== IN_TOTO)
    return refuse('unsupported-bundle', `the envelope holds "${payloadType.slice(0, 100)}", which is no in-toto statement`);
  const read = readHostileJson(payload, LIMITS);
  if (!read.ok) return refuse('malformed-bundle', `the statement cannot be read: ${read.reason}`);
  const { value } = read;
  if (!isJsonObject(value) || !STATEMENTS.has(value['_type'])) return refuse('malformed-bundle', 'the payload is no in-toto statement');
  const { predicateType, predicate, subject } = value;
  if (typeof predicateType !== 'string' || predicateType === '') return refuse('malformed-bundle', 'the statement has no predicateType');
  if (!Array.isArray(subject) || subject.length === 0 || subject.length > MOST_SUBJECTS)
    return refuse('malformed-bundle', `the statement has not between 1 and ${MOST_SUBJECTS} subjects`);
  const subjects: StatedSubject[] = [];
  for (const item of subject as readonly Json[]) {
    const found = readSubject(item);
    if (found === undefined) return refuse('malformed-bundle', 'the statement has a subject without digests');
    subjects.push(found);
  }
  return { subjects, predicateType, predicate: predicate ?? undefined };
}

function readSubject(item: Json): StatedSubject | undefined {
  if (!isJsonObject(item)) return undefined;
  const digest = textsOf(item['digest']);
  if (digest === undefined || Object.keys(digest).length === 0 || Object.keys(digest).length > MOST_DIGESTS) return undefined;
  const annotations = item['annotations'] === undefined || item['annotations'] === null ? {} : textsOf(item['annotations']);
  const { name = '' } = item;
  return annotations === undefined || typeof name !== 'string' ? undefined : { name, digest, annotations };
}

function textsOf(value: Json | undefined): Readonly<Record<string, string>> | undefined {
  if (!isJsonObject(value) || !isTexts(value)) return undefined;
  return value;
}

function isTexts(value: JsonObject): value is Readonly<Record<string, string>> {
  return Object.values(value).every((item) => typeof item === 'string');
}
