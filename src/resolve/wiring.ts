import type { Capsule } from '#model/declarations.generated.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { InstanceName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { ReleasedCapsule, ResolvedInstance } from '#model/resolution.ts';

/** V-18: what a capsule wants of a dependency is what the chosen version provides. */
export function checkWiring(
  environment: DesiredEnvironment,
  instances: readonly ResolvedInstance[],
  released: ReadonlyMap<InstanceName, ReleasedCapsule>,
): readonly Problem[] {
  const problems: Problem[] = [];
  for (const { pin, dependencies } of instances) {
    const spec = released.get(pin.instance)?.declaration.spec;
    if (spec === undefined || dependencies.size === 0) continue;
    const problem = (pointer: string, message: string, remedy: string): void => {
      const place = { file: `capsules/${pin.capsule}/capsule.yaml`, line: undefined, column: undefined, pointer };
      const related = [{ file: environment.declared.file, line: undefined, note: `${pin.capsule}@${pin.version} runs as ${pin.instance}` }];
      problems.push({ code: 'wiring-mismatch', rule: 'V-18', severity: 'error', phase: 'resolve', message, remedy, place, related });
    };
    for (const [name, instance] of dependencies) {
      const other = released.get(instance);
      const protocol = spec.dependencies?.[name]?.requires?.protocol;
      if (other === undefined || protocol === undefined) continue;
      const spoken = Object.values(other.declaration.spec.provides ?? {}).map((provided) => provided.protocol);
      if (spoken.includes(protocol)) continue;
      problem(
        `/spec/dependencies${pointerToken(name)}/requires/protocol`,
        `${pin.capsule} wants protocol "${protocol}" of dependency "${name}" (${labelOf(other)}), which provides ${listOf(spoken)}`,
        `Name a protocol that ${other.release.capsule} provides, or choose another dependency.`,
      );
    }
    for (const [component, declared] of Object.entries(spec.components ?? {})) {
      for (const [variable, value] of Object.entries(declared.env ?? {})) {
        const other = value.dependency === undefined ? undefined : released.get(dependencies.get(value.dependency) ?? pin.instance);
        if (value.dependency === undefined || value.output === undefined || other === undefined || !dependencies.has(value.dependency))
          continue;
        const outputs = outputNames(other.declaration);
        if (outputs.includes(value.output)) continue;
        problem(
          `/spec/components${pointerToken(component)}/env${pointerToken(variable)}`,
          `${pin.capsule}.env.${variable} wants output "${value.output}" of dependency "${value.dependency}" (${labelOf(other)}), which provides ${listOf(outputs)}`,
          `Name an output that ${other.release.capsule} provides.`,
        );
      }
    }
  }
  return problems;
}

function outputNames(capsule: Capsule): readonly string[] {
  const provided = Object.values(capsule.spec.provides ?? {}).flatMap((one) => Object.keys(one.outputs ?? {}));
  return [...new Set([...provided, ...Object.keys(capsule.spec.outputs ?? {})])].sort();
}

function labelOf({ release }: ReleasedCapsule): string {
  return `${release.capsule}@${release.version}`;
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : [...new Set(names)].sort().join(', ');
}
