import { expect, test } from 'vitest';

import { schemaArguments } from '#adapters/tools/values-schemas.ts';

function asked(files: Readonly<Record<string, string | Uint8Array>>, version = '3.22.0') {
  const contents = Object.entries(files).map(
    ([path, content]) => [path, typeof content === 'string' ? Buffer.from(content) : content] as const,
  );
  return schemaArguments({ version, files: new Map(contents) });
}

test('the schema of a chart that refers to itself only is obeyed', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft-07/schema#',
    properties: { size: { $ref: '#/$defs/size' }, url: { default: 'https://example.com/' } },
    $defs: { size: { type: 'integer' } },
  };

  expect(asked({ 'chart/Chart.yaml': 'name: c', 'chart/values.schema.json': JSON.stringify(schema) })).toEqual([]);
});

test.each([
  ['a file of this machine', '{"$ref":"file:///etc/passwd"}'],
  ['a server', '{"properties":{"a":[{"$dynamicRef":"http://127.0.0.1/"}]}}'],
  ['a file beside it', '{"allOf":[{"$ref":"other.json"}]}'],
  ['a dialect of somebody else', '{"$schema":"http://127.0.0.1/schema"}'],
  ['a reference whose name is escaped', String.raw`{"\u0024ref":"file:///etc/passwd"}`],
  ['nobody knows what', '{'],
])('a schema of a subchart that leads to %s is not read by helm', (_, schema) => {
  const files = { 'chart/Chart.yaml': 'name: c', 'chart/charts/sub/values.schema.json': schema };

  expect(asked(files)).toEqual(['--skip-schema-validation']);
  expect(asked(files, '4.0.1')).toEqual(['--skip-schema-validation']);
  expect(asked(files, '3.15.4')).toBe('refused');
});

test('what schemas an archive holds is not known, so helm reads none', () => {
  const files = { 'chart/Chart.yaml': 'name: c', 'chart/charts/redis': new Uint8Array([0x1f, 0x8b, 8]) };

  expect(asked(files)).toEqual(['--skip-schema-validation']);
});
