import { expect, test } from 'vitest';

import { reconcile } from '#loops/reconcile.ts';
import { portsOf, startEngine } from '#test/stories/engine.ts';
import { newOutside } from '#test/stories/outside.ts';
import { DEV } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

test('a target that ran something and is empty now is filled again, and that is told as drift', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const target = outside.targets.get('dev/one');
  if (target === undefined) throw new Error('no target');
  const before = [...target.files];

  target.files.clear();
  target.inventory = undefined;
  const { receipts } = await reconcile(engine.world, { environment: 'dev', target: undefined, trigger: 'poll', dryRun: false });

  expect([...target.files]).toEqual(before);
  expect(receipts.map((receipt) => [receipt.target, receipt.driftDetected, receipt.reason])).toEqual([
    ['one', true, 'drift'],
    ['two', false, 'config'],
  ]);
});

test('what is created for the first time is no drift', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const { world } = startEngine(portsOf(outside));
  await world.repository.fetch();

  const { receipts } = await reconcile(world, { environment: 'dev', target: undefined, trigger: 'start', dryRun: false });

  expect(receipts.map((receipt) => receipt.driftDetected)).toEqual([false, false]);
});
