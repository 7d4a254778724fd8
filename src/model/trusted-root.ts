import type { Instant } from '#model/instant.ts';

/** Where a machine has its trusted root from; paths are absolute. */
export type TrustedRootSource =
  | { readonly kind: 'file'; readonly path: string }
  /** A mirror of The Update Framework, and the root.json that trust starts from. */
  | { readonly kind: 'tuf'; readonly mirror: string; readonly rootFile: string };

/** One witness of a sigstore trusted root, and when it is believed (both ends inclusive). */
export interface TrustedWitness {
  readonly kind: 'certificate-authority' | 'certificate-log' | 'signature-log' | 'timestamp-authority';
  /** Its address as the root gives it. */
  readonly name: string;
  readonly from: Instant;
  /** Undefined: no end is set. */
  readonly until: Instant | undefined;
}

/** What is wrong with a trusted-root file, and where (RFC 6901). */
export interface TrustedRootMistake {
  readonly pointer: string;
  readonly reason: string;
}

export type TrustedRootReading =
  | { readonly ok: true; readonly witnesses: readonly TrustedWitness[] }
  | { readonly ok: false; readonly mistakes: readonly TrustedRootMistake[] };
