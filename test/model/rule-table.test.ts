import { readFile } from 'node:fs/promises';

import { describe, expect, test } from 'vitest';

import { PROBLEM_CATALOGUE } from '#model/problem-catalogue.ts';
import { RULES } from '#model/rule-table.ts';
import { findRuleTests, ruleTestsOf } from '#schemas/rule-tests.ts';
import { RULES_PAGE, rulesPage } from '#schemas/rules-page.ts';

/**
 * What is still missing, rule by rule: an entry of the catalogue, a violation, a near miss. It only shrinks: who writes the last of a
 * rule takes its line away.
 */
const PENDING: Readonly<Record<string, readonly string[]>> = {};

const tests = findRuleTests();

function missingOf(rule: string): readonly string[] {
  const has = (kind: string): boolean => tests.some((one) => one.rule === rule && one.kind === kind);
  const explained = [...PROBLEM_CATALOGUE.values()].some((entry) => entry.rule === rule);
  return [...(explained ? [] : ['entry']), ...['violation', 'near miss'].filter((kind) => !has(kind))];
}

test('there are 98 rules', () => {
  const numbers = Array.from({ length: 98 }, (_, at) => `V-${String(at + 1).padStart(2, '0')}`);
  expect(Object.keys(RULES)).toEqual(numbers);
});

test('every rule has an entry, a violation and a near miss, but for those that are pending', () => {
  const missing = Object.keys(RULES).flatMap((rule) => missingOf(rule).map((what) => `${rule}: ${what}`));
  expect(missing).toEqual(Object.entries(PENDING).flatMap(([rule, what]) => what.map((one) => `${rule}: ${one}`)));
});

test('the catalogue names no rule that does not exist', () => {
  expect([...PROBLEM_CATALOGUE.values()].filter(({ rule }) => rule !== undefined && !Object.hasOwn(RULES, rule))).toEqual([]);
});

test('docs/rules.md is what `npm run generate` writes', async () => {
  const written = new Set((await readFile(RULES_PAGE, 'utf8')).split('\n'));
  const stale = rulesPage()
    .split('\n')
    .filter((line) => !written.has(line));
  expect(stale.map((line) => line.slice(0, 6))).toEqual([]);
});

describe('the search for tests of a rule', () => {
  const found = (text: string): readonly string[] => ruleTestsOf('x.ts', text).map((one) => `${one.rule} ${one.kind}`);

  test.each([
    ['a title', "test('V-01: a tag', () => {});", ['V-01 violation']],
    ['a title that says that all is well', "test('V-01: a byte order mark is fine', () => {});", ['V-01 near miss']],
    ['several rules', "test('V-06, V-07 and V-08: a bump', () => {});", ['V-06 violation', 'V-07 violation', 'V-08 violation']],
    ['a row', "test.each([['V-36', 'x', ['V-36 warning 12 is ignored']]])('%s', () => {});", ['V-36 violation']],
    ['a row of near misses', "const NEAR_MISSES: readonly Row[] = [['V-38: one of two', {}, []]];", ['V-38 near miss']],
    ['what a group says', "describe('near misses', () => { test('V-38: one of two', () => {}); });", ['V-38 near miss']],
  ])('finds %s', (_, text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  test.each([
    ['an expected problem', "expect(x).toEqual(['V-77 config-invalid a.yaml:1', 'V-78 null-deletes-nothing b.yaml:2']);"],
    ['an expected line', "expect(x).toEqual(['V-32 error 12 x', 'V-33 warning 13 y']);"],
    ['a rule number alone in a text', "const rule = 'V-01';"],
  ])('takes %s for no test', (_, text) => {
    expect(found(text)).toEqual([]);
  });
});
