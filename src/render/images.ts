import type { DesiredEnvironment } from '#model/desired.ts';
import { isPinnedImage } from '#model/image.ts';
import { placeInFile, type Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';
import type { RenderedObject, Rendering } from '#model/rendering.ts';
import { containersOf, podSpecOf } from './pod-requests.ts';

/** V-31 for images that no component declares: those of templates and manifests. Each is told once. */
export function renderedImageProblems(
  environment: DesiredEnvironment,
  rendering: Rendering,
  declared: ReadonlySet<string>,
): readonly Problem[] {
  if (environment.declared.value.spec.risk === 'low') return [];
  const told = new Set(declared);
  return rendering.targets.flatMap((target) =>
    target.objects.flatMap(({ object, instance }) => {
      const capsule = target.instances.get(instance)?.capsule;
      const pod = podSpecOf(object);
      if (pod === undefined || capsule === undefined) return [];
      return containersOf(pod).flatMap(({ image }): readonly Problem[] => {
        if (typeof image !== 'string' || isPinnedImage(image) || told.has(image)) return [];
        told.add(image);
        return [
          {
            code: 'image-not-pinned',
            rule: 'V-31',
            severity: 'error',
            phase: 'render',
            message: `image ${quoted(image)} of ${object.kind} ${quoted(instance)} has no digest; ${environment.name} requires name@sha256:…`,
            remedy: 'Write the digest that the registry gave: a tag may mean another image tomorrow.',
            place: placeInFile(`capsules/${capsule}/capsule.yaml`),
            related: [],
          },
        ];
      });
    }),
  );
}

/** Every image that objects name, once, in the order of objects. */
export function imagesOfObjects(objects: readonly RenderedObject[]): readonly string[] {
  const images = objects.flatMap(({ object }) => {
    const pod = podSpecOf(object);
    return pod === undefined ? [] : containersOf(pod).flatMap(({ image }) => (typeof image === 'string' ? [image] : []));
  });
  return [...new Set(images)];
}
