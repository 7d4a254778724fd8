import { describe, expect, test } from 'vitest';

import { readEd25519 } from '#model/ed25519-key.ts';
import { environment } from '#test/desired/declarations.ts';
import { dev, device, fleet, found, web, type Files } from '#test/desired/operation-documents.ts';

/** Public keys of the private keys 7, 7, 7 ... and 9, 9, 9 ... */
const KEY = 'MCowBQYDK2VwAyEA6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=';
const OTHER = 'MCowBQYDK2VwAyEA/RckOFqgx1tk+3jNYC+h2ZH96/drE8WO1wLqyDXp9hg=';
const KIOSKS = 'selector: { matchLabels: { class: kiosk } }';
const EDGE = 'targets: { kiosks: { driver: edge, fleet: kiosks } }\ncapsules: { web: { version: ^1.0.0 } }';

/** A fleet of one device that runs `web`. */
function kiosk(capsule: string, hardware: string): Files {
  return {
    ...web(capsule),
    ...dev(EDGE),
    ...fleet('kiosks', KIOSKS),
    ...device('k1', `state: active\nhardware: ${hardware}`),
  };
}

function waves(...list: readonly string[]): Files {
  const all = list.map((devices, index) => `{ name: w${index}, devices: { ${devices} } }`).join(', ');
  return { ...dev(''), ...fleet('kiosks', `${KIOSKS}\nrollout: { waves: [${all}] }`), ...device('k1', 'state: active') };
}

type Row = readonly [title: string, rule: string, files: Files, expected: readonly string[]];
type NearMiss = readonly [title: string, rule: string, files: Files];

const VIOLATIONS: readonly Row[] = [
  [
    'V-60: another architecture',
    'V-60',
    kiosk('compatibility: { architectures: [amd64, s390x] }', '{ arch: arm64 }'),
    ['error k1:8 web has no arm64 image for device k1 (arm64); it has amd64, s390x'],
  ],
  [
    'V-60: an accelerator that is not there',
    'V-60',
    kiosk(
      'components: { web: { kind: Deployment, image: a, resources: { accelerators: { nvidia.com/gpu: 1 } } } }',
      '{ accelerators: {} }',
    ),
    ['error k1:8 web needs 1 nvidia.com/gpu; device k1 has 0'],
  ],
  [
    'V-60: too large, all replicas and buffers together',
    'V-60',
    kiosk(
      'components: { web: { kind: Deployment, image: a, scaling: { replicas: 3 }, resources: { cpu: { request: 500m }, memory: { request: 1Gi, buffer: 512Mi } } } }',
      '{ cpu: 1, memory: 4Gi, storage: 1Gi }',
    ),
    [
      'error k1:8 dev asks for 1500m of cpu on device "k1", which has 1; most for web',
      'error k1:8 dev asks for 4608Mi of memory on device "k1", which has 4Gi; most for web',
    ],
  ],
  [
    'V-61: waves that end at 60 %',
    'V-61',
    waves('percent: 10', 'percent: 60'),
    ['error kiosks:7 fleet "kiosks": waves end at 60%; the last wave must cover 100%'],
  ],
  [
    'V-61: waves that end with two devices',
    'V-61',
    waves('count: 1', 'count: 2'),
    ['error kiosks:7 fleet "kiosks": waves end at 2 devices; the last wave must cover 100%'],
  ],
  [
    'V-61: waves that fall',
    'V-61',
    waves('count: 5', 'percent: 50', 'count: 2', 'percent: 20', 'percent: 100'),
    [
      'error kiosks:7 fleet "kiosks": wave "w2" covers 2 devices, less than 5 devices before it',
      'error kiosks:7 fleet "kiosks": wave "w3" covers 20%, less than 50% before it',
    ],
  ],
  [
    'V-62: one key of two devices, in two environments',
    'V-62',
    {
      ...dev(''),
      'environments/prod/environment.yaml': environment('prod', ''),
      ...device('k1', `state: retired\nidentity: { ed25519: ${KEY} }`),
      ...device('k2', `state: active\nidentity: { ed25519: ${KEY} }`, 'prod'),
    },
    ['error k2:8 devices "k1" and "k2" share a key, and one of them is retired'],
  ],
  [
    'V-62: a key of another kind',
    'V-62',
    { ...dev(''), ...device('k1', 'state: active\nidentity: { ed25519: AAAAC3NzaC1lZDI1NTE5AAAA }') },
    ['error k1:8 key of device "k1" is no Ed25519 key in SPKI DER'],
  ],
  [
    'V-63: a device of two fleets',
    'V-63',
    { ...dev(''), ...fleet('kiosks', KIOSKS), ...fleet('named', 'devices: [k1]'), ...device('k1', 'state: active') },
    ['error k1:3 device "k1" of dev is selected by fleets kiosks and named'],
  ],
  [
    'V-65: stale after two polls',
    'V-65',
    {
      ...dev(''),
      ...fleet('kiosks', `${KIOSKS}\ndelivery: { pollInterval: 10m }\noffline: { maxStaleness: 29m }`),
      ...device('k1', 'state: active'),
    },
    ['warning kiosks:8 fleet "kiosks": maxStaleness 29m is less than 3 polls of 10m'],
  ],
  [
    'V-65: no room for two slots',
    'V-65',
    {
      ...dev(''),
      ...fleet('kiosks', `${KIOSKS}\nrollout: { strategy: ab-slots }\ndelivery: { bundle: { maxBytes: 1Gi } }`),
      ...device('k1', 'state: active\nhardware: { storage: 2047Mi }'),
    },
    ['warning k1:8 device "k1" has 2047Mi free; two slots need 2Gi'],
  ],
  [
    'V-91: the window of a fleet',
    'V-91',
    {
      ...dev(''),
      ...fleet('kiosks', `${KIOSKS}\ndelivery: { window: { start: "25:00", duration: 0s, timeZone: Nowhere } }`),
      ...device('k1', 'state: active'),
    },
    [
      'error kiosks:7 window of fleet "kiosks": start 25:00 is no time of the day',
      'error kiosks:7 window of fleet "kiosks": duration must be longer than nothing',
      'error kiosks:7 window of fleet "kiosks": timeZone Nowhere is no time zone such as Europe/Madrid, nor device',
    ],
  ],
];

