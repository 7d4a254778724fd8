/** Whoever waits until something is so. */
export interface WaitingRoom {
  /** Rejects with the signal's reason when it is aborted. */
  wait(signal: AbortSignal | undefined): Promise<void>;
  letIn(): void;
  turnAway(failure: unknown): void;
}

interface Guest {
  readonly resolve: () => void;
  readonly reject: (failure: unknown) => void;
}

export function waitingRoom(): WaitingRoom {
  const guests = new Set<Guest>();
  return {
    async wait(signal) {
      signal?.throwIfAborted();
      const leave = new AbortController();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const guest: Guest = { resolve, reject };
      guests.add(guest);
      signal?.addEventListener('abort', () => reject(signal.reason), { signal: leave.signal });
      try {
        await promise;
      } finally {
        guests.delete(guest);
        leave.abort();
      }
    },
    letIn() {
      for (const guest of guests) guest.resolve();
    },
    turnAway(failure) {
      for (const guest of guests) guest.reject(failure);
    },
  };
}
