import { judgeBundle } from '#edge/edge.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import type { Rendering } from '#model/rendering.ts';
import { imagesOf } from '#render/render.ts';

/** V-64 for the fleets that an environment serves. Only a registry knows how large an image is: nothing is asked of it here. */
export function bundleVerdicts(
  environment: DesiredEnvironment,
  rendering: Rendering,
): { readonly problems: readonly Problem[]; readonly notes: readonly string[] } {
  const verdicts = environment.targets.flatMap((target) => {
    const fleet = environment.fleets.find((one) => one.value.metadata.name === target.value.fleet);
    const objects = rendering.targets.find((one) => one.target.name === target.name)?.objects ?? [];
    if (fleet === undefined) return [];
    const files = objects.map((object) => ({ name: object.path, size: BigInt(Buffer.byteLength(object.text)) }));
    const images = fleet.value.spec.delivery?.bundle?.includeImages === false ? [] : imagesOf(objects);
    return [judgeBundle(fleet, [...files, ...images.map((name) => ({ name, size: undefined }))])];
  });
  return { problems: verdicts.flatMap(({ problems }) => problems), notes: verdicts.flatMap(({ note }) => note ?? []) };
}
