import type { Instant } from '#model/instant.ts';
import type { Administration, ForgeAccount, Protection } from '#ports/forge.ts';
import type { GithubClient } from './client.ts';
import { asking, statusOf } from './failures.ts';

const PAGE = 100;
/** Pages of deliveries that one sweep reads. */
const MOST_PAGES = 20;
const EVENTS = ['push', 'pull_request', 'pull_request_review', 'check_run', 'status'];

export function administration(client: GithubClient): Administration {
  let account: Promise<ForgeAccount> | undefined;

  return {
    account() {
      account ??= asking('asking who we are', () => whoWeAre(client)).catch((error: unknown) => {
        account = undefined;
        throw error;
      });
      return account;
    },

    protection: (branch) => asking(`reading the protection of ${branch}`, () => protectionOf(client, branch)),

    redeliverFailed: (webhookUrl, since) =>
      asking('asking for failed deliveries', async () => {
        const octokit = await client.octokit();
        const hook = await hookAt(client, webhookUrl);
        if (hook === undefined) return 0;
        const failed = await failedDeliveries(client, hook, since);
        for (const delivery of failed) {
          await octokit.repos.redeliverWebhookDelivery({ ...client.at, hook_id: hook, delivery_id: delivery });
        }
        return failed.length;
      }),

    hasWebhook: (url) => asking('looking for the webhook', async () => (await hookAt(client, url)) !== undefined),

    installWebhook: (url, secret) =>
      asking('installing the webhook', async () => {
        const octokit = await client.octokit();
        const hook = await hookAt(client, url);
        const shape = { config: { url, secret: secret.reveal(), content_type: 'json', insecure_ssl: '0' }, events: EVENTS, active: true };
        if (hook === undefined) await octokit.repos.createWebhook({ ...client.at, name: 'web', ...shape });
        else await octokit.repos.updateWebhook({ ...client.at, hook_id: hook, ...shape });
      }),

    protect: (branch, requiredChecks) => asking(`protecting ${branch}`, () => protect(client, branch, requiredChecks)),
  };
}

async function whoWeAre(client: GithubClient): Promise<ForgeAccount> {
  const octokit = await client.octokit();
  switch (client.options.auth.kind) {
    case 'token': {
      const { data } = await octokit.users.getAuthenticated();
      return { login: data.login, kind: 'user' };
    }
    case 'app': {
      const { data } = await octokit.apps.getAuthenticated();
      return { login: `${data?.slug ?? 'app'}[bot]`, kind: 'app' };
    }
  }
}

/** The rules need the right to administer; without it the branch itself says at least whether it is protected and by which checks. */
async function protectionOf(client: GithubClient, branch: string): Promise<Protection> {
  const octokit = await client.octokit();
  try {
    const { data } = await octokit.repos.getBranchProtection({ ...client.at, branch });
    return {
      protected: true,
      requiredChecks: data.required_status_checks?.contexts ?? [],
      requiredApprovals: data.required_pull_request_reviews?.required_approving_review_count ?? 0,
    };
  } catch (error) {
    const status = statusOf(error);
    if (status !== 403 && status !== 404) throw error;
  }
  const { data } = await octokit.repos.getBranch({ ...client.at, branch });
  return { protected: data.protected, requiredChecks: data.protection?.required_status_checks?.contexts ?? [], requiredApprovals: 0 };
}

async function hookAt(client: GithubClient, url: string): Promise<number | undefined> {
  const octokit = await client.octokit();
  const hooks = await octokit.paginate(octokit.repos.listWebhooks, { ...client.at, per_page: PAGE });
  return hooks.find((hook) => hook.config.url === url)?.id;
}

/** The newest attempt of each delivery that no attempt brought through. Attempts of one delivery share its guid. */
async function failedDeliveries(client: GithubClient, hook: number, since: Instant): Promise<readonly number[]> {
  const octokit = await client.octokit();
  const newest = new Map<string, number>();
  const arrived = new Set<string>();
  let pages = 0;
  const route = { ...client.at, hook_id: hook, per_page: PAGE };
  for await (const { data } of octokit.paginate.iterator(octokit.repos.listWebhookDeliveries, route)) {
    for (const one of data) {
      if (one.status_code >= 200 && one.status_code < 300) arrived.add(one.guid);
      else if (!newest.has(one.guid) && Date.parse(one.delivered_at) >= since) newest.set(one.guid, one.id);
    }
    const last = data.at(-1);
    if (last === undefined || Date.parse(last.delivered_at) < since || ++pages >= MOST_PAGES) break;
  }
  // Oldest first, so that they come in the order in which they were sent.
  return [...newest]
    .filter(([guid]) => !arrived.has(guid))
    .map(([, id]) => id)
    .reverse();
}

/** Adds required checks and keeps every other rule of the branch as it is. */
async function protect(client: GithubClient, branch: string, requiredChecks: readonly string[]): Promise<void> {
  const octokit = await client.octokit();
  const before = await octokit.repos.getBranchProtection({ ...client.at, branch }).then(
    ({ data }) => data,
    (error: unknown) => {
      if (statusOf(error) === 404) return undefined;
      throw error;
    },
  );
  const contexts = before?.required_status_checks?.contexts ?? [];
  const missing = requiredChecks.filter((check) => !contexts.includes(check));
  if (before !== undefined && missing.length === 0) return;
  const reviews = before?.required_pull_request_reviews;
  const { restrictions } = before ?? {};
  await octokit.repos.updateBranchProtection({
    ...client.at,
    branch,
    required_status_checks: { strict: before?.required_status_checks?.strict ?? false, contexts: [...contexts, ...missing] },
    // Without it an administrator's merge, the engine's among them, would pass by the checks.
    enforce_admins: before === undefined ? true : (before.enforce_admins?.enabled ?? null),
    required_pull_request_reviews:
      reviews === undefined
        ? null
        : {
            dismiss_stale_reviews: reviews.dismiss_stale_reviews,
            require_code_owner_reviews: reviews.require_code_owner_reviews,
            required_approving_review_count: reviews.required_approving_review_count ?? 1,
          },
    restrictions:
      restrictions === undefined
        ? null
        : {
            users: restrictions.users.flatMap((user) => user.login ?? []),
            teams: restrictions.teams.map((team) => team.slug),
            apps: restrictions.apps.flatMap((app) => app.slug ?? []),
          },
  });
}
