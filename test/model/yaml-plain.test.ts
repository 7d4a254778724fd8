import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type Json, pointerToken } from '#model/json.ts';
import { createBlockMemory, readPlainBlocks, readPlainYaml } from '#model/yaml-plain.ts';
import { parseYamlText } from '#model/yaml-text.ts';

const root = join(import.meta.dirname, '../..');

/** Values as they stand behind a key, separated by `¦`. */
const WRITTEN = [
  'x¦a b¦a  b¦^1.2.3¦1¦0¦01¦-1¦+1¦1.5¦1e3¦12e45678¦.5¦.inf¦.nan¦0x1f¦0o7¦~¦~x¦null¦Null¦true¦TRUE¦no¦a: b¦a:¦a:b¦a #b¦a#b¦#',
  `"x y"¦"a\\nb"¦'it'¦'it''s'¦{}¦[]¦{a: b}¦[a]¦&a x¦*a¦!t x¦|¦>-¦%x¦@x¦\`x¦ x¦x ¦-¦- x¦?¦? x¦=¦x,y¦99999999999999999¦123456789012345`,
  `https://a.b/c?d¦http://{{a}}.{{b}}:80¦a{b¦a]b¦a, b]¦{{a}}¦]¦a*b¦2026-01-01¦1_000¦é¦\t¦x\t¦...¦---¦"¦'¦¦y`,
].flatMap((line) => line.split('¦'));

/** The whole parser's answer: `---` is nothing for the plain reader, and moves every place down by one line. */
function whole(text: string) {
  return parseYamlText(Buffer.from(`---\n${text}`), 'x.yaml');
}

function agree(text: string): boolean {
  const plain = readPlainYaml(text, 64);
  if (plain === undefined) return false;
  const read = whole(text);
  expect(read.ok ? read.value.value : read.problems.map((problem) => problem.message)).toEqual(plain);
  expect(placesIn(text, pointersOf(plain))).toEqual(placesIn(`---\n${text}`, pointersOf(plain), 1));
  return true;
}

/** Where each pointer, its key and its source stand; `lines` is how many there are above. */
function placesIn(text: string, pointers: readonly string[], lines = 0) {
  const read = parseYamlText(Buffer.from(text), 'x.yaml');
  if (!read.ok) throw new Error(`this is YAML: ${text}`);
  return pointers.map((pointer) => {
    const [value, key] = [read.value.at(pointer), read.value.keyAt(pointer)];
    const shown = ({ line = 0, column = 0 }: { readonly line?: number | undefined; readonly column?: number | undefined }) =>
      `${line - lines}:${column}`;
    return [pointer, value.pointer, shown(value), shown(key), read.value.sourceAt(pointer)];
  });
}

function pointersOf(value: Json, above = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [`${above}/absent`];
  const entries = Object.entries(value).map(([key, item]) => [Array.isArray(value) ? `/${key}` : pointerToken(key), item] as const);
  return [`${above}/absent`, ...entries.flatMap(([token, item]) => [above + token, ...pointersOf(item as Json, above + token)])];
}

function declarations(): readonly string[] {
  return ['environments', 'capsules', 'policies'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  );
}

test('the declarations of this repository read the same both ways, and some of them are plain', () => {
  const plain = declarations().filter(agree);

  expect(plain.length).toBeGreaterThan(3);
});

test('texts made of what YAML can misread are left to the whole parser or read the same', () => {
  const name = fc.constantFrom('a', 'b-c', 'd.e/f', '/g', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'y', 'No');
  const oddKey = fc.constantFrom('null', 'true', '<<', '__proto__', 'constructor', '1', '"q"', '? k', 'a b', 'é');
  const key = fc.oneof({ arbitrary: name, weight: 19 }, { arbitrary: oddKey, weight: 1 });
  const value = fc.oneof(fc.constantFrom(...WRITTEN), fc.string({ maxLength: 6 }), fc.stringMatching(/^[0-9a-f]{1,8}$/));
  const line = fc.oneof(
    { arbitrary: fc.tuple(key, value).map(([before, after]) => `${before}: ${after}`), weight: 6 },
    { arbitrary: key.map((before) => `${before}:`), weight: 3 },
    { arbitrary: value.map((after) => `- ${after}`), weight: 2 },
    { arbitrary: fc.tuple(key, value).map(([before, after]) => `- ${before}: ${after}`), weight: 3 },
    { arbitrary: key.map((before) => `- ${before}:`), weight: 1 },
    fc.constantFrom('', '# note', '---', '...', 'x', ' ', '%YAML 1.1', '\r', '#\rz: 1', '\ufeff'),
  );
  const text = fc
    .array(fc.tuple(fc.constantFrom(0, 0, 0, 0, 2, 2, 4, 1, 6), line), { minLength: 1, maxLength: 6 })
    .map((lines) => lines.map(([indent, words]) => `${' '.repeat(indent)}${words}`).join('\n'));

  let read = 0;
  fc.assert(
    fc.property(text, (one) => {
      if (agree(one)) read += 1;
    }),
    { numRuns: 6_000, seed: 7 },
  );
  expect(read).toBeGreaterThan(100);
});

