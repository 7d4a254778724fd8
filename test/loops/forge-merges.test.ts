import { expect, test } from 'vitest';

import { createWorld } from '#loops/create-world.ts';
import { planLock } from '#loops/lock.ts';
import type { CommitId } from '#model/digest.ts';
import { branchRef } from '#model/names.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, signerOf, type Files } from '#test/stories/shop.ts';
import { declareShop, freshLocks } from '#test/stories/stories.ts';

type Method = Outside['forge']['mergeMethod'];
const METHODS: readonly Method[] = ['merge', 'squash', 'rebase'];

/** A branch with one commit on top of main, signed by `by` or by nobody. */
async function branch(outside: Outside, name: string, files: Files, by: string | undefined): Promise<CommitId> {
  const { repository } = peopleOf(outside);
  const main = await repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  const signer = signerOf(by ?? 'nobody');
  const head = await repository.writeCommit(
    {
      base: (await repository.commit(main)).tree,
      changes: Object.entries(files).map(([path, text]) => ({ kind: 'file', path, content: Buffer.from(text) })),
      parents: [main],
      author: { name: by ?? 'nobody', email: signer.email, at: outside.now, zone: '+0000' },
      message: `${name}\n`,
    },
    by === undefined ? undefined : (payload) => signer.sign(payload),
  );
  await repository.push([{ ref: branchRef(name), expected: undefined, next: head }]);
  return head;
}

async function mergedByHand(outside: Outside, name: string, message = 'merged by hand'): Promise<void> {
  const forge = peopleOf(outside).forge('bob');
  const { number } = await forge.open({ head: name, base: 'main', title: name, body: '', labels: [] });
  const [request] = (await forge.list(name, undefined)).filter((one) => one.number === number);
  if (request === undefined) throw new Error('no request');
  outside.forge.protections.delete('main');
  expect(await forge.merge(number, { head: request.headCommit, title: `${name} (#${number})`, message })).toMatchObject({ kind: 'merged' });
}

