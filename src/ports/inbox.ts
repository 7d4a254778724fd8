import type { Instant } from '#model/instant.ts';

export interface Delivery {
  /** X-GitHub-Delivery. */
  readonly id: string;
  readonly event: string;
  readonly body: Uint8Array;
  readonly receivedAt: Instant;
}

/** Webhook deliveries that were accepted and not yet worked on; survives power loss. */
export interface Inbox {
  /** Resolves once the row is on disk (group commit); `false` if this id was accepted before. */
  accept(delivery: Delivery): Promise<boolean>;
  /** Oldest first. */
  pending(limit: number): Promise<readonly Delivery[]>;
  done(ids: readonly string[]): Promise<void>;
  /** Forgets finished ids received before `before`. */
  forget(before: Instant): Promise<void>;
  close(): Promise<void>;
}
