import { sha256Of, type Sha256 } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import { canonicalJson } from '#model/json.ts';
import type { SignatureCode } from '#model/signature-finding.ts';
import type { Credential } from '#model/trust-policy.ts';

/** Credentials that only a library can compare with a signature of a commit or tag. */
export type LookedUpCredential = Extract<Credential, { kind: 'openpgp-key' | 'x509-root' | 'keyless' }>;

/** Why a signature of a commit or tag does not count, as far as the mathematics and the material say. */
export type CommitSignatureCode =
  | SignatureCode
  | 'malformed-signature'
  | 'unsupported-signature'
  | 'malformed-key'
  | 'unsupported-key'
  | 'weak-key'
  | 'weak-hash'
  | 'not-a-signing-key'
  | 'revoked-key'
  | 'no-log-proof';

/** What was found when one signature was compared with one credential. */
export type CommitFinding =
  /** Made by this key over exactly these bytes; nothing is said on whether it may, or whether the time fits. */
  | { readonly kind: 'holds'; readonly fact: CommitFact }
  /** Another key made it; `key` names that one as far as the signature does. */
  | { readonly kind: 'other-key'; readonly key: string | undefined }
  /** It names this key and does not count. */
  | { readonly kind: 'refused'; readonly code: CommitSignatureCode; readonly reason: string };

export interface CommitFact {
  /** Full OpenPGP fingerprint of the primary key (upper-case hex), or sha256 of the signer's certificate (lower-case hex). */
  readonly fingerprint: string;
  /** Of the subkey that signed; the same as `fingerprint` where the key itself did. */
  readonly signedBy: string;
  /** E-mail addresses and URIs that the certificate carries; for OpenPGP none, since nobody vouches for them. */
  readonly identities: readonly string[];
  /** Who told the authority who it was (OIDC issuer); undefined for all but keyless certificates. */
  readonly issuer: string | undefined;
  /** The key and everything that vouches for it is good from here ... */
  readonly goodFrom: Instant;
  /** ... and before this; undefined is unbounded. */
  readonly goodBefore: Instant | undefined;
  /** When it was signed, where a log vouches for that; then the key must have been good at this time, else when first seen. */
  readonly provenAt: Instant | undefined;
}

/** Findings by `findingKey`; a pair that nobody looked at is not in it. */
export type CommitFindings = ReadonlyMap<string, CommitFinding>;

export const NO_FINDINGS: CommitFindings = new Map();

/** What a finding is remembered by: the object's id and the digest of everything it was compared with. */
export function findingKey(object: string, credential: LookedUpCredential, trustedRoot: Sha256 | undefined): string {
  return `${object} ${credentialDigest(credential, trustedRoot)}`;
}

function credentialDigest(credential: LookedUpCredential, trustedRoot: Sha256 | undefined): Sha256 {
  switch (credential.kind) {
    case 'openpgp-key':
      return sha256Of(`openpgp ${credential.armoured}`);
    // Whom the certificate must name is judged, not looked up.
    case 'x509-root':
      return sha256Of(`x509 ${credential.pem}`);
    case 'keyless':
      return sha256Of(canonicalJson(['keyless', trustedRoot ?? null, credential.issuer, Object.entries(credential.identity)]));
  }
}
