import type { CapsulePatch } from '#model/declarations.generated.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { JsonObject } from '#model/json.ts';
import { pointerToken } from '#model/json.ts';
import type { InstanceName } from '#model/names.ts';

/** What an environment says of one instance, and where: under its request, or for a nested one under that of its owner. */
export interface EnvironmentWish {
  readonly pointer: string;
  readonly config: JsonObject | undefined;
  readonly patches: readonly CapsulePatch[] | undefined;
}

/** `capsules.<instance>`, or `capsules.<root>.instances.<rest>` of `<root>.<rest>`. */
export function wishOf(environment: DesiredEnvironment, instance: InstanceName): EnvironmentWish {
  const { capsules } = environment.declared.value.spec;
  const dot = instance.indexOf('.');
  const root = dot < 0 ? instance : instance.slice(0, dot);
  const request = capsules !== undefined && Object.hasOwn(capsules, root) ? capsules[root] : undefined;
  const base = `/spec/capsules${pointerToken(root)}`;
  if (dot < 0) return { pointer: base, config: request?.config, patches: request?.patches };
  const rest = instance.slice(dot + 1);
  const nested = request?.instances !== undefined && Object.hasOwn(request.instances, rest) ? request.instances[rest] : undefined;
  return { pointer: `${base}/instances${pointerToken(rest)}`, config: nested?.config, patches: nested?.patches };
}
