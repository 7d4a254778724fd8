import { expect, test } from 'vitest';

import { openApiBreaks } from '#desired/rules/openapi-removals.ts';
import { schemaNarrowings } from '#desired/rules/schema-narrowing.ts';
import { findSuppressions } from '#desired/suppressions.ts';
import { toInstant } from '#model/instant.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { checkAgainst, compileUserSchema, defaultsOf } from '#model/user-schema.ts';
import { readWindow, spansOf } from '#model/window.ts';
import { environment } from '#test/desired/declarations.ts';
import { found } from '#test/desired/operation-documents.ts';

const NUMBERS = (count: number, from = 0): readonly number[] => Array.from({ length: count }, (_, at) => from + at);

/** Processor time of this thread bounds the work, whatever else the machine does: without limits each of these takes many times as long. */
function millisecondsOf(work: () => unknown): number {
  const began = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(began);
  return (user + system) / 1000;
}

function keys(count: number, name: string, value: JsonObject): JsonObject {
  return Object.fromEntries(NUMBERS(count).map((at) => [`${name}${at}`, value]));
}

test('lines of blanks around and after suppressions are read once', () => {
  const blanks = ' '.repeat(1900);
  const line = `# capstan-ignore V-14: why it is so${blanks}x\n`;
  const after = `# capstan-ignore V-14: it is moved by hand, until 2027-01-31\n${' '.repeat(500_000)}x\n`;

  expect(millisecondsOf(() => findSuppressions(Buffer.from(line.repeat(200)), 'f'))).toBeLessThan(1000);
  expect(millisecondsOf(() => findSuppressions(Buffer.from(after), 'f'))).toBeLessThan(1000);
  expect(findSuppressions(Buffer.from(after), 'f').suppressions.map(({ line: at }) => at)).toEqual([2]);
});

test('marks of comments in a line of CODEOWNERS are looked for once', () => {
  const files = { 'environments/prod/environment.yaml': environment('prod', '', 'high') };
  const text = `${' #'.repeat(200_000)}\u2028x`;

  expect(millisecondsOf(() => found('V-86', files, { codeOwners: { path: 'CODEOWNERS', text } }))).toBeLessThan(1500);
});

test('references that say a large schema many times are followed only so far', () => {
  const part = { $ref: '#/$defs/large' };
  const schema: JsonObject = {
    $defs: { large: { properties: keys(1500, 'k', { type: 'string' }) }, all: { allOf: NUMBERS(300).map(() => part) } },
    properties: keys(1000, 'p', { $ref: '#/$defs/all' }),
  };
  const demanding: JsonObject = {
    $defs: { all: { required: NUMBERS(20_000).map(String) } },
    properties: keys(5000, 'p', { $ref: '#/$defs/all' }),
  };

  expect(millisecondsOf(() => schemaNarrowings(schema, schema, undefined))).toBeLessThan(2000);
  expect(schemaNarrowings({ properties: keys(5000, 'p', {}) }, demanding, undefined).length).toBeLessThanOrEqual(1000);
});

test('long lists of values are compared in linear time', () => {
  const [before, after] = [{ enum: NUMBERS(60_000) }, { enum: NUMBERS(60_000, 1_000_000) }];

  expect(millisecondsOf(() => expect(schemaNarrowings(before, after, undefined)).toHaveLength(1))).toBeLessThan(1500);
});

test('an operation that every path refers to does not make a message of each of its responses', () => {
  const api = (responses: JsonObject): Uint8Array =>
    Buffer.from(
      JSON.stringify({
        paths: keys(5000, '/', { $ref: '#/components/x' }),
        components: { x: { get: { responses } } },
      }),
    );

  expect(openApiBreaks(api(keys(20_000, 'r', {})), api({}))).toHaveLength(1000);
});

test.each(['MONTHLY;COUNT=100000;BYDAY=-1FR;BYMONTHDAY=31', 'YEARLY;COUNT=100000;BYDAY=53FR', 'DAILY;COUNT=100000'])(
  'thirty-two windows since the year 1 are looked at quickly: %s',
  (rule) => {
    const read = readWindow({ name: 'w', kind: 'allow', rrule: `FREQ=${rule}`, start: '0001-01-01T00:00', duration: '1h' });
    if (!read.ok) throw new Error('must be read');
    const within = { from: toInstant(Date.UTC(2026, 10, 1)), to: toInstant(Date.UTC(2026, 11, 1)) };

    expect(
      millisecondsOf(() =>
        spansOf(
          Array.from({ length: 32 }, () => read.value),
          within,
        ),
      ),
    ).toBeLessThan(2000);
  },
);

test('what recurs lasts a year at most', () => {
  const read = (duration: string) => readWindow({ name: 'w', kind: 'deny', rrule: 'FREQ=DAILY', start: '2026-01-01T00:00', duration });

  expect(read('876000h')).toEqual({
    ok: false,
    mistakes: [{ field: 'duration', message: 'is longer than 366 days, and what recurs is shorter' }],
  });
  expect(read('8784h').ok).toBe(true);
});

function judged(schema: JsonObject, value: Json): readonly string[] {
  const compiled = compileUserSchema(schema);
  if (!compiled.ok) throw new Error('must compile');
  return checkAgainst(compiled.schema, value).map(({ code }) => code);
}

/** `{ a: { a: ... } }` */
function nested(levels: number): JsonObject {
  return levels === 0 ? {} : { a: nested(levels - 1) };
}

test.each(['anyOf', 'oneOf', 'allOf'])('alternatives that refer to themselves do not multiply with the depth of a value: %s', (word) => {
  const schema: JsonObject = {
    $defs: { t: { [word]: NUMBERS(4).map(() => ({ properties: { a: { $ref: '#/$defs/t' } } })) } },
    $ref: '#/$defs/t',
  };

  expect(millisecondsOf(() => expect(judged(schema, nested(25))).toEqual(['schema-violation']))).toBeLessThan(2000);
});

test('a tree is judged by a schema that refers to itself', () => {
  const schema: JsonObject = { properties: { a: { $ref: '#' }, size: { type: 'integer' } }, additionalProperties: false };

  expect(judged(schema, nested(25))).toEqual([]);
  expect(judged(schema, { a: { size: 'x' } })).toHaveLength(1);
  expect(judged(schema, { a: { size: 1 } })).toEqual([]);
});

test('items are compared with each other in linear time, whatever they are', () => {
  const schema: JsonObject = { properties: { a: { type: 'array', uniqueItems: true } } };
  const items = NUMBERS(50_000).map((at) => ({ x: at, y: [at] }));

  expect(millisecondsOf(() => expect(judged(schema, { a: items })).toEqual([]))).toBeLessThan(2000);
  expect(judged(schema, { a: [{ x: 1, y: 2 }, 3, { y: 2, x: 1 }] })).toHaveLength(1);
});

test('defaults of a part that is named many times are taken once', () => {
  const schema: JsonObject = {
    $defs: { b: { properties: keys(300, 'k', { default: 'x' }) } },
    additionalProperties: { allOf: NUMBERS(300).map(() => ({ $ref: '#/$defs/b' })) },
  };

  expect(millisecondsOf(() => defaultsOf(schema, keys(500, 'v', {})))).toBeLessThan(1500);
});
