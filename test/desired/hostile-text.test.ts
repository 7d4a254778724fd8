import { expect, test } from 'vitest';

import { parseDeclaration } from '#desired/desired.ts';
import { toBlobId } from '#model/digest.ts';
import { checkAgainst, compileUserSchema, defaultsOf } from '#model/user-schema.ts';
import { isVersion } from '#model/version.ts';
import { parseYamlText } from '#model/yaml-text.ts';
import { capsule, environment, problemsOf, shown } from '#test/desired/declarations.ts';

function read(text: string | Uint8Array) {
  return parseYamlText(typeof text === 'string' ? new TextEncoder().encode(text) : text, 'f.yaml');
}

function codes(text: string | Uint8Array): readonly string[] {
  const parsed = read(text);
  return parsed.ok ? ['accepted'] : parsed.problems.map((problem) => `${problem.code} ${problem.place.line ?? ''}`);
}

function parseFile(path: string, text: string | Uint8Array) {
  return parseDeclaration({ path, id: toBlobId('0'.repeat(40)), bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text })
    .problems;
}

/** Processor time of this thread bounds the work, whatever else the machine does: quadratic readings of these inputs take tens of seconds. */
function millisecondsOf(work: () => unknown): number {
  const began = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(began);
  return (user + system) / 1000;
}

test('row 20: a large-file pointer in place of a declaration is said to be one', () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n';
  expect(shown(parseFile('environments/project.yaml', pointer))).toEqual([
    'lfs-pointer error environments/project.yaml:1 environments/project.yaml is a pointer to a large file, not the file itself',
  ]);
});

