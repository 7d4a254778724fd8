import { toCommitId } from '#model/digest.ts';
import { toRefName } from '#model/names.ts';
import { accountByLogin, actor, alone, appMust, notAccessible, now, openRepository, permissionOf } from './access.ts';
import type { Answer } from './answer.ts';
import { created, invalid, notFound, ok, refuse } from './answer.ts';
import { flag, has, oneOf, optionalText, text, texts } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import type { Happening } from './events.ts';
import { raise } from './events.ts';
import { commitsBetween } from './history.ts';
import { paged } from './page.ts';
import { mergeRefusals } from './protection-rules.ts';
import { filesBetween, pullFacts } from './pull-facts.ts';
import type { Pull } from './records.ts';
import { branchTip } from './routes-references.ts';
import { teamView } from './view-account.ts';
import { commitView } from './view-commit.ts';
import { fileView } from './view-file.ts';
import { accountView, pullSummary, pullView } from './view-pull.ts';

const BASE = '/repos/{owner}/{repo}/pulls';

export const PULL_ROUTES: readonly Route[] = [
  { method: 'GET', path: BASE, resource: 'PullRequest', handle: listPulls },
  { method: 'POST', path: BASE, resource: 'PullRequest', handle: alone(createPull) },
  { method: 'GET', path: `${BASE}/{pull_number}`, resource: 'PullRequest', handle: getPull },
  { method: 'PATCH', path: `${BASE}/{pull_number}`, resource: 'PullRequest', handle: alone(updatePull) },
  { method: 'GET', path: `${BASE}/{pull_number}/files`, resource: 'PullRequest', handle: listFiles },
  { method: 'GET', path: `${BASE}/{pull_number}/commits`, resource: 'PullRequest', handle: listCommits },
  { method: 'GET', path: `${BASE}/{pull_number}/requested_reviewers`, resource: 'PullRequest', handle: listReviewers },
  { method: 'POST', path: `${BASE}/{pull_number}/requested_reviewers`, resource: 'PullRequest', handle: alone(requestReviewers) },
  { method: 'DELETE', path: `${BASE}/{pull_number}/requested_reviewers`, resource: 'PullRequest', handle: alone(removeReviewers) },
  { method: 'GET', path: '/repos/{owner}/{repo}/commits/{commit_sha}/pulls', resource: 'PullRequest', handle: pullsOfCommit },
];

export function pullOf(call: Call, opened: Pick<Opened, 'row'>, name = 'pull_number'): Pull {
  const pull = call.world.store.find('pull', opened.row.id, param(call, name));
  if (pull === undefined) throw notFound();
  return pull;
}

/** The whole pull request as it is now, with what only git knows. */
export async function wholePull(call: Call, opened: Opened, pull: Pull): Promise<Readonly<Record<string, unknown>>> {
  const refused = mergeRefusals(call.world, opened, pull, actorOrOwner(call, opened)).length > 0;
  return pullView(call.world, opened, pull, await pullFacts(opened.git, pull, refused));
}

function actorOrOwner(call: Call, opened: Opened) {
  return call.caller.kind === 'user' || call.caller.kind === 'installation' ? call.caller.account : opened.owner;
}

/** Stores changed pull requests and tells about them in one transaction. */
export async function savePull(
  call: Call,
  opened: Opened,
  pull: Pull,
  happening: Omit<Happening, 'event' | 'payload'> & { readonly extra?: object },
): Promise<Readonly<Record<string, unknown>>> {
  const whole = await wholePull(call, opened, pull);
  const { action = 'edited', extra = {} } = happening;
  call.world.store.transaction(() => {
    call.world.store.save('pull', pull);
    raise(call.world, opened, actor(call), {
      event: 'pull_request',
      action,
      payload: { number: pull.number, pull_request: whole, ...extra },
    });
  });
  call.world.deliver();
  return whole;
}

async function listPulls(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const state = call.query.get('state') ?? 'open';
  const head = call.query.get('head');
  const base = call.query.get('base');
  const sort = call.query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
  const ascending = call.query.get('direction') === 'asc';
  const pulls = call.world.store
    .list('pull', opened.row.id)
    .filter((pull) => state === 'all' || pull.state === state)
    .filter(
      (pull) => head === undefined || head === pull.headRef || head.toLowerCase() === `${opened.owner.login}:${pull.headRef}`.toLowerCase(),
    )
    .filter((pull) => base === undefined || base === pull.baseRef)
    .toSorted((a, b) => (a[sort] < b[sort] ? -1 : a[sort] > b[sort] ? 1 : a.number - b.number) * (ascending ? 1 : -1));
  return paged(call, pulls, (pull) => pullSummary(call.world, opened, pull));
}

