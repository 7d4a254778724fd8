import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { toCapsuleName, toInstanceName, toTargetName } from '#model/names.ts';
import { configurationLayers, mergeConfiguration } from '#resolve/resolve.ts';
import { capsule, declared, environment, placeAt } from '#test/resolve/worlds.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    greeting: { type: 'string', default: 'Hello' },
    replicas: { type: 'integer', default: 2 },
    cache: { type: 'object', properties: { size: { type: 'integer', default: 64 }, ttl: { type: 'string' } } },
    pools: { type: 'object', additionalProperties: { $ref: '#/$defs/pool' } },
  },
  $defs: { pool: { type: 'object', properties: { size: { type: 'integer', default: 1 } } } },
};
const schema = { value: SCHEMA, at: placeAt('schema') };
const layer = (name: string, value: JsonObject) => ({ name, value, at: placeAt(name) });
const from = (merged: ReturnType<typeof mergeConfiguration>) =>
  Object.fromEntries([...merged.configuration.origins].map(([pointer, place]) => [pointer, `${place.file}${place.pointer}`]));

test('layers merge from low to high, and every leaf knows where it came from', () => {
  const merged = mergeConfiguration(
    [layer('capsule', { greeting: 'Hi', cache: { ttl: '1m' } }), layer('env', { replicas: 5, cache: { ttl: '5m' } })],
    schema,
    [],
  );

  expect(merged.configuration.value).toEqual({ greeting: 'Hi', replicas: 5, cache: { size: 64, ttl: '5m' } });
  expect(from(merged)).toEqual({
    '/greeting': 'capsule/greeting',
    '/replicas': 'env/replicas',
    '/cache/size': 'schema/properties/cache/properties/size/default',
    '/cache/ttl': 'env/cache/ttl',
  });
  expect(merged.warnings).toEqual([]);
});

test('nested defaults come into being with their object, and not without it', () => {
  const value = (...layers: JsonObject[]) =>
    mergeConfiguration(
      layers.map((one, at) => layer(`l${at}`, one)),
      schema,
      [],
    ).configuration.value;

  expect(value()).toEqual({ greeting: 'Hello', replicas: 2 });
  expect(value({ cache: {} })).toEqual({ greeting: 'Hello', replicas: 2, cache: { size: 64 } });
  expect(value({ cache: { size: null } })).toEqual({ greeting: 'Hello', replicas: 2, cache: {} });
  expect(value({ cache: { size: 5 } }, { cache: null }, { cache: {} })).toEqual({ greeting: 'Hello', replicas: 2, cache: { size: 64 } });
  expect(value({ pools: { a: {}, b: { size: 3 } } })).toEqual({
    greeting: 'Hello',
    replicas: 2,
    pools: { a: { size: 1 }, b: { size: 3 } },
  });
});

test('null deletes, keeps the place of the deletion, and warns where it deletes nothing', () => {
  const merged = mergeConfiguration([layer('env', { greeting: null, cache: null })], schema, []);

  expect(merged.configuration.value).toEqual({ replicas: 2 });
  expect(from(merged)['/greeting']).toBe('env/greeting');
  expect(merged.warnings.map((one) => [one.rule, one.code, one.message, one.place.pointer])).toEqual([
    ['V-78', 'null-deletes-nothing', 'null at /cache deletes nothing', '/cache'],
  ]);
});

test('a leaf that repeats a lower layer is a warning, arrays as a whole; a schema default may be repeated', () => {
  const merged = mergeConfiguration(
    [layer('capsule default', { a: [1, 2], replicas: 2 }), layer('environment', { a: [1, 2], replicas: 2, greeting: 'Hello' })],
    schema,
    [],
  );

  expect(merged.warnings.map((one) => one.message)).toEqual([
    '/a repeats the value of the capsule default',
    '/replicas repeats the value of the capsule default',
  ]);
});

test('dynamic keys count in one digest and not in the other', () => {
  const merge = (greeting: string, size: number) =>
    mergeConfiguration([layer('env', { greeting, cache: { size } })], schema, ['greeting', 'cache.size']);

  const a = merge('Hi', 1).configuration;
  const b = merge('Ho', 2).configuration;

  expect(a.sha256).toBe(sha256Of('{"cache":{"size":1},"greeting":"Hi","replicas":2}'));
  expect(a.staticSha256).toBe(sha256Of('{"cache":{},"replicas":2}'));
  expect([a.sha256 === b.sha256, a.staticSha256 === b.staticSha256]).toEqual([false, true]);
});

