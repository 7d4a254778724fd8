import type { TransportLimits } from './transport-limits.ts';

/** How long to wait before the same request is sent again; `undefined`: it has been repeated enough. */
export interface Repeating {
  /** The connection failed. All requests count from the first failure after the last answer, so that they wait for one outage together. */
  afterFailure(tries: number): number | undefined;
  /** The server asked for it, naming seconds or not. */
  afterRefusal(tries: number, started: number, retryAfter: unknown): number | undefined;
  answered(): void;
}

export function repeating(limits: TransportLimits, now: () => number): Repeating {
  let awaySince: number | undefined;
  let hasAnswered = false;
  return {
    afterFailure(tries) {
      awaySince ??= now();
      const patience = hasAnswered ? limits.patience : limits.firstPatience;
      return tries >= limits.tries || now() - awaySince >= patience ? undefined : backoff(tries, limits);
    },
    afterRefusal(tries, started, retryAfter) {
      const own = backoff(tries, limits);
      const seconds = Number(retryAfter);
      const wait = Number.isFinite(seconds) ? Math.max(own, seconds * 1000) : own;
      return tries >= limits.tries || now() + wait - started > limits.patience ? undefined : wait;
    },
    answered() {
      awaySince = undefined;
      hasAnswered = true;
    },
  };
}

/** Doubles, with a share of chance so that those who failed together do not come back together. */
function backoff(tries: number, { wait, longestWait }: TransportLimits): number {
  return Math.min(longestWait, wait * 2 ** (tries - 1)) * (0.75 + Math.random() / 2);
}
