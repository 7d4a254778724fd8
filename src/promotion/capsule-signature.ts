import type { CapsuleSignatureVerdict } from '#model/capsule-verdict.ts';
import type { Place, Problem } from '#model/problem.ts';
import { listed, visibleText } from '#model/quoted.ts';
import { MOST_SIGNATURES_LOOKED_AT, type SignatureCode } from '#model/signature-finding.ts';

/** A signature that was found of a capsule, and how it stands; its bytes, its signer and its time were judged before. */
export interface CapsuleSignature {
  readonly standing:
    /** A trust entry for capsules allows it, there and then. */
    | { readonly kind: 'allowed'; readonly by: string }
    /** `reason` follows after `greeter@1.4.2 `. */
    | { readonly kind: 'refused'; readonly code: SignatureCode; readonly reason: string };
}

export interface SignatureQuestion {
  readonly capsule: string;
  readonly version: string;
  /** Names of `security.signatures.identities`; empty allows every trust entry for capsules. */
  readonly allowed: readonly string[];
  readonly signatures: readonly CapsuleSignature[];
  /** There are more signatures than are looked at. */
  readonly isCut: boolean;
  /** What a threshold still lacks. */
  readonly shortage: string | undefined;
  /** Why a place where signatures lie could not be looked at. */
  readonly unread: string | undefined;
}

/** V-83: one signature of exactly this content by who may sign capsules, at a time when the key was valid. */
export function judgeSignatures(question: SignatureQuestion): CapsuleSignatureVerdict {
  const { capsule, version, allowed, signatures, isCut, shortage, unread } = question;
  const what = `${capsule}@${version}`;
  const refused = (code: SignatureCode, words: string): CapsuleSignatureVerdict => ({
    kind: 'refused',
    code,
    sentence: `${what} ${words}`,
  });
  const own = signatures.flatMap(({ standing }) => (standing.kind === 'allowed' ? [standing.by] : []));
  const by = own.find((name) => allowed.length === 0 || allowed.includes(name));
  if (by !== undefined && shortage === undefined) return { kind: 'accepted', by, sentence: `${what} is signed by ${by}` };
  // The one that counts may lie where nobody could look.
  if (unread !== undefined)
    return { kind: 'could-not-look', sentence: `the signatures of ${what} could not be looked at: ${visibleText(unread)}` };
  if (by !== undefined && shortage !== undefined) return refused('too-few-signatures', `is not signed by enough people: ${shortage}`);
  const [other] = own;
  if (other !== undefined) return refused('wrong-identity', `is signed by ${visibleText(other, 100)}; allowed: ${listed(allowed)}`);
  const [unknown] = signatures.flatMap(({ standing }) =>
    standing.kind === 'refused' && standing.code === 'could-not-look' ? [standing] : [],
  );
  if (unknown !== undefined)
    return { kind: 'could-not-look', sentence: `a signature of ${what} could not be looked at: ${unknown.reason}` };
  if (isCut)
    return refused(
      'too-many-signatures',
      `has more than ${MOST_SIGNATURES_LOOKED_AT} signatures; none of those that were looked at counts`,
    );
  const mistakes = signatures.flatMap(({ standing }) => (standing.kind === 'refused' ? [standing] : []));
  // A mistake in a signature of this content says more than one of another.
  const told = mistakes.find(({ code }) => code !== 'wrong-digest') ?? mistakes[0];
  return told === undefined ? refused('unsigned', 'is not signed') : refused(told.code, told.reason);
}

/** The verdict as what stops an environment; undefined where nothing does. Could-not-look is asked again, everything else is not. */
export function signatureProblem(verdict: CapsuleSignatureVerdict, place: Place): Problem | undefined {
  switch (verdict.kind) {
    case 'accepted':
      return undefined;
    case 'could-not-look':
      return problem({
        code: 'could-not-look',
        message: verdict.sentence,
        remedy: 'Nothing to do: the engine looks again.',
        place,
      });
    case 'refused':
      return problem({
        code: 'capsule-signature-refused',
        rule: 'V-83',
        message: verdict.sentence,
        remedy: 'Release it signed by one of those that spec.trust names for capsules and the capsule allows.',
        place,
      });
  }
}

function problem(said: {
  readonly code: string;
  readonly rule?: string;
  readonly message: string;
  readonly remedy: string;
  readonly place: Place;
}): Problem {
  return { ...said, rule: said.rule, severity: 'error', phase: 'promote', related: [] };
}
