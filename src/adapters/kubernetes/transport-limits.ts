import type { ConcurrencyBounds } from './concurrency.ts';

/** Times in milliseconds, sizes in bytes. */
export interface TransportLimits {
  readonly connect: number;
  /** Until the first byte of an answer; the server itself gives up after 60 s. */
  readonly headers: number;
  /** Between two pieces of an answer. */
  readonly body: number;
  readonly answer: number;
  /** One event of a watch. */
  readonly line: number;
  /** Without a line a watch counts as broken; servers send a bookmark about every minute. */
  readonly silence: number;
  /** How long a server that did answer may be away or ask to be asked again, before the request ends. */
  readonly patience: number;
  /** The same for a server that never answered on this connection. */
  readonly firstPatience: number;
  readonly tries: number;
  /** The first wait before a repeated request; it doubles up to `longestWait`. */
  readonly wait: number;
  readonly longestWait: number;
  /** What is on its way when the connection is closed may take this long. */
  readonly grace: number;
  readonly concurrency: ConcurrencyBounds;
}

export const TRANSPORT_LIMITS: TransportLimits = {
  connect: 10_000,
  headers: 70_000,
  body: 60_000,
  answer: 128 * 1024 * 1024,
  line: 16 * 1024 * 1024,
  silence: 600_000,
  patience: 30_000,
  firstPatience: 3_000,
  tries: 60,
  wait: 100,
  longestWait: 2_000,
  grace: 10_000,
  concurrency: { start: 16, most: 32 },
};
