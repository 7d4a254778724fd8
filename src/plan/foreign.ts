import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { Inventory } from '#model/plan.ts';
import { placeInFile } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { TargetRendering } from '#model/rendering.ts';

/** An object that is there, that no inventory of ours names, and that git does not adopt. */
export function foreignObject(
  owner: { readonly environment: EnvironmentName; readonly target: TargetName },
  object: { readonly key: ObjectKey; readonly path: string },
  equal: boolean,
): Problem {
  const { group, kind, namespace, name } = object.key;
  const bytes = equal ? 'with the bytes git wants' : 'with other bytes than git wants';
  return {
    code: 'foreign-object',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `${keyText(object.key)} is already on target ${owner.target} of ${owner.environment} (${object.path}, ${bytes}) and Capstan did not put it there`,
    remedy:
      `Remove it from the target, or let git take it over: add { group: ${JSON.stringify(group)}, kind: ${kind}, ` +
      `namespace: ${JSON.stringify(namespace)}, name: ${name} } to targets.${owner.target}.adopt of environment ${owner.environment}.`,
    place: { ...placeInFile(`environments/${owner.environment}/environment.yaml`), pointer: `/spec/targets/${owner.target}` },
    related: [],
  };
}

/** The target carries the inventory of another environment or target: two owners would undo each other's work. */
export function foreignInventory(rendering: TargetRendering, inventory: Inventory | undefined): Problem | undefined {
  const { environment, name: target } = rendering.target;
  if (inventory === undefined || (inventory.environment === environment && inventory.target === target)) return undefined;
  return {
    code: 'foreign-inventory',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `target ${target} of ${environment} already belongs to target ${inventory.target} of environment ${inventory.environment}`,
    remedy: 'Give each target a place of its own, or remove the old inventory after taking the environment that wrote it out of git.',
    place: { ...placeInFile(`environments/${environment}/environment.yaml`), pointer: `/spec/targets/${target}` },
    related: [],
  };
}
