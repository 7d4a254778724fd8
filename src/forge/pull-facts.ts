import type { CommitId } from '#model/digest.ts';
import { toCommitId } from '#model/digest.ts';
import type { PathChange } from '#model/git-objects.ts';
import { branchRef } from '#model/names.ts';
import type { Repository } from '#ports/repository.ts';
import { changedFiles, commitsBetween } from './history.ts';
import type { Patch } from './lines.ts';
import { patchOf } from './lines.ts';
import type { Pull } from './records.ts';
import { mergeTrees } from './tree-merge.ts';
import type { PullFacts } from './view-pull.ts';

const LARGEST_TEXT = 1024 * 1024;

export interface FileChange {
  readonly change: PathChange;
  readonly patch: Patch;
}

export async function pullFacts(git: Repository, pull: Pull, refused: boolean): Promise<PullFacts> {
  const base = (await baseTip(git, pull)) ?? toCommitId(pull.baseSha);
  const head = toCommitId(pull.headSha);
  const [commits, files] = [await commitsBetween(git, base, head), await filesBetween(git, base, head)];
  const mergeable = pull.state === 'closed' ? undefined : await isMergeable(git, base, head);
  return {
    commits: commits.length,
    additions: total(files.map((file) => file.patch.additions)),
    deletions: total(files.map((file) => file.patch.deletions)),
    changedFiles: files.length,
    mergeable,
    mergeableState: stateOf(pull, mergeable, refused),
  };
}

function stateOf(pull: Pull, mergeable: boolean | undefined, refused: boolean): string {
  if (mergeable === undefined) return 'unknown';
  if (!mergeable) return 'dirty';
  if (pull.draft) return 'draft';
  return refused ? 'blocked' : 'clean';
}

export async function baseTip(git: Repository, pull: Pull): Promise<CommitId | undefined> {
  return (await git.refs()).get(branchRef(pull.baseRef));
}

export async function isMergeable(git: Repository, base: CommitId, head: CommitId): Promise<boolean> {
  const parted = await git.mergeBase(base, head);
  if (parted === undefined) return false;
  const [ancestor, ours, theirs] = [await git.commit(parted), await git.commit(base), await git.commit(head)];
  return (await mergeTrees(git, { base: ancestor.tree, ours: ours.tree, theirs: theirs.tree })).kind === 'clean';
}

/** What the head changes since it parted from the base (three dots), with patches. */
export async function filesBetween(git: Repository, base: CommitId, head: CommitId): Promise<readonly FileChange[]> {
  const parted = await git.mergeBase(base, head);
  const before = parted === undefined ? undefined : (await git.commit(parted)).tree;
  return fileChanges(git, before, (await git.commit(head)).tree);
}

export async function fileChanges(
  git: Repository,
  before: Parameters<typeof changedFiles>[1],
  after: Parameters<typeof changedFiles>[2],
): Promise<readonly FileChange[]> {
  const result: FileChange[] = [];
  for (const change of await changedFiles(git, before, after)) {
    const [one, other] = [await textAt(git, change.before), await textAt(git, change.after)];
    const patch = one === undefined || other === undefined ? { additions: 0, deletions: 0, text: undefined } : patchOf(one, other);
    result.push({ change, patch });
  }
  return result;
}

async function textAt(git: Repository, entry: PathChange['before']): Promise<string | undefined> {
  if (entry === undefined) return '';
  if (entry.kind !== 'blob') return undefined;
  const bytes = await git.blob(entry.id);
  return bytes.length > LARGEST_TEXT || bytes.subarray(0, 8000).includes(0) ? undefined : Buffer.from(bytes).toString('utf8');
}

function total(counts: readonly number[]): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
