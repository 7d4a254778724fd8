import { expect, test } from 'vitest';

import { createCommitFindings } from '#loops/commit-findings.ts';
import { createMainHistory, type MainHistory } from '#loops/main-history.ts';
import { createReading } from '#loops/reading.ts';
import type { CommitId } from '#model/digest.ts';
import { branchRef, toCapsuleName } from '#model/names.ts';
import type { Repository } from '#ports/repository.ts';
import { memoryRepository } from '#test/contracts/memory-repository.ts';
import { clockOf, newOutside, peopleOf, type People } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, shopFiles, signerOf } from '#test/stories/shop.ts';

const MAIN = branchRef('main');

interface Setting {
  readonly people: People;
  readonly repository: Repository;
  readonly history: MainHistory;
  readonly root: CommitId;
}

async function setting(): Promise<Setting> {
  const outside = newOutside();
  const people = peopleOf(outside);
  const root = await people.push(shopFiles([DEV]));
  const repository = memoryRepository(outside.mirror, outside.remote);
  await repository.fetch();
  const clock = clockOf(outside);
  const history = createMainHistory({
    repository,
    reading: createReading(repository),
    branch: 'main',
    root: undefined,
    rootSigners: undefined,
    kept: async () => [],
    findings: createCommitFindings(() => Promise.reject(new Error('nothing here is to be looked up'))),
    ranSince: async () => new Map(),
    firstSeen: async (chain) => new Map(chain.map((commit) => [commit, clock.now()])),
  });
  await history.upTo(root);
  return { people, repository, history, root };
}

/** A commit of a branch, signed by ada. */
async function release(repository: Repository, parents: readonly CommitId[], version: string): Promise<CommitId> {
  const [parent] = parents;
  if (parent === undefined) throw new Error('a release needs a parent');
  const signer = signerOf('ada');
  return repository.writeCommit(
    {
      base: (await repository.commit(parent)).tree,
      changes: Object.entries(capsuleFiles(version)).map(([path, text]) => ({
        kind: 'file',
        path,
        content: Buffer.from(text),
      })),
      parents,
      author: {
        name: 'ada',
        email: signer.email,
        at: (await repository.commit(parent)).author.at,
        zone: '+0000',
      },
      message: 'release\n',
    },
    (payload) => signer.sign(payload),
  );
}

test('looking at a pull request that is squashed later rewrites nothing', async () => {
  const { people, repository, history, root } = await setting();
  const head = await release(people.repository, [root], '1.1.0');
  await people.repository.push([{ ref: branchRef('topic'), expected: undefined, next: head }]);
  await repository.fetch();
  await history.upTo(head);

  const squashed = await people.push(capsuleFiles('1.1.0'), { message: 'release (#1)' });
  await repository.fetch();

  const view = await history.upTo(squashed);
  expect(view.trust.verdict('capsules/web')).toMatchObject({ kind: 'accepted' });
  expect(view.capsules.get(toCapsuleName('web'))?.map((step) => step.version)).toEqual(['1.0.0', '1.1.0']);
});

test('a default branch that lost commits is accepted no more, also when its new head was seen as a branch before', async () => {
  const { people, repository, history, root } = await setting();
  const lost = await people.push(capsuleFiles('1.1.0'));
  await repository.fetch();
  await history.upTo(lost);
  const other = await release(people.repository, [root], '1.2.0');
  await people.repository.push([{ ref: branchRef('topic'), expected: undefined, next: other }]);
  await repository.fetch();
  expect((await history.upTo(other)).trust.verdict('capsules/web')).toMatchObject({
    kind: 'accepted',
  });

  await people.repository.push([{ ref: MAIN, expected: lost, next: other }]);
  await repository.fetch();

  expect((await history.upTo(other)).trust.verdict('capsules/web')).toMatchObject({
    kind: 'refused',
  });
});

test('a merge that puts the default branch aside for another is accepted no more', async () => {
  const { people, repository, history, root } = await setting();
  const accepted = await people.push(capsuleFiles('1.1.0'));
  await repository.fetch();
  await history.upTo(accepted);
  const aside = await release(people.repository, [root], '1.2.0');
  const merge = await release(people.repository, [aside, accepted], '1.2.1');
  await people.repository.push([{ ref: MAIN, expected: accepted, next: merge }]);
  await repository.fetch();

  expect((await history.upTo(merge)).trust.verdict('capsules/web')).toMatchObject({ kind: 'refused' });
});

test('several runs that ask for one new head at once get the same answer', async () => {
  const { people, repository, history } = await setting();
  const next = await people.push(capsuleFiles('1.1.0'));
  await repository.fetch();

  const views = await Promise.all([history.upTo(next), history.upTo(next), history.releases(next), history.upTo(next)]);

  expect(views.map((view) => view.index)).toEqual(Array.from({ length: 4 }, () => views[0]?.index));
});
