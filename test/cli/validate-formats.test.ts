import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Terminal } from '#cli/powers.ts';
import { compareWithBaseline, fingerprintOf, writeBaseline } from '#cli/validate-baseline.ts';
import { filesToShow, problemWithExcerpt } from '#cli/validate-excerpt.ts';
import { parseOutputs } from '#cli/validate-outputs.ts';
import { sarifText } from '#cli/validate-sarif.ts';
import type { Problem } from '#model/problem.ts';

const BASE: Problem = {
  code: 'value-not-allowed',
  rule: undefined,
  severity: 'error',
  phase: 'validate',
  message: '/spec/risk cannot be "lwo"',
  remedy: 'Use one of: low, high.',
  place: { file: 'a.yaml', line: 3, column: 9, pointer: '/spec/list/2/risk' },
  related: [],
};

let folder: string;
let terminal: Terminal;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-test-'));
  const nothing = (): void => undefined;
  const { signal } = new AbortController();
  terminal = { out: nothing, err: nothing, say: nothing, isVerbose: false, env: {}, cwd: folder, isTerminal: false, signal };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function at(line: number | undefined, column: number | undefined): Problem {
  return { ...BASE, place: { ...BASE.place, line, column } };
}

describe('an excerpt', () => {
  test('shows two lines before, and a caret under the column', () => {
    const sources = new Map([['a.yaml', 'one: 1\nspec:\n  risk: lwo\nrest: 1\n']]);
    expect(problemWithExcerpt(BASE, sources)).toBe(
      'a.yaml:3:9: error: /spec/risk cannot be "lwo" [value-not-allowed]\n    1 | one: 1\n    2 | spec:\n    3 |   risk: lwo\n      |         ^\n    Use one of: low, high.\n',
    );
  });

  test.each<[string, Problem, string, string]>([
    ['the first line', at(1, 1), 'a: 1\nb: 2\n', '    1 | a: 1\n      | ^\n'],
    ['no column', at(2, undefined), 'a: 1\nb: 2\n', '    1 | a: 1\n    2 | b: 2\n'],
    ['numbers of two digits', at(10, 1), 'x\n'.repeat(12), '     8 | x\n     9 | x\n    10 | x\n       | ^\n'],
    ['tabs and CRLF', at(1, 3), '\t\tb\r\n', '    1 |   b\n      |   ^\n'],
    ['wide letters', at(1, 5), '名前: x\n', '    1 | 名前: x\n      |       ^\n'],
    ['what a terminal would obey', at(1, 6), 'a: \u001b[1m\u202e\n', '    1 | a: \\u001b[1m\\u202e\n      |           ^\n'],
    ['a line that is not there', at(9, 1), 'a: 1\n', ''],
  ])('of %s', (_, problem, text, expected) => {
    const shown = problemWithExcerpt(problem, new Map([['a.yaml', text]]));
    expect(shown.split('\n').slice(1, -2).join('\n')).toBe(expected.trimEnd());
  });

  test('of a long line is what stands around the column', () => {
    const shown = problemWithExcerpt(at(1, 1000), new Map([['a.yaml', `${'x'.repeat(999)}!${'y'.repeat(999)}`]]));
    const [, line = '', caret = ''] = shown.split('\n');
    expect([line.length < 140, line.charAt(caret.indexOf('^'))]).toEqual([true, '!']);
  });

  test('never shows a file in which a secret was found', () => {
    const secret = { ...at(9, 1), rule: 'V-80' };
    expect(filesToShow([BASE, secret, { ...BASE, place: { ...BASE.place, file: 'b.yaml' } }])).toEqual(['b.yaml']);
  });
});

