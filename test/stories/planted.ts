import type { BlobId, CommitId, TreeId } from '#model/digest.ts';
import { toTreeId } from '#model/digest.ts';
import { type ObjectType, objectIdOf, type TreeChange, type TreeEntry } from '#model/git-objects.ts';
import { encodeTree } from '#model/git-tree.ts';
import { branchRef } from '#model/names.ts';
import type { MemoryDisk } from '#test/contracts/memory-repository.ts';
import { peopleOf, type Outside } from './outside.ts';
import { signerOf } from './shop.ts';

type Entry = Pick<TreeEntry, 'kind' | 'mode' | 'id'>;

/** What stock git would refuse to commit, or nobody should: objects are made by hand. */
export const PLANTS = {
  symbolicLink: (disk: MemoryDisk): Entry => ({
    kind: 'blob',
    mode: '120000',
    id: stored(disk, 'blob', Buffer.from('../../prod')) as BlobId,
  }),
  submodule: (): Entry => ({ kind: 'submodule', mode: '160000', id: '1'.repeat(40) as CommitId }),
  hugeFile: (disk: MemoryDisk): Entry => ({
    kind: 'blob',
    mode: '100644',
    id: stored(disk, 'blob', Buffer.alloc((1 << 25) + 1, 'x')) as BlobId,
  }),
  unsafeNames: (disk: MemoryDisk): Entry => folder(disk, ['..']),
  /** Thirty names for one folder, six times over: 729 million files of a few kilobytes. */
  boundless: (disk: MemoryDisk): Entry => nested(disk, 6, 30),
  bottomless: (disk: MemoryDisk): Entry => nested(disk, 5000, 1),
  twins: (disk: MemoryDisk): Entry => folder(disk, ['a', 'a']),
} as const;

function folder(disk: MemoryDisk, names: readonly string[]): Entry {
  const blob = Buffer.from(stored(disk, 'blob', Buffer.from('x')), 'hex');
  const raw = Buffer.concat(names.flatMap((name) => [Buffer.from(`100644 ${name}\0`), blob]));
  return { kind: 'tree', mode: '40000', id: stored(disk, 'tree', raw) as TreeId };
}

function nested(disk: MemoryDisk, levels: number, width: number): Entry {
  let entry: Entry = { kind: 'blob', mode: '100644', id: stored(disk, 'blob', Buffer.from('x')) as BlobId };
  for (let level = 0; level < levels; level += 1) {
    const rows = Array.from({ length: width }, (_, index) => ({ name: `n${index}`, ...entry }) as TreeEntry);
    entry = { kind: 'tree', mode: '40000', id: stored(disk, 'tree', encodeTree(rows)) as TreeId };
  }
  return entry;
}

function stored(disk: MemoryDisk, type: ObjectType, content: Uint8Array): string {
  const id = objectIdOf(type, content);
  disk.objects.set(id, { id, type, content });
  return id;
}

/** A commit by Ada on main that puts the entry at the path. */
export async function plant(outside: Outside, path: string, make: (disk: MemoryDisk) => Entry): Promise<CommitId> {
  const { repository } = peopleOf(outside);
  const tip = (await repository.refs()).get(branchRef('main'));
  if (tip === undefined) throw new Error('nothing is pushed yet');
  const base = await withEntry(outside, (await repository.commit(tip)).tree, path.split('/'), make(outside.remote));
  return commit(outside, { tip, base, changes: [] });
}

/** A commit by Ada on main without these paths. */
export async function remove(outside: Outside, paths: readonly string[]): Promise<CommitId> {
  const { repository } = peopleOf(outside);
  const tip = (await repository.refs()).get(branchRef('main'));
  if (tip === undefined) throw new Error('nothing is pushed yet');
  const base = (await repository.commit(tip)).tree;
  return commit(outside, { tip, base, changes: paths.map((path) => ({ kind: 'delete', path })) });
}

async function commit(
  outside: Outside,
  from: { readonly tip: CommitId; readonly base: TreeId; readonly changes: readonly TreeChange[] },
): Promise<CommitId> {
  const { repository } = peopleOf(outside);
  const { tip, base, changes } = from;
  const signer = signerOf('ada');
  const author = { name: 'ada', email: signer.email, at: outside.now, zone: '+0000' };
  const next = await repository.writeCommit({ base, changes, parents: [tip], author, message: 'plant\n' }, (payload) =>
    signer.sign(payload),
  );
  await repository.push([{ ref: branchRef('main'), expected: tip, next }]);
  return next;
}

async function withEntry(outside: Outside, tree: TreeId | undefined, path: readonly string[], entry: Entry): Promise<TreeId> {
  const [name = '', ...rest] = path;
  const entries = tree === undefined ? [] : await peopleOf(outside).repository.tree(tree);
  const below = entries.find((item) => item.name === name);
  const made: Entry =
    rest.length === 0
      ? entry
      : { kind: 'tree', mode: '40000', id: await withEntry(outside, below?.kind === 'tree' ? below.id : undefined, rest, entry) };
  const others = entries.filter((item) => item.name !== name);
  return toTreeId(stored(outside.remote, 'tree', encodeTree([...others, { name, ...made } as TreeEntry])));
}
