import { expect, test } from 'vitest';

import { validateSnapshot } from '#loops/check.ts';
import { createWorld } from '#loops/create-world.ts';
import { previousReleases } from '#loops/previous-releases.ts';
import type { World } from '#loops/world.ts';
import { portsOf } from '#test/stories/engine.ts';
import { copyOf } from '#test/stories/outside.ts';
import { changed, edit, type Garden, plantedGarden } from './garden.ts';
import { DEV, NOTE, PACKAGE, release, WEB } from './rule-changes.ts';

interface Counted {
  readonly world: World;
  /** Blobs read since the last question. */
  read(): number;
}

async function counted(garden: Garden): Promise<Counted> {
  const ports = portsOf(copyOf(garden.outside));
  await ports.repository.fetch();
  let blobs = 0;
  const repository: typeof ports.repository = {
    ...ports.repository,
    blob: (id) => {
      blobs += 1;
      return ports.repository.blob(id);
    },
    blobs: (ids) => {
      blobs += ids.length;
      return ports.repository.blobs(ids);
    },
  };
  return {
    world: createWorld({ ...ports, repository }),
    read: () => {
      const now = blobs;
      blobs = 0;
      return now;
    },
  };
}

async function validate({ world }: Counted, { head }: Garden): Promise<readonly string[]> {
  const { problems } = await validateSnapshot(world, await world.reading.at(head));
  return problems.map((problem) => problem.code);
}

test('a second validate reads nothing, to look for secrets neither', async () => {
  const garden = await plantedGarden();
  const engine = await counted(garden);
  await validate(engine, garden);
  expect(engine.read()).toBeGreaterThan(0);

  await validate(engine, garden);

  expect(engine.read()).toBe(0);
});

test('a file that changed is read to be parsed, and once more to look for secrets', async () => {
  const garden = await plantedGarden();
  const later = await changed(garden, { [DEV]: edit('replicas: 1', 'replicas: 3') });
  const engine = await counted(later);
  await validate(engine, garden);
  engine.read();

  await validate(engine, later);

  expect(engine.read()).toBe(2);
});

test('the release before is looked for only where the head brought a version that must not break anything', async () => {
  const garden = await plantedGarden();
  const minor = await changed(garden, release({ [NOTE]: edit('name: note', 'name: notes') }));
  const later = await changed(minor, { [DEV]: edit('replicas: 1', 'replicas: 3') });
  const major = await changed(garden, { [WEB]: edit('version: 1.0.0', 'version: 2.0.0'), [PACKAGE]: '{ "version": "2.0.0" }' });

  const looked = async ({ world }: Counted, { head }: Garden): Promise<readonly string[]> => {
    const at = await world.reading.at(head);
    const { capsules } = (await world.reading.desiredState(at)).state;
    const { index } = await world.history.releases(head);
    const found = await previousReleases(world, { at, index, capsules });
    return [...found.values()].map((source) => `${source.name}@${source.declared.value.metadata.version}`);
  };

  expect(await looked(await counted(garden), garden)).toEqual([]);
  expect(await looked(await counted(minor), minor)).toEqual(['web@1.0.0']);
  expect(await looked(await counted(later), later)).toEqual([]);
  expect(await looked(await counted(major), major)).toEqual([]);
});