async function createPull(call: Call): Promise<Answer> {
  const { world, body } = call;
  const opened = await openRepository(call, 'read');
  const author = actor(call);
  appMust(call, 'pull_requests');
  if (!permissionOf(world, call.caller, opened.row, opened.owner).push) throw notAccessible(call);
  const title = text(body, 'title');
  const headRef = text(body, 'head').replace(new RegExp(`^${opened.owner.login}:`, 'i'), '');
  const baseRef = text(body, 'base');
  const [head, base] = [await branchTip(opened.git, headRef), await branchTip(opened.git, baseRef)];
  if (head === undefined) throw invalid('PullRequest', 'head', 'invalid');
  if (base === undefined) throw invalid('PullRequest', 'base', 'invalid');
  if ((await commitsBetween(opened.git, base, head)).length === 0) {
    throw refuse(422, 'Validation Failed', [
      { resource: 'PullRequest', code: 'custom', message: `No commits between ${baseRef} and ${headRef}` },
    ]);
  }
  const at = now(world);
  const same = world.store
    .list('pull', opened.row.id)
    .some((row) => row.state === 'open' && row.headRef === headRef && row.baseRef === baseRef);
  if (same) {
    const message = `A pull request already exists for ${opened.owner.login}:${headRef}.`;
    throw refuse(422, 'Validation Failed', [{ resource: 'PullRequest', code: 'custom', message }]);
  }
  const number = takeNumber(call, opened);
  const ref = toRefName(`refs/pull/${number}/head`);
  await opened.git.push([{ ref, expected: undefined, next: head }]);
  const pull = world.store.insert(
    'pull',
    { parent: opened.row.id, key: String(number) },
    {
      number,
      title,
      body: optionalText(body, 'body'),
      state: 'open',
      draft: flag(body, 'draft') ?? false,
      author: author.id,
      headRef,
      headSha: head,
      baseRef,
      baseSha: base,
      labels: [],
      reviewers: [],
      teams: [],
      merging: undefined,
      merge: undefined,
      closedBy: undefined,
      createdAt: at,
      updatedAt: at,
      closedAt: undefined,
    },
  );
  const whole = await savePull(call, opened, pull, { action: 'opened' });
  return created(whole, String(whole['url']));
}

function takeNumber(call: Call, opened: Opened): number {
  const row = call.world.store.get('repository', opened.row.id) ?? opened.row;
  return call.world.store.save('repository', { ...row, lastNumber: row.lastNumber + 1 }).lastNumber;
}

async function getPull(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  return ok(await wholePull(call, opened, pullOf(call, opened)));
}

async function updatePull(call: Call): Promise<Answer> {
  const { world, body } = call;
  const opened = await openRepository(call, 'read');
  const pull = pullOf(call, opened);
  mayEdit(call, opened, pull);
  const state = oneOf(body, 'state', ['open', 'closed']) ?? pull.state;
  const title = has(body, 'title') ? text(body, 'title') : pull.title;
  const baseRef = optionalText(body, 'base') ?? pull.baseRef;
  if ((await branchTip(opened.git, baseRef)) === undefined && baseRef !== pull.baseRef) throw invalid('PullRequest', 'base', 'invalid');
  if (state === 'open' && pull.state === 'closed') await mayReopen(opened, pull);
  const at = now(world);
  const edited = { ...pull, title, body: optionalText(body, 'body') ?? pull.body, baseRef, updatedAt: at };
  const ended = {
    ...edited,
    state,
    closedAt: state === 'closed' ? (pull.closedAt ?? at) : undefined,
    closedBy: state === 'closed' ? (pull.closedBy ?? actor(call).id) : undefined,
  };
  if (state !== pull.state) return ok(await savePull(call, opened, ended, { action: state === 'closed' ? 'closed' : 'reopened' }));
  const changes = {
    ...(title === pull.title ? {} : { title: { from: pull.title } }),
    ...(edited.body === pull.body ? {} : { body: { from: pull.body ?? null } }),
    ...(baseRef === pull.baseRef ? {} : { base: { ref: { from: pull.baseRef }, sha: { from: pull.baseSha } } }),
  };
  if (Object.keys(changes).length === 0) return ok(await wholePull(call, opened, pull));
  return ok(await savePull(call, opened, edited, { action: 'edited', extra: { changes } }));
}