test('row 36: a schema that refers to itself, and keys named like prototypes, do no harm', () => {
  const loop: JsonObject = { $ref: '#', properties: { a: { $ref: '#/properties/a', default: 1 } } };
  const merged = mergeConfiguration(
    [layer('env', JSON.parse('{"__proto__":{"x":1},"constructor":{"y":2}}'))],
    { value: loop, at: placeAt('s') },
    [],
  );

  expect(JSON.stringify(merged.configuration.value)).toBe('{"a":1,"__proto__":{"x":1},"constructor":{"y":2}}');
  expect(({} as Record<string, unknown>)['x']).toBe(undefined);
});

test('the layers of an instance are those of capsule, environment, file, target, fleet and device', () => {
  const dev = {
    ...environment('dev', { greeter: { version: '*', config: { l: 'request' } } }, { config: { l: 'global' } }),
    configs: new Map([[toInstanceName('greeter'), declared({ l: 'file' }, 'environments/dev/config/greeter.yaml')]]),
  };
  const target = {
    name: toTargetName('eu-1'),
    value: { driver: 'edge', config: { t: 'target' }, overrides: { greeter: { config: { l: 'override' } } } },
    at: placeAt('target'),
  };
  const fleet = declared(
    {
      apiVersion: 'capstan.dev/v1alpha1',
      kind: 'Fleet',
      metadata: { name: 'kiosks' },
      spec: { capsules: { greeter: { config: { l: 'fleet' } } } },
    } as const,
    'fleet',
  );
  const device = declared(
    {
      apiVersion: 'capstan.dev/v1alpha1',
      kind: 'Device',
      metadata: { name: 'k1' },
      spec: { state: 'active', overrides: { greeter: { config: { l: 'device' } } } },
    } as never,
    'device',
  );

  const layers = configurationLayers({
    environment: dev,
    target,
    instance: toInstanceName('greeter'),
    capsule: {
      name: toCapsuleName('greeter'),
      declared: declared(capsule('greeter', '1.0.0', { config: { defaults: { l: 'capsule' } } }), 'capsule'),
    },
    fleet,
    device,
  });

  expect(layers.map((one) => [one.name, one.value])).toEqual([
    ['capsule default', { l: 'capsule' }],
    ['environment', { global: { l: 'global' } }],
    ['environment', { l: 'request' }],
    ['environments/dev/config/greeter.yaml', { l: 'file' }],
    ['target eu-1', { global: { t: 'target' } }],
    ['target eu-1', { l: 'override' }],
    ['fleet kiosks', { l: 'fleet' }],
    ['device k1', { l: 'device' }],
  ]);
  expect(layers[1]?.at('/global/l').pointer).toBe('/spec/config/l');
  expect(layers[5]?.at('/l').pointer).toBe('/overrides/greeter/config/l');
});

test('the configuration of a recipe lies above the capsule and below what the environment says of the instance', () => {
  const dev = environment(
    'dev',
    { redis: { version: '*', config: { l: 'request' } } },
    { recipes: { cache: { capsule: 'redis', config: { l: 'cache' } }, queue: { capsule: 'redis', config: { l: 'queue' } } } },
  );
  const target = { name: toTargetName('eu-1'), value: { driver: 'directory', path: 'x' }, at: placeAt('target') } as const;
  const capsuleOf = {
    name: toCapsuleName('redis'),
    declared: declared(capsule('redis', '7.2.0', { config: { defaults: { l: 'capsule' } } }), 'capsule'),
  };
  const layers = configurationLayers({
    environment: dev,
    target,
    instance: toInstanceName('redis'),
    capsule: capsuleOf,
    recipes: ['cache', 'queue'],
  });

  expect(layers.map((one) => [one.name, one.value, one.at('/l').pointer])).toEqual([
    ['capsule default', { l: 'capsule' }, '/spec/config/defaults/l'],
    ['recipe cache', { l: 'cache' }, '/spec/recipes/cache/config/l'],
    ['recipe queue', { l: 'queue' }, '/spec/recipes/queue/config/l'],
    ['environment', { l: 'request' }, '/spec/capsules/redis/config/l'],
  ]);
});
