import { expect, test } from 'vitest';

import type { Ending } from '#model/receipt.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { DEV, environmentFile, STAGING } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const ENVIRONMENT = 'environments/dev/environment.yaml';

async function running(): Promise<{ outside: Outside; engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  return { outside, engine };
}

const rendered = (outside: Outside) => peopleOf(outside).repository.resolve('rendered/dev');

function confirmation(ending: Ending | undefined): string {
  const [problem] = ending?.kind === 'stuck' ? ending.problems : [];
  return /rendering: ([0-9a-f]{64})/.exec(problem?.remedy ?? '')?.[1] ?? 'none';
}

test('a target that is no longer declared keeps its rendering until git confirms that all of it goes', async () => {
  const { outside, engine } = await running();
  const before = await rendered(outside);
  const one = environmentFile({ ...DEV, targets: ['one'] });

  await peopleOf(outside).push({ [ENVIRONMENT]: one });
  await engine.wake({ kind: 'look' });

  expect(engine.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck', problems: [{ code: 'target-emptied' }] });
  expect(await rendered(outside)).toBe(before);

  const digest = confirmation(engine.endings.get('reconcile/dev'));
  await peopleOf(outside).push({
    [ENVIRONMENT]: `${one}  sync:\n    confirm:\n      - rendering: ${digest}\n        reason: it was a trial\n`,
  });
  await engine.wake({ kind: 'look' });

  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  expect(await rendered(outside)).not.toBe(before);
  expect(outside.targets.get('dev/two')?.files.size).toBeGreaterThan(0);
});

test('row 28: all declarations removed in one commit delete nothing', async () => {
  const { outside, engine } = await running();
  const before = { branch: await rendered(outside), files: outside.targets.get('dev/one')?.files.size };
  const { repository } = peopleOf(outside);
  const main = await repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  const paths = ['environments/project.yaml', ENVIRONMENT, 'environments/dev/environment.lock.yaml', 'capsules/web/capsule.yaml'];

  await peopleOf(outside).push({}, { message: 'nothing', remove: paths });
  await engine.wake({ kind: 'look' });
  await engine.tick();

  expect({ branch: await rendered(outside), files: outside.targets.get('dev/one')?.files.size }).toEqual(before);
  expect((await peopleOf(outside).repository.tree((await repository.commit((await repository.resolve('main')) ?? main)).tree)).length).toBe(
    0,
  );
});

test('two environments without any instance are rendered each for itself', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV, STAGING]);
  const disabled = (text: string) => text.replace('version: ^1.0.0', 'version: ^1.0.0\n      enabled: false');
  const empty = (name: string) =>
    `apiVersion: capstan.dev/v1alpha1\nkind: EnvironmentLock\nmetadata:\n  environment: ${name}\ncapsules: {}\nholds: {}\n`;
  await peopleOf(outside).push({
    [ENVIRONMENT]: disabled(environmentFile(DEV)),
    'environments/staging/environment.yaml': disabled(environmentFile(STAGING)),
    'environments/dev/environment.lock.yaml': empty('dev'),
    'environments/staging/environment.lock.yaml': empty('staging'),
  });
  const engine = startEngine(portsOf(outside));
  await engine.start();

  expect([...engine.endings].filter(([, ending]) => ending.kind !== 'settled')).toEqual([]);
  expect([...outside.targets.keys()].sort()).toEqual(['dev/one', 'dev/two', 'staging/one']);
});
