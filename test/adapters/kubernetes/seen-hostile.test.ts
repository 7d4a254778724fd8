import { expect, test } from 'vitest';

import { changedBy } from '#adapters/kubernetes/changed-by.ts';
import { toFound } from '#adapters/kubernetes/lookups.ts';
import type { SeenObject } from '#adapters/kubernetes/seen-object.ts';
import { distil } from '#adapters/kubernetes/seen.ts';
import type { Json, JsonObject } from '#model/json.ts';
import type { DriftIgnore } from '#model/plan.ts';

const KIND = { group: 'example.com', kind: 'Thing' };

interface Parts {
  readonly fields?: string;
  readonly managedFields?: Json;
  readonly metadata?: JsonObject;
  readonly rest?: JsonObject;
}

function thing({ fields = '{"f:spec":{}}', managedFields, metadata = {}, rest = { spec: { a: 1 } } }: Parts): JsonObject {
  const ours: Json = [{ manager: 'capstan', operation: 'Apply', fieldsV1: JSON.parse(fields) as Json }];
  return {
    metadata: { name: 'a', namespace: 'b', uid: 'u', resourceVersion: '1', managedFields: managedFields ?? ours, ...metadata },
    ...rest,
  };
}

function seen(parts: Parts, ignore: readonly DriftIgnore[] = []): SeenObject | undefined {
  return distil(KIND, thing(parts), ignore);
}

function nested(open: string, inner: string, close: string): string {
  return open.repeat(100_000) + inner + close.repeat(100_000);
}

test.each([
  ['fields', { fields: nested('{"f:spec":', '{}', '}') }],
  ['fields and values', { fields: nested('{"f:a":', '{}', '}'), rest: JSON.parse(nested('{"a":', '1', '}')) as JsonObject }],
  ['values', { rest: { spec: JSON.parse(nested('{"a":', '1', '}')) as Json } }],
  ['lists', { rest: { spec: JSON.parse(nested('[', '', ']')) as Json } }],
])('%s that are nested without end are nobody’s', (_, parts) => {
  expect(seen(parts)?.owned).toBeUndefined();
});

test('a status that is nested without end is left out', () => {
  const status = { phase: 'Ready', deep: JSON.parse(nested('{"a":[', '1', ']}')) as Json };

  expect(seen({ rest: { spec: {}, status } })?.live.object).toEqual({ status: { phase: 'Ready' } });
});

test('of a status without measure the small fields are kept', () => {
  const conditions = [{ type: 'Ready', status: 'True' }];
  const status = { conditions, history: Array.from({ length: 100_000 }, (_, index) => ({ index })), note: 'x'.repeat(1_000_000) };

  expect(seen({ rest: { spec: { replicas: 1 }, status } })?.live.object).toEqual({ spec: { replicas: 1 }, status: { conditions } });
});

test.each<[string, Parts]>([
  ['no list', { managedFields: 'x' }],
  ['a list of anything', { managedFields: [null, 1, 'x', [], {}] }],
  ['without fields', { managedFields: [{ manager: 'capstan', operation: 'Apply' }] }],
  ['of an Update', { managedFields: [{ manager: 'capstan', operation: 'Update', fieldsV1: { 'f:spec': {} } }] }],
  ['of a subresource', { managedFields: [{ manager: 'capstan', operation: 'Apply', subresource: 'status', fieldsV1: { 'f:spec': {} } }] }],
  ['fields that are no map', { managedFields: [{ manager: 'capstan', operation: 'Apply', fieldsV1: [{ 'f:spec': {} }] }] }],
])('managed fields that are %s name nothing of ours', (_, parts) => {
  expect(seen(parts)).toMatchObject({ owned: undefined, uid: 'u' });
});

test.each([
  '{"f:spec":{"x:a":{}}}',
  '{"f:spec":1}',
  '{"spec":{}}',
  '{"f:list":{"k:":{}}}',
  '{"f:list":{"k:{":{}}}',
  '{"f:list":{"k:[]":{}}}',
  '{"f:list":{"k:{}":{}}}',
  '{"f:list":{"k:{\\"name\\":{\\"a\\":1}}":{}}}',
  '{"f:list":{"k:{\\"__proto__\\":\\"x\\"}":{}}}',
  '{"f:list":{"v:":{}}}',
  '{"f:list":{"v:{}":{}}}',
  '{"f:list":{"i:99":{}}}',
  '{"f:list":{"i:-1":{}}}',
  '{"f:list":{"i:1e3":{}}}',
  '{"f:list":{"f:length":{}}}',
  '{"f:__proto__":{"f:toString":{}}}',
  '{"f:constructor":{"f:name":{}}}',
  '{"f:spec":{"f:__proto__":{}}}',
  '{"f:spec":{"f:hasOwnProperty":{}}}',
])('%s names nothing that is there', (fields) => {
  expect(seen({ fields, rest: { spec: { a: 1 }, list: [{ name: 'a' }, 'b'] } })?.owned).toBeUndefined();
});

