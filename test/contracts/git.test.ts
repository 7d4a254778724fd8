import { once } from 'node:events';
import { chmodSync, copyFileSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { gitRepository } from '#adapters/git/git.ts';
import { treeDiff } from '#loops/tree-diff.ts';
import { toCommitId } from '#model/digest.ts';
import type { CommitId } from '#model/digest.ts';
import { branchRef, toRefName } from '#model/names.ts';
import { toSecret } from '#model/secret.ts';
import type { Repository } from '#ports/repository.ts';
import { remoteRepositoryContract } from '#test/contracts/repository-remote.contract.ts';
import { localRepositoryContract } from '#test/contracts/repository.contract.ts';
import { ENGINE, LIMITS, stockGit, type StockGit } from '#test/contracts/stock-git.ts';

localRepositoryContract('the git program', async (path, limits = LIMITS) => await gitRepository({ path, limits }));

remoteRepositoryContract('the git program', async (path, url, password) => {
  const credentials = async () => ({ username: 'engine', password: toSecret(password) });
  return await gitRepository({ path, remote: { url, credentials }, limits: LIMITS });
});

describe('a mirror by the git program', () => {
  let world: StockGit;
  const open: Repository[] = [];

  beforeEach(() => {
    world = stockGit();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map(async (repository) => await repository.close()));
    world.remove();
  });

  async function mirror(name: string, url: string): Promise<Repository> {
    const repository = await gitRepository({ path: world.path(name), remote: { url }, limits: LIMITS });
    open.push(repository);
    return repository;
  }

  test('remembers so many comparisons of histories and no more', async () => {
    const { path, head } = world.bare('a.git', { a: '1' });
    const [first, second, third] = ['2', '3', '4'].map((text) => toCommitId(world.commit(path, 'main', { a: text })));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three commits were made');
    const base = toCommitId(head);
    const repository = await gitRepository({ path, limits: LIMITS, comparisons: 2 });
    open.push(repository);
    const forksOf = async (a: CommitId, b: CommitId): Promise<number> => {
      const before = repository.counts().forks;
      expect(await repository.mergeBase(a, b)).toBe(base);
      return repository.counts().forks - before;
    };

    expect([await forksOf(base, first), await forksOf(base, first), await forksOf(base, second)]).toEqual([1, 0, 1]);
    expect([await forksOf(base, first), await forksOf(base, third)]).toEqual([0, 1]);
    expect([await forksOf(base, first), await forksOf(base, second)]).toEqual([0, 1]);
  });

  test('says which refs moved, and a fetch of nothing new costs one child and no object', async () => {
    const { path, head } = world.bare('a.git', { a: '1' });
    world.git(path, ['update-ref', 'refs/pull/7/head', head]);
    world.git(path, ['tag', '-a', '-m', 'x', 'v1', head]);
    const repository = await mirror('m', path);

    const first = await repository.fetch();
    const second = world.commit(path, 'main', { a: '2' });
    world.git(path, ['update-ref', '-d', 'refs/pull/7/head']);
    const moved = await repository.fetch();
    const before = repository.counts();
    const none = await repository.fetch();

    expect(first.map((move) => [move.ref, move.before, move.after])).toEqual([
      ['refs/heads/main', undefined, head],
      ['refs/pull/7/head', undefined, head],
    ]);
    expect(moved.map((move) => [move.ref, move.before, move.after])).toEqual([
      ['refs/heads/main', head, second],
      ['refs/pull/7/head', head, undefined],
    ]);
    expect(none).toEqual([]);
    expect(repository.counts()).toEqual({ ...before, forks: before.forks + 1, remoteCalls: before.remoteCalls + 1 });
  });

  test('a branch that makes way for a folder of branches is followed', async () => {
    const { path, head } = world.bare('a.git', { a: '1' });
    world.git(path, ['update-ref', 'refs/heads/x', head]);
    const repository = await mirror('m', path);
    await repository.fetch();
    world.git(path, ['update-ref', '-d', 'refs/heads/x']);
    world.git(path, ['update-ref', 'refs/heads/x/y', head]);

    await repository.fetch();

    expect([...(await repository.refs()).keys()]).toEqual(['refs/heads/main', 'refs/heads/x/y']);
  });

  test('one changed file among 5,000 costs the trees along its path and one blob', async () => {
    const files = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`e/${index % 50}/f${index}.yaml`, `a: ${index}\n`]));
    const { path, head } = world.bare('a.git', files);
    const second = world.commit(path, 'main', { ...files, 'e/7/f7.yaml': 'b: 1\n' });
    const repository = await mirror('m', path);
    await repository.fetch();
    const [before, after] = await Promise.all([repository.commit(head), repository.commit(second)]);

    const changes = await treeDiff(repository, before.tree, after.tree, 'e');
    await repository.blobs(changes.flatMap(({ after: entry }) => (entry?.kind === 'blob' ? [entry.id] : [])));

    expect(changes.map((change) => change.path)).toEqual(['e/7/f7.yaml']);
    expect(repository.counts()).toMatchObject({ commitsRead: 2, treesRead: 6, blobsRead: 1 });
  });

  test('a push is one child, moves remote and mirror, and a lost race is a conflict', async () => {
    const { path, head } = world.bare('a.git', { a: '1' });
    const [one, two] = [await mirror('m1', path), await mirror('m2', path)];
    await Promise.all([one.fetch(), two.fetch()]);
    const base = (await one.commit(head)).tree;
    const commit = async (repository: Repository, text: string): ReturnType<Repository['writeCommit']> =>
      await repository.writeCommit(
        { base, changes: [{ kind: 'file', path: 'a', content: Buffer.from(text) }], parents: [head], author: ENGINE, message: text },
        undefined,
      );
    const [mine, yours] = [await commit(one, 'mine'), await commit(two, 'yours')];
    const before = one.counts();

    await one.push([{ ref: branchRef('main'), expected: head, next: mine }]);

    expect(one.counts()).toMatchObject({ forks: before.forks + 1, remoteCalls: before.remoteCalls + 1 });
    expect(world.git(path, ['rev-parse', 'main']).trim()).toBe(mine);
    expect(await one.fetch()).toEqual([]);
    await expect(two.push([{ ref: branchRef('main'), expected: head, next: yours }])).rejects.toMatchObject({ kind: 'conflict' });
    await expect(
      two.push([
        { ref: branchRef('fresh'), expected: undefined, next: yours },
        { ref: branchRef('main'), expected: head, next: yours },
      ]),
    ).rejects.toMatchObject({ kind: 'conflict' });
    expect(world.git(path, ['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main\n');
  });

  test('a branch is made and deleted, and a hook of the remote that says no is a denial in its words', async () => {
    const { path, head } = world.bare('a.git', { a: '1' });
    const repository = await mirror('m', path);
    await repository.fetch();

    await repository.push([{ ref: branchRef('promote/dev/1'), expected: undefined, next: head }]);
    await repository.push([{ ref: branchRef('promote/dev/1'), expected: head, next: undefined }]);
    writeFileSync(join(path, 'hooks/pre-receive'), '#!/bin/sh\necho "main is protected" >&2\nexit 1\n');
    chmodSync(join(path, 'hooks/pre-receive'), 0o755);
    const refused = repository.push([{ ref: branchRef('x'), expected: undefined, next: head }]);

    await expect(refused).rejects.toMatchObject({ kind: 'denied', message: expect.stringContaining('main is protected') });
    expect([...(await repository.refs()).keys()]).toEqual(['refs/heads/main']);
  });

  test('row 26: a damaged mirror is found by hash, made anew from the remote, and swapped', async () => {
    const { path, head } = world.bare('a.git', { a: '1' });
    const repository = await mirror('m', path);
    await repository.fetch();
    const file = join(world.path('m'), 'objects', head.slice(0, 2), head.slice(2));
    chmodSync(file, 0o644);
    writeFileSync(file, 'garbage');

    await expect(repository.commit(head)).rejects.toMatchObject({ kind: 'transient' });
    await repository.fetch();

    expect((await repository.commit(head)).id).toBe(head);
    expect(readdirSync(world.folder).filter((name) => name.includes('damaged') || name.includes('fresh'))).toEqual([]);
  });

  test('row 26: a lock that a killed process left long ago is removed, a young one is waited for', async () => {
    const { path } = world.bare('a.git', { a: '1' });
    const repository = await mirror('m', path);
    await repository.fetch();
    const second = world.commit(path, 'main', { a: '2' });
    const lock = join(world.path('m'), 'refs/heads/main.lock');
    writeFileSync(lock, '');

    await expect(repository.fetch()).rejects.toMatchObject({ kind: 'transient' });
    utimesSync(lock, 0, 0);
    await repository.fetch();

    expect(await repository.resolve('main')).toBe(second);
  });

  test('row 24: a remote that is empty, and one that is not there, are different answers', async () => {
    world.git(world.folder, ['init', '-q', '--bare', world.path('empty.git')]);

    expect(await (await mirror('m1', world.path('empty.git'))).fetch()).toEqual([]);
    await expect((await mirror('m2', world.path('none.git'))).fetch()).rejects.toMatchObject({ kind: 'missing' });
  });

  test('a fetch never prunes a repository that is not its own, and strange addresses are refused', async () => {
    const { path } = world.bare('a.git', { a: '1' });

    await expect(mirror('a.git', path)).rejects.toMatchObject({ kind: 'invalid' });
    for (const url of ['ext::sh -c id', '--upload-pack=x', 'https://user:secret@example.org/a.git', 'http://a b/']) {
      const error: unknown = await mirror('m', url).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ kind: 'invalid', message: expect.not.stringContaining('secret') });
    }
  });

  test('row 27: a redirect is refused in words, and the other server is never asked', async () => {
    const asked: string[] = [];
    const other = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end();
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const first = createServer((request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${port}${request.url}` }).end();
    }).listen(0, '127.0.0.1');
    await once(first, 'listening');
    const origin = first.address();
    const url = `http://127.0.0.1:${typeof origin === 'object' && origin !== null ? origin.port : 0}/a.git`;
    const credentials = async () => ({ username: 'engine', password: toSecret('secret') });
    const repository = await gitRepository({ path: world.path('m'), remote: { url, credentials }, limits: LIMITS });
    open.push(repository);

    await expect(repository.fetch()).rejects.toMatchObject({ name: 'PortError', message: expect.not.stringContaining('secret') });

    expect(asked).toEqual([]);
    first.close();
    other.close();
  });

  test('row 27: a server that hands over another object than its name says is found by hash', async () => {
    const { path, head } = world.bare('a.git', { a: '1' });
    const repository = await gitRepository({ path, limits: LIMITS });
    open.push(repository);
    const other = world.commit(path, 'other', { a: '2' });
    const from = join(path, 'objects', other.slice(0, 2), other.slice(2));
    const to = join(path, 'objects', head.slice(0, 2), head.slice(2));
    chmodSync(to, 0o644);
    copyFileSync(from, to);

    await expect(repository.commit(head)).rejects.toMatchObject({ kind: 'transient', message: expect.stringContaining('another id') });
  });

  test('what a killed reader was asked is asked again', async () => {
    const { path, head } = world.bare('a.git', { a: '1', b: '2' });
    const [program, pids] = [world.path('git'), world.path('pids')];
    writeFileSync(program, `#!/bin/sh\ncase "$*" in *cat-file*) echo $$ >> ${pids};; esac\nexec git "$@"\n`, { mode: 0o755 });
    const repository = await gitRepository({ path, limits: LIMITS, gitCommand: program });
    open.push(repository);
    const { tree } = await repository.commit(head);

    process.kill(Number(readFileSync(pids, 'utf8')), 'SIGKILL');

    expect(await repository.tree(tree)).toHaveLength(2);
  });

  test('ten thousand small writes do not leave ten thousand loose files', async () => {
    const { path } = world.bare('a.git', { a: '1' });
    const repository = await mirror('m', path);
    const changes = Array.from(
      { length: 3000 },
      (_, index) => ({ kind: 'file', path: `f/${index}`, content: Buffer.from(`${index}`) }) as const,
    );

    const tree = await repository.writeTree(undefined, changes);

    expect(await repository.tree(tree)).toHaveLength(1);
    expect(readdirSync(join(world.path('m'), 'objects')).filter((name) => name.length === 2)).toEqual([]);
    expect(await repository.resolve(toRefName('refs/heads/none'))).toBeUndefined();
  });
});
