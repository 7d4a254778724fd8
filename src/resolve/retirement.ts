import type { Capsule } from '#model/declarations.generated.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { Instant } from '#model/instant.ts';
import { pointerToken } from '#model/json.ts';
import { toInstanceName } from '#model/names.ts';
import type { Place, Problem } from '#model/problem.ts';
import type { ResolvedInstance } from '#model/resolution.ts';
import { retirementOf } from '#model/succession.ts';

/** V-24 on what an environment runs or would run: every instance whose own version is retired, deprecated or past its sunset, once per user. */
export function retirements(
  environment: DesiredEnvironment,
  instances: readonly ResolvedInstance[],
  facts: { readonly declaration: (instance: ResolvedInstance) => Capsule | undefined; readonly now: Instant },
): readonly Problem[] {
  const byName = new Map(instances.map((one) => [one.pin.instance, one]));
  return instances.flatMap((used) => {
    const spec = facts.declaration(used)?.spec;
    if (spec === undefined) return [];
    const { capsule, version, requestedBy } = used.pin;
    return requestedBy.flatMap((who): Problem[] => {
      const asker = who === 'environment' ? undefined : byName.get(toInstanceName(who));
      const found = retirementOf(asker?.pin.capsule ?? environment.name, { capsule, version, spec }, facts.now);
      if (found === undefined) return [];
      const place =
        asker === undefined ? environment.declared.at(`/spec/capsules${pointerToken(used.pin.instance)}`) : placeOf(asker, used);
      const note = `runs ${used.pin.instance} as ${capsule}@${version}`;
      return [{ ...found, rule: 'V-24', phase: 'resolve', place, related: [{ file: environment.declared.file, line: undefined, note }] }];
    });
  });
}

function placeOf(asker: ResolvedInstance, used: ResolvedInstance): Place {
  const { instance } = used.pin;
  const dependency = [...asker.dependencies].find(([, provider]) => provider === instance)?.[0];
  const field = asker.children?.includes(instance) === true ? 'instances' : 'dependencies';
  const named = dependency === undefined ? '/spec/dependencies' : `/spec/${field}${pointerToken(dependency)}`;
  const pointer = used.shapes === undefined ? named : '/spec/extends';
  return { file: `capsules/${asker.pin.capsule}/capsule.yaml`, line: undefined, column: undefined, pointer };
}
