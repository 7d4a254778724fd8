import type { CapsuleComponent, CapsuleEnvironmentVariable, CapsuleProbe } from '#model/declarations.generated.ts';
import { evaluateCondition } from '#model/expression.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { canonicalJson, pointerToken } from '#model/json.ts';
import { quantityText } from '#model/quantity.ts';
import { didYouMean } from '#model/suggest.ts';
import { milliseconds, quantityAt } from './amount.ts';
import type { Part } from './part.ts';
import type { Scope } from './scope.ts';
import { compact, configValue, entriesOf, filled, report, unlessEmpty } from './scope.ts';
import { secretReference } from './secrets.ts';
import { mountsOf } from './storage.ts';

export function containerOf(scope: Scope, part: Part): JsonObject {
  const { component, pointer } = part;
  const { security } = component;
  if (component.image === undefined) {
    report(scope, pointer, {
      code: 'component-incomplete',
      rule: 'V-87',
      message: `component ${part.componentName} has no image`,
      remedy: 'Add `image: name@sha256:...` to the component.',
    });
  }
  return compact({
    args: texts(scope, component.args, `${pointer}/args`),
    command: texts(scope, component.command, `${pointer}/command`),
    env: unlessEmpty(environmentOf(scope, part)),
    image: component.image === undefined ? '' : filled(scope, component.image, `${pointer}/image`),
    lifecycle: lifecycleOf(scope, part),
    livenessProbe: probeOf(component.probes?.liveness),
    name: part.componentName,
    ports: unlessEmpty(
      entriesOf(component.ports).map(([name, port]) => compact({ containerPort: port.port, name, protocol: port.protocol })),
    ),
    readinessProbe: probeOf(component.probes?.readiness),
    resources: unlessEmpty(resourcesOf(scope, part)),
    securityContext: unlessEmpty(
      compact({
        allowPrivilegeEscalation: security?.allowPrivilegeEscalation,
        capabilities: unlessEmpty(compact({ add: security?.capabilities?.add, drop: security?.capabilities?.drop })),
        privileged: security?.privileged,
        readOnlyRootFilesystem: security?.readOnlyRootFilesystem,
      }),
    ),
    startupProbe: probeOf(component.probes?.startup),
    volumeMounts: unlessEmpty(mountsOf(scope, part)),
  });
}

function texts(scope: Scope, values: readonly string[] | undefined, pointer: string): readonly string[] | undefined {
  return values === undefined || values.length === 0 ? undefined : values.map((value, at) => filled(scope, value, `${pointer}/${at}`));
}

function environmentOf(scope: Scope, part: Part): readonly JsonObject[] {
  return entriesOf(part.component.env).flatMap(([name, entry]) => {
    const pointer = `${part.pointer}/env${pointerToken(name)}`;
    if (entry.when !== undefined && !holds(scope, entry.when, `${pointer}/when`)) return [];
    const source = valueOf(scope, entry, pointer);
    return source === undefined ? [] : [{ name, ...source }];
  });
}

function holds(scope: Scope, expression: string, pointer: string): boolean {
  const answer = evaluateCondition(expression, { config: scope.unit.configuration.value, capabilities: scope.unit.capabilities });
  if (answer.ok) return answer.value;
  report(scope, pointer, {
    code: 'expression-failed',
    rule: undefined,
    message: answer.message,
    remedy: 'Correct the expression; it knows config and capabilities.',
  });
  return false;
}

function valueOf(scope: Scope, entry: CapsuleEnvironmentVariable, pointer: string): JsonObject | undefined {
  if (entry.value !== undefined) return { value: filled(scope, entry.value, `${pointer}/value`) };
  if (entry.config !== undefined) return configured(scope, entry.config, pointer);
  if (entry.dependency !== undefined) return wired(scope, { dependency: entry.dependency, output: entry.output }, pointer);
  return entry.secret === undefined
    ? undefined
    : { valueFrom: { secretKeyRef: secretReference(scope, { ...entry, secret: entry.secret }) } };
}

function configured(scope: Scope, name: string, pointer: string): JsonObject | undefined {
  const value = configValue(scope, name);
  if (value !== undefined) return { value: typeof value === 'string' ? value : canonicalJson(value) };
  report(scope, `${pointer}/config`, {
    code: 'config-unset',
    rule: 'V-77',
    message: `config ${name} is not set${didYouMean(name, Object.keys(scope.unit.configuration.value))}`,
    remedy: 'Give the key a default in the schema, or a value in the configuration.',
  });
  return undefined;
}

