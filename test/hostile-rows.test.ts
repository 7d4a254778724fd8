import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { TEST_DATA } from './foreign-manifests.ts';
import { HOSTILE_ROWS, LEFT_OF_ROWS, UNTESTED_ROWS } from './hostile-rows.ts';

/** Rows that tests are named after, by the sources: a name counts only at the start of a quoted text. */
function rowsWithTests(): ReadonlySet<number> {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(test|contract)\.ts$/.test(file),
  );
  expect(files.length).toBeGreaterThan(5);
  const texts = files.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'));
  return new Set(texts.flatMap((text) => [...text.matchAll(/['"`]row (\d+): /g)].map((match) => Number(match[1]))));
}

test('every hostile row has a test, or a reason why it has none', () => {
  const tested = rowsWithTests();
  const rows = [...HOSTILE_ROWS];

  expect(rows.map(([row]) => row)).toEqual(Array.from({ length: 106 }, (_, at) => at + 1));
  expect(tested.has(28)).toBe(true);
  expect(
    rows.filter(([row]) => !tested.has(row) && !UNTESTED_ROWS.has(row)).map(([row, title]) => `row ${row} (${title}) has no test`),
  ).toEqual([]);
});

/** Its numbers, where the catalogue lies beside the repository. */
function rowsOfCatalogue(): readonly number[] | undefined {
  const path = join(TEST_DATA, '..', 'reference', 'security.md');
  if (!existsSync(path)) return undefined;
  const [, catalogue = ''] = readFileSync(path, 'utf8').split(/^## 4\. /m);
  return [...(catalogue.split(/^## 5\. /m)[0] ?? '').matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
}

test.skipIf(rowsOfCatalogue() === undefined)('the list has the rows of the catalogue', () => {
  expect([...HOSTILE_ROWS.keys()]).toEqual(rowsOfCatalogue());
});

test('no row has both a test and a reason for having none', () => {
  const tested = rowsWithTests();

  expect(
    [...UNTESTED_ROWS.keys()].filter((row) => tested.has(row)).map((row) => `take row ${row} out of UNTESTED_ROWS: it has a test`),
  ).toEqual([]);
});

test('tests name only rows of the catalogue, which has 106', () => {
  expect([...rowsWithTests()].filter((row) => row < 1 || row > 106)).toEqual([]);
});

test('what is left is left of rows that have a test, and says when or how', () => {
  const tested = rowsWithTests();

  expect([...LEFT_OF_ROWS.keys()].filter((row) => !tested.has(row))).toEqual([]);
  expect([...LEFT_OF_ROWS.values(), ...UNTESTED_ROWS.values()].filter((why) => !/^(later|otherwise): /.test(why))).toEqual([]);
});
