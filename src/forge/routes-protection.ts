import { accountByLogin, openRepository, repositoryRow } from './access.ts';
import type { Answer } from './answer.ts';
import { invalid, noContent, notFound, ok, refuse } from './answer.ts';
import type { Body } from './body.ts';
import { bodies, flag, has, integer, nested, texts } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import { paged } from './page.ts';
import { protectionOf } from './protection-rules.ts';
import type { Protected, ProtectionRecord } from './records.ts';
import { branchTip } from './routes-references.ts';
import { api, simpleUser, teamView } from './view-account.ts';
import { commitView } from './view-commit.ts';
import { repositoryPath } from './view-repository.ts';

const BRANCHES = '/repos/{owner}/{repo}/branches';

export const PROTECTION_ROUTES: readonly Route[] = [
  { method: 'GET', path: BRANCHES, resource: 'Branch', handle: listBranches },
  { method: 'GET', path: `${BRANCHES}/{branch}`, resource: 'Branch', handle: getBranch },
  { method: 'GET', path: `${BRANCHES}/{branch}/protection`, resource: 'ProtectedBranch', handle: getProtection },
  { method: 'PUT', path: `${BRANCHES}/{branch}/protection`, resource: 'ProtectedBranch', handle: setProtection },
  { method: 'DELETE', path: `${BRANCHES}/{branch}/protection`, resource: 'ProtectedBranch', handle: removeProtection },
];

function protectionUrl(call: Call, opened: Pick<Opened, 'row' | 'owner'>, branch: string): string {
  return api(call.world, `${repositoryPath(opened.owner, opened.row)}/branches/${encodeURIComponent(branch)}/protection`);
}

function branchProtectionSummary(rule: Protected | undefined) {
  const contexts = rule?.checks?.contexts ?? [];
  const level = rule?.checks === undefined ? 'off' : rule.enforceAdmins ? 'everyone' : 'non_admins';
  return {
    enabled: rule !== undefined,
    required_status_checks: { enforcement_level: level, contexts, checks: contexts.map((context) => ({ context, app_id: null })) },
  };
}

async function listBranches(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const only = call.query.get('protected');
  const branches = [...(await opened.git.refs())]
    .flatMap(([ref, sha]) => (ref.startsWith('refs/heads/') ? [{ name: ref.slice('refs/heads/'.length), sha }] : []))
    .map((branch) => ({ ...branch, rule: protectionOf(call.world, opened, branch.name) }))
    .filter((branch) => only === undefined || (branch.rule !== undefined) === (only === 'true'));
  return paged(call, branches, ({ name, sha, rule }) => ({
    name,
    commit: { sha, url: api(call.world, `${repositoryPath(opened.owner, opened.row)}/commits/${sha}`) },
    protected: rule !== undefined,
    protection: branchProtectionSummary(rule),
    protection_url: protectionUrl(call, opened, name),
  }));
}

async function getBranch(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const name = param(call, 'branch');
  const tip = await branchTip(opened.git, name);
  if (tip === undefined) throw refuse(404, 'Branch not found');
  const rule = protectionOf(call.world, opened, name);
  const self = api(call.world, `${repositoryPath(opened.owner, opened.row)}/branches/${encodeURIComponent(name)}`);
  return ok({
    name,
    commit: commitView(call.world, opened, await opened.git.commit(tip)),
    _links: { self, html: `${call.world.url()}/${opened.owner.login}/${opened.row.name}/tree/${name}` },
    protected: rule !== undefined,
    protection: branchProtectionSummary(rule),
    protection_url: protectionUrl(call, opened, name),
  });
}

function protectionView(call: Call, opened: Pick<Opened, 'row' | 'owner'>, rule: Protected) {
  const url = protectionUrl(call, opened, rule.branch);
  const { checks, reviews } = rule;
  return {
    url,
    ...(checks === undefined
      ? {}
      : {
          required_status_checks: {
            url: `${url}/required_status_checks`,
            strict: checks.strict,
            contexts: checks.contexts,
            contexts_url: `${url}/required_status_checks/contexts`,
            checks: checks.contexts.map((context) => ({ context, app_id: null })),
          },
        }),
    ...(reviews === undefined
      ? {}
      : {
          required_pull_request_reviews: {
            url: `${url}/required_pull_request_reviews`,
            dismiss_stale_reviews: reviews.dismissStale,
            require_code_owner_reviews: false,
            require_last_push_approval: false,
            required_approving_review_count: reviews.count,
          },
        }),
    ...(rule.restrictions === undefined ? {} : { restrictions: restrictionsView(call, opened, rule) }),
    required_signatures: { url: `${url}/required_signatures`, enabled: false },
    enforce_admins: { url: `${url}/enforce_admins`, enabled: rule.enforceAdmins },
    required_linear_history: { enabled: rule.linearHistory },
    allow_force_pushes: { enabled: rule.allowForcePushes },
    allow_deletions: { enabled: rule.allowDeletions },
    block_creations: { enabled: false },
    required_conversation_resolution: { enabled: false },
    lock_branch: { enabled: false },
    allow_fork_syncing: { enabled: false },
  };
}

