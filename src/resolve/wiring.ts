import { protocolMisfits } from '#model/agent-protocols.ts';
import type { Capsule } from '#model/declarations.generated.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { InstanceName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { ReleasedCapsule, ResolvedInstance } from '#model/resolution.ts';

/** V-18, V-66, V-68, V-70 and V-72: what a capsule wants of a dependency is what the chosen version provides. */
export function checkWiring(
  environment: DesiredEnvironment,
  instances: readonly ResolvedInstance[],
  released: ReadonlyMap<InstanceName, ReleasedCapsule>,
): readonly Problem[] {
  const problems: Problem[] = [];
  for (const { pin, dependencies } of instances) {
    const declaration = released.get(pin.instance)?.declaration;
    const spec = declaration?.spec;
    if (spec === undefined || (dependencies.size === 0 && spec.protocols === undefined)) continue;
    const related = [{ file: environment.declared.file, line: undefined, note: `${pin.capsule}@${pin.version} runs as ${pin.instance}` }];
    const placed = (pointer: string): Pick<Problem, 'severity' | 'phase' | 'place' | 'related'> => ({
      severity: 'error',
      phase: 'resolve',
      place: { file: `capsules/${pin.capsule}/capsule.yaml`, line: undefined, column: undefined, pointer },
      related,
    });
    const problem = (pointer: string, message: string, remedy: string): void => {
      problems.push({ code: 'wiring-mismatch', rule: 'V-18', message, remedy, ...placed(pointer) });
    };
    if (declaration?.spec.protocols !== undefined) {
      const misfits = protocolMisfits(declaration, providersOf(dependencies, released));
      problems.push(...misfits.map(({ pointer, ...misfit }) => ({ ...misfit, ...placed(pointer) })));
    }
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

function providersOf(
  dependencies: ResolvedInstance['dependencies'],
  released: ReadonlyMap<InstanceName, ReleasedCapsule>,
): ReadonlyMap<string, Capsule> {
  return new Map(
    [...dependencies].flatMap(([name, instance]): [string, Capsule][] => {
      const provider = released.get(instance)?.declaration;
      return provider === undefined ? [] : [[name, provider]];
    }),
  );
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
