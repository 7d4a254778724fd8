import type { WebhookReader, WebhookVerifier } from '#ports/webhooks.ts';
import { octokitReader, octokitVerifier, type WebhookSecrets } from './webhooks.ts';

/** Checks `X-Hub-Signature-256` by @octokit/webhooks; while secrets are rotated the previous ones count, too. */
export function webhookVerifier(secrets: WebhookSecrets): WebhookVerifier {
  return octokitVerifier(secrets);
}

/** Turns stored deliveries into wake-ups by the typed events of @octokit/webhooks. */
export function githubEvents(): WebhookReader {
  return octokitReader();
}
