import { unpinnedComponents } from '#desired/desired.ts';
import type { CapsuleSource, DesiredEnvironment } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import type { Rendering } from '#model/rendering.ts';
import { unpinnedImages } from '#render/render.ts';

interface Imaged {
  readonly environment: DesiredEnvironment;
  /** What runs, with what it inherits. */
  readonly sources: readonly CapsuleSource[];
  readonly rendering: Rendering | undefined;
}

/** V-31: components first, which have a line; then what only the rendering shows. */
export function imageProblems({ environment, sources, rendering }: Imaged): readonly Problem[] {
  const declared = sources.map((source) => source.declared);
  const images = declared.flatMap(({ value }) => Object.values(value.spec.components ?? {}).flatMap(({ image }) => image ?? []));
  return [
    ...declared.flatMap((capsule) => unpinnedComponents(environment, capsule)),
    ...(rendering === undefined ? [] : unpinnedImages(environment, rendering, new Set(images))),
  ];
}
