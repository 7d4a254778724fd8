import type { CommitId, TreeId } from '#model/digest.ts';
import type { Commit, TreeEntry } from '#model/git-objects.ts';
import type { UnitChange, UnitContent } from '#model/trust.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';
import type { Walkable } from './walkable.ts';

/**
 * Objects, and whether a folder can be walked: one that cannot is one unit and has no files, so that history goes on past it;
 * `reading.ts` refuses to use it.
 */
export type UnitReader = ObjectReader & Walkable;

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
export async function changesBetween(repository: UnitReader, before: Level | undefined, after: Level): Promise<readonly UnitChange[]> {
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

/** As in tree-diff.ts: more paths than these follow from no honest commit. */
const MAXIMUM_CHANGES = 500_000;

interface Pair {
  readonly path: string;
  readonly before: TreeId | undefined;
  readonly after: TreeId | undefined;
  /** Entries of this folder are units, folders too. */
  readonly isShallow: boolean;
}

async function collect(repository: UnitReader, changes: UnitChange[], pair: Pair): Promise<void> {
  if (pair.before === pair.after) return;
  const old = await entriesByName(repository, changes, pair, 'before');
  const fresh = await entriesByName(repository, changes, pair, 'after');
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

/** The roots and the folder of each environment are always opened: what stands in them is walked, or is one unit, each by itself. */
async function entriesByName(
  repository: UnitReader,
  changes: UnitChange[],
  pair: Pair,
  side: 'before' | 'after',
): Promise<ReadonlyMap<string, TreeEntry>> {
  const tree = pair[side];
  if (tree === undefined) return new Map();
  const isWalkable = pair.path.split('/').length < 3 || (await repository.extentOf(tree)).fault === undefined;
  const entries = isWalkable ? await entriesOf(repository, tree) : undefined;
  if (entries === undefined) changes.push({ path: pair.path, before: undefined, after: undefined, [side]: tree });
  if (changes.length > MAXIMUM_CHANGES) throw new PortError('invalid', `more than ${MAXIMUM_CHANGES} files below ${pair.path} differ`);
  return new Map((entries ?? []).map((entry) => [entry.name, entry]));
}

/** Undefined where the repository refuses to read it. */
export async function entriesOf(repository: ObjectReader, tree: TreeId): Promise<readonly TreeEntry[] | undefined> {
  try {
    return await repository.tree(tree);
  } catch (error) {
    // A file or a submodule where a folder should be; a read that failed says nothing about it.
    if (isPortError(error) && (error.kind === 'invalid' || error.kind === 'missing')) return undefined;
    throw error;
  }
}

export async function unitsOf(repository: UnitReader, level: Level): Promise<readonly UnitContent[]> {
  const changes = await changesBetween(repository, undefined, level);
  return changes.map((change) => ({ path: change.path, id: change.after }));
}
