import type { TransportLimits } from './transport-limits.ts';

/** How long to wait before the same request is sent again; `undefined`: it has been repeated enough. */
export interface Repeating {
  /** The connection failed. All requests count from the first failure after the last answer, so that they wait for one outage together. */
  afterFailure(tried: Tried): number | undefined;
  /** The server asked for it, naming seconds or not. */
  afterRefusal(tried: Tried, retryAfter: unknown): number | undefined;
  answered(): void;
}

/** What became of one request so far. */
export interface Tried {
  readonly times: number;
  /** When it first had no answer: what it waited in our own queue is not the server's doing. */
  readonly since: number;
}

export function repeating(limits: TransportLimits, now: () => number): Repeating {
  let awaySince: number | undefined;
  let hasAnswered = false;
  return {
    afterFailure({ times, since }) {
      awaySince ??= now();
      const patience = hasAnswered ? limits.patience : limits.firstPatience;
      const isOver = now() - awaySince >= patience || now() - since >= patience;
      return times >= limits.tries || isOver ? undefined : backoff(times, limits);
    },
    afterRefusal({ times, since }, retryAfter) {
      const own = backoff(times, limits);
      const seconds = Number(retryAfter);
      const wait = Number.isFinite(seconds) ? Math.max(own, seconds * 1000) : own;
      return times >= limits.tries || now() + wait - since > limits.patience ? undefined : wait;
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
