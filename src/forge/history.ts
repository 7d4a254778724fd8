import type { CommitId, TreeId } from '#model/digest.ts';
import type { Commit, PathChange, TreeEntry } from '#model/git-objects.ts';
import { compareText } from '#model/problem.ts';
import type { ObjectReader } from '#ports/repository.ts';

/** GitHub shows at most so many files of a comparison. */
const MOST_FILES = 3000;
const MOST_COMMITS = 10_000;

/**
 * Commits reachable from `head` and not from `base`, newest first. Walks by committer date like `git rev-list`, so it reads about as many
 * commits as there are on the two sides since they parted.
 */
export async function commitsBetween(reader: ObjectReader, base: CommitId | undefined, head: CommitId): Promise<readonly Commit[]> {
  const queue: Commit[] = [];
  const seen = new Set<string>();
  const reached = new Set<string>();
  const found: Commit[] = [];

  async function enqueue(id: CommitId, excluded: boolean): Promise<void> {
    if (excluded && !reached.has(id)) {
      reached.add(id);
      if (seen.has(id)) for (const parent of (await reader.commit(id)).parents) await enqueue(parent, true);
    }
    if (seen.has(id)) return;
    seen.add(id);
    const commit = await reader.commit(id);
    const at = queue.findIndex((other) => other.committer.at < commit.committer.at);
    queue.splice(at === -1 ? queue.length : at, 0, commit);
  }

  await enqueue(head, false);
  if (base !== undefined) await enqueue(base, true);
  while (queue.some((commit) => !reached.has(commit.id)) && found.length < MOST_COMMITS) {
    const commit = queue.shift();
    if (commit === undefined) break;
    const excluded = reached.has(commit.id);
    if (!excluded) found.push(commit);
    for (const parent of commit.parents) await enqueue(parent, excluded);
  }
  return found.filter((commit) => !reached.has(commit.id));
}

/** Newest first, by committer date, from `head`. */
export async function commitsFrom(reader: ObjectReader, head: CommitId, limit: number): Promise<readonly Commit[]> {
  const queue: Commit[] = [await reader.commit(head)];
  const seen = new Set<string>([head]);
  const found: Commit[] = [];
  for (let commit = queue.shift(); commit !== undefined && found.length < limit; commit = queue.shift()) {
    found.push(commit);
    for (const id of commit.parents.filter((parent) => !seen.has(parent))) {
      seen.add(id);
      const parent = await reader.commit(id);
      const at = queue.findIndex((other) => other.committer.at < parent.committer.at);
      queue.splice(at === -1 ? queue.length : at, 0, parent);
    }
  }
  return found;
}

/** Files that differ between two trees, by path; equal subtrees are never opened. */
export async function changedFiles(
  reader: ObjectReader,
  before: TreeId | undefined,
  after: TreeId | undefined,
): Promise<readonly PathChange[]> {
  const changes: PathChange[] = [];

  async function compare(path: string, a: TreeId | undefined, b: TreeId | undefined): Promise<void> {
    const [left, right] = [await byName(reader, a), await byName(reader, b)];
    for (const name of [...new Set([...left.keys(), ...right.keys()])].sort(compareText)) {
      if (changes.length >= MOST_FILES) return;
      const [one, other] = [left.get(name), right.get(name)];
      if (one?.id === other?.id && one?.mode === other?.mode) continue;
      const [oneTree, otherTree] = [treeOf(one), treeOf(other)];
      if (oneTree !== undefined || otherTree !== undefined) await compare(`${path}${name}/`, oneTree, otherTree);
      const [oneFile, otherFile] = [one?.kind === 'tree' ? undefined : one, other?.kind === 'tree' ? undefined : other];
      if (oneFile !== undefined || otherFile !== undefined) changes.push({ path: path + name, before: oneFile, after: otherFile });
    }
  }

  if (before !== after) await compare('', before, after);
  return changes;
}

async function byName(reader: ObjectReader, id: TreeId | undefined): Promise<ReadonlyMap<string, TreeEntry>> {
  return new Map((id === undefined ? [] : await reader.tree(id)).map((entry) => [entry.name, entry]));
}

function treeOf(entry: TreeEntry | undefined): TreeId | undefined {
  return entry?.kind === 'tree' ? entry.id : undefined;
}

/** The entry at `path`; undefined when there is none. The root is '' and has no entry. */
export async function entryAt(reader: ObjectReader, root: TreeId, path: string): Promise<TreeEntry | undefined> {
  let tree = root;
  const names = path.split('/');
  for (const [at, name] of names.entries()) {
    const entry = (await reader.tree(tree)).find((item) => item.name === name);
    if (entry === undefined || at === names.length - 1) return entry;
    if (entry.kind !== 'tree') return undefined;
    tree = entry.id;
  }
  return undefined;
}
