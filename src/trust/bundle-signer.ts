import type { Sha256 } from '#model/digest.ts';
import { type Instant, parseInstant } from '#model/instant.ts';
import { findsPattern } from '#model/linear-pattern.ts';
import type { SignatureCode, SignatureSigner } from '#model/signature-finding.ts';
import type { IdentityMatch, TrustEntry } from '#model/trust-policy.ts';
import type { TrustPurpose } from '#model/verdict.ts';

/** A trust entry whose credential can sign bundles, with the digest of its key where it is one. */
export interface BundleSigner {
  readonly entry: TrustEntry;
  readonly spkiSha256: Sha256 | undefined;
}

export type SignerVerdict =
  | { readonly kind: 'accepted'; readonly entry: TrustEntry }
  | { readonly kind: 'refused'; readonly code: SignatureCode; readonly reason: string };

export interface SignerQuestion {
  readonly signer: SignatureSigner;
  readonly signers: readonly BundleSigner[];
  readonly purpose: TrustPurpose;
  /** When it was signed, as a log or an authority vouches, else when it was first seen. */
  readonly at: Instant;
}

/** Which entry of the project a signer is, and whether that one may sign this. */
export function signerVerdict({ signer, signers, purpose, at }: SignerQuestion): SignerVerdict {
  const who = signer.kind === 'key' ? `the key ${signer.spkiSha256.slice(0, 12)}` : signer.identity;
  const own = signers.filter((one) => isOf(one, signer));
  if (own.length === 0) return { kind: 'refused', code: 'unknown-key', reason: `it is signed by ${who}, whom spec.trust does not name` };
  const may = own.filter(({ entry }) => entry.purposes.includes(purpose));
  const [first] = may;
  if (first === undefined) {
    const names = own.map(({ entry }) => entry.name).join(', ');
    return { kind: 'refused', code: 'wrong-identity', reason: `it is signed by ${names}, which may not sign for ${purpose}` };
  }
  const open = may.find(({ entry }) => isOpen(entry, at));
  return open === undefined
    ? { kind: 'refused', code: 'outside-window', reason: `it is signed by ${first.entry.name}, whose key is not valid then` }
    : { kind: 'accepted', entry: open.entry };
}

function isOf({ entry: { credential }, spkiSha256 }: BundleSigner, signer: SignatureSigner): boolean {
  if (signer.kind === 'key') return spkiSha256 === signer.spkiSha256;
  return credential.kind === 'keyless' && credential.issuer === signer.issuer && matches(credential.identity, signer.identity);
}

function matches(match: IdentityMatch, identity: string): boolean {
  switch (match.kind) {
    case 'exact':
      return match.identity === identity;
    case 'pattern':
      return findsPattern(`^(?:${match.pattern})$`, identity) === true && !identity.includes('\n');
  }
}

/** Both ends count; a window that cannot be read is closed. */
function isOpen({ validFrom, validUntil }: TrustEntry, at: Instant): boolean {
  const [from, until] = [validFrom, validUntil].map((text) =>
    text === undefined ? undefined : parseInstant(lastMoment(text, text === validUntil)),
  );
  if (validFrom !== undefined && (from === undefined || at < from)) return false;
  return validUntil === undefined || (until !== undefined && at <= until);
}

function lastMoment(text: string, isEnd: boolean): string {
  return isEnd && /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59.999Z` : text;
}
