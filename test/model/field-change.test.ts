import fc from 'fast-check';
import { expect, test } from 'vitest';

import { fieldChanges } from '#model/field-change.ts';
import type { Json } from '#model/json.ts';

test('a container is known by its name, wherever it stands in the list', () => {
  const before = { spec: { containers: [{ name: 'web', image: 'a:1', env: [{ name: 'LOG', value: 'info' }] }] } };
  const after = {
    spec: {
      containers: [
        { name: 'proxy', image: 'p:1' },
        { name: 'web', image: 'a:1', env: [{ name: 'LOG', value: 'debug' }] },
      ],
    },
  };

  expect(fieldChanges(before, after)).toEqual([
    { path: '/spec/containers/1/env/0/value', field: 'spec.containers[web].env[LOG].value', before: 'info', after: 'debug' },
    { path: '/spec/containers/0', field: 'spec.containers[proxy]', before: undefined, after: { name: 'proxy', image: 'p:1' } },
  ]);
});

test('another order of named elements is a change of its own', () => {
  expect(fieldChanges([{ name: 'a' }, { name: 'b' }], [{ name: 'b' }, { name: 'a' }])).toEqual([
    { path: '', field: '', before: ['a', 'b'], after: ['b', 'a'] },
  ]);
});

test('arguments are shown whole, not shifted one by one', () => {
  expect(fieldChanges({ args: ['--port', '80'] }, { args: ['-v', '--port', '80'] })).toEqual([
    { path: '/args', field: 'args', before: ['--port', '80'], after: ['-v', '--port', '80'] },
  ]);
  expect(fieldChanges({ args: ['a'] }, { args: ['a'] })).toEqual([]);
});

test('elements without a name differ between equal ends', () => {
  const rule = (verb: string): Json => ({ verbs: [verb] });

  expect(fieldChanges([rule('get'), rule('list')], [rule('get'), rule('watch'), rule('list')])).toEqual([
    { path: '/1', field: '[1]', before: undefined, after: { verbs: ['watch'] } },
  ]);
});

test('a name that two elements share tells nothing apart', () => {
  const twice = [
    { name: 'a', value: 1 },
    { name: 'a', value: 2 },
  ];

  expect(fieldChanges(twice, [twice[0] ?? {}, { name: 'a', value: 3 }])).toEqual([
    { path: '/1/value', field: '[1].value', before: 2, after: 3 },
  ]);
});

test('keys that are no words stand in brackets, keys that objects inherit are keys like others', () => {
  expect(fieldChanges({ labels: { 'a.b/c': '1' } }, { labels: { 'a.b/c': '2' } })).toEqual([
    { path: '/labels/a.b~1c', field: 'labels[a.b/c]', before: '1', after: '2' },
  ]);
  expect(fieldChanges({}, { toString: 'x' })).toEqual([{ path: '/toString', field: 'toString', before: undefined, after: 'x' }]);
});

test('equal values differ nowhere, different ones somewhere', () => {
  const json = fc.jsonValue({ maxDepth: 4 });

  fc.assert(
    fc.property(json, json, (one, other) => {
      const left = JSON.parse(JSON.stringify(one)) as Json;
      const right = JSON.parse(JSON.stringify(other)) as Json;
      expect(fieldChanges(left, JSON.parse(JSON.stringify(left)) as Json)).toEqual([]);
      expect(fieldChanges(left, right).length > 0).toBe(JSON.stringify(sorted(left)) !== JSON.stringify(sorted(right)));
    }),
  );
});

function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
