import { expect, test } from 'vitest';

import { portsOf, startEngine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, STAGING, type Files, type Stage } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

/** The environment with `extra` beside `web`. */
function withExtra(stage: Stage): Files {
  const text = environmentFile(stage).replace('    web:\n', '    extra:\n      version: ^1.0.0\n    web:\n');
  return { [`environments/${stage.name}/environment.yaml`]: text };
}

const requests = (outside: Outside) => [...outside.forge.pulls.values()].map(({ request }) => `${request.state} ${request.title}`);
const minutes = (outside: Outside, count: number): void => {
  outside.now = (outside.now + count * 60_000) as Outside['now'];
};

test('a capsule that environments newly ask for comes to each by promotion, and what runs is kept in sync meanwhile', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV, STAGING]);
  const engine = startEngine(portsOf(outside));
  await engine.start();

  await peopleOf(outside).push({ ...capsuleFiles('1.0.0', 'extra'), ...withExtra(DEV), ...withExtra(STAGING) }, { message: 'extra' });
  await engine.wake({ kind: 'look' });

  expect(requests(outside)).toEqual(['merged promote(dev): extra → 1.0.0', 'open promote(staging): extra → 1.0.0']);
  expect([...(outside.targets.get('dev/one')?.files.keys() ?? [])].filter((path) => path.startsWith('extra/')).length).toBeGreaterThan(0);
  expect(engine.endings.get('reconcile/staging')).toEqual({ kind: 'settled' });

  const staging = outside.targets.get('staging/one');
  const [edited] = [...(staging?.files.keys() ?? [])];
  if (staging === undefined || edited === undefined) throw new Error('nothing runs in staging');
  const text = staging.files.get(edited);
  staging.files.set(edited, 'replicas: 7\n');
  await engine.drift();
  expect(staging.files.get(edited)).toBe(text);

  minutes(outside, 11);
  await engine.tick();
  expect(requests(outside)).toEqual(['merged promote(dev): extra → 1.0.0', 'merged promote(staging): extra → 1.0.0']);
  expect([...staging.files.keys()].filter((path) => path.startsWith('extra/')).length).toBeGreaterThan(0);
});