async function mayReopen(opened: Opened, pull: Pull): Promise<void> {
  const tip = await branchTip(opened.git, pull.headRef);
  if (pull.merge !== undefined || tip === undefined) {
    throw refuse(422, 'Validation Failed', [
      {
        resource: 'PullRequest',
        code: 'invalid',
        field: 'state',
        message: 'state cannot be changed. The pull request cannot be reopened.',
      },
    ]);
  }
}

function mayEdit(call: Call, opened: Opened, pull: Pull): void {
  const account = actor(call);
  appMust(call, 'pull_requests');
  if (pull.author !== account.id && !permissionOf(call.world, call.caller, opened.row, opened.owner).push) throw notAccessible(call);
}

async function listFiles(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const pull = pullOf(call, opened);
  const base = pull.state === 'open' ? await branchTip(opened.git, pull.baseRef) : undefined;
  const files = await filesBetween(opened.git, base ?? toCommitId(pull.baseSha), toCommitId(pull.headSha));
  return paged(call, files, (file) => fileView(call.world, opened, pull.headSha, file));
}

async function listCommits(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const pull = pullOf(call, opened);
  const base = pull.state === 'open' ? await branchTip(opened.git, pull.baseRef) : undefined;
  const commits = await commitsBetween(opened.git, base ?? toCommitId(pull.baseSha), toCommitId(pull.headSha));
  return paged(call, commits.toReversed(), (commit) => commitView(call.world, opened, commit));
}

async function pullsOfCommit(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const commit = await opened.git.resolve(param(call, 'commit_sha'));
  if (commit === undefined) throw refuse(422, `No commit found for SHA: ${param(call, 'commit_sha')}`);
  const found: Pull[] = [];
  for (const pull of call.world.store.list('pull', opened.row.id).toReversed()) {
    if (await carries(opened, pull, commit)) found.push(pull);
  }
  return paged(call, found, (pull) => pullSummary(call.world, opened, pull));
}

/** A commit belongs to a pull request as its merge, or as one of the commits it brought. */
async function carries(opened: Opened, pull: Pull, commit: ReturnType<typeof toCommitId>): Promise<boolean> {
  if (pull.merge?.commit === commit || pull.headSha === commit) return true;
  if (!(await opened.git.isAncestor(commit, toCommitId(pull.headSha)))) return false;
  return !(await opened.git.isAncestor(commit, toCommitId(pull.baseSha)));
}

function reviewersView(call: Call, opened: Opened, pull: Pull) {
  return {
    users: pull.reviewers.map((id) => accountView(call.world, id)).filter((view) => view !== null),
    teams: pull.teams.flatMap((id) => {
      const team = call.world.store.get('team', id);
      return team === undefined ? [] : [teamView(call.world, team, opened.owner)];
    }),
  };
}

async function listReviewers(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  return ok(reviewersView(call, opened, pullOf(call, opened)));
}

function namedReviewers(call: Call, opened: Opened): { readonly users: readonly number[]; readonly teams: readonly number[] } {
  const users = (texts(call.body, 'reviewers') ?? []).map((login) => accountByLogin(call.world, login)?.id);
  const teams = (texts(call.body, 'team_reviewers') ?? []).map((slug) => call.world.store.find('team', opened.owner.id, slug)?.id);
  if (users.includes(undefined) || teams.includes(undefined)) {
    throw refuse(
      422,
      'Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.',
    );
  }
  return { users: users.filter((id) => id !== undefined), teams: teams.filter((id) => id !== undefined) };
}

async function requestReviewers(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'write');
  const pull = pullOf(call, opened);
  const { users, teams } = namedReviewers(call, opened);
  if (users.includes(pull.author)) throw refuse(422, 'Review cannot be requested from pull request author.');
  const next = { ...pull, reviewers: [...new Set([...pull.reviewers, ...users])], teams: [...new Set([...pull.teams, ...teams])] };
  await savePull(call, opened, next, { action: 'review_requested', extra: { requested_reviewer: accountView(call.world, users[0]) } });
  return created(pullSummary(call.world, opened, next));
}

async function removeReviewers(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'write');
  const pull = pullOf(call, opened);
  const { users, teams } = namedReviewers(call, opened);
  const next = {
    ...pull,
    reviewers: pull.reviewers.filter((id) => !users.includes(id)),
    teams: pull.teams.filter((id) => !teams.includes(id)),
  };
  await savePull(call, opened, next, {
    action: 'review_request_removed',
    extra: { requested_reviewer: accountView(call.world, users[0]) },
  });
  return ok(pullSummary(call.world, opened, next));
}
