import type { Secret } from '#model/secret.ts';

/** Where the engine's key lies. Public keys are `ssh-ed25519 AAAA...`: they choose the key, and no other one is ever taken in its place. */
export type SigningKey =
  /** Absolute path of an unencrypted OpenSSH key; made where there is none. */
  | { readonly kind: 'file'; readonly path: string }
  /** An SSH agent at an absolute path; undefined where no socket is known. */
  | { readonly kind: 'agent'; readonly publicKey: string; readonly socket: string | undefined }
  /** A token behind a PKCS#11 module (absolute path); the PIN is undefined where it could not be read. */
  | { readonly kind: 'pkcs11'; readonly publicKey: string; readonly module: string; readonly pin: Secret | undefined };
