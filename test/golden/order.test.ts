import { describe, expect, it } from 'vitest';

import type { Json } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { toInstanceName } from '#model/names.ts';
import type { RenderUnit } from '#model/rendering.ts';
import { renderUnit } from '#render/render.ts';
import { capsule } from '#test/golden/golden.ts';
import type { UnitOptions } from '#test/render/builders.ts';

/** The same value with the keys of every map the other way round. */
function reversed<T>(value: T): T {
  const turn = (one: Json): Json => {
    if (Array.isArray(one)) return one.map((item: Json) => turn(item));
    if (!isJsonObject(one)) return one;
    return Object.fromEntries(
      Object.entries(one)
        .toReversed()
        .map(([key, item]): [string, Json] => [key, turn(item)]),
    );
  };
  return turn(value as Json) as T;
}

function texts(unit: RenderUnit): Readonly<Record<string, string>> {
  const result = renderUnit(unit);
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
  return Object.fromEntries(result.value.objects.map((object) => [object.path, `${object.wave ?? 0}\n${object.text}`]));
}

const CASES: readonly (readonly [string, string, UnitOptions])[] = [
  [
    'render-everything',
    'shop',
    {
      config: { size: 3, limits: { b: 2, a: 1 }, hosts: ['a.example', 'b.example'] },
      dependencies: { cache: { instance: 'redis', outputs: { url: 'redis://redis.acme-prod.svc:6379' } } },
      capabilities: { cache: true, queue: false },
    },
  ],
  [
    'render-secrets-and-patches',
    'api',
    {
      wishes: {
        secrets: {
          token: { provider: 'external-secrets', store: 'vault-prod', path: 'kv/api', key: 'api-token' },
          database: { provider: 'external-secrets', store: 'cluster:vault', path: 'kv/api/db' },
        },
      },
    },
  ],
  [
    'render-order',
    'store',
    {
      dependencies: { queue: { instance: 'nats', outputs: { url: 'nats://nats.acme-prod.svc:4222' } } },
      wishes: { dependents: [toInstanceName('billing')] },
    },
  ],
  ['render-monitoring', 'api', {}],
  ['render-scaling', 'shop', { target: { facts: { mesh: 'istio' } } }],
];

describe('the order in which keys and files are written', () => {
  it.each(CASES)('changes no byte of %s', (name, from, options) => {
    const unit = capsule(name, from, options);
    const other: RenderUnit = {
      ...reversed({ ...unit, capsule: undefined, configuration: undefined, pin: undefined, target: undefined }),
      pin: unit.pin,
      target: reversed(unit.target),
      configuration: { ...unit.configuration, value: reversed(unit.configuration.value) },
      capsule: {
        ...unit.capsule,
        declaration: reversed(unit.capsule.declaration),
        files: new Map([...unit.capsule.files].toReversed()),
      },
    };

    expect(Object.keys(texts(unit)).length).toBeGreaterThan(3);
    expect(texts(other)).toEqual(texts(unit));
  });
});
