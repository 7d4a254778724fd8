import type { TreeId } from '#model/digest.ts';
import type { PathChange, TreeEntry } from '#model/git-objects.ts';
import { compareText } from '#model/problem.ts';
import { PortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';

/** Paths and folders that are looked at: small trees can name each other so that billions of paths follow from a few kilobytes. */
const MAXIMUM_VISITS = 500_000;
/** Folders opened in one exchange. */
const AT_ONCE = 256;

/**
 * Differences between two trees, sorted by path. `under` limits them to one folder or file (`''`: everything).
 * Equal subtrees are never opened; a folder that appears or vanishes is listed file by file.
 */
export async function treeDiff(
  reader: ObjectReader,
  before: TreeId | undefined,
  after: TreeId | undefined,
  under: string,
): Promise<readonly PathChange[]> {
  const names = under === '' ? [] : under.split('/');
  const [old, fresh] = await Promise.all([descend(reader, before, names), descend(reader, after, names)]);
  const changes: PathChange[] = [];
  const open: PathChange[] = isSame(old, fresh) ? [] : [{ path: under, before: old, after: fresh }];
  // The deepest first: what waits stays small however wide the trees are.
  let visits = 0;
  while (open.length > 0) {
    const batch = open.splice(-AT_ONCE);
    for (const change of batch) changes.push(...leaves(change));
    const below = await Promise.all(batch.map(async (change) => await differencesBelow(reader, change)));
    for (const children of below) {
      visits += children.length;
      if (visits > MAXIMUM_VISITS) throw new PortError('invalid', `more than ${MAXIMUM_VISITS} paths differ`);
      for (const child of children) open.push(child);
    }
  }
  return changes.sort((a, b) => compareText(a.path, b.path));
}

async function descend(reader: ObjectReader, tree: TreeId | undefined, names: readonly string[]): Promise<TreeEntry | undefined> {
  let entry: TreeEntry | undefined = tree === undefined ? undefined : { kind: 'tree', name: '', mode: '40000', id: tree };
  for (const name of names) {
    if (entry?.kind !== 'tree') return undefined;
    entry = (await reader.tree(entry.id)).find((child) => child.name === name);
  }
  return entry;
}

async function differencesBelow(reader: ObjectReader, { path, before, after }: PathChange): Promise<readonly PathChange[]> {
  const [old, fresh] = await Promise.all([childrenOf(reader, before), childrenOf(reader, after)]);
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .map((name) => ({ path: path === '' ? name : `${path}/${name}`, before: old.get(name), after: fresh.get(name) }))
    .filter((child) => !isSame(child.before, child.after));
}

function leaves({ path, before, after }: PathChange): readonly PathChange[] {
  const change = { path, before: leaf(before), after: leaf(after) };
  return change.before === undefined && change.after === undefined ? [] : [change];
}

function isSame(before: TreeEntry | undefined, after: TreeEntry | undefined): boolean {
  return before?.id === after?.id && before?.mode === after?.mode;
}

function leaf(entry: TreeEntry | undefined): TreeEntry | undefined {
  return entry?.kind === 'tree' ? undefined : entry;
}

async function childrenOf(reader: ObjectReader, entry: TreeEntry | undefined): Promise<ReadonlyMap<string, TreeEntry>> {
  if (entry?.kind !== 'tree') return new Map();
  return new Map((await reader.tree(entry.id)).map((child) => [child.name, child]));
}