function restrictionsView(call: Call, opened: Pick<Opened, 'row' | 'owner'>, rule: Protected) {
  const url = `${protectionUrl(call, opened, rule.branch)}/restrictions`;
  const { users = [], teams = [] } = rule.restrictions ?? {};
  return {
    url,
    users_url: `${url}/users`,
    teams_url: `${url}/teams`,
    apps_url: `${url}/apps`,
    users: users.flatMap((login) => {
      const account = accountByLogin(call.world, login);
      return account === undefined ? [] : [simpleUser(call.world, account)];
    }),
    teams: teams.flatMap((slug) => {
      const team = call.world.store.find('team', opened.owner.id, slug);
      return team === undefined ? [] : [teamView(call.world, team, opened.owner)];
    }),
    apps: [],
  };
}

function getProtection(call: Call): Answer {
  const opened = repositoryRow(call, 'inspect');
  const rule = protectionOf(call.world, opened, param(call, 'branch'));
  if (rule === undefined) throw refuse(404, 'Branch not protected');
  return ok(protectionView(call, opened, rule));
}

function required(body: Body, field: string): Body | undefined {
  if (!has(body, field)) throw invalid('ProtectedBranch', field, 'missing_field');
  return nested(body, field);
}

function contextsOf(checks: Body): readonly string[] {
  const named = (bodies(checks, 'checks') ?? [])
    .map((check) => check.fields.get('context'))
    .filter((context) => typeof context === 'string');
  return [...new Set([...(texts(checks, 'contexts') ?? []), ...named])];
}

/** What the forge does not enforce it does not pretend to have. */
function refuseUnenforced(body: Body, reviews: Body | undefined): void {
  const rules = ['required_conversation_resolution', 'lock_branch', 'block_creations'].filter((name) => flag(body, name) === true);
  const ofReviews = ['require_code_owner_reviews', 'require_last_push_approval'].filter(
    (name) => reviews !== undefined && flag(reviews, name) === true,
  );
  const [unknown] = [...rules, ...ofReviews];
  if (unknown !== undefined) throw invalid('ProtectedBranch', unknown, 'custom', `the local forge does not enforce ${unknown}`);
}

async function setProtection(call: Call): Promise<Answer> {
  const { body } = call;
  const opened = await openRepository(call, 'admin');
  const branch = param(call, 'branch');
  if ((await branchTip(opened.git, branch)) === undefined) throw refuse(404, 'Branch not found');
  const checks = required(body, 'required_status_checks');
  const reviews = required(body, 'required_pull_request_reviews');
  const restrictions = required(body, 'restrictions');
  refuseUnenforced(body, reviews);
  if (!has(body, 'enforce_admins')) throw invalid('ProtectedBranch', 'enforce_admins', 'missing_field');
  const record: ProtectionRecord = {
    branch,
    checks: checks === undefined ? undefined : { strict: flag(checks, 'strict') ?? false, contexts: contextsOf(checks) },
    reviews:
      reviews === undefined
        ? undefined
        : {
            count: integer(reviews, 'required_approving_review_count') ?? 1,
            dismissStale: flag(reviews, 'dismiss_stale_reviews') ?? false,
          },
    enforceAdmins: flag(body, 'enforce_admins') ?? false,
    linearHistory: flag(body, 'required_linear_history') ?? false,
    allowForcePushes: flag(body, 'allow_force_pushes') ?? false,
    allowDeletions: flag(body, 'allow_deletions') ?? false,
    restrictions:
      restrictions === undefined
        ? undefined
        : {
            users: texts(restrictions, 'users') ?? [],
            teams: texts(restrictions, 'teams') ?? [],
            apps: texts(restrictions, 'apps') ?? [],
          },
  };
  const known = protectionOf(call.world, opened, branch);
  const rule =
    known === undefined
      ? call.world.store.insert('protection', { parent: opened.row.id, key: branch }, record)
      : call.world.store.save('protection', { ...record, id: known.id });
  return ok(protectionView(call, opened, rule));
}

function removeProtection(call: Call): Answer {
  const opened = repositoryRow(call, 'admin');
  const rule = protectionOf(call.world, opened, param(call, 'branch'));
  if (rule === undefined) throw notFound();
  call.world.store.remove('protection', rule.id);
  return noContent();
}
