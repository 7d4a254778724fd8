import type { CommitId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';

type ReadCommit = (id: CommitId) => Promise<Commit>;

export interface Walked {
  readonly ids: readonly CommitId[];
  /** False when the walk stopped because it had taken `steps` steps. */
  readonly complete: boolean;
}

/** First parents from `from`, newest first, `until` excluded. */
export async function walkFirstParents(read: ReadCommit, from: CommitId, until: CommitId | undefined, steps: number): Promise<Walked> {
  const ids: CommitId[] = [];
  let next: CommitId | undefined = from;
  while (next !== undefined && next !== until) {
    if (ids.length === steps) return { ids, complete: false };
    ids.push(next);
    const commit: Commit = await read(next);
    next = commit.parents[0];
  }
  return { ids, complete: true };
}

/** Is `ancestor` reached from `descendant`? `undefined` when more than `steps` commits would have to be opened to know. */
export async function reaches(read: ReadCommit, ancestor: CommitId, descendant: CommitId, steps: number): Promise<boolean | undefined> {
  const seen = new Set<CommitId>([descendant]);
  let ring: readonly CommitId[] = [descendant];
  while (ring.length > 0) {
    if (seen.has(ancestor)) return true;
    if (seen.size > steps) return undefined;
    const commits = await Promise.all(ring.map(read));
    const parents = new Set(commits.flatMap((commit) => commit.parents));
    ring = [...parents].filter((id) => !seen.has(id));
    for (const id of ring) seen.add(id);
  }
  return false;
}

/**
 * A best common ancestor: common to both and not an ancestor of another such commit. Breadth first on both sides; `undefined` when there is none.
 */
export async function commonAncestor(read: ReadCommit, a: CommitId, b: CommitId): Promise<CommitId | undefined> {
  const ofA = await ancestors(read, a);
  const ofB = await ancestors(read, b);
  const common = [...ofA].filter((id) => ofB.has(id));
  const covered = new Set<CommitId>();
  for (const id of common) {
    for (const parent of (await read(id)).parents) covered.add(parent);
  }
  return common.find((id) => !covered.has(id));
}

/** Every commit reached from `from`, itself included, nearest first. */
async function ancestors(read: ReadCommit, from: CommitId): Promise<ReadonlySet<CommitId>> {
  const seen = new Set<CommitId>([from]);
  for (const id of seen) {
    for (const parent of (await read(id)).parents) seen.add(parent);
  }
  return seen;
}
