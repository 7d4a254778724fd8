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

/** The engine's key. `sign` answers an armoured SSHSIG block over the payload, namespace `git`. */
export interface Signer {
  /** `ssh-ed25519 AAAA...` */
  readonly publicKey: string;
  readonly name: string;
  readonly email: string;
  sign(payload: Uint8Array): Promise<string>;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Structured log; static messages, ids as fields, secrets redacted. */
export interface Journal {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
}
