import { matchesIdentity } from '#model/identity-match.ts';
import type { Instant } from '#model/instant.ts';
import { isOnPaths } from '#model/path-pattern.ts';
import { visibleText } from '#model/quoted.ts';
import type { SignatureCode, SignatureFact, SignatureSigner } from '#model/signature-finding.ts';
import { personOf, type TrustEntry, type TrustPolicy } from '#model/trust-policy.ts';
import type { TrustPurpose } from '#model/verdict.ts';
import { shortage, thresholdsOn } from './people.ts';
import { isInWindow } from './signers.ts';

/** What a signature is asked to stand for. */
export interface Asked {
  readonly purpose: TrustPurpose;
  /** The unit it is about: `capsules/web`; for images, evidence and approvals of an environment, its lock. */
  readonly path: string | undefined;
  /** When it was first seen here; counts where no log or authority vouches for a time. */
  readonly firstSeen: Instant;
}

export type FactVerdict =
  | { readonly kind: 'accepted'; readonly by: string; readonly person: string; readonly sentence: string }
  /** No row of the project names the purpose: it runs, and everything says so. */
  | { readonly kind: 'not-enforced'; readonly sentence: string }
  | { readonly kind: 'refused'; readonly code: SignatureCode; readonly sentence: string };

/** One signature whose mathematics hold: may that signer sign this? Thresholds are for `judgeAll`. */
export function judgeOne(fact: SignatureFact, policy: TrustPolicy, asked: Asked): FactVerdict {
  const { purpose, path } = asked;
  if (!policy.enforced.has(purpose)) return notEnforced(purpose);
  const who = wordsFor(fact.signer);
  const own = policy.entries.filter((entry) => isSignedBy(entry, fact.signer));
  const [first] = own;
  if (first === undefined) {
    const code = fact.signer.kind === 'key' ? 'unknown-key' : 'wrong-identity';
    return { kind: 'refused', code, sentence: `it is signed by ${who}, and no trust entry names that` };
  }
  const meant = own.filter((entry) => entry.purposes.includes(purpose));
  const [entry] = meant;
  if (entry === undefined) return refusal('wrong-purpose', `it is signed by ${who}, but trust entry ${first.name} is not for ${purpose}`);
  const here = meant.filter((one) => isOnPaths(one.paths, path));
  if (here.length === 0)
    return refusal('wrong-purpose', `it is signed by ${who}, but trust entry ${entry.name} does not count ${whereOf(path)}`);
  const at = fact.signedAt ?? asked.firstSeen;
  const allowed = here.find((one) => isInWindow(one, at));
  if (allowed === undefined) return refusal('outside-window', `it is signed by ${who}, but trust entry ${entry.name} was not valid then`);
  return {
    kind: 'accepted',
    by: allowed.name,
    person: personOf(allowed),
    sentence: `it is signed by ${who}, allowed by trust entry ${allowed.name} (for ${purpose})`,
  };
}

/** All signatures of one thing: accepted if one counts, and every threshold that holds there is met by different people. */
export function judgeAll(facts: readonly SignatureFact[], policy: TrustPolicy, asked: Asked): FactVerdict {
  if (!policy.enforced.has(asked.purpose)) return notEnforced(asked.purpose);
  const verdicts = facts.map((fact) => judgeOne(fact, policy, asked));
  const accepted = verdicts.flatMap((verdict) => (verdict.kind === 'accepted' ? [verdict] : []));
  const [first] = accepted;
  if (first === undefined) return verdicts[0] ?? refusal('unsigned', 'it is not signed');
  for (const threshold of thresholdsOn(policy, asked)) {
    const counted = { ...policy, entries: policy.entries.filter((entry) => threshold.of?.includes(entry.name) ?? true) };
    const signed = facts
      .map((fact) => judgeOne(fact, counted, asked))
      .flatMap((verdict) => (verdict.kind === 'accepted' ? [verdict.by] : []));
    const missing = shortage(policy, threshold, signed);
    if (missing !== undefined) return refusal('too-few-signatures', missing);
  }
  const others = [...new Set(accepted.map((verdict) => verdict.by))].filter((name) => name !== first.by);
  return others.length === 0 ? first : { ...first, sentence: `${first.sentence}, and by ${others.join(', ')}` };
}

function isSignedBy({ credential }: TrustEntry, signer: SignatureSigner): boolean {
  switch (credential.kind) {
    case 'ssh-key':
    case 'public-key':
      return signer.kind === 'key' && signer.spkiSha256 === credential.spkiSha256;
    case 'keyless':
      return signer.kind === 'keyless' && signer.issuer === credential.issuer && matchesIdentity(credential.identity, signer.identity);
    case 'openpgp-key':
    case 'x509-root':
      return false;
  }
}

function wordsFor(signer: SignatureSigner): string {
  if (signer.kind === 'key') return `the key sha256:${signer.spkiSha256.slice(0, 16)}`;
  return `${visibleText(signer.identity)} (${visibleText(signer.issuer)})`;
}

function whereOf(path: string | undefined): string {
  return path === undefined ? 'there' : `at ${visibleText(path)}`;
}

function refusal(code: SignatureCode, sentence: string): FactVerdict {
  return { kind: 'refused', code, sentence };
}

function notEnforced(purpose: TrustPurpose): FactVerdict {
  return { kind: 'not-enforced', sentence: `no trust entry of the project is for ${purpose}` };
}
