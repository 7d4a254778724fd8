import type { CommitFinding, LookedUpCredential } from '#model/commit-finding.ts';
import type { Parsed } from '#model/git-objects.ts';
import type { EmbeddedSignature } from '#model/signed-object.ts';
import type { Credential } from '#model/trust-policy.ts';

export interface CommitSignatureQuestion {
  readonly signature: EmbeddedSignature;
  readonly credential: LookedUpCredential;
  /** A sigstore trusted-root file; needed for keyless signatures. */
  readonly trustedRoot: Uint8Array | undefined;
}

/** One certificate of a keyring. */
export interface KeyringEntry {
  readonly credential: Extract<Credential, { kind: 'openpgp-key' }>;
  /** Full fingerprint of the primary key, upper-case hex. */
  readonly fingerprint: string;
  /** The first user id, for people; it proves nothing. */
  readonly userId: string | undefined;
}

/**
 * OpenPGP and X.509 signatures of commits and tags. Answers what the mathematics say; who may sign what is judged elsewhere. Everything given
 * may be hostile: every mistake is a finding, never an exception, and nothing is asked of a network.
 */
export interface CommitSignatures {
  examine(question: CommitSignatureQuestion): Promise<CommitFinding>;
  /** The certificates of an OpenPGP keyring, armoured or binary. */
  keyring(bytes: Uint8Array): Promise<Parsed<readonly KeyringEntry[]>>;
}
