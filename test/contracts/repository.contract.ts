import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { fileSigner } from '#adapters/machine/machine.ts';
import { treeDiff } from '#loops/tree-diff.ts';
import type { CommitId } from '#model/digest.ts';
import { toCommitId } from '#model/digest.ts';
import { branchRef } from '#model/names.ts';
import type { Repository } from '#ports/repository.ts';
import { ENGINE, LIMITS, stockGit, type StockGit } from '#test/contracts/stock-git.ts';

export type OpenRepository = (path: string, limits?: typeof LIMITS) => Promise<Repository>;

/** What every repository does without a remote, whichever way it reads git. */
export function localRepositoryContract(name: string, openAt: OpenRepository): void {
  describe(`a local repository by ${name}`, () => {
    let world: StockGit;
    const open: Repository[] = [];

    beforeEach(() => {
      world = stockGit();
    });

    afterEach(async () => {
      await Promise.all(open.splice(0).map(async (repository) => await repository.close()));
      world.remove();
    });

    async function opened(path: string, limits = LIMITS): Promise<Repository> {
      const repository = await openAt(path, limits);
      open.push(repository);
      return repository;
    }

    test('reads what stock git wrote, loose and packed, and counts each object once', async () => {
      const { path, head } = world.bare('a.git', { 'README.md': 'hello\n', 'environments/dev/environment.yaml': 'a: 1\n' });
      world.git(path, ['repack', '-adq']);
      const repository = await opened(path);

      const commit = await repository.commit(head);
      const changes = await treeDiff(repository, undefined, commit.tree, '');
      const blobs = await repository.blobs(changes.flatMap(({ after }) => (after?.kind === 'blob' ? [after.id] : [])));
      await repository.commit(head);

      expect(commit).toMatchObject({ message: 'stock\n', parents: [], author: { name: 'Ada', email: 'ada@example.org', zone: '+0000' } });
      expect(changes.map(({ path: at }) => at)).toEqual(['README.md', 'environments/dev/environment.yaml']);
      expect(blobs.map((bytes) => Buffer.from(bytes).toString())).toEqual(['hello\n', 'a: 1\n']);
      expect(repository.counts()).toMatchObject({ commitsRead: 1, treesRead: 3, blobsRead: 2, remoteCalls: 0 });
      expect(await repository.resolve('main')).toBe(head);
    });

    test('opens an ordinary clone with its work tree and never touches index or files', async () => {
      const { path, head } = world.bare('a.git', { 'a.txt': 'one\n' });
      const clone = world.path('clone');
      world.git(world.folder, ['clone', '-q', path, clone]);
      writeFileSync(join(clone, 'a.txt'), 'edited\n');
      const repository = await opened(clone);

      const next = await repository.writeCommit(draft(head, 'two\n', (await repository.commit(head)).tree), undefined);
      await repository.push([{ ref: branchRef('promote/dev/1'), expected: undefined, next }]);

      expect(await repository.resolve('HEAD')).toBe(head);
      expect(world.git(clone, ['status', '--porcelain'])).toBe(' M a.txt\n');
      expect(world.git(clone, ['show', 'promote/dev/1:b.txt'])).toBe('two\n');
    });

    test('gives a tag as it is stored, packed or not, and follows no replacement', async () => {
      const { path, head } = world.bare('a.git', { a: '1' });
      world.git(path, ['tag', 'light', head]);
      world.git(path, ['tag', '-a', '-m', 'inner', 'inner', head]);
      world.git(path, ['tag', '-a', '-m', 'outer', 'deep/outer', 'inner']);
      const [inner, outer] = ['inner', 'deep/outer'].map((name) => world.git(path, ['rev-parse', `refs/tags/${name}`]).trim());
      world.git(path, ['replace', '-f', outer ?? '', inner ?? '']);
      const text = world.git(path, ['--no-replace-objects', 'cat-file', 'tag', outer ?? '']);

      const loose = await opened(path);
      const before = await Promise.all(['light', 'deep/outer', 'refs/tags/inner', outer ?? '', 'none'].map((name) => loose.tag(name)));
      world.git(path, ['pack-refs', '--all']);
      const packed = await opened(path);

      expect(before.map((tag) => [tag?.kind, tag?.id])).toEqual([
        ['lightweight', head],
        ['annotated', outer],
        ['annotated', inner],
        ['annotated', outer],
        [undefined, undefined],
      ]);
      expect(before[1]?.kind === 'annotated' && Buffer.from(before[1].raw).toString()).toBe(text);
      expect((await packed.tag('deep/outer'))?.id).toBe(outer);
      await expect(packed.tag('../../HEAD')).rejects.toMatchObject({ kind: 'invalid' });
    });

    test('writes a signed commit that stock git reads, checks and verifies', async () => {
      const { path, head } = world.bare('a.git', { 'a/one.txt': '1\n', 'a/two.txt': '2\n', 'b.txt': 'b\n' });
      const repository = await opened(path);
      const signer = await fileSigner(world.path('key'));
      const base = (await repository.commit(head)).tree;

      const changes = [
        { kind: 'file', path: 'a/one.txt', content: Buffer.from('1!\n') },
        { kind: 'delete', path: 'b.txt' },
        { kind: 'file', path: 'c/d/e.txt', content: Buffer.from('e\n') },
      ] as const;
      const message = 'change: three\n\nEnvironment: dev\n';
      const id = await repository.writeCommit(
        { base, changes, parents: [head], author: ENGINE, message },
        async (payload) => await signer.sign(payload),
      );
      await repository.push([{ ref: branchRef('main'), expected: head, next: id }]);

      writeFileSync(world.path('allowed'), `engine ${signer.publicKey}\n`);
      const verify = ['-c', `gpg.ssh.allowedSignersFile=${world.path('allowed')}`, 'verify-commit', 'main'];
      expect(spawnSync('git', ['-C', path, ...verify]).stderr.toString()).toContain('Good "git" signature for engine');
      expect(world.git(path, ['ls-tree', '-r', '--name-only', 'main'])).toBe('a/one.txt\na/two.txt\nc/d/e.txt\n');
      expect(world.git(path, ['fsck', '--strict', '--no-dangling'])).toBe('');
      expect(world.git(path, ['log', '-1', '--format=%B', 'main'])).toBe(`${message}\n`);
      expect((await repository.commit(id)).tree).toBe(world.git(path, ['rev-parse', 'main^{tree}']).trim());
    });

    test('keeps the mode of a replaced file, grafts trees, and lets empty folders vanish', async () => {
      const { path } = world.bare('a.git', { x: 'x' });
      const tool = world.blob(path, '#!/bin/sh\n');
      const tree = world.rawTree(path, [['100755', 'tool', tool]]);
      const repository = await opened(path);

      const base = await repository.writeTree(undefined, [{ kind: 'tree', path: 'bin', id: tree }]);
      const edited = await repository.writeTree(base, [{ kind: 'file', path: 'bin/tool', content: Buffer.from('new') }]);
      const emptied = await repository.writeTree(base, [
        { kind: 'delete', path: 'bin/tool' },
        { kind: 'delete', path: 'not/there' },
      ]);

      expect(world.git(path, ['ls-tree', '-r', edited])).toMatch(/^100755 blob [0-9a-f]{40}\tbin\/tool\n$/);
      expect(emptied).toBe('4b825dc642cb6eb9a060e54bf8d69288fbee4904');
      await expect(repository.writeTree(base, [{ kind: 'file', path: '.git/config', content: Buffer.from('x') }])).rejects.toMatchObject({
        kind: 'invalid',
      });
    });

    test('moves, makes and deletes refs only where they are what was expected, all or none', async () => {
      const { path, head } = world.bare('a.git', { a: '1' });
      const second = world.commit(path, 'other', { a: '2' });
      const repository = await opened(path);

      const stale = repository.push([
        { ref: branchRef('new'), expected: undefined, next: head },
        { ref: branchRef('main'), expected: second, next: second },
      ]);
      await expect(stale).rejects.toMatchObject({ kind: 'conflict' });
      await expect(repository.push([{ ref: branchRef('main'), expected: undefined, next: second }])).rejects.toMatchObject({
        kind: 'conflict',
      });
      await repository.push([{ ref: branchRef('main'), expected: head, next: second }]);
      await repository.push([{ ref: branchRef('main'), expected: head, next: second }]);
      await repository.push([{ ref: branchRef('other'), expected: second, next: undefined }]);

      expect([...(await repository.refs())]).toEqual([['refs/heads/main', second]]);
    });

    test('walks first parents, finds ancestors and merge bases', async () => {
      const { path, head } = world.bare('a.git', { a: '0' });
      const ids = [head, ...world.chain(path, 120)];
      world.git(path, ['update-ref', 'refs/heads/side', ids[50] ?? head]);
      const side = world.commit(path, 'side', { a: 'side' });
      const repository = await opened(path);
      const tip = ids.at(-1) ?? head;

      expect(await repository.firstParents(tip, undefined, 1000)).toEqual(ids.toReversed());
      expect(await repository.firstParents(tip, ids[118], 1000)).toEqual([ids[120], ids[119]]);
      expect(await repository.firstParents(tip, ids[3], 1000)).toHaveLength(117);
      expect(await repository.firstParents(tip, undefined, 2)).toEqual([ids[120], ids[119]]);
      expect(await repository.isAncestor(head, tip)).toBe(true);
      expect(await repository.isAncestor(side, tip)).toBe(false);
      expect(await repository.mergeBase(side, tip)).toBe(ids[50]);
      expect(await repository.isShallow()).toBe(false);
    });

    test('merges what was changed in different files, and names the paths that need a person', async () => {
      const { path, head } = world.bare('a.git', { 'a.txt': 'a\n', 'b.txt': 'b\n' });
      for (const branch of ['ours', 'theirs', 'clash']) world.git(path, ['update-ref', `refs/heads/${branch}`, head]);
      const ours = world.commit(path, 'ours', { 'a.txt': 'A\n', 'b.txt': 'b\n' });
      const theirs = world.commit(path, 'theirs', { 'a.txt': 'a\n', 'b.txt': 'B\n', 'c.txt': 'c\n' });
      const clash = world.commit(path, 'clash', { 'b.txt': 'b\n' });
      const repository = await opened(path);

      const merged = await repository.mergeTrees(ours, theirs);

      expect(await repository.mergeTrees(head, theirs)).toEqual({ kind: 'merged', tree: (await repository.commit(theirs)).tree });
      expect(merged.kind === 'merged' && world.git(path, ['ls-tree', '-r', '--name-only', merged.tree])).toBe('a.txt\nb.txt\nc.txt\n');
      expect(await repository.mergeTrees(ours, clash)).toEqual({ kind: 'conflict', paths: ['a.txt'] });
    });

    test('row 16: a tree with an unsafe name is refused in words, and other branches go on', async () => {
      const { path, head } = world.bare('a.git', { a: '1' });
      const blob = world.blob(path, 'x');
      const repository = await opened(path);

      for (const unsafe of ['..', '.', '.git', '.GIT', 'a/b', '/abs', '.git ', 'git~1', '.g\u200cit']) {
        const id = world.commitTree(path, world.rawTree(path, [['100644', unsafe, blob]]), 'hostile');
        const { tree } = await repository.commit(id);
        await expect(repository.tree(tree)).rejects.toMatchObject({
          kind: 'invalid',
          message: expect.stringContaining('unsafe name'),
        });
      }
      expect(await repository.tree((await repository.commit(head)).tree)).toHaveLength(1);
    });

    test('row 17: a symbolic link is an entry with its mode and is never followed', async () => {
      const { path } = world.bare('a.git', { a: '1' });
      const link = world.blob(path, '../../etc/passwd');
      const tree = world.rawTree(path, [['120000', 'link', link]]);
      const repository = await opened(path);

      expect(await repository.tree(tree)).toEqual([{ kind: 'blob', name: 'link', mode: '120000', id: link }]);
    });

    test('row 18: duplicate names, a file and a folder of one name, and a wrong order are refused', async () => {
      const { path } = world.bare('a.git', { a: '1' });
      const blob = world.blob(path, 'x');
      const inner = world.rawTree(path, [['100644', 'x', blob]]);
      const repository = await opened(path);

      for (const rows of [
        [
          ['100644', 'a', blob],
          ['100644', 'a', blob],
        ],
        [
          ['120000', 'a', blob],
          ['40000', 'a', inner],
        ],
        [
          ['100644', 'b', blob],
          ['100644', 'a', blob],
        ],
      ] as const) {
        await expect(repository.tree(world.rawTree(path, rows))).rejects.toMatchObject({ kind: 'invalid' });
      }
    });

    test('row 19: a submodule is an entry of its own kind, and nothing of it is opened', async () => {
      const { path, head } = world.bare('a.git', { '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% /tmp/x\n' });
      const tree = world.rawTree(path, [['160000', 'x', head]]);
      const repository = await opened(path);

      expect(await treeDiff(repository, undefined, tree, '')).toEqual([
        { path: 'x', before: undefined, after: { kind: 'submodule', name: 'x', mode: '160000', id: head } },
      ]);
    });

    test('row 21: a blob, a tree or a number of refs over the limit is refused by name, and the next read works', async () => {
      const { path, head } = world.bare('a.git', { a: '1' });
      const big = world.blob(path, Buffer.alloc(9 * 1024 * 1024, 'x'));
      const small = world.blob(path, 'small');
      const rows = Array.from({ length: 20 }, (_, index) => ['100644', `f${String(index).padStart(3, '0')}`, small] as const);
      const wide = world.rawTree(path, rows);
      for (let index = 0; index < 5; index += 1) world.git(path, ['update-ref', `refs/heads/b${index}`, head]);
      const repository = await opened(path, { blobBytes: 1024, treeEntries: 10, refs: 3 });

      const reads = await Promise.allSettled([repository.blob(big), repository.blob(small), repository.tree(wide), repository.refs()]);

      expect(reads.map((read) => (read.status === 'rejected' ? read.reason.kind : 'read'))).toEqual([
        'invalid',
        'read',
        'invalid',
        'invalid',
      ]);
      expect(Buffer.from(await repository.blob(world.blob(path, 'after'))).toString()).toBe('after');
    });

    test('row 22: names outside ASCII come back as the bytes they are', async () => {
      const { path } = world.bare('a.git', { a: '1' });
      const blob = world.blob(path, 'x');
      const base = world.rawTree(path, [
        ['100644', 'caf\u0065\u0301', blob],
        ['100644', 'caf\u00e9', blob],
        ['100644', 'x\u202ey', blob],
      ]);
      const repository = await opened(path);

      const tree = await repository.writeTree(base, [{ kind: 'file', path: 'z', content: Buffer.from('z') }]);

      expect((await repository.tree(tree)).map((entry) => entry.name)).toEqual(['caf\u0065\u0301', 'caf\u00e9', 'x\u202ey', 'z']);
    });

    test('row 24: an empty repository, an unborn HEAD, a missing branch and a branch named like an id are answers', async () => {
      const path = world.path('fresh');
      mkdirSync(path);
      const repository = await opened(path);

      expect(await repository.resolve('HEAD')).toBeUndefined();
      expect([...(await repository.refs())]).toEqual([]);
      const id = await repository.writeCommit({ base: undefined, changes: [], parents: [], author: ENGINE, message: 'm' }, undefined);
      const other = await repository.writeCommit({ base: undefined, changes: [], parents: [], author: ENGINE, message: 'n' }, undefined);
      await repository.push([{ ref: branchRef(id), expected: undefined, next: other }]);

      expect(await repository.resolve(id)).toBe(id);
      expect(await repository.resolve(`refs/heads/${id}`)).toBe(other);
      expect(await repository.resolve('gone')).toBeUndefined();
      expect(await repository.resolve('1'.repeat(40))).toBeUndefined();
      for (const bad of ['--all', 'main@{1}', 'main..x', 'main^', 'a b', '']) {
        await expect(repository.resolve(bad)).rejects.toMatchObject({ kind: 'invalid' });
      }
      await expect(repository.commit(toCommitId('2'.repeat(40)))).rejects.toMatchObject({ kind: 'missing' });
    });

    test('V-02 near miss: opens a repository that says it is SHA-1', async () => {
      const path = world.path('sha1.git');
      world.git(world.folder, ['init', '-q', '--bare', '--object-format=sha1', path]);
      const repository = await opened(path);
      expect((await repository.refs()).size).toBe(0);
    });

    test('V-02: refuses a SHA-256 repository, and a folder that is something else, in words', async () => {
      const path = world.path('new-hash');
      world.git(world.folder, ['init', '-q', '--object-format=sha256', path]);
      mkdirSync(world.path('papers'));
      writeFileSync(world.path('papers/letter'), 'x');

      await expect(openAt(path)).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringMatching(/: repository uses object format sha256, .* \(object-format, V-02\)\. /),
      });
      await expect(openAt(world.path('papers'))).rejects.toMatchObject({ kind: 'invalid' });
    });

    test('row 29: a shallow clone is known as one, so that no rule about history is judged', async () => {
      const { path } = world.bare('a.git', { a: '0' });
      world.commit(path, 'main', { a: '1' });
      world.git(world.folder, ['clone', '-q', '--bare', '--depth=1', `file://${path}`, world.path('shallow')]);

      expect(await (await opened(world.path('shallow'))).isShallow()).toBe(true);
    });
  });
}

function draft(
  parent: CommitId,
  text: string,
  base: Awaited<ReturnType<Repository['commit']>>['tree'],
): Parameters<Repository['writeCommit']>[0] {
  return {
    base,
    changes: [{ kind: 'file', path: 'b.txt', content: Buffer.from(text) }],
    parents: [parent],
    author: ENGINE,
    message: 'two\n',
  };
}
