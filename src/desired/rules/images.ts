import { problemOf } from '#desired/finding.ts';
import type { Capsule } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import { isPinnedImage } from '#model/image.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';

/** V-31 for one version of a capsule that an environment of risk medium or more runs, or would run next. */
export function imageProblems(environment: DesiredEnvironment, capsule: Declared<Capsule>): readonly Problem[] {
  if (environment.declared.value.spec.risk === 'low') return [];
  return Object.entries(capsule.value.spec.components ?? {}).flatMap(([component, { image }]) =>
    image === undefined || isPinnedImage(image)
      ? []
      : [
          problemOf({
            code: 'image-not-pinned',
            rule: 'V-31',
            place: capsule.at(`/spec/components${pointerToken(component)}/image`),
            message: `image ${quoted(image)} has no digest; ${environment.name} requires name@sha256:…`,
            remedy: 'Write the digest that the registry gave: a tag may mean another image tomorrow.',
          }),
        ],
  );
}
