import { capsuleOf, type RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { CapsuleComponent, Device } from '#model/declarations.generated.ts';
import type { CapsuleSource, Declared, DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { parseQuantity, quantityText } from '#model/quantity.ts';
import { listed, quoted, visibleText } from '#model/quoted.ts';
import { devicesOf } from './fleets.ts';
import { closureOf, selects } from './targets.ts';

/** V-60: what is sent to a device runs there. What a device does not declare is left to the device. */
export function deviceProblems(context: RuleContext): readonly Problem[] {
  return context.state.environments.flatMap((environment) =>
    environment.targets.flatMap((target) => {
      const fleet = environment.fleets.find((one) => one.value.metadata.name === target.value.fleet);
      if (fleet === undefined) return [];
      const requests = Object.entries(environment.declared.value.spec.capsules ?? {});
      const chosen = requests.filter(([, request]) => request.enabled !== false && selects(request.targets, target.value.labels));
      const names = closureOf(
        context,
        chosen.map(([instance, request]) => capsuleOf(instance, request)),
      );
      const capsules = names.flatMap((name) => context.capsules.get(name) ?? []);
      // There may be thousands of devices: what they are asked for is summed once.
      const needs = SIZES.flatMap((size) => needOf(capsules, size));
      return devicesOf(environment, fleet).flatMap((device) => [
        ...capsules.flatMap((capsule) => [...architecture(capsule, device), ...accelerators(capsule, device)]),
        ...needs.flatMap((need) => sizeProblem(environment, need, device)),
      ]);
    }),
  );
}

function unfit(place: Place, message: string, declared: Place): Problem {
  return problemOf({
    code: 'device-does-not-fit',
    rule: 'V-60',
    place,
    message,
    remedy: 'Keep the capsule off this fleet, build it for the device, or take the device out of the fleet.',
    related: relatedTo(declared, 'declared here'),
  });
}

function architecture(capsule: CapsuleSource, device: Declared<Device>): readonly Problem[] {
  const arch = device.value.spec.hardware?.arch;
  const architectures = capsule.declared.value.spec.compatibility?.architectures;
  if (arch === undefined || architectures === undefined || architectures.length === 0 || architectures.includes(arch)) return [];
  return [
    unfit(
      device.at('/spec/hardware/arch'),
      `${capsule.name} has no ${visibleText(arch, 40)} image for device ${visibleText(device.value.metadata.name, 60)} (${visibleText(arch, 40)}); it has ${listed(architectures)}`,
      capsule.declared.at('/spec/compatibility/architectures'),
    ),
  ];
}

function accelerators(capsule: CapsuleSource, device: Declared<Device>): readonly Problem[] {
  const there = device.value.spec.hardware?.accelerators;
  if (there === undefined) return [];
  return componentsOf(capsule).flatMap(([component, { resources }]) =>
    Object.entries(resources?.accelerators ?? {}).flatMap(([kind, wanted]) => {
      const has = Object.hasOwn(there, kind) ? (there[kind] ?? 0) : 0;
      if ((parseQuantity(wanted) ?? 0n) <= (parseQuantity(has) ?? 0n)) return [];
      return [
        unfit(
          device.at('/spec/hardware/accelerators'),
          `${capsule.name} needs ${wanted} ${visibleText(kind, 60)}; device ${visibleText(device.value.metadata.name, 60)} has ${has}`,
          capsule.declared.at(`/spec/components${pointerToken(component)}/resources/accelerators${pointerToken(kind)}`),
        ),
      ];
    }),
  );
}

function componentsOf(capsule: CapsuleSource): readonly [string, CapsuleComponent][] {
  return Object.entries(capsule.declared.value.spec.components ?? {});
}

const SIZES = [
  { name: 'cpu', form: 'count' },
  { name: 'memory', form: 'size' },
  { name: 'storage', form: 'size' },
] as const;

interface Need {
  readonly name: (typeof SIZES)[number]['name'];
  readonly form: (typeof SIZES)[number]['form'];
  readonly amount: bigint;
  /** Who asks for most of it. */
  readonly largest: CapsuleSource;
}

/** Everything that is sent to a device together. */
function needOf(capsules: readonly CapsuleSource[], { name, form }: (typeof SIZES)[number]): readonly Need[] {
  const shares = capsules.map((capsule) => ({ capsule, amount: amountOf(capsule, name) })).sort((a, b) => (a.amount < b.amount ? 1 : -1));
  const [first] = shares;
  const amount = shares.reduce((sum, share) => sum + share.amount, 0n);
  return first === undefined || amount === 0n ? [] : [{ name, form, amount, largest: first.capsule }];
}

function sizeProblem(environment: DesiredEnvironment, need: Need, device: Declared<Device>): readonly Problem[] {
  const { name, form, amount, largest } = need;
  const declared = device.value.spec.hardware?.[name];
  const there = declared === undefined ? undefined : parseQuantity(declared);
  if (there === undefined || amount <= there) return [];
  return [
    unfit(
      device.at(`/spec/hardware/${name}`),
      `${environment.name} asks for ${quantityText(amount, form)} of ${name} on device ${quoted(device.value.metadata.name)}, which has ${quantityText(there, form)}; most for ${largest.name}`,
      largest.declared.at('/spec/components'),
    ),
  ];
}

/** Requests of all replicas; what only the configuration knows counts once. */
function amountOf(capsule: CapsuleSource, name: 'cpu' | 'memory' | 'storage'): bigint {
  let sum = 0n;
  for (const [, { resources, scaling, storage }] of componentsOf(capsule)) {
    const replicas = scaling?.horizontal?.min ?? scaling?.replicas;
    const times = BigInt(typeof replicas === 'number' ? replicas : 1);
    const one =
      name === 'storage'
        ? Object.values(storage ?? {}).reduce((total, { type, size }) => total + (type === 'persistent' ? quantity(size) : 0n), 0n)
        : name === 'cpu'
          ? quantity(resources?.cpu?.request)
          : quantity(resources?.memory?.request) + quantity(resources?.memory?.buffer);
    sum += one * times;
  }
  return sum;
}

function quantity(value: string | number | undefined): bigint {
  return value === undefined ? 0n : (parseQuantity(value) ?? 0n);
}
