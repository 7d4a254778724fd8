import type { TreeId } from '#model/digest.ts';
import type { TreeChange, TreeEntry } from '#model/git-objects.ts';

type OpenTree = (id: TreeId) => Promise<readonly TreeEntry[]>;

export interface WholeFileMerge {
  /** What theirs changes in ours. */
  readonly changes: readonly TreeChange[];
  /** What one side changed and the other removed or made something else: a person must decide. */
  readonly conflicts: readonly string[];
  /** Files that both changed, differently: only a merge within the file can tell. */
  readonly unsure: readonly string[];
}

interface Sides {
  readonly base: TreeEntry | undefined;
  readonly ours: TreeEntry | undefined;
  readonly theirs: TreeEntry | undefined;
}

/** A three-way merge that takes every file whole. */
export async function mergeWholeFiles(
  open: OpenTree,
  base: TreeId | undefined,
  [ours, theirs]: readonly [TreeId, TreeId],
): Promise<WholeFileMerge> {
  const changes: TreeChange[] = [];
  const conflicts: string[] = [];
  const unsure: string[] = [];

  async function merge(path: string, sides: Sides): Promise<void> {
    const { base: old, ours: mine, theirs: yours } = sides;
    if (isSame(mine, yours) || isSame(old, yours)) return;
    // The root cannot be grafted onto itself: it is merged entry by entry.
    if (isSame(old, mine) && path !== '') {
      changes.push(...changeTo(path, yours));
      return;
    }
    if (mine?.kind !== 'tree' || yours?.kind !== 'tree') {
      const areFiles = [old, mine, yours].every((entry) => entry?.kind === 'blob' && entry.mode !== '120000');
      (areFiles ? unsure : conflicts).push(path);
      return;
    }
    const [a, b, c] = await Promise.all([children(old), children(mine), children(yours)]);
    for (const name of new Set([...a.keys(), ...b.keys(), ...c.keys()])) {
      const below = { base: a.get(name), ours: b.get(name), theirs: c.get(name) };
      await merge(path === '' ? name : `${path}/${name}`, below);
    }
  }

  async function children(entry: TreeEntry | undefined): Promise<ReadonlyMap<string, TreeEntry>> {
    return new Map(entry?.kind === 'tree' ? (await open(entry.id)).map((child) => [child.name, child]) : []);
  }

  await merge('', { base: root(base), ours: root(ours), theirs: root(theirs) });
  return { changes, conflicts: conflicts.sort(), unsure: unsure.sort() };
}

function root(id: TreeId | undefined): TreeEntry | undefined {
  return id === undefined ? undefined : { kind: 'tree', name: '', mode: '40000', id };
}

function isSame(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  return a?.id === b?.id && a?.mode === b?.mode;
}

function changeTo(path: string, entry: TreeEntry | undefined): readonly TreeChange[] {
  switch (entry?.kind) {
    case undefined:
      return [{ kind: 'delete', path }];
    case 'tree':
      return [{ kind: 'tree', path, id: entry.id }];
    case 'blob':
      return [{ kind: 'blob', path, mode: entry.mode, id: entry.id }];
    case 'submodule':
      return [];
  }
}
