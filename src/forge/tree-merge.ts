import type { BlobId, TreeId } from '#model/digest.ts';
import type { TreeChange, TreeEntry } from '#model/git-objects.ts';
import type { ObjectReader } from '#ports/repository.ts';
import { mergeLines } from './lines.ts';

/** What must be done to `ours` so that it carries what `theirs` changed since `base`. */
export type TreeMerge =
  | { readonly kind: 'clean'; readonly changes: readonly TreeChange[] }
  | { readonly kind: 'conflict'; readonly paths: readonly string[] };

interface Sides {
  readonly base: TreeEntry | undefined;
  readonly ours: TreeEntry | undefined;
  readonly theirs: TreeEntry | undefined;
}

/** Absent where a side has no such directory. */
interface Directories {
  readonly base: TreeId | undefined;
  readonly ours: TreeId | undefined;
  readonly theirs: TreeId | undefined;
}

/** Three-way merge of trees; equal subtrees are never opened, a file changed on both sides is merged by lines. */
export async function mergeTrees(
  reader: ObjectReader,
  trees: { readonly base: TreeId | undefined; readonly ours: TreeId; readonly theirs: TreeId },
): Promise<TreeMerge> {
  const changes: TreeChange[] = [];
  const conflicts: string[] = [];

  async function mergeDirectory(path: string, ids: Directories): Promise<void> {
    const [base, ours, theirs] = await Promise.all([entries(reader, ids.base), entries(reader, ids.ours), entries(reader, ids.theirs)]);
    for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
      await mergeEntry(path + name, { base: base.get(name), ours: ours.get(name), theirs: theirs.get(name) });
    }
  }

  async function mergeEntry(path: string, sides: Sides): Promise<void> {
    const { base, ours, theirs } = sides;
    if (same(ours, theirs) || same(base, theirs)) return;
    if (same(base, ours)) {
      const change = taken(path, theirs);
      if (change === undefined) conflicts.push(path);
      else changes.push(change);
      return;
    }
    if ([base, ours, theirs].every((side) => side === undefined || side.kind === 'tree')) {
      await mergeDirectory(`${path}/`, { base: treeOf(base), ours: treeOf(ours), theirs: treeOf(theirs) });
      return;
    }
    const merged =
      ours?.kind === 'blob' && theirs?.kind === 'blob' && base?.kind === 'blob' ? await mergeFile({ base, ours, theirs }) : undefined;
    if (merged === undefined) conflicts.push(path);
    else changes.push({ kind: 'file', path, content: merged });
  }

  async function mergeFile(files: Readonly<Record<'base' | 'ours' | 'theirs', Extract<TreeEntry, { kind: 'blob' }>>>) {
    const { base, ours, theirs } = files;
    if (ours.mode !== theirs.mode || ours.mode === '120000') return undefined;
    const ids: readonly BlobId[] = [base.id, ours.id, theirs.id];
    const texts = (await reader.blobs(ids)).map((bytes) => textOf(bytes));
    const [baseText, oursText, theirsText] = texts;
    if (baseText === undefined || oursText === undefined || theirsText === undefined) return undefined;
    const merged = mergeLines(baseText, oursText, theirsText);
    return merged === undefined ? undefined : Buffer.from(merged, 'latin1');
  }

  await mergeDirectory('', trees);
  return conflicts.length === 0 ? { kind: 'clean', changes } : { kind: 'conflict', paths: conflicts };
}

async function entries(reader: ObjectReader, id: TreeId | undefined): Promise<ReadonlyMap<string, TreeEntry>> {
  return new Map((id === undefined ? [] : await reader.tree(id)).map((entry) => [entry.name, entry]));
}

function treeOf(entry: TreeEntry | undefined): TreeId | undefined {
  return entry?.kind === 'tree' ? entry.id : undefined;
}

function same(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  return a?.id === b?.id && a?.mode === b?.mode;
}

function taken(path: string, theirs: TreeEntry | undefined): TreeChange | undefined {
  if (theirs === undefined) return { kind: 'delete', path };
  switch (theirs.kind) {
    case 'tree':
      return { kind: 'tree', path, id: theirs.id };
    case 'blob':
      return { kind: 'blob', path, mode: theirs.mode, id: theirs.id };
    case 'submodule':
      return undefined;
  }
}

/** Bytes as they are, one character each; undefined for what git calls binary. */
function textOf(bytes: Uint8Array): string | undefined {
  return bytes.subarray(0, 8000).includes(0) ? undefined : Buffer.from(bytes).toString('latin1');
}
