import { describe, expect, test } from 'vitest';

import { doubledRow, isObjectPath, PART_LIMITS, partData, readPart, rowLine } from '#adapters/kubernetes/inventory-rows.ts';
import type { Part, Row } from '#adapters/kubernetes/inventory-rows.ts';
import { sha256Of } from '#model/digest.ts';

function row(name: string, rest: Partial<Row> = {}): Row {
  return {
    key: { group: 'apps', kind: 'Deployment', namespace: 'acme', name },
    path: `web/apps_v1_deployment_acme_${name}.yaml`,
    sha256: sha256Of(name),
    pending: false,
    uid: '4be4800a-3e57-4b75-8e81-8c1f9a88ade1',
    owned: sha256Of(`owned ${name}`),
    version: 'v1',
    ...rest,
  };
}

const role = row('x', {
  key: { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: '', name: 'system:a' },
  path: 'web/rbac.authorization.k8s.io_v1_clusterrole_-_system%3Aa.yaml',
});
const part: Part = {
  environment: 'dev',
  target: 'local',
  parts: 2,
  sequence: 7,
  rendering: sha256Of('rendering'),
  rows: [row('a'), row('b', { pending: true, uid: '', owned: undefined }), role],
};

function withRows(rows: string): Readonly<Record<string, string>> {
  return { ...partData(part), rows, rowsSha256: sha256Of(rows) };
}

describe('a part of an inventory', () => {
  test('is read as it was written', () => {
    expect(readPart(partData(part))).toEqual(part);
    expect(readPart(partData({ ...part, rows: [] }))).toEqual({ ...part, rows: [] });
  });

  test('with two thousand rows of usual length stays far below what a ConfigMap holds', () => {
    const rows = Array.from({ length: PART_LIMITS.rows }, (_, index) => row(`${'a-name-of-some-length'.repeat(2)}-${index}`));

    expect(Buffer.byteLength(JSON.stringify(partData({ ...part, rows })))).toBeLessThan(900_000);
  });

  const lines: readonly (readonly [string, string])[] = [
    ['no JSON', '['],
    ['no list', '{}'],
    ['too few cells', '["","ConfigMap"]'],
    ['no digest', rowLine(row('a')).replace(sha256Of('a'), 'abc')],
    ['a path that leaves its folder', rowLine(row('a', { path: '../a.yaml' }))],
    ['a path without an instance', rowLine(row('a', { path: 'a.yaml' }))],
    ['no name', rowLine(row('a', { key: { group: '', kind: 'ConfigMap', namespace: 'acme', name: '' } }))],
    ['a name that is a path', rowLine(row('a', { key: { group: '', kind: 'ConfigMap', namespace: 'acme', name: '../../secrets/s' } }))],
    ['a name that goes up', rowLine(row('a', { key: { group: '', kind: 'ConfigMap', namespace: '..', name: 'a' } }))],
    ['a name with a query', rowLine(row('a', { key: { group: '', kind: 'ConfigMap', namespace: 'acme', name: 'a?x=y' } }))],
    ['no uid', rowLine(row('a', { uid: '' }))],
    ['no digest of its fields', rowLine(row('a', { owned: undefined }))],
    ['a version that is none', rowLine(row('a', { version: '../v1' }))],
    ['a uid that is none', rowLine(row('a', { uid: 'a b' }))],
  ];

  test.each(lines)('is not believed with a row of %s', (_, line) => {
    expect(readPart(withRows(line))).toMatch(/^row 1 is none/);
  });

  test.each([undefined, null, [], {}, { rows: '' }, { ...partData(part), sequence: '-1' }, { ...partData(part), parts: 'two' }])(
    'is not believed as %j',
    (data) => {
      expect(readPart(data)).toEqual(expect.any(String));
    },
  );

  test('is not believed with more rows than one holds', () => {
    const rows = Array.from({ length: PART_LIMITS.rows + 1 }, (_, index) => rowLine(row(`a${index}`))).join('\n');

    expect(readPart(withRows(rows))).toBe('it has more than 2000 rows');
  });

  test('names each object and each path once', () => {
    expect(doubledRow([row('a'), row('b')])).toBeUndefined();
    expect(doubledRow([row('a'), row('a', { path: 'api/a.yaml' })])).toBe('"apps/Deployment/acme/a" is named twice');
    expect(doubledRow([row('a'), row('b', { path: row('a').path })])).toBe('path "web/apps_v1_deployment_acme_a.yaml" is named twice');
  });

  test('takes paths of objects only', () => {
    expect(['web/a.yaml', 'web.cache/core_v1_x_-_a%3A.yaml'].every(isObjectPath)).toBe(true);
    expect(['/a', 'a/', 'a/b/c', '../a', 'a/..', 'a/b\n', 'a\\b'].some(isObjectPath)).toBe(false);
  });
});
