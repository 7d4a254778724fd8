import { expect, test } from 'vitest';

import { treeDiff } from '#loops/tree-diff.ts';
import { toBlobId, toTreeId, type TreeId } from '#model/digest.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import { objectIdOf } from '#model/git-objects.ts';
import { encodeTree } from '#model/git-tree.ts';
import type { ObjectReader } from '#ports/repository.ts';

/** Trees kept in memory, and the ones that were opened. */
function shelf(): {
  readonly tree: (entries: Readonly<Record<string, string | TreeId>>) => TreeId;
  readonly reader: ObjectReader;
  readonly opened: string[];
} {
  const trees = new Map<string, readonly TreeEntry[]>();
  const opened: string[] = [];
  const absent = async (): Promise<never> => await Promise.reject(new Error('only trees are read'));
  return {
    opened,
    tree(entries) {
      const rows = Object.entries(entries).map(([name, value]): TreeEntry =>
        trees.has(value)
          ? { kind: 'tree', name, mode: '40000', id: toTreeId(value) }
          : { kind: 'blob', name, mode: '100644', id: toBlobId(objectIdOf('blob', Buffer.from(value))) },
      );
      const id = toTreeId(objectIdOf('tree', encodeTree(rows)));
      trees.set(id, rows);
      return id;
    },
    reader: {
      commit: absent,
      blob: absent,
      blobs: absent,
      async tree(id) {
        opened.push(id);
        return trees.get(id) ?? (await absent());
      },
    },
  };
}

test('lists what was added, changed and removed by path, and opens no equal folder', async () => {
  const { tree, reader, opened } = shelf();
  const same = tree({ big: 'big' });
  const before = tree({ same, 'a.txt': '1', gone: tree({ x: 'x', y: 'y' }), z: 'z' });
  const after = tree({ same, 'a.txt': '2', z: 'z', new: tree({ deep: tree({ n: 'n' }) }) });

  const changes = await treeDiff(reader, before, after, '');

  expect(changes.map(({ path, before: old, after: fresh }) => [path, old !== undefined, fresh !== undefined])).toEqual([
    ['a.txt', true, true],
    ['gone/x', true, false],
    ['gone/y', true, false],
    ['new/deep/n', false, true],
  ]);
  expect(opened).not.toContain(same);
});

test('stays below the folder it is asked about, and opens nothing where both sides are equal', async () => {
  const { tree, reader, opened } = shelf();
  const inside = tree({ f: '1' });
  const before = tree({ a: tree({ inside, other: 'x' }), b: 'b' });
  const after = tree({ a: tree({ inside, other: 'y' }), b: 'c' });

  expect((await treeDiff(reader, before, after, 'a')).map((change) => change.path)).toEqual(['a/other']);
  expect(await treeDiff(reader, before, after, 'a/inside')).toEqual([]);
  expect((await treeDiff(reader, before, after, 'b')).map((change) => change.path)).toEqual(['b']);
  expect(await treeDiff(reader, before, after, 'none/at/all')).toEqual([]);
  expect(opened).not.toContain(inside);
});

test('a file that becomes a folder is a removal and additions', async () => {
  const { tree, reader } = shelf();

  const changes = await treeDiff(reader, tree({ a: 'file' }), tree({ a: tree({ b: 'b' }) }), '');

  expect(changes.map((change) => [change.path, change.before?.kind, change.after?.kind])).toEqual([
    ['a', 'blob', undefined],
    ['a/b', undefined, 'blob'],
  ]);
});

test('row 21: a few small trees that stand for billions of paths are refused, not walked', async () => {
  const { tree, reader } = shelf();
  let id = tree({ f: 'f' });
  for (let depth = 0; depth < 7; depth += 1) {
    id = tree(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`d${index}`, id])));
  }

  await expect(treeDiff(reader, undefined, id, '')).rejects.toMatchObject({ kind: 'invalid' });
});