test('row 22: names outside of lower-case letters, digits and hyphens are refused, and never shown raw', () => {
  const names = ['w\u0435b', 'web\u202egpj', 'we\u200bb', 'Web', 'web.', 'web ', 'x'.repeat(4096), 'caf\u00e9', 'we\u0007b'];
  for (const name of names) {
    const problems = parseFile('capsules/web/capsule.yaml', capsule(JSON.stringify(name), '1.0.0'));
    expect(problems).not.toEqual([]);
    expect(problems.map((problem) => problem.message).join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(problems.filter((problem) => problem.message.length > 1000)).toEqual([]);
  }
});

test('row 30: UTF-16 is refused, a byte order mark and CRLF are not', () => {
  expect(codes(Buffer.from('\ufeffa: 1\n', 'utf16le'))).toEqual(['text-not-utf8 1']);
  expect(codes('\ufeffa: 1\r\nb: 2\r\n')).toEqual(['accepted']);
});

test('row 31: aliases are refused before anything is expanded', () => {
  const lines = ['a0: &a0 [x, x]', ...Array.from({ length: 40 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`)];
  expect(millisecondsOf(() => expect(codes(lines.join('\n'))[0]).toBe('yaml-feature 1'))).toBeLessThan(2000);
});

test('row 32: forty thousand keys are read in linear time', () => {
  const text = Array.from({ length: 40_000 }, (_, index) => `key${index}: 1`).join('\n');
  expect(millisecondsOf(() => expect(codes(text)).toEqual(['accepted']))).toBeLessThan(8000);
});

test('row 33: a key twice is an error with both lines, however it is quoted', () => {
  expect(['a: 1\n"a": 2', "a: 1\n'a': 2", 'a: 1\n"\\x61": 2', 'a: 1\n? a\n: 2', '{a: 1, "a": 2}'].map((text) => codes(text))).toEqual([
    ['yaml-feature 2'],
    ['yaml-feature 2'],
    ['yaml-feature 2'],
    ['yaml-feature 2'],
    ['yaml-feature 1'],
  ]);
  const parsed = read('a: 1\nb: 1\n"a": 2');
  expect(parsed.ok ? [] : parsed.problems[0]?.related).toEqual([{ file: 'f.yaml', line: 1, note: 'first here' }]);
});

test('row 34: directives, tags, anchors, merge keys and several documents are refused', () => {
  const texts = [
    '%YAML 1.1\n---\na: no\n',
    'a: !!binary aGk=\n',
    'a: !x 1\n',
    'a: &b 1\n',
    '<<: {a: 1}\n',
    'a: 1\n---\nb: 2\n',
    'a: 1\n...\nb: 2\n',
  ];
  expect(texts.map((text) => codes(text).map((code) => code.split(' ')[0]))).toEqual(texts.map(() => ['yaml-feature']));
});

test('row 35: scalars have the YAML 1.2 reading, and numbers that lose digits are refused', () => {
  const parsed = read('a: no\nb: 0o10\nc: 1e3\nd: 12:30\ne: 1_000\nf: 010\ny: 9007199254740991\n');
  expect(parsed.ok ? parsed.value.value : parsed.problems).toEqual({
    a: 'no',
    b: 8,
    c: 1000,
    d: '12:30',
    e: '1_000',
    f: 10,
    y: 9007199254740991,
  });
  expect(['a: 9007199254740993', 'a: -12345678901234567890', 'a: .inf', 'a: .nan'].map((text) => codes(text))).toEqual([
    ['number-inexact 1'],
    ['number-inexact 1'],
    ['number-inexact 1'],
    ['number-inexact 1'],
  ]);
});

test('row 36: __proto__, constructor and prototype are refused as keys, at any depth', () => {
  expect(['__proto__: {x: 1}', 'a:\n  constructor: 1', 'a:\n  - prototype: 1', '"__proto__": 1'].map((text) => codes(text))).toEqual([
    ['yaml-feature 1'],
    ['yaml-feature 2'],
    ['yaml-feature 2'],
    ['yaml-feature 1'],
  ]);
  expect({}).not.toHaveProperty('x');
});

test('row 37: deep nesting is refused before it is parsed, in flow and in block style', () => {
  const block = Array.from({ length: 1000 }, (_, index) => `${' '.repeat(index)}a:`).join('\n');
  for (const text of [`a: ${'['.repeat(200_000)}`, '- '.repeat(200_000), '{a: '.repeat(100_000), '? '.repeat(200_000), block]) {
    expect(millisecondsOf(() => expect(codes(text)).toHaveLength(1))).toBeLessThan(2000);
  }
  const near = Array.from({ length: 60 }, (_, index) => `${' '.repeat(index)}a:`).join('\n');
  expect(codes(`${near} 1`)).toEqual(['accepted']);
});

test('row 38: size and number of values are capped before parsing', () => {
  expect(codes(new Uint8Array(20_000_000).fill(0x61))).toEqual(['yaml-feature ']);
  expect(millisecondsOf(() => expect(codes('- a\n'.repeat(250_000))[0]).toMatch(/^yaml-feature/))).toBeLessThan(4000);
});

test('row 39: invalid UTF-8 and NUL are refused at their line', () => {
  expect(codes(new Uint8Array([0x61, 0x3a, 0x20, 0x31, 0x0a, 0x62, 0x3a, 0x20, 0xff]))).toEqual(['text-not-utf8 2']);
  expect(codes('a: 1\nb: "\u0000"\n')).toEqual(['text-not-utf8 2']);
});

test('row 40: a catastrophic pattern of a user schema matches in linear time', () => {
  const compiled = compileUserSchema({
    type: 'object',
    additionalProperties: false,
    properties: { a: { type: 'string', pattern: '^(a+)+$' } },
  });
  if (!compiled.ok) throw new Error('must compile');
  expect(millisecondsOf(() => expect(checkAgainst(compiled.schema, { a: `${'a'.repeat(20_000)}!` })).toHaveLength(1))).toBeLessThan(3000);
});

test('row 40: references that multiply are refused, a circle without end refuses every value', () => {
  const doubled = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [
      `d${index}`,
      { allOf: [{ $ref: `#/$defs/d${index + 1}` }, { $ref: `#/$defs/d${index + 1}` }] },
    ]),
  );
  expect(compileUserSchema({ $ref: '#/$defs/d0', $defs: { ...doubled, d40: { type: 'object' } } }).ok).toBe(false);
  const endless = compileUserSchema({ $ref: '#' });
  expect(endless.ok ? checkAgainst(endless.schema, {}).map((finding) => finding.message) : []).toEqual([
    'the configuration schema refers to itself without end',
  ]);
});

test('row 41: references to http or files are refused without looking', () => {
  const refused = ['http://localhost/s.json', 'file:///etc/passwd', 'other.json', '//host/x'].map(
    (reference) => compileUserSchema({ $ref: reference }).ok,
  );
  expect(refused).toEqual([false, false, false, false]);
});

test('row 42: a typing mistake in a field is an error with a suggestion', () => {
  const spec = 'components:\n  web:\n    kind: Deployment\n    scaling:\n      replica: 3';
  expect(shown(parseFile('capsules/web/capsule.yaml', capsule('web', '1.0.0', spec)))).toEqual([
    'unknown-field error capsules/web/capsule.yaml:12 unknown field "replica" in /spec/components/web/scaling; did you mean "replicas"?',
  ]);
});

test('row 43: another apiVersion is one error, and nothing of the file is used', () => {
  const newer = capsule('web', '1.0.0', 'surprise: 1').replace('v1alpha1', 'v2');
  expect(shown(parseFile('capsules/web/capsule.yaml', newer))).toEqual([
    'unknown-api-version error capsules/web/capsule.yaml:1 apiVersion "capstan.dev/v2" is not known to this Capstan',
  ]);
});

test('row 44: two files that declare the same environment are named both', () => {
  const files = { 'environments/dev/environment.yaml': environment('dev', ''), 'environments/dev/environment.yml': environment('dev', '') };
  expect(shown(problemsOf(files))).toEqual([
    'V-04 error environments/dev/environment.yml:1 environment "dev" is declared twice: environments/dev/environment.yaml and environments/dev/environment.yml',
  ]);
});

test('row 45: long circles among capsules and environments are found without exhausting the stack', () => {
  const files: Record<string, string> = {};
  for (let index = 0; index < 300; index += 1) {
    const next = (index + 1) % 300;
    files[`capsules/c${index}/capsule.yaml`] = capsule(
      `c${index}`,
      '1.0.0',
      `dependencies:\n  n:\n    capsule: c${next}\n    version: ^1.0.0`,
    );
    files[`environments/e${index}/environment.yaml`] = environment(`e${index}`, `promotion:\n  from:\n    environments:\n      - e${next}`);
  }
  const rules = problemsOf(files).map((problem) => problem.rule);
  expect([rules.filter((rule) => rule === 'V-19'), rules.filter((rule) => rule === 'V-41')]).toEqual([['V-19'], ['V-41']]);
});

test('row 56: look-alikes of versions are no versions', () => {
  const bad = ['v1.2.3', ' 1.2.3', '1.2.3 ', '1.2.3\n', '1.2.3+a', '１.2.3', '01.2.3', `1.2.3-${'a'.repeat(300)}`, '1.2', '1.2.3.4', ''];
  expect(bad.filter(isVersion)).toEqual([]);
});

test('defaults of nested objects appear only where their parent is there', () => {
  const schema = {
    properties: {
      greeting: { default: 'Hello' },
      cache: { properties: { size: { default: '64mb' } } },
      routes: { additionalProperties: { properties: { rateLimit: { default: 100 } } } },
    },
  };
  expect(defaultsOf(schema, {})).toEqual({ greeting: 'Hello' });
  expect(defaultsOf(schema, { cache: {}, routes: { a: { path: '/' } }, greeting: 'Hi' })).toEqual({
    cache: { size: '64mb' },
    routes: { a: { rateLimit: 100 } },
  });
});

test('a keyword of a schema that is given what it does not take is a mistake in words, not in those of a compiler', () => {
  for (const type of [null, 'text', { a: 1 }, 1] as const) {
    const compiled = compileUserSchema({ type: 'object', properties: { a: { type } } });
    expect(compiled.ok).toBe(false);
    expect(JSON.stringify(compiled)).not.toMatch(/JSONType|\[object /);
  }
});
