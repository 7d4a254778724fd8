import { expect, test } from 'vitest';

import { promote } from '#loops/promote.ts';
import { verifyClone } from '#loops/verify.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, PROJECT_FILE } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const MINUTE = 60_000;
const YEARS = 10 * 365.25 * 24 * 60 * MINUTE;
/** The stories begin at nine on January 5th. */
const ENDED = PROJECT_FILE.replace(/( {6}sshKey: [^\n]*\n)( {6}for:\n {8}- commit\n)/, '$1      validUntil: 2026-01-05T10:00:00Z\n$2');

async function running(): Promise<{ outside: Outside; engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  return { outside, engine };
}

function move(outside: Outside, by: number): void {
  outside.now = (outside.now + by) as Outside['now'];
}

function everything(outside: Outside): string {
  return JSON.stringify([[...(outside.targets.get('dev/one')?.files ?? [])], outside.remote]);
}

test('row 73: under a clock that went back by ten years nothing is rendered, applied, recorded or promoted', async () => {
  const { outside, engine } = await running();
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
  const before = everything(outside);
  move(outside, -YEARS);
  await engine.wake({ kind: 'look' }, { kind: 'reconcile', environment: 'dev' as never });
  const promoted = await promote(engine.world, { environment: 'dev', only: undefined, dryRun: false, byPerson: true });

  const behind = {
    kind: 'stuck',
    problems: [{ code: 'clock-behind', message: expect.stringMatching(/^the clock says 2016-.* was written at 2026-01-05T09/) }],
  };
  expect(engine.endings.get('reconcile/dev')).toMatchObject(behind);
  expect(promoted.ending).toMatchObject(behind);
  expect(everything(outside)).toBe(before);

  move(outside, YEARS);
  await engine.wake({ kind: 'look' }, { kind: 'reconcile', environment: 'dev' as never });
  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
});

test('clocks that differ by a minute are clocks', async () => {
  const { outside, engine } = await running();
  move(outside, -MINUTE);
  await engine.tick();

  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
});

test('an expired key is not good again for whoever verifies under a clock that went back', async () => {
  const { outside, engine } = await running();
  await peopleOf(outside).push({ 'environments/project.yaml': ENDED });
  await engine.wake({ kind: 'look' });
  move(outside, 120 * MINUTE);
  await engine.wake({ kind: 'reconcile', environment: 'dev' as never });
  outside.targets.get('dev/one')?.files.clear();
  await engine.wake({ kind: 'reconcile', environment: 'dev' as never });
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0, by a key that has ended' });
  move(outside, -YEARS);
  const { world } = startEngine(portsOf(outside));
  await world.repository.fetch();
  const main = await world.repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  const { trust } = await world.history.upTo(main);

  expect(ENDED).toContain('validUntil');
  expect(trust.verdict('capsules/web')).toMatchObject({
    kind: 'refused',
    sentence: expect.stringContaining('was not valid when it was first seen'),
  });
  expect((await verifyClone(world, { full: false, report: () => undefined })).problems).toEqual([]);
});
