import type { SignatureCode } from '#model/signature-finding.ts';

/** Whether a capsule that requires a signature has one that counts (V-83), in one sentence. */
export type CapsuleSignatureVerdict =
  /** By this trust entry, or the key that was given. */
  | { readonly kind: 'accepted'; readonly by: string; readonly sentence: string }
  | { readonly kind: 'refused'; readonly code: SignatureCode; readonly sentence: string }
  | { readonly kind: 'could-not-look'; readonly sentence: string };
