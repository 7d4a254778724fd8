import type { CommitId, TreeId } from '#model/digest.ts';
import type { Commit, TreeEntry } from '#model/git-objects.ts';
import type { UnitChange, UnitContent } from '#model/trust.ts';
import type { ObjectReader } from '#ports/repository.ts';

/** A commit with the three folders that trust judges. */
export interface Level {
  readonly commit: Commit;
  /** Files below environments/ and policies/, and capsules' trees: what trust judges. */
  readonly roots: Readonly<Record<'capsules' | 'environments' | 'policies', TreeId | undefined>>;
}

export async function levelOf(repository: ObjectReader, id: CommitId): Promise<Level> {
  const commit = await repository.commit(id);
  const root = await repository.tree(commit.tree);
  const folder = (name: string): TreeId | undefined => {
    const entry = root.find((item) => item.name === name);
    return entry?.kind === 'tree' ? entry.id : undefined;
  };
  const roots = { capsules: folder('capsules'), environments: folder('environments'), policies: folder('policies') };
  return { commit, roots };
}

/** Units (trust.ts) that differ: capsules as trees, everything else file by file; equal subtrees are never opened. */
export async function changesBetween(repository: ObjectReader, before: Level | undefined, after: Level): Promise<readonly UnitChange[]> {
  const changes: UnitChange[] = [];
  for (const name of ['capsules', 'environments', 'policies'] as const) {
    await collect(repository, changes, {
      path: name,
      before: before?.roots[name],
      after: after.roots[name],
      isShallow: name === 'capsules',
    });
  }
  return changes;
}

interface Pair {
  readonly path: string;
  readonly before: TreeId | undefined;
  readonly after: TreeId | undefined;
  /** Entries of this folder are units, folders too. */
  readonly isShallow: boolean;
}

async function collect(repository: ObjectReader, changes: UnitChange[], pair: Pair): Promise<void> {
  if (pair.before === pair.after) return;
  const old = entriesByName(pair.before === undefined ? [] : await repository.tree(pair.before));
  const fresh = entriesByName(pair.after === undefined ? [] : await repository.tree(pair.after));
  for (const name of new Set([...old.keys(), ...fresh.keys()])) {
    const left = old.get(name);
    const right = fresh.get(name);
    if (left?.id === right?.id && left?.mode === right?.mode) continue;
    const path = `${pair.path}/${name}`;
    if (pair.isShallow) {
      changes.push({ path, before: left?.id, after: right?.id });
      continue;
    }
    await collect(repository, changes, {
      path,
      before: left?.kind === 'tree' ? left.id : undefined,
      after: right?.kind === 'tree' ? right.id : undefined,
      isShallow: false,
    });
    const [file, next] = [left?.kind === 'tree' ? undefined : left?.id, right?.kind === 'tree' ? undefined : right?.id];
    if (file !== next) changes.push({ path, before: file, after: next });
  }
}

function entriesByName(entries: readonly TreeEntry[]): ReadonlyMap<string, TreeEntry> {
  return new Map(entries.map((entry) => [entry.name, entry]));
}

export async function unitsOf(repository: ObjectReader, level: Level): Promise<readonly UnitContent[]> {
  const changes = await changesBetween(repository, undefined, level);
  return changes.map((change) => ({ path: change.path, id: change.after }));
}
