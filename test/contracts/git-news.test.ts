import { afterAll, beforeAll, expect, test } from 'vitest';

import { gitRepository } from '#adapters/git/git.ts';
import type { Remote } from '#adapters/git/remote.ts';
import { toSecret } from '#model/secret.ts';
import { gitServer, type GitServer } from './smart-http-server.ts';
import { LIMITS, stockGit, type StockGit } from './stock-git.ts';

let world: StockGit;
let server: GitServer;

beforeAll(async () => {
  world = stockGit();
  server = await gitServer(world.folder, 'right');
});
afterAll(async () => {
  await server.close();
  world.remove();
});

const remotes: readonly (readonly [string, (name: string) => Remote])[] = [
  ['in a folder', (name) => ({ url: world.path(name) })],
  [
    'over HTTP',
    (name) => ({ url: `${server.url}/${name}`, credentials: async () => ({ username: 'engine', password: toSecret('right') }) }),
  ],
];

test.each(remotes)('%s: whether a fetch would bring something is known without a process', async (_where, remoteOf) => {
  const name = `${remotes.findIndex(([, of]) => of === remoteOf)}.git`;
  const { path } = world.bare(name, { a: '1' });
  world.git(path, ['update-ref', 'refs/pull/7/head', world.commit(path, 'topic', { a: 'topic' })]);
  const repository = await gitRepository({ path: world.path(`mirror-${name}`), remote: remoteOf(name), limits: LIMITS });

  expect(await repository.hasNews()).toBe(true);
  await repository.fetch();
  const { forks } = repository.counts();
  expect(await repository.hasNews()).toBe(false);
  world.git(path, ['update-ref', 'refs/pull/7/merge', 'refs/heads/main']);
  expect(await repository.hasNews()).toBe(false);
  world.git(path, ['update-ref', '-d', 'refs/heads/topic']);
  expect(await repository.hasNews()).toBe(true);
  expect(repository.counts().forks).toBe(forks);

  await repository.fetch();
  world.commit(path, 'main', { a: '2' });
  expect(await repository.hasNews()).toBe(true);
  await repository.close();
});

test('a remote that cannot be asked so has news: git says what is wrong with it', async () => {
  world.bare('gone.git', { a: '1' });
  const denied = await gitRepository({
    path: world.path('mirror-denied.git'),
    remote: { url: `${server.url}/gone.git`, credentials: async () => ({ username: 'engine', password: toSecret('wrong') }) },
    limits: LIMITS,
  });

  await denied.refs();
  expect(await denied.hasNews()).toBe(true);
  await expect(denied.fetch()).rejects.toMatchObject({ kind: 'denied' });
  await denied.close();
});
