import type { SignatureCode, SignatureFact, SignatureFinding } from '#model/signature-finding.ts';

/** Every signature and attestation that was looked at, in the order of the registry. */
export interface ImageFindings {
  readonly findings: readonly SignatureFinding[];
  /** There are more than were looked at: without one that counts, nothing is known of the rest. */
  readonly isCut: boolean;
  /** Nothing else was found, but the tag of the older format is there, and nobody allowed it. */
  readonly hasLegacyOnly: boolean;
}

/** What one signature has to be, beside being right. */
export interface AskedOfImage {
  /** `sha256:` with 64 digits. */
  readonly digest: string;
  /** `IMAGE_SIGNATURE`, or the predicate type of an attestation. */
  readonly predicateType: string;
  readonly annotations: ReadonlyMap<string, string>;
  /** `registry/name` that the signature must state; undefined: whatever it states. */
  readonly repository: string | undefined;
}

export type ImageVerdict =
  | { readonly kind: 'accepted'; readonly facts: readonly [SignatureFact, ...SignatureFact[]]; readonly sentence: string }
  | { readonly kind: 'refused'; readonly code: SignatureCode; readonly sentence: string };
