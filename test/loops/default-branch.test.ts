import { expect, test } from 'vitest';

import { validateSnapshot } from '#loops/check.ts';
import { diagnose } from '#loops/doctor.ts';
import { statusOf } from '#loops/status.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, PROJECT_FILE } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const MESSAGE = 'the project declares "trunk" as its default branch, but Capstan is configured for "main"';
const PLACE = { file: 'environments/project.yaml', line: 7, column: 14, pointer: '/spec/branches/default' };

/** An engine that is configured for main, and then main says that another branch is the one. */
async function moved(): Promise<{ readonly outside: Outside; readonly engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  await peopleOf(outside).push({ 'environments/project.yaml': PROJECT_FILE.replace('default: main', 'default: trunk') });
  await engine.wake({ kind: 'look' });
  return { outside, engine };
}

test('a service that reads another branch than the declared one is stuck and says so, and what runs goes on running', async () => {
  const { outside, engine } = await moved();
  const before = [...(outside.targets.get('dev/one')?.files ?? [])];

  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.wake({ kind: 'look' });

  const stuck = { kind: 'stuck', problems: [{ code: 'default-branch-differs', severity: 'error', message: MESSAGE, place: PLACE }] };
  expect(engine.endings.get('reconcile/dev')).toMatchObject(stuck);
  expect(engine.endings.get('promote/dev')).toMatchObject(stuck);
  expect((await statusOf(engine.world, 'dev')).ending).toMatchObject(stuck);
  expect([...(outside.targets.get('dev/one')?.files ?? [])]).toEqual(before);
});

test('doctor names a declared default branch that is not the configured one', async () => {
  const { engine } = await moved();

  const findings = await diagnose(engine.world, { publicKey: '', fix: false, webhook: undefined });

  expect(findings.find((finding) => finding.subject === 'history')).toMatchObject({ state: 'failed', detail: MESSAGE });
});

test('validate warns of it: the declaration may be the one that is right', async () => {
  const { engine } = await moved();
  const { world } = engine;
  const main = await world.repository.resolve('main');
  if (main === undefined) throw new Error('no main');

  const { problems } = await validateSnapshot(world, await world.reading.at(main));

  expect(problems.filter((problem) => problem.code === 'default-branch-differs')).toMatchObject([
    { severity: 'warning', message: MESSAGE, place: PLACE },
  ]);
});
