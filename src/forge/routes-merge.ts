import type { CommitId } from '#model/digest.ts';
import { toCommitId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import { branchRef } from '#model/names.ts';
import type { Repository } from '#ports/repository.ts';
import { actor, appMust, now, openRepository } from './access.ts';
import type { Answer } from './answer.ts';
import { noContent, notFound, ok, refuse } from './answer.ts';
import { oneOf, optionalText } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { forgePerson, makeCommit, moveRef, person } from './commit-writer.ts';
import { commitsBetween } from './history.ts';
import { mergeRefusals, protectionOf } from './protection-rules.ts';
import type { Account, Pull } from './records.ts';
import { syncRefs } from './ref-sync.ts';
import { pullOf } from './routes-pulls.ts';
import { branchTip } from './routes-references.ts';
import { mergeTrees } from './tree-merge.ts';

const BASE = '/repos/{owner}/{repo}/pulls/{pull_number}';
type Method = 'merge' | 'squash' | 'rebase';

export const MERGE_ROUTES: readonly Route[] = [
  { method: 'GET', path: `${BASE}/merge`, resource: 'PullRequest', handle: checkMerged },
  { method: 'PUT', path: `${BASE}/merge`, resource: 'PullRequest', handle: mergePull },
  { method: 'PUT', path: `${BASE}/update-branch`, resource: 'PullRequest', handle: updateBranch },
];

const HEAD_MOVED = 'Head branch was modified. Review and try the merge again.';
const BASE_MOVED = 'Base branch was modified. Review and try the merge again.';

async function checkMerged(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  if (pullOf(call, opened).merge === undefined) throw notFound();
  return noContent();
}

async function mergePull(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'write');
  appMust(call, 'contents');
  const account = actor(call);
  const method = oneOf(call.body, 'merge_method', ['merge', 'squash', 'rebase']) ?? 'merge';
  return call.world.repositories.exclusive(opened.row.id, async () => {
    const pull = pullOf(call, opened);
    mayMerge(call, opened, { pull, method, account });
    const sha = optionalText(call.body, 'sha');
    if (sha !== undefined && sha !== pull.headSha) throw refuse(409, HEAD_MOVED);
    const base = await branchTip(opened.git, pull.baseRef);
    if (base === undefined) throw refuse(405, 'Pull Request is not mergeable');
    await mayMergeOnto(call, opened, pull, base);
    const commit = await mergeCommit(call, opened.git, { opened, pull, base, method, account });
    if (commit === undefined) throw refuse(405, 'Pull Request is not mergeable');
    // Remembered before the branch moves: after a kill in between, the branch tells whether the merge happened.
    call.world.store.save('pull', { ...pull, merging: { commit, by: account.id, at: now(call.world) } });
    if (!(await moveRef(opened.git, { ref: branchRef(pull.baseRef), expected: base, next: commit }))) throw refuse(409, BASE_MOVED);
    await syncRefs(call.world, opened, account);
    if (opened.row.deleteBranchOnMerge) await deleteHead(call, opened, pull, account);
    return ok({ sha: commit, merged: true, message: 'Pull Request successfully merged' });
  });
}

async function deleteHead(call: Call, opened: Opened, pull: Pull, account: Account): Promise<void> {
  await moveRef(opened.git, { ref: branchRef(pull.headRef), expected: toCommitId(pull.headSha), next: undefined });
  await syncRefs(call.world, opened, account);
}

function mayMerge(call: Call, opened: Opened, of: { readonly pull: Pull; readonly method: Method; readonly account: Account }): void {
  const { pull, method, account } = of;
  if (pull.state === 'closed') throw refuse(405, 'Pull Request is not mergeable');
  if (pull.draft) throw refuse(405, 'Pull Request is still a draft');
  const allowed = { merge: opened.row.allowMerge, squash: opened.row.allowSquash, rebase: opened.row.allowRebase }[method];
  if (!allowed)
    throw refuse(
      405,
      `${{ merge: 'Merge commits', squash: 'Squash merges', rebase: 'Rebase merges' }[method]} are not allowed on this repository.`,
    );
  const linear = protectionOf(call.world, opened, pull.baseRef)?.linearHistory === true;
  if (linear && method === 'merge') throw refuse(405, 'This branch must not contain merge commits.');
  const refused = mergeRefusals(call.world, opened, pull, account);
  if (refused.length > 0) throw refuse(405, refused.join(' '));
}

async function mayMergeOnto(call: Call, opened: Opened, pull: Pull, base: CommitId): Promise<void> {
  const strict = protectionOf(call.world, opened, pull.baseRef)?.checks?.strict === true;
  if (strict && !(await opened.git.isAncestor(base, toCommitId(pull.headSha)))) {
    throw refuse(405, 'The head branch is not up to date with the base branch.');
  }
}

interface Merging {
  readonly opened: Opened;
  readonly pull: Pull;
  readonly base: CommitId;
  readonly method: Method;
  readonly account: Account;
}