test('SARIF says of a code what it means, and of a result what to do there', () => {
  const value = { ...BASE, code: 'value-not-allowed', remedy: 'Use one of: low, high.' };
  const { runs } = JSON.parse(sarifText({ problems: [value], version: '1.2.3', root: '/x' })) as { readonly runs: readonly unknown[] };
  expect(runs).toMatchObject([
    {
      tool: {
        driver: {
          rules: [
            {
              id: 'value-not-allowed',
              shortDescription: { text: 'A value that is not one of the allowed ones' },
              fullDescription: { text: 'The field has a closed list of values.' },
              help: { text: 'Use one of the values that the remedy lists.' },
            },
          ],
        },
      },
      results: [{ message: { text: expect.stringContaining('Use one of: low, high.') } }],
    },
  ]);
});

describe('outputs', () => {
  test('are several formats at once, one of them on standard output', () => {
    expect(parseOutputs('github,sarif=out/r.sarif,json=r=1.json')).toEqual([
      { format: 'github', file: undefined },
      { format: 'sarif', file: 'out/r.sarif' },
      { format: 'json', file: 'r=1.json' },
    ]);
    expect(parseOutputs(undefined)).toEqual([{ format: 'text', file: undefined }]);
  });

  test.each(['text,json', 'json=', 'sarif=a,json=a', 'xml', ''])('are refused: %s', (given) => {
    expect(() => parseOutputs(given)).toThrow(/cannot both|names no file|the same file|unknown output format/);
  });
});

describe('a baseline', () => {
  test('knows a problem wherever its lines moved', () => {
    const message = 'value 50 from environments/prod/environment.yaml:31 (lines 3 and 9)';
    const moved = { ...BASE, place: { ...BASE.place, line: 40, column: 2, pointer: '/spec/list/7/risk' } };
    expect(fingerprintOf(moved)).toBe(fingerprintOf(BASE));
    expect(fingerprintOf({ ...BASE, message })).toBe(
      fingerprintOf({ ...BASE, message: message.replace('31', '35').replace('3 and', '4 and') }),
    );
    const others = [
      { ...BASE, code: 'other' },
      { ...BASE, message: 'other' },
      { ...BASE, place: { ...BASE.place, file: 'b.yaml' } },
      { ...BASE, place: { ...BASE.place, pointer: '/spec/risk' } },
    ];
    expect(new Set([BASE, ...others].map(fingerprintOf)).size).toBe(5);
  });

  test('leaves what is new, counts what is known, and tells what is gone', async () => {
    const other = { ...BASE, code: 'other' };
    expect(await writeBaseline(terminal, 'known.json', [BASE, at(7, 1), other])).toBe(3);
    const before = await readFile(join(folder, 'known.json'), 'utf8');

    const compared = await compareWithBaseline(terminal, 'known.json', [at(4, 1), at(5, 1), at(6, 1)]);

    expect(compared).toMatchObject({ fresh: [at(6, 1)], known: 2, stale: [{ code: 'baseline-stale', place: { file: 'known.json' } }] });
    expect(compared.stale[0]?.message).toContain('other in a.yaml');
    await writeBaseline(terminal, 'known.json', [other, at(1, 1), BASE]);
    expect(JSON.parse(await readFile(join(folder, 'known.json'), 'utf8'))).toEqual(JSON.parse(before));
  });

  test('takes no secret as known', async () => {
    const secret = { ...BASE, rule: 'V-80' };
    expect(await writeBaseline(terminal, 'secrets.json', [secret])).toBe(0);
    const forged = { fingerprint: fingerprintOf(secret), code: secret.code, file: 'a.yaml', message: 'm', count: 1 };
    await writeFile(join(folder, 'secrets.json'), JSON.stringify({ kind: 'Baseline', formatVersion: 1, problems: [forged] }));
    expect((await compareWithBaseline(terminal, 'secrets.json', [secret])).fresh).toEqual([secret]);
  });

  test.each(['', '[]', '{"kind":"Baseline","formatVersion":2,"problems":[]}', '{"kind":"Baseline","formatVersion":1,"problems":[{}]}'])(
    'that is none is refused: %s',
    async (text) => {
      await writeFile(join(folder, 'broken.json'), text);
      await expect(compareWithBaseline(terminal, 'broken.json', [])).rejects.toThrow('broken.json is not a baseline');
    },
  );
});
