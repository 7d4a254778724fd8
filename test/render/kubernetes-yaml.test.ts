import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import type { Json } from '#model/json.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { KUBERNETES_YAML_LIMITS, readKubernetesYaml } from '#model/kubernetes-yaml.ts';

function read(text: string): unknown {
  const result = readKubernetesYaml(text, 'x.yaml');
  return result.ok ? result.value.map((document) => document.value) : result.problems.map((problem) => problem.message);
}

/** What each plain scalar is to kubectl 1.32 (`kubectl label --local -o json`). */
const KUBECTL: readonly (readonly [string, Json])[] = [
  ['on', true], ['yes', true], ['y', true], ['Y', true], ['n', false], ['NO', false], ['off', false], ['tRue', 'tRue'], ['True', true],
  ['~', null], ['Null', null], ['nUll', 'nUll'], ['=', '='], ['2001-01-01', '2001-01-01'], ['2001-01-01T00:00:00Z', '2001-01-01T00:00:00Z'],
  ['0644', 420], ['08', 8], ['018', 18], ['0o17', 15], ['0o8', '0o8'], ['0x1F', 31], ['0X1f', 31], ['0x_1', 1], ['0b11', 3], ['0b12', '0b12'],
  ['-010', -8], ['+0x1F', 31], ['1_000', 1000], ['1__0', 10], ['_1', '_1'], ['+_1', 1], ['1_', 1], ['12:30', '12:30'], ['190:20:30', '190:20:30'],
  ['1e3', 1000], ['1E3', 1000], ['1e', '1e'], ['1.', 1], ['.5', 0.5], ['-.5', -0.5], ['._5', '._5'], ['1._5', 1.5], ['0.1_1', 0.11], ['-0', 0],
  ['-0.0', 0], ['1e400', '1e400'], ['0x1p3', '0x1p3'], ['1.2.3', '1.2.3'], ['.inF', '.inF'], ['Infinity', 'Infinity'], ['nan', 'nan'],
  ['1,000', '1,000'], ['0x-1', '0x-1'], ['+.', '+.'], ['1.7976931348623157e308', 1.7976931348623157e308], ['<<', '<<'], ['0xFFFFFFFFFFFFFFFFF', '0xFFFFFFFFFFFFFFFFF'],
]; // prettier-ignore

