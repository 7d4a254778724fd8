import { expect, test } from 'vitest';

import { validateSnapshot } from '#loops/check.ts';
import { createWorld } from '#loops/create-world.ts';
import type { Renderer } from '#ports/renderer.ts';
import { portsOf } from '#test/stories/engine.ts';
import { copyOf } from '#test/stories/outside.ts';
import { plantedGarden } from './garden.ts';

test('units come to the renderer capsule by capsule, whichever targets they are for, and all of them twice', async () => {
  const garden = await plantedGarden();
  const ports = portsOf(copyOf(garden.outside));
  await ports.repository.fetch();
  const asked: string[][] = [];
  const renderer: Renderer = {
    ...ports.renderer,
    render: (units, signal) => {
      asked.push(units.map(({ pin, target }) => `${pin.capsule} ${target.environment}/${target.name}`));
      return ports.renderer.render(units, signal);
    },
  };
  const world = createWorld({ ...ports, renderer });

  const { problems } = await validateSnapshot(world, await world.reading.at(garden.head));

  expect(problems).toEqual([]);
  const dev = ['redis dev/one', 'redis dev/two', 'web dev/one', 'web dev/two'];
  const prod = ['redis prod/one', 'web prod/one'];
  expect(asked).toEqual([dev, dev, prod, prod]);
});
