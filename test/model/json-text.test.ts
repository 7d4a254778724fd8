import { readdirSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readJsonText } from '#model/json-text.ts';
import { parseYamlText } from '#model/yaml-text.ts';

/** The whole parser's answer: after `---` the short way is not taken. */
function whole(text: string) {
  const read = parseYamlText(Buffer.from(`---\n${text}`), 'x.json');
  return read.ok ? read.value.value : read.problems.map((problem) => problem.message);
}

function agree(text: string): boolean {
  const short = readJsonText(text, 64);
  if (short === undefined) return false;
  expect(whole(text)).toEqual(short);
  return true;
}

test('the schemas of this repository read the same both ways, most of them the short one', () => {
  const folder = new URL('../../schemas/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

  const short = files.filter((name) => agree(readFileSync(new URL(name, folder), 'utf8')));

  expect(short.length).toBeGreaterThan(3);
});

test('texts made of what YAML can misread are left to it or read the same', () => {
  const scalar = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom('a: b', '# x', '- x', '---', '"', '\\', '\u2028', '\u0085', '{', '😀', 'x'.repeat(1200)),
    fc.integer(),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.constantFrom(null, true, false, 9_007_199_254_740_992, 1e21, -0),
  );
  const key = fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.constantFrom('a', '1', 'true', '__proto__', 'constructor', '<<', 'x'.repeat(1100), ''),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, scalar, fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(key, tie('value'), { maxKeys: 3 })),
  }));
  const text = fc
    .tuple(
      fc.dictionary(key, value, { maxKeys: 4 }),
      fc.constantFrom(undefined, 1, 2, '\t'),
      fc.nat(),
      fc.constantFrom('', ',', '"a":1,', ' ', '\n', '}', ' #'),
    )
    .map(([json, indent, at, put]) => {
      const written = JSON.stringify(json, undefined, indent);
      const place = at % (written.length + 1);
      return put === '' ? written : written.slice(0, place) + put + written.slice(place);
    });
  let short = 0;
  fc.assert(
    fc.property(text, (written) => {
      if (agree(written)) short += 1;
    }),
    { numRuns: 3000, seed: 20_261_121 },
  );
  expect(short).toBeGreaterThan(300);
});

test.each([
  '{"a":1,"a":2}',
  '{"a":{"b":1,"b":1}}',
  '[1]',
  '{"a":12345678901234567890}',
  '{"__proto__":1}',
  '{',
  '{"a":1} x',
  '{"a":1e400}',
])('left to the whole parser: %s', (text) => {
  expect(readJsonText(text, 64)).toBeUndefined();
});

test('what nests too deep is left to the whole parser', () => {
  const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

  expect([readJsonText(nested(63), 64), readJsonText(nested(65), 64)]).toEqual([JSON.parse(nested(63)), undefined]);
});
