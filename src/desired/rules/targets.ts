import { capsuleOf, type RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';

type Labels = Readonly<Record<string, string>>;

/** V-51 and V-54: what an environment runs where. */
export function targetProblems(context: RuleContext): readonly Problem[] {
  return context.state.environments.flatMap((environment) => [...selectorProblems(environment), ...driverProblems(context, environment)]);
}

/** Whether labels have everything a selector asks for. */
export function selects(selector: { readonly matchLabels?: Labels } | undefined, labels: Labels | undefined): boolean {
  return Object.entries(selector?.matchLabels ?? {}).every(
    ([name, value]) => labels !== undefined && Object.hasOwn(labels, name) && labels[name] === value,
  );
}

/** V-51: requests, partitions and fleets that choose nothing. */
function selectorProblems(environment: DesiredEnvironment): readonly Problem[] {
  const { spec } = environment.declared.value;
  const problems: Problem[] = [];
  const report = (place: Place, what: string): void => {
    problems.push(
      problemOf({
        code: 'selects-nothing',
        rule: 'V-51',
        place,
        message: what,
        remedy: 'Correct the labels of the selector, or of what it should choose.',
      }),
    );
  };
  for (const [instance, request] of Object.entries(spec.capsules ?? {})) {
    if (request.enabled === false || environment.targets.some((target) => selects(request.targets, target.value.labels))) continue;
    const pointer = `/spec/capsules${pointerToken(instance)}`;
    const place = environment.declared.at(request.targets === undefined ? pointer : `${pointer}/targets`);
    report(place, `capsules.${instance}.targets matches no target of ${environment.name}`);
  }
  for (const [index, partition] of (spec.rollout?.partitions ?? []).entries()) {
    if (environment.targets.some((target) => selects(partition.selector, target.value.labels))) continue;
    report(
      environment.declared.at(`/spec/rollout/partitions/${index}/selector`),
      `partition ${quoted(partition.name)} matches no target of ${environment.name}`,
    );
  }
  for (const fleet of environment.fleets) {
    const { selector, devices } = fleet.value.spec;
    const names = new Set(environment.devices.map((device) => device.value.metadata.name));
    if (selector !== undefined && !environment.devices.some((device) => selects(selector, device.value.metadata.labels))) {
      report(fleet.at('/spec/selector'), `fleet ${quoted(fleet.value.metadata.name)} matches no device of ${environment.name}`);
    }
    for (const [index, device] of (devices ?? []).entries()) {
      if (!names.has(device))
        report(
          fleet.at(`/spec/devices/${index}`),
          `fleet ${quoted(fleet.value.metadata.name)} names ${quoted(device)}, which is no device of ${environment.name}`,
        );
    }
  }
  return problems;
}

const TOOLS = ['Terraform', 'Pulumi', 'CloudFormation', 'Arm', 'Ansible', 'Puppet', 'Chef', 'Salt', 'Exec'] as const;
const OBJECTS = [
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Function',
  'VirtualMachine',
  'Static',
  'Helm',
  'Kustomize',
  'Manifests',
  'External',
] as const;
/** Component kinds a driver takes; a driver that is not here is judged elsewhere. */
const DRIVER_KINDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['directory', new Set<string>(OBJECTS)],
  ['kubernetes', new Set<string>(OBJECTS)],
  ['delegate-argocd', new Set<string>(OBJECTS)],
  ['delegate-flux', new Set<string>(OBJECTS)],
  ['edge', new Set(['Deployment', 'StatefulSet', 'Job', 'Binary', 'Static'])],
  ...TOOLS.map((tool): [string, ReadonlySet<string>] => [tool.toLowerCase(), new Set([tool])]),
]);

/** V-54 for what is requested and everything it needs in turn. */
function driverProblems(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  const requests = Object.entries(environment.declared.value.spec.capsules ?? {}).filter(([, request]) => request.enabled !== false);
  return environment.targets.flatMap((target) => {
    const kinds = DRIVER_KINDS.get(target.value.driver);
    if (kinds === undefined) return [];
    const chosen = requests.filter(([, request]) => selects(request.targets, target.value.labels));
    const names = closureOf(
      context,
      chosen.map(([instance, request]) => capsuleOf(instance, request)),
    );
    return names.flatMap((name) => {
      const declared = context.capsules.get(name)?.declared;
      return Object.entries(declared?.value.spec.components ?? {}).flatMap(([component, { kind }]) => {
        if (kinds.has(kind) || declared === undefined) return [];
        return [
          problemOf({
            code: 'driver-cannot-deploy',
            rule: 'V-54',
            place: target.at('/driver'),
            message: `driver ${target.value.driver} cannot deploy component kind ${kind} (${name}.${component})`,
            remedy: 'Keep the capsule off this target, or use a driver that takes this kind.',
            related: relatedTo(declared.at(`/spec/components${pointerToken(component)}/kind`), 'declared here'),
          }),
        ];
      });
    });
  });
}

/** Names with everything they need in turn, in name order. */
export function closureOf(context: RuleContext, names: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const spec = context.capsules.get(name)?.declared.value.spec;
    for (const dependency of Object.values(spec?.dependencies ?? {})) if (dependency.capsule !== undefined) open.push(dependency.capsule);
    for (const child of Object.values(spec?.instances ?? {})) open.push(child.capsule);
  }
  return [...found].sort();
}
