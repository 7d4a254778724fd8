import type { Sha256 } from '#model/digest.ts';
import type { SignatureFinding } from '#model/signature-finding.ts';
import type { Credential } from '#model/trust-policy.ts';
import type { TrustedRootReading } from '#model/trusted-root.ts';

/** What is verified against which material; everything is given, so that the answer needs no network. */
export interface BundleQuestion {
  /** A sigstore bundle, JSON in UTF-8; hostile. */
  readonly bundle: Uint8Array;
  /** The artifact as it is, or only its digest. */
  readonly subject:
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
    | { readonly kind: 'digest'; readonly algorithm: 'sha256' | 'sha384' | 'sha512'; readonly hex: string };
  /** Keys and identities one of which must have signed; never empty. */
  readonly credentials: readonly Extract<Credential, { kind: 'public-key' | 'keyless' }>[];
  /** A sigstore trusted-root file (JSON); needed for keyless signatures. */
  readonly trustedRoot: Uint8Array | undefined;
}

/** A statement to be signed as a DSSE envelope, and by what. */
export interface BundleDraft {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** SPKI in PEM of the key, and its signature over given bytes (DER for ECDSA, plain for ed25519). */
  readonly key: { readonly publicKeyPem: string; readonly sign: (bytes: Uint8Array) => Promise<Uint8Array> };
}

/** Sigstore bundles: read and checked offline, and made with a key. Every mistake of a bundle is a finding, never an exception. */
export interface Bundles {
  verify(question: BundleQuestion): SignatureFinding;
  /** What a sigstore trusted-root file holds, or every mistake in it. */
  readRoot(bytes: Uint8Array): TrustedRootReading;
  /** A bundle of version 0.3 (JSON, UTF-8). */
  sign(draft: BundleDraft): Promise<Uint8Array>;
  /** The same over plain bytes, without a statement. */
  signBytes(bytes: Uint8Array, key: BundleDraft['key']): Promise<Uint8Array>;
  /** sha256 of a key's SubjectPublicKeyInfo (DER); undefined for a text that is no usable key. */
  keyDigest(pem: string): Sha256 | undefined;
}
