import { valueAt } from '#model/json.ts';
import type { Secret } from '#model/secret.ts';
import { configurationProblem, textAt, type Draft } from './configuration-draft.ts';
import type { Secrets } from './secret-source.ts';

export interface RepositoryConfiguration {
  readonly url: string;
  readonly branch: string;
  /** From the URL's last two parts. */
  readonly owner: string;
  readonly name: string;
}

export interface ForgeConfiguration {
  readonly baseUrl: string;
  readonly owner: string;
  readonly repo: string;
  readonly auth:
    | { readonly kind: 'token'; readonly token: Secret }
    | { readonly kind: 'app'; readonly id: number; readonly installation: number; readonly privateKey: Secret };
  /** Undefined for a command that does without. */
  readonly webhookSecrets: { readonly current: Secret; readonly previous: readonly Secret[] } | undefined;
}

const SLUG = /[/:]([A-Za-z0-9][A-Za-z0-9-]{0,99})\/([A-Za-z0-9._-]{1,100}?)(\.git)?\/?$/;

export function repositoryOf(draft: Draft): RepositoryConfiguration | undefined {
  const url = textAt(draft.value, '/repository/url') ?? '';
  const place = draft.at('/repository/url');
  if (/^https?:\/\/[^/]*@/.test(url)) {
    const remedy = 'Remove the credentials from the address; the forge login is used.';
    draft.problems.push(configurationProblem('bad-format', place, 'repository.url holds credentials', remedy));
    return undefined;
  }
  const [, owner, name] = SLUG.exec(url) ?? [];
  if (owner === undefined || name === undefined) {
    const message = `repository.url ${JSON.stringify(url.slice(0, 200))} does not end in OWNER/NAME`;
    draft.problems.push(configurationProblem('bad-format', place, message, 'Write it like https://github.com/acme/platform.git.'));
    return undefined;
  }
  return { url, branch: textAt(draft.value, '/repository/branch') ?? 'main', owner, name };
}

interface ForgeSources {
  readonly secrets: Secrets;
  readonly repository: RepositoryConfiguration | undefined;
  readonly purpose: 'service' | 'command';
}

export function forgeOf(draft: Draft, sources: ForgeSources): ForgeConfiguration | undefined {
  const { secrets, repository, purpose } = sources;
  if (purpose === 'service') {
    draft.problems.push(...secrets.missing.values());
    requireLogin(draft);
    requireWebhookSecret(draft);
  }
  const auth = authOf(draft, secrets);
  if (auth === undefined || repository === undefined) return undefined;
  const current = secrets.found.get('/forge/webhookSecret');
  const previous = secrets.found.get('/forge/previousWebhookSecret');
  return {
    baseUrl: textAt(draft.value, '/forge/baseUrl') ?? usualBaseUrl(repository.url),
    owner: repository.owner,
    repo: repository.name,
    auth,
    webhookSecrets: current === undefined ? undefined : { current, previous: previous === undefined ? [] : [previous] },
  };
}

function requireLogin(draft: Draft): void {
  const hasToken = valueAt(draft.value, '/forge/token') !== undefined;
  const hasApp = valueAt(draft.value, '/forge/app') !== undefined;
  if (hasToken !== hasApp) return;
  const message = hasToken ? 'forge names a token and an App' : 'forge names no login';
  const remedy = hasToken ? 'Keep one of them.' : 'Add forge.token or forge.app, or set CAPSTAN_FORGE_TOKEN.';
  draft.problems.push(configurationProblem(hasToken ? 'fields-exclude-each-other' : 'missing-field', draft.at('/forge'), message, remedy));
}

/** Without a secret anybody could wake the engine; there is no way to run it so. */
function requireWebhookSecret(draft: Draft): void {
  if (valueAt(draft.value, '/forge/webhookSecret') !== undefined) return;
  const message = 'forge.webhookSecret is missing; the service does not take unsigned webhooks';
  const remedy = 'Add forge.webhookSecret: { env: CAPSTAN_WEBHOOK_SECRET } and set that variable to a long random text.';
  draft.problems.push(configurationProblem('webhook-secret-missing', draft.at('/forge/webhookSecret'), message, remedy));
}

function authOf(draft: Draft, secrets: Secrets): ForgeConfiguration['auth'] | undefined {
  const token = secrets.found.get('/forge/token');
  if (token !== undefined) return { kind: 'token', token };
  const privateKey = secrets.found.get('/forge/app/privateKey');
  const id = valueAt(draft.value, '/forge/app/id');
  const installation = valueAt(draft.value, '/forge/app/installation');
  if (privateKey === undefined || typeof id !== 'number' || typeof installation !== 'number') return undefined;
  return { kind: 'app', id, installation, privateKey };
}

/** GitHub's own, or GitHub Enterprise's shape on the repository's host. */
function usualBaseUrl(url: string): string {
  if (!/^https?:\/\//.test(url)) return 'https://api.github.com';
  const { hostname, origin } = new URL(url);
  return hostname === 'github.com' ? 'https://api.github.com' : `${origin}/api/v3`;
}
