import { instantText, type Instant } from '#model/instant.ts';
import type { Place, Problem } from '#model/problem.ts';
import { listed, visibleText } from '#model/quoted.ts';

/** A signature of a capsule whose bytes were checked; who may sign, what and when is judged here. */
export interface CapsuleSignature {
  /** How the signer calls itself: an identity or a key's name. */
  readonly identity: string;
  /** Trust entry of the signer; undefined is one that nobody trusts. */
  readonly entry:
    | {
        readonly name: string;
        readonly for: readonly string[];
        readonly validFrom: Instant | undefined;
        readonly validUntil: Instant | undefined;
      }
    | undefined;
  readonly subjectSha256: string;
  /** When it was first seen here, or what a timestamp authority says; never what the signer claims. */
  readonly signedAt: Instant | undefined;
}

export interface SignatureQuestion {
  readonly capsule: string;
  readonly version: string;
  readonly sha256: string;
  /** Names of `security.signatures.identities`; empty allows every trust entry for capsules. */
  readonly allowed: readonly string[];
  readonly signatures: readonly CapsuleSignature[];
  readonly place: Place;
}

/** At most so many signatures of one capsule are looked at. */
export const MOST_SIGNATURES = 64;

/** V-83: one signature of exactly this content by who may sign capsules, at a time when the key was valid. */
export function signatureProblems(question: SignatureQuestion): readonly Problem[] {
  const { capsule, version, sha256, signatures } = question;
  const what = `${capsule}@${version}`;
  if (signatures.length === 0) return [problem(question, `${what} is not signed`)];
  if (signatures.length > MOST_SIGNATURES)
    return [problem(question, `${what} has ${signatures.length} signatures; at most ${MOST_SIGNATURES} are looked at`)];
  const mistakes = signatures.map((one) => mistakeIn(one, question));
  if (mistakes.includes(undefined)) return [];
  const own = signatures.findIndex((one) => one.subjectSha256 === sha256);
  return [problem(question, `${what} ${mistakes[Math.max(own, 0)] ?? ''}`)];
}

function mistakeIn(signature: CapsuleSignature, { allowed, sha256 }: SignatureQuestion): string | undefined {
  const { entry, signedAt } = signature;
  const who = visibleText(entry?.name ?? signature.identity, 100);
  if (signature.subjectSha256 !== sha256)
    return `carries the signature of another content (sha256 ${signature.subjectSha256.slice(0, 12)})`;
  if (entry === undefined) return `is signed by ${who}, whom spec.trust does not name`;
  if (!entry.for.includes('capsule')) return `is signed by ${who}, which may not sign capsules`;
  if (allowed.length > 0 && !allowed.includes(entry.name)) return `is signed by ${who}; allowed: ${listed(allowed)}`;
  if (signedAt === undefined) return `is signed by ${who} at a time that nothing vouches for`;
  const isEarly = entry.validFrom !== undefined && signedAt < entry.validFrom;
  const isLate = entry.validUntil !== undefined && signedAt > entry.validUntil;
  return isEarly || isLate ? `was signed by ${who} at ${instantText(signedAt)}, when its key was not valid` : undefined;
}

function problem({ place }: SignatureQuestion, message: string): Problem {
  return {
    code: 'capsule-signature-refused',
    rule: 'V-83',
    severity: 'error',
    phase: 'promote',
    message,
    remedy: 'Release it signed by one of those that spec.trust names for capsules and the capsule allows.',
    place,
    related: [],
  };
}
