import type { Instant } from '#model/instant.ts';

export interface Clock {
  now(): Instant;
}

/** Calls back later, once; the answer cancels it. */
export interface Timers {
  after(milliseconds: number, run: () => void): () => void;
}

/** A number in [0, 1): what jitter is made of. */
export type Chance = () => number;

/** Fresh identifiers: ULID (26 characters, sorted by time) and W3C trace id (32 hex digits). */
export interface Ids {
  runId(): string;
  traceId(): string;
}

/** A key that signs commits. */
export interface CommitSigner {
  /** `ssh-ed25519 AAAA...` */
  readonly publicKey: string;
  readonly name: string;
  readonly email: string;
  /** An armoured SSHSIG block over the payload; `namespace` says what it is for, `git` where it is left out. */
  sign(payload: Uint8Array, namespace?: string): Promise<string>;
}

/** The engine's key, wherever it lies: a file, an SSH agent, a token of PKCS#11. */
export interface Signer extends CommitSigner {
  /** The same key for envelopes and bundles. */
  plainKey(): Promise<PlainKey>;
}

/** Signatures over bytes as they are, in the forms that sigstore and DSSE expect. */
export interface PlainKey {
  /** SubjectPublicKeyInfo. */
  readonly publicKeyPem: string;
  /** ed25519: 64 bytes; ECDSA: DER, hash of the curve's size; RSA: PKCS#1 v1.5 with SHA-256. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Structured log; static messages, ids as fields, secrets redacted. */
export interface Journal {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
}
