import { unpinnedComponents } from '#desired/desired.ts';
import type { CapsuleSource, DesiredEnvironment } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import type { GateReading } from '#model/promotion.ts';
import type { Rendering } from '#model/rendering.ts';
import { unpinnedImages } from '#render/render.ts';
import type { LoadedCapsule } from './reading.ts';

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

/** V-31 as a gate of a change: what arrives is named by digests. Nothing at all where it is. */
export function imageGates(environment: DesiredEnvironment, arriving: readonly LoadedCapsule[]): readonly GateReading[] {
  const problems = arriving.flatMap(({ source }) => (source === undefined ? [] : unpinnedComponents(environment, source.declared)));
  if (problems.length === 0) return [];
  const detail = problems.map(({ message }) => message).join('; ');
  return [{ name: 'images', type: 'images', status: 'failed', detail, until: undefined }];
}
