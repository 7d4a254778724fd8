import type { TreeId } from '#model/digest.ts';
import type { PathChange, TreeEntry } from '#model/git-objects.ts';
import { compareText } from '#model/problem.ts';
import { PortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';

/** Small trees can name each other so that billions of paths follow from a few kilobytes. */
const MAXIMUM_CHANGES = 1_000_000;

interface Walk {
  readonly reader: ObjectReader;
  readonly changes: PathChange[];
}

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
  const walk: Walk = { reader, changes: [] };
  if (!isSame(old, fresh)) await collect(walk, { path: under, before: old, after: fresh });
  return walk.changes.sort((a, b) => compareText(a.path, b.path));
}

async function descend(reader: ObjectReader, tree: TreeId | undefined, names: readonly string[]): Promise<TreeEntry | undefined> {
  let entry: TreeEntry | undefined = tree === undefined ? undefined : { kind: 'tree', name: '', mode: '40000', id: tree };
  for (const name of names) {
    if (entry?.kind !== 'tree') return undefined;
    entry = (await reader.tree(entry.id)).find((child) => child.name === name);
  }
  return entry;
}

async function collect(walk: Walk, change: PathChange): Promise<void> {
  const { path, before, after } = change;
  if (leaf(before) !== undefined || leaf(after) !== undefined) {
    walk.changes.push({ path, before: leaf(before), after: leaf(after) });
    if (walk.changes.length > MAXIMUM_CHANGES) throw new PortError('invalid', `more than ${MAXIMUM_CHANGES} paths differ`);
  }
  const [old, fresh] = await Promise.all([childrenOf(walk.reader, before), childrenOf(walk.reader, after)]);
  const folders: Promise<void>[] = [];
  for (const name of new Set([...old.keys(), ...fresh.keys()])) {
    const child = { path: path === '' ? name : `${path}/${name}`, before: old.get(name), after: fresh.get(name) };
    if (isSame(child.before, child.after)) continue;
    if (child.before?.kind === 'tree' || child.after?.kind === 'tree') folders.push(collect(walk, child));
    else await collect(walk, child);
  }
  await Promise.all(folders);
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
