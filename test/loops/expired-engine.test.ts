import { expect, test } from 'vitest';

import { keyFinding } from '#loops/own-key.ts';
import { verifyClone } from '#loops/verify.ts';
import { parseInstant } from '#model/instant.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, PROJECT_FILE, signerOf } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

/** The stories begin at nine. */
const UNTIL_TEN = PROJECT_FILE.replace(/ {6}for:\n {8}- engine\n/, (text) => `${text}      validUntil: 2026-01-05T10:00:00Z\n`);

async function running(): Promise<{ readonly outside: Outside; readonly engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  await peopleOf(outside).push({ 'environments/project.yaml': UNTIL_TEN });
  const engine = startEngine(portsOf(outside));
  await engine.start();
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.wake({ kind: 'look' });
  return { outside, engine };
}

function passTo(outside: Outside, time: string): void {
  const at = parseInstant(time);
  if (at === undefined) throw new Error(time);
  outside.now = at;
}

const verify = async (outside: Outside) => {
  const { world } = startEngine(portsOf(outside));
  await world.repository.fetch();
  return verifyClone(world, { full: false, report: () => undefined });
};

test('what an engine wrote while its key was good stays verified after the key has expired', async () => {
  const { outside } = await running();
  expect((await verify(outside)).problems).toEqual([]);

  passTo(outside, '2027-01-05T09:00:00Z');
  const later = await verify(outside);

  expect(later.problems).toEqual([]);
  expect(later.rendered).toBe(2);
  expect(later.records).toBeGreaterThan(2);
});

test('an engine whose key has ended writes nothing, and says why', async () => {
  const { outside, engine } = await running();
  passTo(outside, '2026-01-05T11:00:00Z');
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': environmentFile({ ...DEV, targets: ['one', 'two', 'three'] }) });
  await peopleOf(outside).push(capsuleFiles('1.2.0'));
  const before = JSON.stringify([...(await peopleOf(outside).repository.refs())]);
  await engine.wake({ kind: 'look' }, { kind: 'reconcile', environment: 'dev' as never }, { kind: 'promote', environment: 'dev' as never });

  const ended = { kind: 'stuck', problems: [{ code: 'signing-key-ended', message: expect.stringContaining('2026-01-05T10:00:00Z') }] };
  expect(engine.endings.get('reconcile/dev')).toMatchObject(ended);
  expect(engine.endings.get('promote/dev')).toMatchObject(ended);
  expect(JSON.stringify([...(await peopleOf(outside).repository.refs())])).toBe(before);
});

test.each([
  ['2026-01-05T09:30:00Z', 'warning', /^ends at 2026-01-05T10:00:00/],
  ['2026-01-05T11:00:00Z', 'failed', /is not valid now/],
])('doctor at %s: %s', async (time, state, detail) => {
  const { outside } = await running();
  passTo(outside, time);
  const { world } = startEngine(portsOf(outside));
  await world.repository.fetch();
  const main = await world.repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  const { trust } = await world.history.upTo(main);

  expect(keyFinding(world, trust, world.signer.publicKey)).toMatchObject({
    subject: 'engine key',
    state,
    detail: expect.stringMatching(detail),
  });
});

test('what an engine goes on writing with an expired key is refused, and nothing before it', async () => {
  const { outside } = await running();
  // One that does not look at its own key.
  const engine = startEngine({ ...portsOf(outside), signer: { ...portsOf(outside).signer, publicKey: signerOf('other').publicKey } });
  await engine.start();
  passTo(outside, '2026-01-05T11:00:00Z');
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': environmentFile({ ...DEV, targets: ['one', 'two', 'three'] }) });
  await engine.wake({ kind: 'look' });
  const { repository } = peopleOf(outside);
  const heads = [await repository.resolve('rendered/dev'), await repository.resolve('audit')];

  const { problems } = await verify(outside);

  expect(problems.map(({ code, message }) => `${code} ${message.slice(0, message.indexOf(':'))}`)).toEqual([
    `signature-refused rendered/dev ${heads[0]?.slice(0, 10)}`,
    `signature-refused audit ${heads[1]?.slice(0, 10)}`,
  ]);
});
