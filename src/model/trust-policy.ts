import type { Sha256 } from '#model/digest.ts';
import type { Place } from '#model/problem.ts';
import type { TrustPurpose } from '#model/verdict.ts';

/** What a trust entry believes. Every form names somebody: there is no form that means anyone. */
export type Credential =
  /** `ssh-ed25519 AAAA...`: type and base64 blob, no comment. Its SPKI digest lets it vouch for envelopes, too. */
  | { readonly kind: 'ssh-key'; readonly key: string; readonly spkiSha256?: Sha256 }
  /** One armoured OpenPGP certificate. */
  | { readonly kind: 'openpgp-key'; readonly armoured: string }
  /** SubjectPublicKeyInfo in PEM: ECDSA, RSA of at least 2048 bits, ed25519. */
  | { readonly kind: 'public-key'; readonly pem: string; readonly spkiSha256?: Sha256 }
  /** A certificate of a trusted authority for exactly this issuer and this identity. */
  | { readonly kind: 'keyless'; readonly issuer: string; readonly identity: IdentityMatch }
  /** Certificates that end at this root; `identity` narrows them to one subject. */
  | { readonly kind: 'x509-root'; readonly pem: string; readonly identity: IdentityMatch | undefined };

/** A pattern is anchored by construction: it must match the whole identity. */
export type IdentityMatch = { readonly kind: 'exact'; readonly identity: string } | { readonly kind: 'pattern'; readonly pattern: string };

/** One usable row of `Project.spec.trust`. */
export interface TrustEntry {
  readonly name: string;
  /** Forge login of the person behind it; two entries of one user are one person. */
  readonly user?: string | undefined;
  readonly credential: Credential;
  /** Namespaces of SSH signatures that count; undefined is every one that its purposes use. */
  readonly namespaces?: readonly string[] | undefined;
  readonly purposes: readonly TrustPurpose[];
  /** Where it counts, as path globs of the repository; undefined is everywhere. */
  readonly paths: readonly string[] | undefined;
  /** RFC 3339, inclusive; undefined is unbounded. */
  readonly validFrom: string | undefined;
  readonly validUntil: string | undefined;
  readonly place: Place;
}

/** One row of `Project.spec.thresholds`: where it matches, so many different people must have signed the same change. */
export interface Threshold {
  readonly name: string;
  readonly purposes: readonly TrustPurpose[];
  readonly paths: readonly string[] | undefined;
  /** Names of entries whose signatures are counted; undefined is every entry for the purpose. */
  readonly of: readonly string[] | undefined;
  readonly atLeast: number;
  readonly place: Place;
}

/** The authorities and logs that keyless signatures are verified with (trusted_root.json). */
export interface TrustedRootFile {
  readonly path: string;
  readonly text: string;
  readonly sha256: Sha256;
}

/** Who may sign what, where and when, as one project declares it. Rows that cannot be used are not in it, and yet enforce their purposes. */
export interface TrustPolicy {
  readonly entries: readonly TrustEntry[];
  readonly thresholds: readonly Threshold[];
  /** Purposes that at least one row names, usable or not. */
  readonly enforced: ReadonlySet<TrustPurpose>;
  /** Files of the repository that rows name: whoever changes them changes the policy. */
  readonly files: ReadonlySet<string>;
  readonly trustedRoot: TrustedRootFile | undefined;
  /** Of everything above that decides: with the digest of a bundle it names a verdict that can be kept. */
  readonly digest: Sha256;
}

/** A person, for counting: the forge login where one is given, else the entry itself. */
export function personOf({ user, name }: Pick<TrustEntry, 'user' | 'name'>): string {
  return (user ?? name).toLowerCase();
}
