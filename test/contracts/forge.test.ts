import { toInstant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import { forgeContract } from '#test/contracts/forge.contract.ts';
import { forgeState, memoryForge } from '#test/contracts/memory-forge.ts';
import { memoryDisk, memoryRepository } from '#test/contracts/memory-repository.ts';

const ADA = { name: 'Ada', email: 'ada@example.org', at: toInstant(0), zone: '+0000' };

forgeContract('memory', async () => {
  const repository = memoryRepository(memoryDisk());
  const state = forgeState();
  const clock = { now: () => toInstant(Date.UTC(2026, 0, 1)) };
  const first = await repository.writeCommit({ base: undefined, changes: [], parents: [], author: ADA, message: 'first\n' }, undefined);
  await repository.push([{ ref: branchRef('main'), expected: undefined, next: first }]);
  const ada = memoryForge({ repository, state, clock, login: 'ada' });
  const headOf = async (name: string) => (await repository.refs()).get(branchRef(name)) ?? first;
  return {
    engine: () => memoryForge({ repository, state, clock, login: 'capstan' }),
    engineLogin: 'capstan',
    personLogin: 'ada',
    headOf,
    async branch(name) {
      const there = (await repository.refs()).get(branchRef(name));
      const parent = there ?? (await headOf('main'));
      const changes = [{ kind: 'file', path: name.replaceAll('/', '-'), content: Buffer.from(parent) }] as const;
      const base = (await repository.commit(parent)).tree;
      const next = await repository.writeCommit({ base, changes, parents: [parent], author: ADA, message: 'change\n' }, undefined);
      await repository.push([{ ref: branchRef(name), expected: there, next }]);
      return next;
    },
    approve: (number) => ada.review(number, 'approved'),
    comments: async (number) => ada.comments(number),
    close: async () => undefined,
  };
});
