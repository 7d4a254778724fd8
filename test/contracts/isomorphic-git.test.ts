import { expect, test } from 'vitest';

import { isomorphicRepository } from '#adapters/isomorphic-git/isomorphic-git.ts';
import { branchRef } from '#model/names.ts';
import { toSecret } from '#model/secret.ts';
import { remoteRepositoryContract } from '#test/contracts/repository-remote.contract.ts';
import { localRepositoryContract } from '#test/contracts/repository.contract.ts';
import { LIMITS, stockGit } from '#test/contracts/stock-git.ts';

localRepositoryContract('isomorphic-git', async (path, limits = LIMITS) => await isomorphicRepository({ path, limits }));

remoteRepositoryContract('isomorphic-git', async (path, url, password) => {
  const credentials = async () => ({ username: 'engine', password: toSecret(password) });
  return await isomorphicRepository({ path, remote: { url, credentials }, limits: LIMITS });
});

test('what isomorphic-git cannot do is unsupported by name', async () => {
  const world = stockGit();
  const { path, head } = world.bare('a.git', { a: '1\n2\n3\n4\n5\n' });
  for (const branch of ['ours', 'theirs']) world.git(path, ['update-ref', `refs/heads/${branch}`, head]);
  const ours = world.commit(path, 'ours', { a: '0\n2\n3\n4\n5\n' });
  const theirs = world.commit(path, 'theirs', { a: '1\n2\n3\n4\n6\n' });

  const local = await isomorphicRepository({ path, limits: LIMITS });
  const mirror = await isomorphicRepository({ path: world.path('m'), remote: { url: 'http://127.0.0.1:9/a.git' }, limits: LIMITS });

  await expect(local.mergeTrees(ours, theirs)).rejects.toMatchObject({ kind: 'unsupported' });
  await expect(
    mirror.push([
      { ref: branchRef('a'), expected: undefined, next: head },
      { ref: branchRef('b'), expected: undefined, next: head },
    ]),
  ).rejects.toMatchObject({ kind: 'unsupported' });
  await expect(isomorphicRepository({ path: world.path('n'), remote: { url: path }, limits: LIMITS })).rejects.toMatchObject({
    kind: 'unsupported',
  });
  world.remove();
});