async function mergeCommit(call: Call, git: Repository, of: Merging): Promise<CommitId | undefined> {
  switch (of.method) {
    case 'merge':
    case 'squash':
      return joined(call, git, of);
    case 'rebase':
      return replayed(call, git, of);
  }
}

async function joined(call: Call, git: Repository, of: Merging): Promise<CommitId | undefined> {
  const { pull, base, account } = of;
  const head = toCommitId(pull.headSha);
  const parted = await git.mergeBase(base, head);
  if (parted === undefined) return undefined;
  const [ancestor, ours, theirs] = [await git.commit(parted), await git.commit(base), await git.commit(head)];
  const merge = await mergeTrees(git, { base: ancestor.tree, ours: ours.tree, theirs: theirs.tree });
  if (merge.kind === 'conflict') return undefined;
  return makeCommit(call.world, git, {
    base: ours.tree,
    changes: merge.changes,
    parents: of.method === 'merge' ? [base, head] : [base],
    author: person(call.world, account),
    message: await mergeMessage(call, git, of),
  });
}

async function mergeMessage(call: Call, git: Repository, of: Merging): Promise<string> {
  const { pull, opened, method, base } = of;
  const commits = (await commitsBetween(git, base, toCommitId(pull.headSha))).toReversed();
  const only = commits.length === 1 ? commits[0] : undefined;
  const defaults =
    method === 'merge'
      ? { title: `Merge pull request #${pull.number} from ${opened.owner.login}/${pull.headRef}`, message: pull.title }
      : { title: `${only === undefined ? pull.title : subject(only)} (#${pull.number})`, message: squashMessage(commits) };
  const title = optionalText(call.body, 'commit_title') ?? defaults.title;
  const message = optionalText(call.body, 'commit_message') ?? defaults.message;
  return message === '' ? `${title}\n` : `${title}\n\n${message.replace(/\n+$/, '')}\n`;
}

function subject(commit: Commit): string {
  return commit.message.split('\n', 1)[0] ?? '';
}

function squashMessage(commits: readonly Commit[]): string {
  const [first] = commits;
  if (commits.length === 1 && first !== undefined) return first.message.split('\n').slice(1).join('\n').trim();
  return commits.map((commit) => `* ${commit.message.trim()}`).join('\n\n');
}

/** Each commit again on top of the base; merges inside the branch are left out, authors stay. */
async function replayed(call: Call, git: Repository, of: Merging): Promise<CommitId | undefined> {
  const commits = (await commitsBetween(git, of.base, toCommitId(of.pull.headSha)))
    .toReversed()
    .filter((commit) => commit.parents.length === 1);
  let tip = await git.commit(of.base);
  for (const commit of commits) {
    const parent = commit.parents[0];
    if (parent === undefined) continue;
    const before = await git.commit(parent);
    const merge = await mergeTrees(git, { base: before.tree, ours: tip.tree, theirs: commit.tree });
    if (merge.kind === 'conflict') return undefined;
    const { author, message } = commit;
    const committer = { ...forgePerson(call.world), name: of.account.login, email: person(call.world, of.account).email };
    tip = await git.commit(
      await makeCommit(call.world, git, { base: tip.tree, changes: merge.changes, parents: [tip.id], author, committer, message }),
    );
  }
  return tip.id === of.base ? undefined : tip.id;
}

/** Merges the base into the head branch. */
async function updateBranch(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'write');
  appMust(call, 'contents');
  const account = actor(call);
  const { git } = opened;
  return call.world.repositories.exclusive(opened.row.id, async () => {
    const pull = pullOf(call, opened);
    const expected = optionalText(call.body, 'expected_head_sha');
    if (expected !== undefined && expected !== pull.headSha) throw refuse(422, 'expected head sha didn’t match current head ref.');
    const [head, base] = [toCommitId(pull.headSha), await branchTip(git, pull.baseRef)];
    if (base === undefined || pull.state === 'closed') throw refuse(422, 'Pull Request is not open');
    if (await git.isAncestor(base, head)) throw refuse(422, 'There are no new commits on the base branch.');
    const parted = await git.mergeBase(base, head);
    const ours = await git.commit(head);
    const ancestor = parted === undefined ? undefined : (await git.commit(parted)).tree;
    const merge = await mergeTrees(git, { base: ancestor, ours: ours.tree, theirs: (await git.commit(base)).tree });
    if (merge.kind === 'conflict') throw refuse(422, 'merge conflict between base and head');
    const message = `Merge branch '${pull.baseRef}' into ${pull.headRef}\n`;
    const draft = { base: ours.tree, changes: merge.changes, parents: [head, base], author: person(call.world, account), message };
    const commit = await makeCommit(call.world, git, draft);
    if (!(await moveRef(git, { ref: branchRef(pull.headRef), expected: head, next: commit }))) throw refuse(422, HEAD_MOVED);
    await syncRefs(call.world, opened, account);
    const url = `${call.world.url()}/${opened.owner.login}/${opened.row.name}/pull/${pull.number}`;
    return { status: 202, body: { message: 'Updating pull request branch.', url } };
  });
}
