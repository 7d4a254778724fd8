import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Json } from '#model/json.ts';
import { canonicalJson } from '#model/json.ts';
import { applyPatch } from '#render/json-patch.ts';
import { readOpenSlo } from '#render/open-slo.ts';
import { renderUnit } from '#render/render.ts';
import { unit } from '#test/render/builders.ts';

const KEYS = ['a', 'b', '0', '1', '-', '', '~', '/', '__proto__', 'constructor'];
const value = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.constantFrom('', 'x', '{{name}}'),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('json'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).json;
const pointer = fc
  .array(fc.constantFrom(...KEYS), { maxLength: 4 })
  .map((keys) => keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
const operation = fc.record({
  op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
  path: fc.oneof(pointer, fc.string()),
  from: pointer,
  value,
});

test('a patch of anything by anything ends in a value or a refusal, and changes neither its input nor any prototype', () => {
  fc.assert(
    fc.property(value, fc.array(operation, { maxLength: 4 }), (before, operations) => {
      const text = canonicalJson(before);

      const result = applyPatch(before, operations);

      expect(canonicalJson(before)).toBe(text);
      expect(result.ok ? typeof canonicalJson(result.value) : result.message).toMatch(/./);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
    { numRuns: 1000, seed: 20_261_121 },
  );
});

test('documents that are anything are objectives or a sentence', () => {
  const part = fc.oneof(value, fc.constantFrom<Json>('openslo/v1', 'SLO', { name: 'a' }, [{ duration: '30d' }], [{ target: 0.9 }]));
  const document = fc.record({
    apiVersion: fc.constantFrom<Json>('openslo/v1', 'v1', 1),
    kind: fc.constantFrom<Json>('SLO', 'SLI', null),
    metadata: part,
    spec: fc.record({ timeWindow: part, objectives: part, indicator: part, indicatorRef: part }, { requiredKeys: [] }),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(document, value), { maxLength: 3 }), (documents) => {
      const read = readOpenSlo(documents);
      expect(read.ok ? read.objectives.length : read.message.length).toBeGreaterThan(0);
    }),
    { numRuns: 1000, seed: 20_261_121 },
  );
});

test('files of a capsule that are anything are rendered or named as problems', () => {
  const text = fc.oneof(
    fc.string(),
    value.map((one) => canonicalJson(one)),
    fc.constant('flags: { a: { state: ENABLED } }'),
  );
  fc.assert(
    fc.property(text, text, text, (flags, slo, dashboard) => {
      const result = renderUnit(
        unit('slo: { files: [slo/a.yaml] }\nobservability: { dashboards: [d/a.json] }', {
          files: { 'flags/a.json': flags, 'slo/a.yaml': slo, 'd/a.json': dashboard },
        }),
      );
      const codes = result.ok ? [] : result.problems.map((problem) => problem.code);
      expect(codes).not.toContain('render-failed');
      expect(result.ok || codes.length > 0).toBe(true);
    }),
    { numRuns: 100, seed: 20_261_121 },
  );
});
