import { expect, test } from 'vitest';

import { validateSnapshot } from '#loops/check.ts';
import { branchRef } from '#model/names.ts';
import { portsOf } from '#test/stories/engine.ts';
import { copyOf } from '#test/stories/outside.ts';
import { changed, edit, type Garden, plantedGarden, seen, worldOf } from './garden.ts';
import { release, WEB } from './rule-changes.ts';

test('V-09: a branch that forgot the version and raised it later is not stopped; main with the same commits is', async () => {
  const garden = await plantedGarden();
  const forgotten = await changed(garden, { [WEB]: edit('Hello', 'Hi') });
  const raised = await changed(forgotten, release());
  const found = async (at: Garden): Promise<readonly string[]> => {
    const world = await worldOf(at);
    return seen((await validateSnapshot(world, await world.reading.at(at.head))).problems);
  };
  const place = 'V-09 release-rewritten capsules/web/capsule.yaml:5:12';

  expect(await found(raised)).toEqual([place]);

  const outside = copyOf(raised.outside);
  const { repository } = portsOf(outside);
  await repository.fetch();
  await repository.push([
    { ref: branchRef('main'), expected: raised.head, next: garden.head },
    { ref: branchRef('topic'), expected: undefined, next: raised.head },
  ]);
  expect(await found({ ...raised, outside })).toEqual([`~${place}`]);
});
