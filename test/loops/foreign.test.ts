import { expect, test } from 'vitest';

import { validateSnapshot } from '#loops/check.ts';
import { createWorld } from '#loops/create-world.ts';
import type { World } from '#loops/world.ts';
import type { ForeignRenderer } from '#ports/foreign-renderer.ts';
import { memoryForeignRenderer } from '#test/contracts/memory-foreign-renderer.ts';
import { portsOf } from '#test/stories/engine.ts';
import { copyOf } from '#test/stories/outside.ts';
import { changed, edit, edits, type Garden, plantedGarden } from './garden.ts';

/** The garden with a chart in redis, not yet locked: `validate` renders what a promotion would bring. */
async function withChart(): Promise<Garden> {
  const chart =
    '    chart:\n      kind: Helm\n      source:\n        path: chart\n        tool: 3.22.0\n      values:\n        greeting: hello\n';
  return changed(await plantedGarden(), {
    'capsules/redis/capsule.yaml': edits(
      edit('version: 7.2.5', 'version: 7.2.6'),
      edit('      kind: StatefulSet\n', '      kind: StatefulSet\n      primary: true\n'),
      edit('  provides:\n', `${chart}  provides:\n`),
    ),
    'capsules/redis/chart/Chart.yaml': 'apiVersion: v2\nname: greeter\nversion: 1.0.0\n',
    'capsules/redis/chart/templates/map.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting }}\n',
  });
}

async function worldWith(garden: Garden, foreignRenderer: ForeignRenderer | undefined): Promise<World> {
  const ports = portsOf(copyOf(garden.outside));
  await ports.repository.fetch();
  return createWorld({ ...ports, foreignRenderer });
}

async function found(world: World, garden: Garden): Promise<readonly string[]> {
  const report = await validateSnapshot(world, await world.reading.at(garden.head));
  return [...new Set(report.problems.map(({ code, place }) => `${code} ${place.file}:${place.line} ${place.pointer}`))];
}

test('a program is started once for each different input, and again only to compare; nothing new starts none', async () => {
  const garden = await withChart();
  const renderer = memoryForeignRenderer();
  const world = await worldWith(garden, renderer);

  expect(await found(world, garden)).toEqual([]);
  const first = renderer.counts().runs;
  await found(world, garden);

  // Namespaces differ by environment, and the targets of one environment share theirs.
  const namespaces = new Set(
    (await world.reading.declarations(await world.reading.at(garden.head))).state.environments.map((one) => one.name),
  );
  expect(first).toBeGreaterThanOrEqual(namespaces.size * 2);
  expect(renderer.counts().runs).toBe(first);
});

test('V-89: a chart that answers otherwise the second time', async () => {
  const garden = await withChart();
  let drawn = 0;
  const steady = memoryForeignRenderer();
  const random: ForeignRenderer = {
    ...steady,
    render: async () => {
      drawn += 1;
      return { kind: 'rendered', text: `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { drawn: "${drawn}" }\n` };
    },
  };

  expect(await found(await worldWith(garden, random), garden)).toContain(
    'rendering-not-deterministic capsules/redis/capsule.yaml:undefined undefined',
  );
  expect(await found(await worldWith(garden, steady), garden)).toEqual([]);
});

test('a machine without the program says so at the line of the component', async () => {
  const garden = await withChart();
  const line = garden.files['capsules/redis/capsule.yaml']?.split('\n').indexOf('      source:') ?? -2;

  expect(await found(await worldWith(garden, undefined), garden)).toEqual([
    `tool-missing capsules/redis/capsule.yaml:${line + 1} /spec/components/chart/source`,
  ]);
});
