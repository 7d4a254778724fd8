import { accountPermission } from './access.ts';
import type { World } from './call.ts';
import type { Pull } from './records.ts';
import { api, nodeId, simpleUser, teamView } from './view-account.ts';
import type { At } from './view-commit.ts';
import { fullRepository, repositoryPath } from './view-repository.ts';

/** What only git knows about a pull request. */
export interface PullFacts {
  readonly commits: number;
  readonly additions: number;
  readonly deletions: number;
  readonly changedFiles: number;
  readonly mergeable: boolean | undefined;
  readonly mergeableState: string;
}

export function accountView(world: World, id: number | undefined): Readonly<Record<string, unknown>> | null {
  const account = id === undefined ? undefined : world.store.get('account', id);
  return account === undefined ? null : simpleUser(world, account);
}

export function association(world: World, at: At, account: number): string {
  if (at.owner.id === account) return 'OWNER';
  const person = world.store.get('account', account);
  if (world.store.find('membership', at.owner.id, String(account)) !== undefined) return 'MEMBER';
  return person !== undefined && accountPermission(world, person, at.row, at.owner).push ? 'COLLABORATOR' : 'NONE';
}

export function labelView(world: World, at: At, name: string): Readonly<Record<string, unknown>> {
  const label = world.store.find('label', at.row.id, name.toLowerCase());
  return {
    id: label?.id ?? 0,
    node_id: nodeId('Label', label?.id ?? 0),
    url: api(world, `${repositoryPath(at.owner, at.row)}/labels/${encodeURIComponent(name)}`),
    name,
    color: label?.color ?? 'ededed',
    default: false,
    description: label?.description ?? null,
  };
}

export function pullSummary(world: World, at: At, pull: Pull): Readonly<Record<string, unknown>> {
  const path = repositoryPath(at.owner, at.row);
  const url = api(world, `${path}/pulls/${pull.number}`);
  const issue = api(world, `${path}/issues/${pull.number}`);
  const html = `${world.url()}/${at.owner.login}/${at.row.name}/pull/${pull.number}`;
  const statuses = api(world, `${path}/statuses/${pull.headSha}`);
  const links = {
    self: url,
    html,
    issue,
    comments: `${issue}/comments`,
    review_comments: `${url}/comments`,
    review_comment: api(world, `${path}/pulls/comments{/number}`),
    commits: `${url}/commits`,
    statuses,
  };
  const repository = fullRepository(world, at.row, at.owner, { kind: 'anonymous' });
  return {
    url,
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    commits_url: links.commits,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    comments_url: links.comments,
    statuses_url: statuses,
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: accountView(world, pull.author),
    body: pull.body ?? null,
    labels: pull.labels.map((name) => labelView(world, at, name)),
    milestone: null,
    active_lock_reason: null,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt ?? null,
    merged_at: pull.merge?.at ?? null,
    merge_commit_sha: pull.merge?.commit ?? null,
    assignee: null,
    assignees: [],
    requested_reviewers: pull.reviewers.map((id) => accountView(world, id)).filter((view) => view !== null),
    requested_teams: pull.teams.flatMap((id) => {
      const team = world.store.get('team', id);
      return team === undefined ? [] : [teamView(world, team, at.owner)];
    }),
    head: branchEnd(world, at, { ref: pull.headRef, sha: pull.headSha, repository }),
    base: branchEnd(world, at, { ref: pull.baseRef, sha: pull.baseSha, repository }),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
    author_association: association(world, at, pull.author),
    auto_merge: null,
    draft: pull.draft,
  };
}

function branchEnd(
  world: World,
  at: At,
  end: { readonly ref: string; readonly sha: string; readonly repository: Readonly<Record<string, unknown>> },
): Readonly<Record<string, unknown>> {
  return { label: `${at.owner.login}:${end.ref}`, ref: end.ref, sha: end.sha, user: simpleUser(world, at.owner), repo: end.repository };
}

export function pullView(world: World, at: At, pull: Pull, facts: PullFacts): Readonly<Record<string, unknown>> {
  return {
    ...pullSummary(world, at, pull),
    merged: pull.merge !== undefined,
    mergeable: facts.mergeable ?? null,
    rebaseable: facts.mergeable ?? null,
    mergeable_state: facts.mergeableState,
    merged_by: accountView(world, pull.merge?.by),
    comments: world.store.list('comment', at.row.id).filter((comment) => comment.number === pull.number).length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: facts.commits,
    additions: facts.additions,
    deletions: facts.deletions,
    changed_files: facts.changedFiles,
  };
}

export function pullReference(world: World, at: At, pull: Pull): Readonly<Record<string, unknown>> {
  const path = repositoryPath(at.owner, at.row);
  const repo = { id: at.row.id, url: api(world, path), name: at.row.name };
  return {
    id: pull.id,
    number: pull.number,
    url: api(world, `${path}/pulls/${pull.number}`),
    head: { ref: pull.headRef, sha: pull.headSha, repo },
    base: { ref: pull.baseRef, sha: pull.baseSha, repo },
  };
}

/** The pull request as GitHub's issues show it. */
export function issueView(world: World, at: At, pull: Pull): Readonly<Record<string, unknown>> {
  const path = repositoryPath(at.owner, at.row);
  const url = api(world, `${path}/issues/${pull.number}`);
  const html = `${world.url()}/${at.owner.login}/${at.row.name}/pull/${pull.number}`;
  return {
    id: pull.id,
    node_id: nodeId('Issue', pull.id),
    url,
    repository_url: api(world, path),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: html,
    number: pull.number,
    state: pull.state,
    state_reason: null,
    title: pull.title,
    body: pull.body ?? null,
    user: accountView(world, pull.author),
    labels: pull.labels.map((name) => labelView(world, at, name)),
    assignee: null,
    assignees: [],
    milestone: null,
    locked: false,
    active_lock_reason: null,
    comments: world.store.list('comment', at.row.id).filter((comment) => comment.number === pull.number).length,
    pull_request: {
      url: api(world, `${path}/pulls/${pull.number}`),
      html_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      merged_at: pull.merge?.at ?? null,
    },
    closed_at: pull.closedAt ?? null,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_by: accountView(world, pull.closedBy),
    author_association: association(world, at, pull.author),
    reactions: {
      url: `${url}/reactions`,
      total_count: 0,
      '+1': 0,
      '-1': 0,
      laugh: 0,
      hooray: 0,
      confused: 0,
      heart: 0,
      rocket: 0,
      eyes: 0,
    },
  };
}
