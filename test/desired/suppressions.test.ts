import { describe, expect, test } from 'vitest';

import { suppressionsIn, withoutSuppressed } from '#desired/desired.ts';
import { parseInstant, toInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { Problem, Severity } from '#model/problem.ts';

const FILE = 'environments/dev/environment.yaml';

function read(text: string) {
  return suppressionsIn(Buffer.from(text), FILE);
}

function at(text: string): Instant {
  return parseInstant(text) ?? toInstant(0);
}

function problem(line: number, severity: Severity = 'warning'): Problem {
  const place = { file: FILE, line, column: 3, pointer: undefined };
  return { code: 'changelog-missing', rule: 'V-14', severity, phase: 'validate', message: 'm', remedy: 'r', place, related: [] };
}

function told(problems: readonly Problem[], text: string, day = '2026-11-21T12:00:00Z'): readonly string[] {
  const found = read(text);
  const judged = withoutSuppressed([...problems, ...found.problems], found.suppressions, at(day));
  return [...judged.problems.map(({ code, place }) => `${code} ${place.line}`), ...judged.suppressed.map(({ code }) => `silenced ${code}`)];
}

describe('a comment that silences', () => {
  test.each([
    ['the line it stands on', 'a: 1 # capstan-ignore V-14: it moves, until 2027-01-31\n', 1],
    ['the line below it', '# capstan-ignore V-14: it moves, until 2027-01-31\na: 1\n', 2],
    ['the next line that says something', '  # capstan-ignore changelog-missing: it moves, until 2027-01-31\n\n# more\na: 1\n', 4],
    ['a line of a template', '{{!-- capstan-ignore V-14: it moves, until 2027-01-31 --}}\na: 1\n', 2],
    ['a line of Markdown', '<!-- capstan-ignore V-14: it moves, until 2027-01-31 -->\r\n# 1.0.0\r\n'.replace('# 1.0.0', 'Text'), 2],
    ['any line of a file', 'b: 1\n# capstan-ignore-file V-14: it moves, until 2027-01-31\n', 1],
  ])('%s', (_, text, line) => {
    expect(told([problem(line)], text)).toEqual(['silenced changelog-missing']);
  });

  test('ends with its day, in UTC', () => {
    const text = 'a: 1 # capstan-ignore V-14: it moves, until 2027-01-31\n';
    expect(told([problem(1)], text, '2027-01-31T23:59:00Z')).toEqual(['silenced changelog-missing']);
    expect(told([problem(1)], text, '2027-02-01T00:00:00Z')).toEqual(['changelog-missing 1', 'suppression-expired 1']);
  });

  test('is a warning where there is nothing to silence', () => {
    const text = '# capstan-ignore V-14: it moves, until 2027-01-31\na: 1\nb: 2\n';
    expect(told([problem(3)], text)).toEqual(['changelog-missing 3', 'suppression-unused 1']);
    expect(told([], text)).toEqual(['suppression-unused 1']);
  });

  test('never silences an error, nor what stands beside one', () => {
    const text = 'a: 1 # capstan-ignore V-14: it moves, until 2027-01-31\n';
    expect(told([problem(1, 'error'), problem(1)], text)).toEqual(['changelog-missing 1', 'changelog-missing 1', 'suppression-refused 1']);
  });

  test.each([
    '# capstan-ignore V-14',
    '# capstan-ignore V-14: until 2027-01-31',
    '# capstan-ignore V-14: it moves',
    '# capstan-ignore V-14: it moves, until 2027-31-01',
    '# capstan-ignore V-14: it moves, until soon',
    '# capstan-ignore: it moves, until 2027-01-31',
    '# capstan-ignore V-14 V-15: both move, until 2027-01-31',
  ])('says what, why and until when: %s', (text) => {
    expect(told([problem(1)], `a: 1 ${text}\n`)).toEqual(['changelog-missing 1', 'suppression-malformed 1']);
  });

  test.each([
    ['ok', 'this comment silences nothing: its reason is too short', 'Write why in at least 3 characters.'],
    ['x'.repeat(502), 'this comment silences nothing: its reason is too long', 'Write why in at most 500 characters.'],
    [
      '',
      'this comment silences nothing: it does not say what, why and until when',
      'Write `capstan-ignore V-14: why, until 2027-01-31` in it.',
    ],
  ])('says so where only the length of the reason is wrong: %s', (reason, message, remedy) => {
    const { problems } = read(`a: 1 # capstan-ignore V-14: ${reason}, until 2027-01-31\n`);
    expect(problems.map((one) => [one.code, one.message, one.remedy])).toEqual([['suppression-malformed', message, remedy]]);
  });

  test.each([
    'a: capstan-ignore V-14',
    'url: http://x/#capstan-ignore V-14',
    '# see capstan-ignore in the manual',
    'a: "x#capstan-ignore"',
  ])('is nothing else: %s', (text) => {
    expect(read(`${text}\n`)).toEqual({ suppressions: [], problems: [] });
  });
});

test('lines that are long, and more comments than anybody reads, cost nothing', () => {
  const long = `# capstan-ignore ${'x'.repeat(100_000)}\n`;
  const many = '# capstan-ignore\n'.repeat(50_000);

  expect([read(long).problems.length, read(many).problems.length]).toEqual([0, 200]);
});