test('a place in a plain text is the same as in any other', () => {
  const text = 'a:\n  b: c\n  d:\n    - e\n    - f\ng: 1\n';
  const plain = parseYamlText(Buffer.from(text), 'x.yaml');
  const other = whole(text);
  if (!plain.ok || !other.ok) throw new Error('both are YAML');

  for (const pointer of ['', '/a', '/a/b', '/a/d/1', '/g', '/a/absent']) {
    const { line = 0, ...place } = plain.value.at(pointer);
    expect({ ...place, line: line + 1 }).toEqual(pointer === '' ? { ...other.value.at(pointer) } : other.value.at(pointer));
    expect(plain.value.sourceAt(pointer)).toBe(other.value.sourceAt(pointer));
  }
});

test.each([
  ['a key twice', 'a: 1\na: 2\n'],
  ['a forbidden key', 'constructor: 1\n'],
  ['nothing', ''],
  ['a number that changes its look', 'a: 012\n'],
  ['a line that goes on', 'a: b\n  c\n'],
  ['a block that nobody opened', 'a: b\n  c: d\n'],
])('%s is left to the whole parser', (_, text) => {
  expect(readPlainYaml(text, 64)).toBeUndefined();
});

test('a list of maps is plain', () => {
  const text = 'a:\n  - b: 1\n    c:\n      - d\n    e:\n    - f: g\n  - b: 2\n/etc/x:\n- h:\n    i: http://{{name}}:80\n';

  expect(readPlainYaml(text, 64)).toEqual({
    a: [{ b: 1, c: ['d'], e: [{ f: 'g' }] }, { b: 2 }],
    '/etc/x': [{ h: { i: 'http://{{name}}:80' } }],
  });
  expect(agree(text)).toBe(true);
});

test('blocks within blocks have a limit', () => {
  const nested = Array.from({ length: 5 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('') + `${' '.repeat(5)}b: c\n`;

  expect(readPlainYaml(nested, 6)).toEqual({ a: { a: { a: { a: { a: { b: 'c' } } } } } });
  expect(readPlainYaml(nested, 5)).toBeUndefined();
});

const HEAD = 'apiVersion: v1\ncapsules:\n';
const TAIL = 'holds: {}\n';

function block(name: string, version: string): string {
  return `  ${name}:\n    version: ${version}\n    requestedBy:\n      - environment\n`;
}

test('what two texts have in common is read once and is the same object', () => {
  const memory = createBlockMemory();
  const before = readPlainBlocks(`${HEAD}${block('a', '1.0.0')}${block('b', '1.0.0')}${TAIL}`, 64, memory);
  const text = `${HEAD}${block('a', '1.0.0')}${block('b', '1.0.1')}${TAIL}`;
  const after = readPlainBlocks(text, 64, memory);

  expect(after).toEqual(readPlainYaml(text, 64));
  expect(memory.blocks.size).toBe(3);
  expect(entry(after, 'a')).toBe(entry(before, 'a'));
  expect(entry(after, 'b')).toEqual({ version: '1.0.1', requestedBy: ['environment'] });
});

test.each([
  ['the same name twice', `${HEAD}${block('a', '1.0.0')}${block('b', '1.0.0')}${block('a', '1.0.0')}${TAIL}`],
  ['the same name with something else', `${HEAD}${block('a', '1.0.0')}${block('a', '2.0.0')}${TAIL}`],
  ['an entry that is no block', `${HEAD}${block('a', '1.0.0')}  c: 1\n${TAIL}`],
  ['a note between entries', `${HEAD}${block('a', '1.0.0')}  # note\n${block('b', '1.0.0')}${TAIL}`],
  ['a text that goes on', `${HEAD}${block('a', '1.0.0')}  b:\n    version: "1.0\n${block('c', '1.0.0')}${TAIL}`],
  ['no entries', `apiVersion: v1\ncapsules: {}\n${TAIL}`],
])('%s is nothing that is put together from parts', (_, text) => {
  const memory = createBlockMemory();
  readPlainBlocks(`${HEAD}${block('a', '1.0.0')}${block('b', '1.0.0')}${block('c', '1.0.0')}${TAIL}`, 64, memory);

  expect(readPlainBlocks(text, 64, memory)).toBeUndefined();
});

function entry(document: unknown, name: string): unknown {
  const { capsules } = document as { capsules: Record<string, unknown> };
  return capsules[name];
}
