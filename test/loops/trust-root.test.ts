import { expect, test } from 'vitest';

import { createWorld } from '#loops/create-world.ts';
import { reconcile } from '#loops/reconcile.ts';
import { statusOf } from '#loops/status.ts';
import { parseAllowedSigners } from '#model/allowed-signers.ts';
import { portsOf, startEngine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { DEV, signerOf } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

function worldWith(outside: Outside, by: string) {
  const ports = portsOf(outside);
  const read = parseAllowedSigners(`${by}@example.org namespaces="git" ${signerOf(by).publicKey} a comment\n`, 'signers');
  if (!read.ok) throw new Error(read.reason);
  return createWorld({ ...ports, settings: { ...ports.settings, trustSigners: read.value } });
}

const run = { environment: 'dev', target: undefined, trigger: 'person', dryRun: true } as const;

test('trust starts at the first commit that an allowed signer signed, and is pinned then', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const world = worldWith(outside, 'ada');
  await world.repository.fetch();

  const { notices, ending } = await statusOf(world, 'dev');

  expect(ending).toEqual({ kind: 'settled' });
  expect(notices).toEqual([]);
});

test('without a commit of an allowed signer nothing is judged, and nothing runs', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const world = worldWith(outside, 'eve');
  await world.repository.fetch();

  expect((await reconcile(world, run)).ending).toMatchObject({
    kind: 'stuck',
    problems: [{ code: 'trust-root-unreachable', message: expect.stringContaining('is signed by a key of trust.allowedSigners') }],
  });
});

test('a root that is pinned after a release stands for that release', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const ports = portsOf(outside);
  const trustRoot = await peopleOf(outside).repository.resolve('main');

  const engine = startEngine({ ...ports, settings: { ...ports.settings, trustRoot } });
  await engine.start();

  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
});
