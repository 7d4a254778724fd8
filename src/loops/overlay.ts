import { isPortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';
import { createReading } from './reading.ts';
import { createEnvironmentRenderer } from './render-environment.ts';
import type { ReadingWorld, World } from './world.ts';

/** The same world, reading a working directory's objects first: history and locked versions still come from the repository. */
export function overlay(world: World, directory: ObjectReader): ReadingWorld {
  const { world: reading, replace } = overlaid(world);
  replace(directory);
  return reading;
}

/** Such a world for one look after the other: what was read is kept by its content, and `replace` says how the directory reads now. */
export function overlaid(world: World): { readonly world: ReadingWorld; readonly replace: (directory: ObjectReader) => void } {
  let directory: ObjectReader = world.repository;
  const reading = createReading({
    commit: (id) => world.repository.commit(id),
    tree: (id) => orElse(directory.tree(id), () => world.repository.tree(id)),
    blob: (id) => orElse(directory.blob(id), () => world.repository.blob(id)),
    blobs: (ids) => Promise.all(ids.map((id) => orElse(directory.blob(id), () => world.repository.blob(id)))),
  });
  return {
    world: { ...world, reading, environments: createEnvironmentRenderer(reading, world, world.clock) },
    replace: (now) => {
      directory = now;
    },
  };
}

async function orElse<T>(first: Promise<T>, second: () => Promise<T>): Promise<T> {
  try {
    return await first;
  } catch (error) {
    if (!isPortError(error) || error.kind !== 'missing') throw error;
    return second();
  }
}
