import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { branchRef } from '#model/names.ts';
import type { Repository } from '#ports/repository.ts';
import { type GitServer, gitServer } from '#test/contracts/smart-http-server.ts';
import { ENGINE, stockGit, type StockGit } from '#test/contracts/stock-git.ts';

export type OpenMirror = (path: string, url: string, password: string) => Promise<Repository>;

/** What every mirror does over HTTP. */
export function remoteRepositoryContract(name: string, openAt: OpenMirror): void {
  describe(`a mirror over HTTP by ${name}`, () => {
    let world: StockGit;
    let server: GitServer;
    const open: Repository[] = [];

    beforeEach(async () => {
      world = stockGit();
      server = await gitServer(world.folder, 'right');
    });

    afterEach(async () => {
      await Promise.all(open.splice(0).map(async (repository) => await repository.close()));
      await server.close();
      world.remove();
    });

    async function mirror(folder: string, password = 'right'): Promise<Repository> {
      const repository = await openAt(world.path(folder), `${server.url}/a.git`, password);
      open.push(repository);
      return repository;
    }

    test('fetches branches and pull request heads, says what moved, and nothing twice', async () => {
      const { path, head } = world.bare('a.git', { a: '1' });
      const pull = world.commit(path, 'topic', { a: 'topic' });
      world.git(path, ['update-ref', 'refs/pull/7/head', pull]);
      world.git(path, ['update-ref', '-d', 'refs/heads/topic']);
      const repository = await mirror('m');

      const first = await repository.fetch();
      const second = world.commit(path, 'main', { a: '2' });
      const moved = await repository.fetch();

      expect(first.map((move) => [move.ref, move.before, move.after])).toEqual([
        ['refs/heads/main', undefined, head],
        ['refs/pull/7/head', undefined, pull],
      ]);
      expect(moved).toEqual([{ ref: 'refs/heads/main', before: head, after: second }]);
      expect(await repository.fetch()).toEqual([]);
      expect([...(await repository.refs())]).toEqual([
        ['refs/heads/main', second],
        ['refs/pull/7/head', pull],
      ]);
      expect(
        await repository.blobs(
          (await repository.tree((await repository.commit(pull)).tree)).flatMap((entry) => (entry.kind === 'blob' ? [entry.id] : [])),
        ),
      ).toEqual([Buffer.from('topic')]);
    });

    test('pushes with the expected old value; a lost race is a conflict and moves nothing', async () => {
      const { path, head } = world.bare('a.git', { a: '1' });
      const [one, two] = [await mirror('m1'), await mirror('m2')];
      await one.fetch();
      await two.fetch();
      const write = async (repository: Repository, text: string): ReturnType<Repository['writeCommit']> =>
        await repository.writeCommit(
          {
            base: undefined,
            changes: [{ kind: 'file', path: 'a', content: Buffer.from(text) }],
            parents: [head],
            author: ENGINE,
            message: text,
          },
          undefined,
        );
      const [mine, yours] = [await write(one, 'mine'), await write(two, 'yours')];

      await one.push([{ ref: branchRef('main'), expected: head, next: mine }]);
      await one.push([{ ref: branchRef('main'), expected: head, next: mine }]);
      await expect(two.push([{ ref: branchRef('main'), expected: head, next: yours }])).rejects.toMatchObject({ kind: 'conflict' });
      await expect(two.push([{ ref: branchRef('main'), expected: undefined, next: yours }])).rejects.toMatchObject({ kind: 'conflict' });

      expect(world.git(path, ['rev-parse', 'main']).trim()).toBe(mine);
      expect(await one.fetch()).toEqual([]);
    });

    test('makes and deletes a branch', async () => {
      const { path, head } = world.bare('a.git', { a: '1' });
      const repository = await mirror('m');
      await repository.fetch();

      await repository.push([{ ref: branchRef('promote/dev/cs-1'), expected: undefined, next: head }]);
      expect(world.git(path, ['rev-parse', 'promote/dev/cs-1']).trim()).toBe(head);
      await repository.push([{ ref: branchRef('promote/dev/cs-1'), expected: head, next: undefined }]);

      expect(world.git(path, ['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main\n');
      expect([...(await repository.refs()).keys()]).toEqual(['refs/heads/main']);
    });

    test('wrong credentials are denied, a repository that is not there is missing, and no message holds the password', async () => {
      world.bare('b.git', { a: '1' });

      const denied: unknown = await (await mirror('m1', 'wrong-word')).fetch().catch((error: unknown) => error);
      const missing: unknown = await (await mirror('m2')).fetch().catch((error: unknown) => error);

      expect(denied).toMatchObject({ kind: 'denied', message: expect.not.stringContaining('wrong-word') });
      expect(missing).toMatchObject({ kind: 'missing' });
    });
  });
}
