import type { Delivery } from '#ports/inbox.ts';

/** Checks a delivery's signature over its raw bytes, in constant time. Says which of the configured secrets fits, for the time of a rotation. */
export interface WebhookVerifier {
  verify(body: Uint8Array, signature: string): Promise<'current' | 'previous' | undefined>;
}

/** What a delivery may be about. A hint and nothing more: the fetched refs and the forge's answers are the truth. */
export type WakeUp =
  | { readonly kind: 'push'; readonly ref: string; readonly after: string }
  | { readonly kind: 'pull-request'; readonly number: number; readonly head: string; readonly action: string }
  | { readonly kind: 'review'; readonly number: number; readonly head: string }
  | { readonly kind: 'status' | 'check'; readonly commit: string; readonly name: string }
  | { readonly kind: 'ping' }
  /** An event that concerns nobody here, or one whose body is not what its header claims. */
  | { readonly kind: 'other'; readonly note: string };

/** Reads accepted deliveries. Never throws because of what a body holds. */
export interface WebhookReader {
  read(delivery: Delivery): Promise<WakeUp>;
}
