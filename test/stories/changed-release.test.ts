import { expect, test } from 'vitest';

import { promote } from '#loops/promote.ts';
import { statusOf } from '#loops/status.ts';
import { portsOf, startEngine } from './engine.ts';
import { newOutside, peopleOf, type Outside } from './outside.ts';
import { capsuleFiles, DEV } from './shop.ts';
import { declareShop } from './stories.ts';

const CHANGED = Object.fromEntries(
  Object.entries(capsuleFiles('1.0.0')).map(([path, text]) => [path, text.replace('limit: 96Mi', 'limit: 128Mi')]),
);

const statuses = (outside: Outside) =>
  [...outside.forge.statuses.values()]
    .filter(({ check }) => check.name === 'capstan/release')
    .map(({ commit, check }) => ({ commit, state: check.state, detail: check.detail }));

test('a release changed under its version fails the status of the commit that changed it, until somebody takes the change back', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const before = [...(outside.targets.get('dev/one')?.files ?? [])];
  const locked = await engine.world.repository.resolve('main');
  const [, first] = locked === undefined ? [] : await engine.world.repository.firstParents(locked, undefined, 2);

  const changed = await peopleOf(outside).push(CHANGED, { message: 'more memory' });
  await engine.wake({ kind: 'look' });

  const sentence = `web@1.0.0 was released by ${first?.slice(0, 10)} with other content: raise metadata.version, or take the change back`;
  expect(statuses(outside)).toEqual([{ commit: changed, state: 'failure', detail: sentence }]);
  expect([...(outside.targets.get('dev/one')?.files ?? [])]).toEqual(before);
  const reason = `${changed.slice(0, 10)} goes nowhere: ${sentence}`;
  expect((await statusOf(engine.world, 'dev')).capsules.map((item) => item.waiting)).toEqual([[reason]]);
  const asked = await promote(engine.world, { environment: 'dev', only: undefined, dryRun: true, byPerson: true });
  expect(asked.held).toEqual([{ instance: 'web', version: '1.0.0', reason }]);

  await peopleOf(outside).push(capsuleFiles('1.0.0'), { message: 'take it back' });
  await engine.wake({ kind: 'look' });

  expect((await statusOf(engine.world, 'dev')).capsules.map((item) => item.waiting)).toEqual([[]]);
});

test('a change that is released under a new version later stays named where it was made under the old one', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const engine = startEngine(portsOf(outside));
  await engine.start();

  const changed = await peopleOf(outside).push(CHANGED);
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.wake({ kind: 'look' });

  expect(statuses(outside).map(({ commit, state }) => ({ commit, state }))).toEqual([{ commit: changed, state: 'failure' }]);
  expect(outside.targets.get('dev/one')?.files.get('web/apps_v1_deployment_shop-dev_web.yaml')).toContain('1.1.0');
});
