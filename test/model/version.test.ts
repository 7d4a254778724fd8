import { expect, test } from 'vitest';

import { mergePatch } from '#model/merge-patch.ts';
import { compareVersions, isBoundedAbove, isExactRange, isInRange, isVersion, parseRange, rangesIntersect } from '#model/version.ts';

test.each(['0.0.0', '1.2.3', '10.20.30', '1.0.0-rc.1', '1.0.0-0', '1.0.0-x.7.z.92', '1.0.0--', '1.0.0-0a'])(
  'row 56: %j is a version',
  (text) => {
    expect(isVersion(text)).toBe(true);
  },
);

test.each([
  'v1.2.3',
  ' 1.2.3 ',
  '1.2.3\n',
  '1.2.3+build',
  '1.2.3-rc+b',
  '１.2.3',
  '01.2.3',
  '1.02.3',
  '1.2.3-01',
  `1.2.3-${'a'.repeat(300)}`,
  '1.2',
  '1.2.3.4',
  '',
  '=1.2.3',
  '1.2.3-',
  '1.2.3-a..b',
  '99999999999999999999.0.0',
])('row 56: %j is no version', (text) => {
  expect(isVersion(text)).toBe(false);
});

test('row 57: prereleases order by number, then by letter', () => {
  const sorted = ['1.0.0', '1.0.0-rc.10', '1.0.0-rc.1a', '1.0.0-rc.9'].sort(compareVersions);

  expect(sorted).toEqual(['1.0.0-rc.9', '1.0.0-rc.10', '1.0.0-rc.1a', '1.0.0']);
});

test.each(['', ' ^1.0.0', '^1.0.0\n', 'v1.0.0', '^v1.0.0', '^1.0.0 || ', '^1.0.0+b', 'latest', '^１', '>=1 <2 ; rm', 'x'.repeat(300)])(
  'row 56: %j is no range',
  (text) => {
    expect(parseRange(text)).toBe(undefined);
  },
);

const range = (text: string) => {
  const parsed = parseRange(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};

test.each([
  ['^1.4.0', true],
  ['>=7.2.0 <8.0.0', true],
  ['1.4.2', true],
  ['1.2.3 - 2.0.0', true],
  ['*', false],
  ['>=1.0.0', false],
  ['^1.0.0 || >=3.0.0', false],
  ['>1.0.0', false],
])('%s is bounded above: %s', (text, bounded) => {
  expect(isBoundedAbove(range(text))).toBe(bounded);
});

test('ranges intersect, and one version alone is exact', () => {
  expect(rangesIntersect(range('^1.4.0'), range('>=1.5.0 <3.0.0'))).toBe(true);
  expect(rangesIntersect(range('^1.4.0'), range('^2.0.0'))).toBe(false);
  expect([isExactRange(range('1.4.2')), isExactRange(range('=1.4.2')), isExactRange(range('^1.4.2')), isExactRange(range('*'))]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(isInRange('1.6.0-rc.1', range('^1.5.0-rc.0'))).toBe(false);
});

test.each([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])('RFC 7396 appendix A: %s with %s is %s', (target, patch, result) => {
  expect(mergePatch(JSON.parse(target), JSON.parse(patch))).toEqual(JSON.parse(result));
});

test('row 36: __proto__ in a patch is a key and no prototype', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));

  expect(Object.keys(merged as object)).toEqual(['__proto__']);
  expect(({} as Record<string, unknown>)['polluted']).toBe(undefined);
});
