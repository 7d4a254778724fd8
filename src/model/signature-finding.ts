import type { Sha256 } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import type { Json } from '#model/json.ts';

/** Predicate type of an image signature in a bundle of cosign 3; simple-signing payloads are read as the same. */
export const IMAGE_SIGNATURE = 'https://sigstore.dev/cosign/sign/v1';

/** At most so many signatures are looked at per subject; the limit is named when it is hit. */
export const MOST_SIGNATURES_LOOKED_AT = 64;
/** Bytes of one bundle, signature payload or attestation. */
export const LARGEST_BUNDLE = 1024 * 1024;

/** Why a signature does not count, or why nothing can be said. Stable: JSON of the verify commands carries it. */
export type SignatureCode =
  | 'unsigned'
  | 'unknown-key'
  | 'bad-signature'
  | 'wrong-identity'
  | 'wrong-digest'
  | 'wrong-predicate'
  | 'wrong-annotation'
  | 'wrong-repository'
  | 'outside-window'
  | 'wrong-purpose'
  | 'too-few-signatures'
  | 'untrusted-certificate'
  | 'untrusted-log'
  | 'untrusted-time'
  | 'malformed-bundle'
  | 'unsupported-bundle'
  | 'legacy-signature'
  | 'too-many-signatures'
  | 'could-not-look';

/** Who signed, as the mathematics say; whether that one may is for the trust chapter. */
export type SignatureSigner =
  /** sha256 of the SubjectPublicKeyInfo in DER. */
  { readonly kind: 'key'; readonly spkiSha256: Sha256 } | { readonly kind: 'keyless'; readonly issuer: string; readonly identity: string };

/** A signature whose mathematics hold: chain, log, time and bytes were checked by the adapter that answers this. */
export interface SignatureFact {
  /** Hex digests of everything it speaks of, by algorithm (`sha256`, `gitTree`). */
  readonly subjects: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[];
  /** `IMAGE_SIGNATURE`, an in-toto predicate type, or undefined for a signature over plain bytes. */
  readonly predicateType: string | undefined;
  readonly predicate: Json | undefined;
  readonly signer: SignatureSigner;
  /** What a log or a timestamp authority vouches for; undefined for a key without either. */
  readonly signedAt: Instant | undefined;
  /** Logs and timestamp authorities that vouch for it, by the addresses that the trusted root gives them. */
  readonly seenBy?: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  /** sha256 of the bytes of the bundle: with the digest of the policy it names a verdict that can be kept. */
  readonly bundle: Sha256;
}

export type SignatureFinding =
  | { readonly kind: 'verified'; readonly fact: SignatureFact }
  | { readonly kind: 'refused'; readonly code: SignatureCode; readonly reason: string };
