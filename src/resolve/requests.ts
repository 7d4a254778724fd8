import type { DesiredEnvironment } from '#model/desired.ts';
import { toCapsuleName, toInstanceName, type CapsuleName, type InstanceName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';

export interface RequestedInstance {
  readonly instance: InstanceName;
  readonly capsule: CapsuleName;
  readonly version: string;
}

const asked = new WeakMap<object, readonly RequestedInstance[]>();

/** What the environment itself asks for and has not switched off, by name. */
export function requestedInstances(
  environment: DesiredEnvironment,
  leaveOut: ReadonlySet<InstanceName> | undefined,
): readonly RequestedInstance[] {
  const document = environment.declared.value;
  const all = asked.get(document) ?? allOf(environment);
  asked.set(document, all);
  return leaveOut === undefined ? all : all.filter((one) => !leaveOut.has(one.instance));
}

function allOf(environment: DesiredEnvironment): readonly RequestedInstance[] {
  const found: RequestedInstance[] = [];
  for (const [name, request] of Object.entries(environment.declared.value.spec.capsules ?? {})) {
    const instance = toInstanceName(name);
    if (request.enabled === false) continue;
    found.push({ instance, capsule: toCapsuleName(request.capsule ?? name), version: request.version });
  }
  return found.sort((a, b) => compareText(a.instance, b.instance));
}

/** Capsule -> the environment's own instance that serves everybody who shares it: the one named alike, else the first by name. */
export function sharedInstances(requested: readonly RequestedInstance[]): ReadonlyMap<CapsuleName, InstanceName> {
  const shared = new Map<CapsuleName, InstanceName>();
  for (const { instance, capsule } of requested) {
    if (!shared.has(capsule) || instance === String(capsule)) shared.set(capsule, instance);
  }
  return shared;
}
