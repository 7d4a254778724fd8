import type { Commit } from '#model/git-objects.ts';
import { openRepository } from './access.ts';
import type { Answer } from './answer.ts';
import { notFound, ok, refuse } from './answer.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import { changedFiles, commitsBetween, commitsFrom } from './history.ts';
import { paged, windowOf } from './page.ts';
import type { FileChange } from './pull-facts.ts';
import { fileChanges, filesBetween } from './pull-facts.ts';
import { commitNamed } from './routes-statuses.ts';
import { api } from './view-account.ts';
import { commitView } from './view-commit.ts';
import { fileView } from './view-file.ts';
import { repositoryPath } from './view-repository.ts';

export const COMMIT_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/repos/{owner}/{repo}/commits', resource: 'Commit', handle: listCommits },
  { method: 'GET', path: '/repos/{owner}/{repo}/commits/{ref}', resource: 'Commit', handle: getCommit },
  { method: 'GET', path: '/repos/{owner}/{repo}/compare/{basehead}', resource: 'Comparison', handle: compare },
];

const MOST_LISTED = 10_000;
const MOST_COMPARED = 250;
const MOST_FILES = 300;

async function listCommits(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const name = call.query.get('sha') ?? opened.row.defaultBranch;
  const start = await opened.git.resolve(name.replace(/^refs\/(?:heads|tags)\//, ''));
  if (start === undefined) {
    if ((await opened.git.refs()).size === 0) throw refuse(409, 'Git Repository is empty.');
    throw notFound();
  }
  const { page, size } = windowOf(call);
  const path = call.query.get('path');
  const [since, until] = [Date.parse(call.query.get('since') ?? ''), Date.parse(call.query.get('until') ?? '')];
  const filtered = path !== undefined || !Number.isNaN(since) || !Number.isNaN(until);
  const walked = await commitsFrom(opened.git, start, filtered ? MOST_LISTED : page * size + 1);
  const dated = walked.filter((commit) => !(commit.committer.at < since) && !(commit.committer.at > until));
  const commits = path === undefined ? dated : await touching(opened, dated, path.replace(/\/+$/, ''));
  return paged(call, commits, (commit) => commitView(call.world, opened, commit));
}

async function touching(opened: Opened, commits: readonly Commit[], path: string): Promise<readonly Commit[]> {
  const found: Commit[] = [];
  for (const commit of commits) {
    const parent = commit.parents[0];
    const before = parent === undefined ? undefined : (await opened.git.commit(parent)).tree;
    const changes = await changedFiles(opened.git, before, commit.tree);
    if (changes.some((change) => change.path === path || change.path.startsWith(`${path}/`))) found.push(commit);
  }
  return found;
}

async function getCommit(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const commit = await opened.git.commit(await commitNamed(call, opened, 'ref'));
  const parent = commit.parents[0];
  const before = parent === undefined ? undefined : (await opened.git.commit(parent)).tree;
  if (call.accept.includes('sha')) return ok(commit.id, { 'content-type': 'application/vnd.github.sha; charset=utf-8' });
  const files = await fileChanges(opened.git, before, commit.tree);
  return ok({
    ...commitView(call.world, opened, commit),
    stats: totals(files),
    files: files.slice(0, MOST_FILES).map((file) => fileView(call.world, opened, commit.id, file)),
  });
}

function totals(files: readonly FileChange[]) {
  let [additions, deletions] = [0, 0];
  for (const { patch } of files) {
    additions += patch.additions;
    deletions += patch.deletions;
  }
  return { total: additions + deletions, additions, deletions };
}

async function compare(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const { git } = opened;
  const parts = param(call, 'basehead').split('...');
  const names = parts.map((name) => name.replace(new RegExp(`^${opened.owner.login}:`, 'i'), ''));
  const [base, head] = [await git.resolve(names[0] ?? ''), await git.resolve(names[1] ?? '')];
  if (parts.length !== 2 || base === undefined || head === undefined) throw notFound();
  const parted = await git.mergeBase(base, head);
  if (parted === undefined) throw refuse(404, `No common ancestor between ${names[0] ?? ''} and ${names[1] ?? ''}.`);
  const ahead = (await commitsBetween(git, base, head)).toReversed();
  const behind = await commitsBetween(git, head, base);
  const { page, size } = call.query.has('per_page') || call.query.has('page') ? windowOf(call) : { page: 1, size: MOST_COMPARED };
  const files = await filesBetween(git, base, head);
  const url = api(call.world, `${repositoryPath(opened.owner, opened.row)}/compare/${param(call, 'basehead')}`);
  const html = `${call.world.url()}/${opened.owner.login}/${opened.row.name}/compare/${param(call, 'basehead')}`;
  return ok({
    url,
    html_url: html,
    permalink_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: commitView(call.world, opened, await git.commit(base)),
    merge_base_commit: commitView(call.world, opened, await git.commit(parted)),
    status: ahead.length > 0 && behind.length > 0 ? 'diverged' : ahead.length > 0 ? 'ahead' : behind.length > 0 ? 'behind' : 'identical',
    ahead_by: ahead.length,
    behind_by: behind.length,
    total_commits: ahead.length,
    commits: ahead.slice((page - 1) * size, page * size).map((commit) => commitView(call.world, opened, commit)),
    ...(page === 1 ? { files: files.slice(0, MOST_FILES).map((file) => fileView(call.world, opened, head, file)) } : {}),
  });
}
