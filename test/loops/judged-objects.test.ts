import { expect, test } from 'vitest';

import { validateSnapshot } from '#loops/check.ts';
import { prepareEnvironment } from '#loops/prepare-environment.ts';
import { reconcile } from '#loops/reconcile.ts';
import { statusOf } from '#loops/status.ts';
import { changed, edit, plantedGarden, seen, worldOf } from './garden.ts';
import { DEV } from './rule-changes.ts';
import { OBJECT_NEAR_MISSES } from './rule-rows-objects.ts';

test('an object is judged when it is new, and never again', async () => {
  const garden = await plantedGarden();
  const later = await changed(garden, { [DEV]: edit('replicas: 1', 'replicas: 3') });
  const world = await worldOf(later);
  const run = async (head: typeof garden.head): Promise<{ readonly judged: number; readonly objects: number }> => {
    const before = world.environments.counts().judged;
    const result = await prepareEnvironment(world, 'dev', head);
    if (result.kind !== 'ready') throw new Error('dev is not ready');
    const objects = result.prepared.rendered.rendering.targets.flatMap((target) => target.objects.map((object) => object.sha256));
    return { judged: world.environments.counts().judged - before, objects: new Set(objects).size };
  };

  const first = await run(garden.head);
  const rest = [await run(garden.head), await run(later.head), await run(later.head)];

  // Both targets have the same seven.
  expect(first).toEqual({ judged: 7, objects: 7 });
  expect(rest.map(({ judged }) => judged)).toEqual([0, 1, 0]);
});

test('what no schema knows is counted by its kind', async () => {
  const [, changes] = OBJECT_NEAR_MISSES.find(([title]) => title === 'V-87: a kind that nobody knows') ?? [];
  if (changes === undefined || Array.isArray(changes)) throw new Error('the row is one change');
  const garden = await changed(await plantedGarden(), changes as Parameters<typeof changed>[1]);
  const world = await worldOf(garden);

  const report = await validateSnapshot(world, await world.reading.at(garden.head));

  // In two targets of dev and one of prod.
  expect(report.unjudged).toEqual(new Map([['bakery.example/v1 Oven', 3]]));
});

test('a warning of the policies or the schemas stands in the status, and in the receipts', async () => {
  const facts = (text: string): string =>
    text.replace('      labels:\n        size: small\n', '      facts:\n        kubernetes: "1.99"\n');
  const garden = await changed(await plantedGarden(), { [DEV]: facts });
  const world = await worldOf(garden);

  const status = await statusOf(world, 'dev');
  const { receipts } = await reconcile(world, { environment: 'dev', target: undefined, trigger: 'person', dryRun: true });

  expect(seen(status.warnings)).toEqual(['~kubernetes-minor-not-shipped environments/dev/environment.yaml:13:21']);
  expect(receipts.map((receipt) => receipt.warnings)).toEqual([status.warnings, status.warnings]);
});
