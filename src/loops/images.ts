import { unpinnedComponents } from '#desired/desired.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import type { Rendering } from '#model/rendering.ts';
import type { Pin } from '#model/resolution.ts';
import { unpinnedImages } from '#render/render.ts';
import type { Reading } from './reading.ts';

interface Imaged {
  readonly environment: DesiredEnvironment;
  readonly pins: readonly Pin[];
  readonly rendering: Rendering | undefined;
}

/** V-31: components first, which have a line; then what only the rendering shows. */
export async function imageProblems(reading: Reading, { environment, pins, rendering }: Imaged): Promise<readonly Problem[]> {
  const loaded = await reading.capsules(pins.map((pin) => ({ name: pin.capsule, tree: pin.gitTree })));
  const declared = loaded.flatMap(({ source }) => source?.declared ?? []);
  const images = declared.flatMap(({ value }) => Object.values(value.spec.components ?? {}).flatMap(({ image }) => image ?? []));
  return [
    ...declared.flatMap((capsule) => unpinnedComponents(environment, capsule)),
    ...(rendering === undefined ? [] : unpinnedImages(environment, rendering, new Set(images))),
  ];
}
