import type { CommitId } from '#model/digest.ts';
import type { Place } from '#model/problem.ts';
import type { Credential } from '#model/trust-policy.ts';

/** What a trust entry may vouch for. */
export type TrustPurpose = 'commit' | 'capsule' | 'image' | 'evidence' | 'approval' | 'engine' | 'policy';

/**
 * The judgement of one commit's signature. Unsigned, refused and could-not-look are different words:
 * - accepted: a key that a trust entry names signed these bytes
 * - unsigned: there is no signature
 * - refused: there is one, and it does not count (code says why: bad-signature, unknown-key, wrong-namespace, weak-key, ...)
 * - could-not-look: the evidence could not be read (try again)
 */
export type SignatureVerdict =
  | {
      readonly kind: 'accepted';
      readonly commit: CommitId;
      readonly signer: string;
      readonly fingerprint: string;
      /** Whom the signer's certificate names; only of X.509 and keyless signatures. */
      readonly identity?: string | undefined;
      readonly sentence: string;
    }
  | { readonly kind: 'unsigned'; readonly commit: CommitId; readonly sentence: string }
  | { readonly kind: 'refused'; readonly commit: CommitId; readonly code: string; readonly sentence: string }
  | { readonly kind: 'could-not-look'; readonly commit: CommitId; readonly sentence: string };

/** One person's signature over what is judged. */
export interface Vouching {
  /** Name of the trust entry. */
  readonly by: string;
  /** The commit that carries the signature. */
  readonly commit: CommitId;
}

/** Whether a path of a snapshot may be acted on, judged along first parents from the trust root. */
export type PathVerdict =
  | {
      readonly kind: 'accepted';
      readonly by: string;
      readonly commit: CommitId;
      /** Everybody whose signature was counted, where a threshold asks for several. */
      readonly vouching?: readonly Vouching[];
    }
  /** No trust entry names this purpose: it runs, and everything says so. */
  | { readonly kind: 'not-enforced' }
  | { readonly kind: 'unsigned' | 'refused' | 'could-not-look'; readonly commit: CommitId; readonly sentence: string };

/** A key that may sign, as a trust entry of the project (or an allowed-signers file) gives it. */
export interface AllowedSigner {
  readonly name: string;
  readonly credential: Credential;
  /** Namespaces of SSH signatures that count; undefined is `git`, which commits and tags are signed for. */
  readonly namespaces?: readonly string[] | undefined;
  readonly purposes: readonly TrustPurpose[];
  /** RFC 3339, inclusive; undefined is unbounded. */
  readonly validFrom: string | undefined;
  readonly validUntil: string | undefined;
  readonly place: Place;
}
