import type { Bundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import type { SignedEntity } from '@sigstore/verify';

import type { SignatureFact } from '#model/signature-finding.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import type { ReadBundle } from './bundle-text.ts';
import type { HashName } from './public-key.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { digestOf } from './signed-bytes.ts';
import type { Signed } from './signed-bytes.ts';
import { readStatement } from './statement.ts';
import type { StatedSubject } from './statement.ts';

/** What a bundle says, once it was found to be about the subject in question. */
export interface Content extends Pick<SignatureFact, 'subjects' | 'predicateType' | 'predicate' | 'annotations'> {
  readonly signature: Buffer;
  readonly signed: Signed;
  /** What log entries are compared with; whether the signature holds was found before. */
  readonly compared: SignedEntity['signature'];
}

type Subject = BundleQuestion['subject'];

const HASHES: ReadonlyMap<HashAlgorithm, HashName> = new Map([
  [HashAlgorithm.SHA2_256, 'sha256'],
  [HashAlgorithm.SHA2_384, 'sha384'],
  [HashAlgorithm.SHA2_512, 'sha512'],
]);
const BY_LENGTH: ReadonlyMap<number, HashName> = new Map([
  [32, 'sha256'],
  [48, 'sha384'],
  [64, 'sha512'],
]);

/** Compares the subject with what the bundle speaks of: libraries look neither at a statement's subjects nor at a lying digest. */
export function readContent({ bundle: { content }, statesDigest }: ReadBundle, subject: Subject): Content | Refusal {
  if (content.$case === 'dsseEnvelope') return envelopeContent(content.dsseEnvelope, subject);
  const { messageDigest, signature } = content.messageSignature;
  const stated = statesDigest ? HASHES.get(messageDigest.algorithm) : undefined;
  if (statesDigest && stated === undefined) return refuse('unsupported-bundle', 'the digest in the bundle is not sha256, sha384 or sha512');
  if (subject.kind === 'digest' && stated !== undefined && subject.algorithm !== stated)
    return refuse('unsupported-bundle', `the bundle speaks of a ${stated} digest; give that digest, or the file`);
  const algorithm = stated ?? (subject.kind === 'digest' ? subject.algorithm : 'sha256');
  const digest = digestIn(subject, algorithm);
  if (statesDigest && digest?.equals(messageDigest.digest) !== true)
    return refuse(
      'wrong-digest',
      `the bundle is about ${algorithm}:${messageDigest.digest.toString('hex')}, not ${algorithm}:${digest?.toString('hex') ?? ''}`,
    );
  const isSame = (other: Buffer) => digestIn(subject, BY_LENGTH.get(other.length) ?? algorithm)?.equals(other) === true;
  return {
    signature,
    signed: subject.kind === 'bytes' ? subject : { kind: 'digest', algorithm, digest: Buffer.from(subject.hex, 'hex') },
    compared: comparison(signature, isSame, isSame),
    subjects: [{ name: '', digest: { [algorithm]: digest?.toString('hex') ?? '' } }],
    predicateType: undefined,
    predicate: undefined,
    annotations: {},
  };
}

/** Undefined where only another digest is known. */
function digestIn(subject: Subject, algorithm: HashName): Buffer | undefined {
  if (subject.kind === 'bytes') return digestOf(algorithm, subject.bytes);
  return subject.algorithm === algorithm ? Buffer.from(subject.hex, 'hex') : undefined;
}

function envelopeContent(
  envelope: Extract<Bundle['content'], { $case: 'dsseEnvelope' }>['dsseEnvelope'],
  subject: Subject,
): Content | Refusal {
  const signature = envelope.signatures[0]?.sig;
  if (signature === undefined) return refuse('malformed-bundle', 'the envelope has no signature');
  const statement = readStatement(envelope);
  if (isRefusal(statement)) return statement;
  const about = statement.subjects.find((stated) => isAbout(stated, subject));
  if (about === undefined)
    return refuse('wrong-digest', `the statement is about ${statedText(statement.subjects)}, not about what was asked for`);
  const encoded = dsse.preAuthEncoding(envelope.payloadType, envelope.payload);
  return {
    signature,
    signed: { kind: 'bytes', bytes: encoded },
    compared: comparison(
      signature,
      (digest) => digestOf('sha256', envelope.payload).equals(digest),
      (digest) => digestOf(BY_LENGTH.get(digest.length) ?? 'sha256', encoded).equals(digest),
    ),
    subjects: statement.subjects.map(({ name, digest }) => ({ name, digest })),
    predicateType: statement.predicateType,
    predicate: statement.predicate,
    annotations: about.annotations,
  };
}

function comparison(signature: Buffer, compareDigest: (digest: Buffer) => boolean, compareSignedDigest: (digest: Buffer) => boolean) {
  return {
    signature,
    compareSignature: (other: Buffer) => signature.equals(other),
    compareDigest,
    compareSignedDigest,
    verifySignature: () => true,
  };
}

/** Each digest that can be compared must be the subject's, and one must be there. */
function isAbout({ digest }: StatedSubject, subject: Subject): boolean {
  if (subject.kind === 'digest') return own(digest, subject.algorithm) === subject.hex;
  const given = [...BY_LENGTH.values()].flatMap((algorithm) => {
    const stated = own(digest, algorithm);
    return stated === undefined ? [] : [{ algorithm, stated }];
  });
  return given.length > 0 && given.every(({ algorithm, stated }) => digestOf(algorithm, subject.bytes).toString('hex') === stated);
}

function own(digest: StatedSubject['digest'], algorithm: HashName): string | undefined {
  return Object.hasOwn(digest, algorithm) ? digest[algorithm] : undefined;
}

function statedText(subjects: readonly StatedSubject[]): string {
  const [first] = subjects;
  const digest = first === undefined ? undefined : (own(first.digest, 'sha256') ?? Object.values(first.digest)[0]);
  return `${digest === undefined ? 'nothing' : `sha256:${digest}`}${subjects.length > 1 ? ` and ${subjects.length - 1} more` : ''}`;
}
