import { expect, test } from 'vitest';

import { branchRef } from '#model/names.ts';
import { portsOf, startEngine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, signerOf, type Files } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const LOCK = 'environments/dev/environment.lock.yaml';

async function running(): Promise<{ outside: Outside; checked: (files: Files) => Promise<readonly string[]>; lock: string }> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const { repository } = peopleOf(outside);
  const main = await repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  const parents = [main];
  const { state } = await engine.world.reading.declarations(await engine.world.reading.at(main));
  const base = await repository.commit(main);
  const [dev] = state.environments;
  if (dev?.lock === undefined) throw new Error('no lock');
  const lock = await engine.world.reading.text(dev.lock.blob);

  /** What is published on the head of a pull request with these files. */
  async function checked(files: Files): Promise<readonly string[]> {
    const signer = signerOf('ada');
    const head = await repository.writeCommit(
      {
        base: base.tree,
        changes: Object.entries(files).map(([path, text]) => ({ kind: 'file', path, content: Buffer.from(text) })),
        parents,
        author: { name: 'ada', email: signer.email, at: outside.now, zone: '+0000' },
        message: 'topic\n',
      },
      (payload) => signer.sign(payload),
    );
    await repository.push([{ ref: branchRef('topic'), expected: undefined, next: head }]);
    await peopleOf(outside).forge('ada').open({ head: 'topic', base: 'main', title: 'topic', body: '', labels: [] });
    await engine.wake({ kind: 'look' });
    return [...outside.forge.statuses.values()]
      .filter(({ commit }) => commit === head)
      .map(({ check }) => `${check.name} ${check.state}: ${check.detail}`)
      .sort();
  }
  return { outside, checked, lock };
}

test('a pull request of a person gets the status that the default branch requires, because it moves no lock', async () => {
  const { checked } = await running();

  expect(await checked(capsuleFiles('1.1.0'))).toEqual([
    'capstan/promote success: moves no lock',
    'capstan/validate success: valid; nothing rendered changes',
  ]);
});

test('a lock that a person moves is said to go past the gates', async () => {
  const { checked, lock } = await running();

  expect(await checked({ [LOCK]: `# By hand.\n${lock}` })).toEqual([
    'capstan/promote failure: changes the lock of dev by hand; close this and run: capstan promote dev',
    expect.stringMatching(/^capstan\/validate /),
  ]);
});
