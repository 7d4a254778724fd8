import type { RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { Device, Fleet } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import { readEd25519 } from '#model/ed25519-key.ts';
import { durationText, parseDuration } from '#model/instant.ts';
import type { Problem } from '#model/problem.ts';
import { parseQuantity, quantityText } from '#model/quantity.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import { isTimeZone } from '#model/time-zone.ts';
import { selects } from './targets.ts';

/** V-61 to V-63 and V-65: fleets reach every device once, and devices are who they say. */
export function fleetProblems(context: RuleContext): readonly Problem[] {
  return [
    ...context.state.environments.flatMap((environment) => [
      ...environment.fleets.flatMap((fleet) => [
        ...waveProblems(fleet),
        ...staleness(fleet),
        ...clocks(fleet),
        ...slots(environment, fleet),
      ]),
      ...sharedDevices(environment),
    ]),
    ...keyProblems(context),
  ];
}

/** Devices of a fleet that are still in service. */
export function devicesOf(environment: DesiredEnvironment, fleet: Declared<Fleet>): readonly Declared<Device>[] {
  const { selector, devices } = fleet.value.spec;
  return environment.devices.filter(
    ({ value }) =>
      value.spec.state !== 'retired' &&
      (devices?.includes(value.metadata.name) === true || (selector !== undefined && selects(selector, value.metadata.labels))),
  );
}

/** V-61. Percentages may stay equal, but not fall; counts likewise. */
function waveProblems(fleet: Declared<Fleet>): readonly Problem[] {
  const waves = fleet.value.spec.rollout?.waves ?? [];
  const name = quoted(fleet.value.metadata.name);
  const problems: Problem[] = [];
  const report = (index: number, message: string, remedy: string): void => {
    const place = fleet.at(`/spec/rollout/waves/${index}/devices`);
    problems.push(problemOf({ code: 'waves-incomplete', rule: 'V-61', place, message, remedy }));
  };
  for (const [index, wave] of waves.entries()) {
    for (const unit of ['percent', 'count'] as const) {
      const now = wave.devices[unit];
      const before = waves
        .slice(0, index)
        .flatMap((earlier) => earlier.devices[unit] ?? [])
        .at(-1);
      if (now !== undefined && before !== undefined && now < before)
        report(
          index,
          `fleet ${name}: wave ${quoted(wave.name)} covers ${amount(unit, now)}, less than ${amount(unit, before)} before it`,
          'Order the waves from few devices to all.',
        );
    }
  }
  const last = waves.at(-1)?.devices;
  if (last !== undefined && last.percent !== 100) {
    const end = last.percent === undefined ? amount('count', last.count ?? 0) : amount('percent', last.percent);
    report(waves.length - 1, `fleet ${name}: waves end at ${end}; the last wave must cover 100%`, 'Add a wave of { percent: 100 }.');
  }
  return problems;
}

function amount(unit: 'percent' | 'count', value: number): string {
  return unit === 'percent' ? `${value}%` : value === 1 ? '1 device' : `${value} devices`;
}

/** V-65: a device that misses one poll is not stale. */
function staleness(fleet: Declared<Fleet>): readonly Problem[] {
  const { delivery, offline } = fleet.value.spec;
  const most = parseDuration(offline?.maxStaleness ?? '');
  const poll = parseDuration(delivery?.pollInterval ?? '');
  if (most === undefined || poll === undefined || most >= 3 * poll) return [];
  return [
    problemOf({
      code: 'device-limits',
      rule: 'V-65',
      severity: 'warning',
      place: fleet.at('/spec/offline/maxStaleness'),
      message: `fleet ${quoted(fleet.value.metadata.name)}: maxStaleness ${durationText(most)} is less than 3 polls of ${durationText(poll)}`,
      remedy: 'Allow at least three polls, or poll more often.',
    }),
  ];
}

/** The window of a fleet is in a zone, or in that of each device. */
function clocks(fleet: Declared<Fleet>): readonly Problem[] {
  const window = fleet.value.spec.delivery?.window;
  if (window === undefined) return [];
  const { start, duration, timeZone = 'device' } = window;
  const problem = (pointer: string, message: string, remedy: string): Problem =>
    problemOf({
      code: 'window-invalid',
      rule: 'V-91',
      place: fleet.at(`/spec/delivery/window${pointer}`),
      message: `window of fleet ${quoted(fleet.value.metadata.name)}: ${message}`,
      remedy,
    });
  const length = parseDuration(duration);
  return [
    ...(/^([01][0-9]|2[0-3]):[0-5][0-9]$/.test(start)
      ? []
      : [problem('/start', `start ${visibleText(start, 60)} is no time of the day`, 'Write hours and minutes, such as "02:00".')]),
    ...(length === 0 ? [problem('/duration', 'duration must be longer than nothing', 'Write a duration, such as 3h.')] : []),
    ...(timeZone === 'device' || isTimeZone(timeZone)
      ? []
      : [
          problem(
            '/timeZone',
            `timeZone ${visibleText(timeZone, 60)} is no time zone such as Europe/Madrid, nor device`,
            'Write an IANA name, or device for the zone of each.',
          ),
        ]),
  ];
}

/** V-65: both slots of a device hold the largest bundle that may be sent. */
function slots(environment: DesiredEnvironment, fleet: Declared<Fleet>): readonly Problem[] {
  const { rollout, delivery } = fleet.value.spec;
  const largest = delivery?.bundle?.maxBytes;
  const size = largest === undefined ? undefined : parseQuantity(largest);
  if (rollout?.strategy !== 'ab-slots' || size === undefined) return [];
  return devicesOf(environment, fleet).flatMap((device) => {
    const storage = device.value.spec.hardware?.storage;
    const free = storage === undefined ? undefined : parseQuantity(storage);
    if (free === undefined || free >= 2n * size) return [];
    return [
      problemOf({
        code: 'device-limits',
        rule: 'V-65',
        severity: 'warning',
        place: device.at('/spec/hardware/storage'),
        message: `device ${quoted(device.value.metadata.name)} has ${quantityText(free, 'size')} free; two slots need ${quantityText(2n * size, 'size')}`,
        remedy: 'Lower delivery.bundle.maxBytes of its fleet, or replace in place: rollout.strategy: replace.',
        related: relatedTo(fleet.at('/spec/delivery/bundle/maxBytes'), 'the largest bundle'),
      }),
    ];
  });
}

/** V-63. */
function sharedDevices(environment: DesiredEnvironment): readonly Problem[] {
  const first = new Map<string, Declared<Fleet>>();
  return environment.fleets.flatMap((fleet) =>
    devicesOf(environment, fleet).flatMap((device) => {
      const { name } = device.value.metadata;
      const other = first.get(name);
      if (other === undefined) {
        first.set(name, fleet);
        return [];
      }
      return [
        problemOf({
          code: 'device-in-two-fleets',
          rule: 'V-63',
          place: device.at('/metadata'),
          message: `device ${quoted(name)} of ${environment.name} is selected by fleets ${visibleText(other.value.metadata.name, 60)} and ${visibleText(fleet.value.metadata.name, 60)}`,
          remedy: 'Change its labels, or what one of the fleets selects.',
          related: [
            ...relatedTo(other.at('/spec'), `fleet ${other.value.metadata.name}`),
            ...relatedTo(fleet.at('/spec'), `fleet ${fleet.value.metadata.name}`),
          ],
        }),
      ];
    }),
  );
}

/** V-62, over all environments: who has the key is the device. */
function keyProblems({ state }: RuleContext): readonly Problem[] {
  const owners = new Map<string, Declared<Device>>();
  return state.environments.flatMap(({ devices }) =>
    devices.flatMap((device) => {
      const text = device.value.spec.identity?.ed25519;
      if (text === undefined) return [];
      const read = readEd25519(text);
      const name = quoted(device.value.metadata.name);
      const place = device.at('/spec/identity/ed25519');
      if (!read.ok)
        return [
          problemOf({
            code: 'device-key',
            rule: 'V-62',
            place,
            message: `key of device ${name} ${read.message}`,
            remedy: 'Write what `openssl pkey -in KEY -pubout -outform DER | base64 -w0` prints.',
          }),
        ];
      const owner = owners.get(read.key);
      if (owner === undefined) {
        owners.set(read.key, device);
        return [];
      }
      const isRetired = owner.value.spec.state === 'retired' || device.value.spec.state === 'retired';
      return [
        problemOf({
          code: 'device-key',
          rule: 'V-62',
          place,
          message: `devices ${quoted(owner.value.metadata.name)} and ${name} share a key${isRetired ? ', and one of them is retired' : ''}`,
          remedy: 'Make a new key on one of the devices and register that.',
          related: relatedTo(owner.at('/spec/identity/ed25519'), 'the same key'),
        }),
      ];
    }),
  );
}
