import { expect, test } from 'vitest';

import { createLooker } from '#loops/look.ts';
import { statusOf } from '#loops/status.ts';
import { verifyClone } from '#loops/verify.ts';
import { branchRef, toEnvironmentName } from '#model/names.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, shopFiles, signerOf, STAGING } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

async function running(): Promise<{ outside: Outside; engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [DEV, STAGING]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  return { outside, engine };
}

/** One commit on top of a branch of the engine, by somebody with a key of their own. */
async function tamper(outside: Outside, branch: string, by: string): Promise<void> {
  const { repository } = peopleOf(outside);
  const head = await repository.resolve(branch);
  if (head === undefined) throw new Error(`no ${branch}`);
  const signer = signerOf(by);
  const author = { name: 'capstan', email: signer.email, at: outside.now, zone: '+0000' };
  const next = await repository.writeCommit(
    {
      base: (await repository.commit(head)).tree,
      changes: [{ kind: 'file', path: 'evil.yaml', content: Buffer.from('evil: true\n') }],
      parents: [head],
      author,
      message: 'render(dev): nothing to see\n',
    },
    (payload) => signer.sign(payload),
  );
  await repository.push([{ ref: branchRef(branch), expected: head, next }]);
}

test.each(['rendered/dev', 'audit'])('a head of %s that no engine signed is an alarm, and nothing is built on it', async (branch) => {
  const { outside, engine } = await running();
  const looker = createLooker(engine.world);
  await looker.look();
  const targets = JSON.stringify([...(outside.targets.get('dev/one')?.files ?? [])]);

  await tamper(outside, branch, 'ada');
  const evil = await peopleOf(outside).repository.resolve(branch);
  const { alarms } = await looker.look();
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' }, { kind: 'reconcile', environment: toEnvironmentName('dev') });

  expect(alarms).toEqual([expect.stringMatching(new RegExp(`^the head of ${branch} was not written by an engine of this project: `))]);
  expect(engine.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck', problems: [{ code: 'branch-tampered' }] });
  expect((await statusOf(engine.world, 'dev')).ending).toMatchObject({ kind: 'stuck', problems: [{ code: 'branch-tampered' }] });
  expect(await peopleOf(outside).repository.resolve(branch)).toBe(evil);
  expect(JSON.stringify([...(outside.targets.get('dev/one')?.files ?? [])])).toBe(targets);
});

test('a tampered rendering stops its environment and no other', async () => {
  const { outside, engine } = await running();

  await tamper(outside, 'rendered/dev', 'nobody');
  await engine.wake(
    { kind: 'look' },
    { kind: 'reconcile', environment: 'staging' as never },
    { kind: 'reconcile', environment: 'dev' as never },
  );

  expect(engine.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck' });
  expect(engine.endings.get('reconcile/staging')).toEqual({ kind: 'settled' });
});

test('verify accepts only engines that an accepted declaration names', async () => {
  const { outside, engine } = await running();
  const project = shopFiles([DEV])['environments/project.yaml'] ?? '';
  const opened = `${project}    - name: other\n      sshKey: ${signerOf('mallory').publicKey}\n      for:\n        - engine\n`;

  await peopleOf(outside).push({ 'environments/project.yaml': opened }, { by: 'nobody' });
  await tamper(outside, 'rendered/dev', 'mallory');
  await engine.world.repository.fetch();
  const { problems } = await verifyClone(engine.world, { full: false, report: () => undefined });

  expect(problems.map((problem) => problem.code)).toContain('signature-refused');
});

test('taking a rendered branch away does not let a lock in past its gates', async () => {
  const { outside, engine } = await running();
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });
  const { repository } = peopleOf(outside);
  const dev = await lockOf(engine, 'dev');
  expect(dev).toContain('1.1.0');
  const head = await repository.resolve('rendered/staging');

  await repository.push([{ ref: branchRef('rendered/staging'), expected: head, next: undefined }]);
  await peopleOf(outside).push({ 'environments/staging/environment.lock.yaml': dev.replace('environment: dev', 'environment: staging') });
  await engine.wake({ kind: 'look' });

  expect(engine.endings.get('reconcile/staging')).toMatchObject({ kind: 'waiting', reasons: [expect.stringMatching(/^soak: /)] });
  expect(await repository.resolve('rendered/staging')).toBeUndefined();
});

async function lockOf({ world }: Engine, name: string): Promise<string> {
  const main = await world.repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  const { state } = await world.reading.declarations(await world.reading.at(main));
  const lock = state.environments.find((item) => item.name === name)?.lock;
  if (lock === undefined) throw new Error(`no lock of ${name}`);
  return world.reading.text(lock.blob);
}