test('keys that reach for prototypes are plain fields', () => {
  const rest = (value: number): JsonObject =>
    JSON.parse(`{"spec":{"__proto__":{"a":${value}}},"status":{"__proto__":{"x":1},"constructor":2}}`) as JsonObject;
  const fields = '{"f:spec":{"f:__proto__":{"f:a":{}}}}';
  const [one, two] = [seen({ fields, rest: rest(1) }), seen({ fields, rest: rest(2) })];

  expect(one?.owned).toMatch(/^[0-9a-f]{64}$/);
  expect(two?.owned).not.toBe(one?.owned);
  expect(JSON.stringify(one?.live.object)).toBe('{"status":{"__proto__":{"x":1},"constructor":2}}');
  expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
});

test.each<[string, JsonObject]>([
  ['no name', { name: '' }],
  ['a name that is none', { name: 5 }],
  ['a name without end', { name: 'x'.repeat(100_000) }],
  ['no uid', { uid: '' }],
  ['a uid without end', { uid: 'x'.repeat(100_000) }],
  ['no version', { resourceVersion: null }],
  ['a namespace without end', { namespace: 'x'.repeat(100_000) }],
])('something with %s is no object', (_, metadata) => {
  expect(seen({ metadata })).toBeUndefined();
});

test.each<[string, readonly string[]]>([
  ['{"f:list":{"k:{":{},"k:1":{},"v:{":{},"x":{}}}', []],
  ['{"f:__proto__":{},"f:toString":{}}', []],
  ['{"f:spec":1,"f:list":[]}', []],
  [`{"f:note":{"f:${'x'.repeat(5_000)}":{}}}`, ['them']],
  [nested('{"f:spec":', '{}', '}'), ['them']],
])('who holds what of git’s is asked of any fields: %.40s', (fields, who) => {
  const managedFields = [{ manager: 'them', operation: 'Update', fieldsV1: JSON.parse(fields) as Json }];
  const object = seen({ managedFields });

  expect(object && changedBy(object, { spec: { a: 1 }, list: [{ name: 'a' }, 'b'] })).toEqual(who);
});

test('ten thousand managers are fifty short names', () => {
  const managedFields = Array.from({ length: 10_000 }, (_, index) => ({ manager: `${index}-${'x'.repeat(1000)}`, fieldsV1: {} }));

  const managers = seen({ managedFields })?.managers ?? [];

  expect(managers).toHaveLength(50);
  expect(managers.every((name) => name.length <= 128)).toBe(true);
});

const NAMES = Array.from({ length: 20_000 }, (_, index) => `n${index}`);

function longList(value: number, keys: readonly JsonObject[]): SeenObject | undefined {
  const fields = Object.fromEntries(keys.map((key) => [`k:${JSON.stringify(key)}`, { 'f:value': {} }]));
  const list = NAMES.map((name, index) => ({ name, value: index === NAMES.length - 1 ? value : 0 }));
  return seen({ fields: JSON.stringify({ 'f:list': fields }), rest: { list } });
}

test('a list of as many items as a server can store is walked once', () => {
  const keys = NAMES.map((name) => ({ name }));

  expect(longList(1, keys)?.owned).toMatch(/^[0-9a-f]{64}$/);
  expect(longList(2, keys)?.owned).not.toBe(longList(1, keys)?.owned);
});

test('a list of items with ever other keys is not walked for each', () => {
  const keys = NAMES.map((name) => ({ [name]: 0, name }));

  expect(longList(1, keys)).toMatchObject({ owned: undefined });
});

test('an ignored path may say anything', () => {
  const paths = ['', '/', '/spec/__proto__', '/list/*/=', '/list/=b', '/list/a=/x', `/${'a/'.repeat(10_000)}`];
  const rest: JsonObject = { spec: { a: 1 }, list: [{ name: 'a' }, 'b'] };
  const fields = '{"f:spec":{"f:a":{}},"f:list":{"k:{\\"name\\":\\"a\\"}":{},"v:\\"b\\"":{}}}';
  const rules = paths.map((path): DriftIgnore => ({ group: undefined, kind: undefined, name: undefined, paths: [path] }));

  const owned = rules.map((rule) => seen({ fields, rest }, [rule])?.owned);

  expect(owned[0]).toBeUndefined();
  expect(owned[4]).not.toBe(seen({ fields, rest })?.owned);
  expect(new Set([...owned.slice(1, 4), ...owned.slice(5)])).toEqual(new Set([seen({ fields, rest })?.owned]));
});

test('fields of somebody else that are nested without end are told apart by the version', () => {
  const key = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'theirs' };
  const nested = JSON.parse(`${'{"f:a":'.repeat(20_000)}{}${'}'.repeat(20_000)}`) as JsonObject;
  const at = (resourceVersion: string): JsonObject => ({
    metadata: {
      name: 'theirs',
      namespace: 'shop',
      uid: 'u',
      resourceVersion,
      managedFields: [{ manager: 'other', operation: 'Update', fieldsV1: nested }],
    },
  });

  const [first, same, other] = ['7', '7', '8'].map((version) => toFound(key, at(version))?.holders);

  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect([same === first, other === first]).toEqual([true, false]);
});
