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
  /** Oldest first, `except` left out: at most `limit`, and no more than fit into 32 MiB, but one always does. */
  pending(limit: number, except?: ReadonlySet<string>): Promise<readonly Delivery[]>;
  done(ids: readonly string[]): Promise<void>;
  /** Forgets finished ids received before `before`. */
  forget(before: Instant): Promise<void>;
  close(): Promise<void>;
}
