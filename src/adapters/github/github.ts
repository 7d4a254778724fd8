import { toSecret, type Secret } from '#model/secret.ts';
import type { Forge } from '#ports/forge.ts';
import type { WebhookReader, WebhookVerifier } from '#ports/webhooks.ts';
import { administration } from './administration.ts';
import { changeRequests } from './change-requests.ts';
import { githubClient, type GithubOptions } from './client.ts';
import { evidence } from './evidence.ts';
import { asking } from './failures.ts';
import { publishing } from './publish.ts';
import { octokitReader, octokitVerifier, type WebhookSecrets } from './webhooks.ts';

export interface Github extends Forge {
  /** What git over HTTP takes: the token, or a fresh installation token, as the password of `x-access-token`. */
  credentials(): Promise<{ readonly username: string; readonly password: Secret }>;
}

/** One repository of GitHub, of GitHub Enterprise, or of the local forge (`baseUrl` decides), by a token or as an App. */
export function githubForge(options: GithubOptions): Github {
  const client = githubClient(options);
  return {
    ...changeRequests(client),
    ...evidence(client, publishing(client)),
    ...administration(client),
    counts: () => ({ requests: client.requests() }),
    async credentials() {
      const { auth } = options;
      if (auth.kind === 'token') return { username: 'x-access-token', password: auth.token };
      const octokit = await client.octokit();
      const login = await asking('logging in as an App', () => octokit.auth({ type: 'installation' }));
      return { username: 'x-access-token', password: toSecret(tokenOf(login)) };
    },
  };
}

function tokenOf(login: unknown): string {
  if (typeof login !== 'object' || login === null || !('token' in login)) throw new Error('the App login has no token');
  return String(login.token);
}

/** Checks `X-Hub-Signature-256` by @octokit/webhooks; while secrets are rotated the previous ones count, too. */
export function webhookVerifier(secrets: WebhookSecrets): WebhookVerifier {
  return octokitVerifier(secrets);
}

/** Turns stored deliveries into wake-ups by the typed events of @octokit/webhooks. */
export function githubEvents(): WebhookReader {
  return octokitReader();
}
