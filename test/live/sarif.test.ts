import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { sarifText } from '#cli/validate-sarif.ts';
import { PROBLEM_CATALOGUE } from '#model/problem-catalogue.ts';
import type { Problem } from '#model/problem.ts';

/** An npm package that brings the schema of SARIF 2.1.0; CAPSTAN_SARIF_SCHEMA names another copy of it. */
const PACKAGE = '@microsoft/jest-sarif@1.0.0-beta.0';
const INSIDE = 'package/lib/schemas/sarif-2.1.0-rtm.5.json';
let folder: string;
let schema: Readonly<Record<string, unknown>>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'capstan-test-'));
  let file = process.env['CAPSTAN_SARIF_SCHEMA'];
  if (file === undefined) {
    const archive = execFileSync('npm', ['pack', '--silent', PACKAGE], { cwd: folder, encoding: 'utf8' }).trim();
    execFileSync('tar', ['-xzf', archive, INSIDE], { cwd: folder });
    file = join(folder, INSIDE);
  }
  // Draft 04: the newer validator reads all of it but its name.
  const { id: _, $schema: __, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  schema = rest;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PLACES: readonly Problem['place'][] = [
  { file: 'environments/dev/environment.yaml', line: 3, column: 5, pointer: '/spec/risk' },
  { file: 'capsules/a b/ü[1]%.yaml', line: 1, column: undefined, pointer: undefined },
  { file: 'policies', line: undefined, column: undefined, pointer: undefined },
  { file: undefined, line: undefined, column: undefined, pointer: undefined },
];

test('every problem there is, at any kind of place, is SARIF 2.1.0', () => {
  const problems = [...PROBLEM_CATALOGUE].flatMap(([code, entry], index): Problem[] => {
    const place = PLACES[index % PLACES.length] ?? { file: undefined, line: undefined, column: undefined, pointer: undefined };
    const severity = index % 2 === 0 ? 'error' : 'warning';
    return [
      {
        code,
        rule: entry.rule,
        severity,
        phase: 'validate',
        message: `${entry.title} \u001b[1m`,
        remedy: entry.remedy,
        place,
        related: [],
      },
    ];
  });
  const validator = new Ajv({ strict: false, validateSchema: false, allErrors: true, unicodeRegExp: false });
  formats.default(validator);
  const validate = validator.compile(schema);

  const wrong = [problems, []].flatMap((some) => {
    validate(JSON.parse(sarifText({ problems: some, version: '1.2.3', root: '/tmp/x y' })));
    return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
  });

  expect(wrong).toEqual([]);
  expect(problems.length).toBeGreaterThan(150);
  // The schema is the real one, and refuses what is none.
  expect(validate({ version: '2.1.0', runs: [{ results: [] }] })).toBe(false);
});
