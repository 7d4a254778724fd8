import type { Place } from '#model/problem.ts';
import type { TrustPurpose } from '#model/verdict.ts';

/** What a trust entry believes. Every form names somebody: there is no form that means anyone. */
export type Credential =
  /** `ssh-ed25519 AAAA...`: type and base64 blob, no comment. */
  | { readonly kind: 'ssh-key'; readonly key: string }
  /** One armoured OpenPGP certificate. */
  | { readonly kind: 'openpgp-key'; readonly armoured: string }
  /** SubjectPublicKeyInfo in PEM: ECDSA, RSA of at least 2048 bits, ed25519. */
  | { readonly kind: 'public-key'; readonly pem: string }
  /** A certificate of a trusted authority for exactly this issuer and this identity. */
  | { readonly kind: 'keyless'; readonly issuer: string; readonly identity: IdentityMatch }
  /** Certificates that end at this root; `identity` narrows them to one subject. */
  | { readonly kind: 'x509-root'; readonly pem: string; readonly identity: IdentityMatch | undefined };

/** A pattern is anchored by construction: it must match the whole identity. */
export type IdentityMatch = { readonly kind: 'exact'; readonly identity: string } | { readonly kind: 'pattern'; readonly pattern: string };

/** One row of `Project.spec.trust`. */
export interface TrustEntry {
  readonly name: string;
  readonly credential: Credential;
  readonly purposes: readonly TrustPurpose[];
  /** Where it counts, as path globs of the repository; undefined is everywhere. */
  readonly paths: readonly string[] | undefined;
  /** RFC 3339, inclusive; undefined is unbounded. */
  readonly validFrom: string | undefined;
  readonly validUntil: string | undefined;
  readonly place: Place;
}