describe('reading as kubectl does', () => {
  it.each(KUBECTL)('reads %s as kubectl does', (text, value) => {
    expect(read(`a: ${text}\n`)).toEqual([{ a: value }]);
  });

  it('reads keys as kubectl does', () => {
    expect(read('on: 1\n5: 2\n0x10: 3\n"yes": 4\n')).toEqual([{ true: 1, 5: 2, 16: 3, yes: 4 }]);
  });

  it('leaves out empty documents and keeps the line of the others', () => {
    const result = readKubernetesYaml('---\n# nothing\n---\na: 1\n---\nb: 2\n', 'x.yaml');

    expect(result.ok && result.value).toEqual([
      { value: { a: 1 }, place: { file: 'x.yaml', line: 4, column: 1, pointer: '' } },
      { value: { b: 2 }, place: { file: 'x.yaml', line: 6, column: 1, pointer: '' } },
    ]);
  });

  it('follows anchors and merges, as kubectl does', () => {
    expect(read('base: &b {x: 1, z: 2}\nmore: {<<: *b, z: 3}\nsame: *b\n')).toEqual([
      { base: { x: 1, z: 2 }, more: { x: 1, z: 3 }, same: { x: 1, z: 2 } },
    ]);
  });

  it.each([
    ['a duplicate key', 'a: 1\n"a": 2\n', 'x.yaml has the key "a" twice'],
    ['an integer JSON cannot carry', 'a: 9007199254740993\n', 'integer that JSON readers round'],
    ['a number that is not finite', 'a: .inf\n', 'not a JSON number'],
    ['a directive', '%YAML 1.1\n---\na: 1\n', '%YAML directive'],
    ['a key that reaches a prototype', '__proto__: {a: 1}\n', '"__proto__", which is not allowed'],
    ['a foreign tag', 'a: !!binary aGk=\n', 'has the tag'],
    ['an unknown anchor', 'a: *b\n', 'b'],
    ['a null key', '~: 1\n', 'not text'],
    ['a lone surrogate', 'a: "\\ud800"\n', 'Unicode'],
  ])('refuses %s', (_, text, message) => {
    const result = readKubernetesYaml(text, 'x.yaml');

    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).toContain(JSON.stringify(message).slice(1, -1));
  });

  it('stops at deep nesting, too many aliases and too much text, soon', () => {
    const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefghi'
      .split('')
      .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join(',')}]`)
      .join('\n')}\n`;
    const began = performance.now();

    expect(read('['.repeat(200_000))).toEqual([`x.yaml is nested deeper than ${KUBERNETES_YAML_LIMITS.depth} levels`]);
    expect(read('- '.repeat(2_000))).toEqual([`x.yaml is nested deeper than ${KUBERNETES_YAML_LIMITS.depth} levels`]);
    expect(read(bomb)).toEqual([`x.yaml has more than ${KUBERNETES_YAML_LIMITS.nodes} values (aliases counted)`]);
    expect(read('a'.repeat(KUBERNETES_YAML_LIMITS.bytes + 1))).toEqual([
      `x.yaml is longer than ${KUBERNETES_YAML_LIMITS.bytes} characters`,
    ]);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

const tricky = fc.constantFrom(
  ...KUBECTL.map(([text]) => text), '', ' ', '  a', 'a ', '- a', '-', '--', '---', '...', '?', ': a', 'a: b', 'a:', 'a #b', '#a', '&a', '*a', '!a', '%a', '@a', '`a', '|', '>', '"', "'", '{', '[', ',',
  'a\nb', 'a\nb\n', 'a\n\n', '\na', 'a\n  b\n', 'a\n \nb', 'a\tb', '\ta\nb', 'a\r\nb', 'a\n# b', 'a\n---\nb', '\u0085', '\u2028', '\ufeff', '\u0000', '\u007f', 'é\nü', '😀', '😀\nb', 'a\u0001\nb', '100m', '1Mi', '1E', '1e3m', '0.5Gi', '--port', '--1', '/a b', 'http://a:80/b', 'a :b', 'y', 'N', 'NULL',
  'x'.repeat(600), 'a: b\nc: d\n', 'a\n\n\nb\n', 'a\n  ', 'a\n\tb', '١٢', '12e03', '+1', '0x', '1_0', '.', '..', '1.0', 'Null', '~',
); // prettier-ignore
const text = fc.oneof(
  tricky,
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', ':', '-', '#', '1', '\t') }),
);
const key = text.filter((one) => !['__proto__', 'constructor', 'prototype'].includes(one) && !one.includes('\0'));
const leaf = fc.oneof(
  text.filter((one) => !one.includes('\0')),
  fc.boolean(),
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Number.isInteger(one) || Number.isSafeInteger(one)),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe('writing', () => {
  it('gives back what it was given, to Kubernetes, YAML 1.2 and YAML 1.1', () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true }), (object) => {
        const expected = JSON.parse(JSON.stringify(object).replaceAll(/-0(?=[,}\]])/g, '0')) as Json;
        const written = writeKubernetesYaml(object);

        expect(read(written)).toEqual([expected]);
        expect(parse(written, { version: '1.2' })).toEqual(expected);
        expect(parse(written, { version: '1.1' })).toEqual(expected);
        expect(writeKubernetesYaml(expected)).toBe(written);
      }),
      { numRuns: 1500 },
    );
  });

  it('sorts keys, quotes what a reader could mistake and keeps long texts as blocks', () => {
    const object = { b: ['x', { z: 1, y: [] }, ['q', {}]], a: { on: 'yes', '1': '1.0' }, text: 'one\n  two\n', q: '100m', v: '1.4.2' };

    expect(writeKubernetesYaml(object)).toBe(
      'a:\n  "1": "1.0"\n  "on": "yes"\nb:\n- x\n- "y": []\n  z: 1\n- - q\n  - {}\nq: 100m\ntext: |\n  one\n    two\nv: "1.4.2"\n',
    );
  });

  it('refuses a lone surrogate', () => {
    expect(() => writeKubernetesYaml({ a: '\ud800' })).toThrow('lone surrogate');
  });
});