async function running(method: Method): Promise<{ outside: Outside; engine: Engine }> {
  const outside = newOutside();
  outside.forge.mergeMethod = method;
  await declareShop(outside, [DEV]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  return { outside, engine };
}

const runs = (outside: Outside): string | undefined =>
  outside.targets.get('dev/one')?.files.get('web/apps_v1_deployment_shop-dev_web.yaml');

test.each(METHODS)('%s: a signed release that the forge brings in by a pull request of a person reaches its targets', async (method) => {
  const { outside, engine } = await running(method);

  await branch(outside, 'topic', capsuleFiles('1.1.0'), 'ada');
  await mergedByHand(outside, 'topic');
  await engine.wake({ kind: 'look' });

  expect([...engine.endings].filter(([, ending]) => ending.kind !== 'settled')).toEqual([]);
  expect(runs(outside)).toContain('1.1.0');
});

test.each(METHODS)('%s: an unsigned release that the forge brings in is held, whoever merged it', async (method) => {
  const { outside, engine } = await running(method);

  await branch(outside, 'topic', capsuleFiles('1.1.0'), undefined);
  await mergedByHand(outside, 'topic');
  await engine.wake({ kind: 'look' });

  expect(runs(outside)).toContain('1.0.0');
  expect([...outside.forge.statuses.values()].map(({ check }) => `${check.name} ${check.state}`)).toContain('capstan/release failure');
});

test.each(METHODS)(
  '%s: two changes of one lock, made on the same base and merged one after the other, are both accepted',
  async (method) => {
    const { outside, engine } = await running(method);
    const both = environmentFile({ ...DEV, merge: 'manual' }).replace('    web:\n', '    api:\n      version: ^1.0.0\n    web:\n');
    await peopleOf(outside).push({ 'environments/dev/environment.yaml': both, ...capsuleFiles('1.0.0', 'api') });
    await peopleOf(outside).push(await freshLocks(outside));
    await engine.wake({ kind: 'look' });
    await peopleOf(outside).push({ ...capsuleFiles('1.1.0'), ...capsuleFiles('1.1.0', 'api') });
    await engine.wake({ kind: 'look' });
    const forge = peopleOf(outside).forge('bob');
    const requests = (await forge.list('promote/', undefined)).filter((one) => one.state === 'open');
    expect(requests.map((one) => one.title).sort()).toEqual(['promote(dev): api 1.0.0 → 1.1.0', 'promote(dev): web 1.0.0 → 1.1.0']);

    for (const request of requests)
      expect(await forge.merge(request.number, { head: request.headCommit, title: `x (#${request.number})`, message: '' })).toMatchObject({
        kind: 'merged',
      });
    await engine.wake({ kind: 'look' });

    expect([...engine.endings].filter(([, ending]) => ending.kind !== 'settled')).toEqual([]);
    expect(runs(outside)).toContain('1.1.0');
  },
);

test('a lock that the merge of a promotion changes in another entry as well is refused', async () => {
  const { outside, engine } = await running('squash');
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': environmentFile({ ...DEV, merge: 'manual' }) });
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.wake({ kind: 'look' });
  const [request] = await peopleOf(outside).forge('bob').list('promote/', undefined);
  const lock = (await lockText(outside, request?.headCommit)).replace(/requestedBy:\n {6}- environment/, 'requestedBy:\n      - other');

  await peopleOf(outside).push({ 'environments/dev/environment.lock.yaml': lock }, { by: 'nobody', message: `x (#${request?.number})` });
  await engine.wake({ kind: 'look' });

  expect(engine.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck', problems: [{ code: 'unsigned' }] });
});

test('a squash whose pull request is not here cannot be looked at, and is accepted as soon as it is', async () => {
  const { outside } = await running('squash');
  await branch(outside, 'topic', { 'environments/dev/environment.yaml': environmentFile({ ...DEV, merge: 'manual' }) }, 'ada');
  await mergedByHand(outside, 'topic');
  const people = peopleOf(outside).repository;
  let isHidden = true;
  const world = createWorld({
    ...portsOf(outside),
    repository: {
      ...people,
      refs: async () => new Map([...(await people.refs())].filter(([ref]) => !isHidden || !ref.startsWith('refs/pull/'))),
    },
  });
  const main = await people.resolve('main');
  if (main === undefined) throw new Error('no main');

  expect((await world.history.upTo(main)).trust.verdict('environments/dev/environment.yaml')).toMatchObject({ kind: 'could-not-look' });
  isHidden = false;

  expect((await world.history.upTo(main)).trust.verdict('environments/dev/environment.yaml')).toMatchObject({
    kind: 'accepted',
    by: 'ada',
  });
});

async function lockText(outside: Outside, commit: CommitId | undefined): Promise<string> {
  const { world } = startEngine({ ...portsOf(outside), repository: peopleOf(outside).repository });
  if (commit === undefined) throw new Error('no request');
  const declarations = await world.reading.declarations(await world.reading.at(commit));
  const [environment] = declarations.state.environments;
  if (environment === undefined) throw new Error('no environment');
  const planned = await planLock(world, declarations, environment);
  if (!planned.ok) throw new Error('no lock');
  return planned.value.before ?? '';
}

test.each(['squash', 'rebase'] as const)(
  '%s: what accepts it stays reachable from the ledger, so that a plain clone accepts it',
  async (method) => {
    const { outside, engine } = await running(method);
    await branch(outside, 'topic', capsuleFiles('1.1.0'), 'ada');
    await mergedByHand(outside, 'topic');
    await engine.wake({ kind: 'look' });
    const people = peopleOf(outside).repository;
    const refs = async () => new Map([...(await people.refs())].filter(([ref]) => /^refs\/heads\/(main|audit|rendered\/.*)$/.test(ref)));
    const clone = createWorld({ ...portsOf(outside), repository: { ...people, refs } });
    const main = await people.resolve('main');
    if (main === undefined) throw new Error('no main');

    expect((await clone.history.upTo(main)).trust.verdict('capsules/web')).toMatchObject({ kind: 'accepted', by: 'ada' });
    expect((await clone.history.upTo(main)).trust.verdict('environments/dev/environment.lock.yaml')).toMatchObject({
      kind: 'accepted',
      by: 'engine',
    });
  },
);