const NEAR_MISSES: readonly NearMiss[] = [
  [
    'V-60: just what the device has',
    'V-60',
    kiosk(
      'compatibility: { architectures: [arm64] }\ncomponents: { web: { kind: Deployment, image: a, scaling: { replicas: 2 }, resources: { cpu: { request: 500m }, memory: { request: 1Gi }, accelerators: { tpu: 2 } } } }',
      '{ arch: arm64, cpu: 1, memory: 2Gi, accelerators: { tpu: 2 } }',
    ),
  ],
  [
    'V-60: what a device does not say',
    'V-60',
    kiosk(
      'compatibility: { architectures: [amd64] }\ncomponents: { web: { kind: Deployment, image: a, resources: { accelerators: { tpu: 2 } } } }',
      '{ memory: 2Gi }',
    ),
  ],
  [
    'V-60: a device that is retired',
    'V-60',
    {
      ...web('compatibility: { architectures: [amd64] }'),
      ...dev(EDGE),
      ...fleet('kiosks', KIOSKS),
      ...device('k1', 'state: retired\nhardware: { arch: arm64 }'),
    },
  ],
  ['V-61: waves that end at 100 %', 'V-61', waves('count: 2', 'percent: 10', 'percent: 10', 'percent: 100')],
  [
    'V-62: two keys',
    'V-62',
    {
      ...dev(''),
      ...device('k1', `state: active\nidentity: { ed25519: ${KEY} }`),
      ...device('k2', `state: active\nidentity: { ed25519: ${OTHER} }`),
    },
  ],
  [
    'V-63: a device that is retired',
    'V-63',
    { ...dev(''), ...fleet('kiosks', KIOSKS), ...fleet('named', 'devices: [k1]'), ...device('k1', 'state: retired') },
  ],
  [
    'V-65: three polls, and just two slots',
    'V-65',
    {
      ...dev(''),
      ...fleet(
        'kiosks',
        `${KIOSKS}\nrollout: { strategy: ab-slots }\ndelivery: { pollInterval: 10m, bundle: { maxBytes: 1Gi } }\noffline: { maxStaleness: 30m }`,
      ),
      ...device('k1', 'state: active\nhardware: { storage: 2Gi }'),
    },
  ],
  [
    'V-91: the window of a fleet in the zone of each device',
    'V-91',
    {
      ...dev(''),
      ...fleet('kiosks', `${KIOSKS}\ndelivery: { window: { start: "02:00", duration: 3h, timeZone: device } }`),
      ...device('k1', 'state: active'),
    },
  ],
];

describe('found', () => {
  test.each(VIOLATIONS)('%s', (_, rule, files, expected) => {
    expect(found(rule, files)).toEqual(expected);
  });
});

describe('near misses', () => {
  test.each(NEAR_MISSES)('%s', (_, rule, files) => {
    expect(found(rule, files)).toEqual([]);
  });
});

describe('the key of a device', () => {
  const spki = (hex: string): string => Buffer.from(`302a300506032b6570032100${hex}`, 'hex').toString('base64');

  test('is read to its 32 bytes', () => {
    expect(readEd25519(KEY)).toEqual({ ok: true, key: Buffer.from(KEY, 'base64').subarray(12).toString('hex') });
  });

  test.each([
    ['spaces around it', ` ${KEY}`, 'is not base64 in its one canonical form'],
    ['its padding cut off', KEY.replace(/=*$/, ''), 'is not base64 in its one canonical form'],
    ['the alphabet of addresses', spki('fb'.repeat(32)).replaceAll('+', '-'), 'is not base64 in its one canonical form'],
    ['no point of the curve', spki(`02${'00'.repeat(31)}`), 'is no point of the curve'],
    ['a number above the prime', spki(`ed${'ff'.repeat(30)}7f`), 'is no point of the curve'],
    ['the neutral point', spki(`01${'00'.repeat(31)}`), 'is a point of small order, whose signatures prove nothing'],
    ['a point of order two', spki(`ec${'ff'.repeat(30)}7f`), 'is a point of small order, whose signatures prove nothing'],
    ['a point of order four', spki('00'.repeat(32)), 'is a point of small order, whose signatures prove nothing'],
    [
      'a point of order eight',
      spki('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
      'is a point of small order, whose signatures prove nothing',
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(readEd25519(text)).toEqual({ ok: false, message });
  });
});