function wired(
  scope: Scope,
  wanted: { readonly dependency: string; readonly output: string | undefined },
  pointer: string,
): JsonObject | undefined {
  const output = wanted.output ?? 'url';
  const dependency = Object.hasOwn(scope.unit.dependencies, wanted.dependency) ? scope.unit.dependencies[wanted.dependency] : undefined;
  const value = dependency !== undefined && Object.hasOwn(dependency.outputs, output) ? dependency.outputs[output] : undefined;
  if (value !== undefined) return { value };
  const absent = dependency === undefined;
  report(scope, `${pointer}/${absent ? 'dependency' : 'output'}`, {
    ...(absent ? { code: 'dependency-unguarded', rule: 'V-28' } : { code: 'wiring-mismatch', rule: 'V-18' }),
    message: absent
      ? `dependency ${wanted.dependency} is not there`
      : `${dependency.instance} has no output ${output} (it has: ${Object.keys(dependency.outputs).sort().join(', ') || 'none'})`,
    remedy: absent
      ? `Declare it, or add \`when: "capabilities.${wanted.dependency}"\` if it is optional.`
      : 'Name an output that the dependency provides.',
  });
  return undefined;
}

function probeOf(probe: CapsuleProbe | undefined): JsonObject | undefined {
  if (probe === undefined) return undefined;
  const { httpGet, tcp, grpc, exec } = probe;
  return compact({
    exec: exec === undefined ? undefined : { command: exec.command },
    failureThreshold: probe.failureThreshold,
    grpc: grpc === undefined ? undefined : compact({ port: grpc.port, service: grpc.service }),
    httpGet: httpGet === undefined ? undefined : compact({ path: httpGet.path, port: httpGet.port, scheme: httpGet.scheme }),
    initialDelaySeconds: probe.initialDelaySeconds,
    periodSeconds: probe.periodSeconds,
    successThreshold: probe.successThreshold,
    tcpSocket: tcp === undefined ? undefined : { port: tcp.port },
    timeoutSeconds: probe.timeoutSeconds,
  });
}

function lifecycleOf(scope: Scope, part: Part): JsonObject | undefined {
  const preStop = part.component.stop?.preStop;
  if (preStop === undefined || preStop === null) return undefined;
  const sleep = milliseconds(scope, preStop.sleep, `${part.pointer}/stop/preStop/sleep`);
  return {
    preStop: compact({
      exec: preStop.exec === undefined ? undefined : { command: preStop.exec.command },
      httpGet: preStop.httpGet === undefined ? undefined : compact({ path: preStop.httpGet.path, port: preStop.httpGet.port }),
      sleep: sleep === undefined ? undefined : { seconds: Math.ceil(sleep / 1000) },
    }),
  };
}

type Resources = NonNullable<CapsuleComponent['resources']>;

/** requests.cpu = request, limits.cpu = burst or limit; requests.memory = request + buffer, limits.memory = limit. */
export function resourcesOf(scope: Scope, part: Part): JsonObject {
  const resources: Resources = part.component.resources ?? {};
  const { cpu, memory } = resources;
  const amount = (value: string | number | undefined, where: string): bigint | undefined =>
    quantityAt(scope, value, `${part.pointer}/resources/${where}`);
  const requested = amount(memory?.request, 'memory/request');
  const buffer = amount(memory?.buffer, 'memory/buffer');
  const accelerators = entriesOf(resources.accelerators).map(([name, value]): [string, Json] => {
    const count = amount(value, `accelerators${pointerToken(name)}`);
    return [name, count === undefined ? String(value) : quantityText(count, 'count')];
  });
  const cpuLimit = amount(cpu?.burst, 'cpu/burst') ?? amount(cpu?.limit, 'cpu/limit');
  const limits = { cpu: written(cpuLimit, 'count'), memory: written(amount(memory?.limit, 'memory/limit'), 'size') };
  const requests = {
    cpu: written(amount(cpu?.request, 'cpu/request'), 'count'),
    memory: written(requested === undefined ? undefined : requested + (buffer ?? 0n), 'size'),
  };
  return compact({
    limits: unlessEmpty(compact({ ...limits, ...Object.fromEntries(accelerators) })),
    requests: unlessEmpty(compact(requests)),
  });
}

function written(amount: bigint | undefined, form: 'size' | 'count'): string | undefined {
  return amount === undefined ? undefined : quantityText(amount, form);
}
