import type { DesiredEnvironment } from '#model/desired.ts';
import { toCapsuleName, toInstanceName, type CapsuleName, type InstanceName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';

/** What the environment itself asks for and has not switched off, by name. */
export function requestedInstances(
  environment: DesiredEnvironment,
  leaveOut?: ReadonlySet<InstanceName>,
): readonly { readonly instance: InstanceName; readonly capsule: CapsuleName; readonly version: string }[] {
  return Object.entries(environment.declared.value.spec.capsules ?? {})
    .filter(([, request]) => request.enabled !== false)
    .map(([name, request]) => ({
      instance: toInstanceName(name),
      capsule: toCapsuleName(request.capsule ?? name),
      version: request.version,
    }))
    .filter(({ instance }) => leaveOut?.has(instance) !== true)
    .sort((a, b) => compareText(a.instance, b.instance));
}

/** Capsule -> the environment's own instance that serves everybody who shares it: the one named alike, else the first by name. */
export function sharedInstances(
  environment: DesiredEnvironment,
  leaveOut: ReadonlySet<InstanceName> | undefined,
): ReadonlyMap<CapsuleName, InstanceName> {
  const shared = new Map<CapsuleName, InstanceName>();
  for (const { instance, capsule } of requestedInstances(environment, leaveOut)) {
    if (!shared.has(capsule) || instance === String(capsule)) shared.set(capsule, instance);
  }
  return shared;
}
