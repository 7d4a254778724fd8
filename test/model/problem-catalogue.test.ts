import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { describe, expect, test } from 'vitest';

import { isRefusal } from '#cli/endings.ts';
import { DECLARATION_PROBLEMS } from '#model/declaration-problems.ts';
import { OPERATION_PROBLEMS } from '#model/operation-problems.ts';
import { PATH_PROBLEMS } from '#model/path-problems.ts';
import { PROBLEM_CATALOGUE } from '#model/problem-catalogue.ts';
import { RELEASE_PROBLEMS } from '#model/release-problems.ts';
import { RENDER_PROBLEMS } from '#model/render-problems.ts';
import { SIGNATURE_PROBLEMS } from '#model/signature-problems.ts';
import { SUCCESSION_PROBLEMS } from '#model/succession-problems.ts';
import { WORKLOAD_PROBLEMS } from '#model/workload-problems.ts';
import { findProblemCodes, type SourceText } from './problem-codes.ts';

const SOURCE = join(import.meta.dirname, '../../src');
/** The forge's codes are GitHub's; the tables of the catalogue are what is compared. */
const ELSEWHERE = /^(forge|cli\/starter)\/|\.generated\.ts$|^model\/[a-z]+-(catalogue|problems)\.ts$/;

function sources(): readonly SourceText[] {
  return readdirSync(SOURCE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(SOURCE, join(entry.parentPath, entry.name)))
    .filter((path) => !ELSEWHERE.test(path))
    .map((path) => ({ path, text: readFileSync(join(SOURCE, path), 'utf8') }));
}

const { sites, lost } = findProblemCodes(sources());
const used = new Set(sites.map((site) => site.code));

test('every problem code in the source can be explained', () => {
  expect(lost).toEqual([]);
  expect(used.size).toBeGreaterThan(120);
  expect(sites.filter((site) => !PROBLEM_CATALOGUE.has(site.code))).toEqual([]);
});

test('the catalogue explains nothing that is not used, and nothing twice', () => {
  expect([...PROBLEM_CATALOGUE.keys()].filter((code) => !used.has(code))).toEqual([]);
  const tables = [
    DECLARATION_PROBLEMS,
    OPERATION_PROBLEMS,
    PATH_PROBLEMS,
    RELEASE_PROBLEMS,
    RENDER_PROBLEMS,
    SIGNATURE_PROBLEMS,
    SUCCESSION_PROBLEMS,
    WORKLOAD_PROBLEMS,
  ];
  const codes = tables.flatMap((table) => Object.keys(table));
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});

test('a code has one rule, the same in the source and in the catalogue', () => {
  const wrong = sites.filter((site) => site.rule !== 'unknown' && site.rule !== PROBLEM_CATALOGUE.get(site.code)?.rule);
  expect(wrong).toEqual([]);
});

test('every entry says what it is, why, and what to do, in sentences', () => {
  const poor = [...PROBLEM_CATALOGUE].filter(
    ([, entry]) =>
      !/^V-\d\d$|^none$/.test(entry.rule ?? 'none') || !/[.]$/.test(entry.why) || !/[.]$/.test(entry.remedy) || /[.]$/.test(entry.title),
  );
  expect(poor.map(([code]) => code)).toEqual([]);
});

test('what exits 3 is a code that exists', () => {
  const refusals = [...PROBLEM_CATALOGUE.keys()].filter(isRefusal);
  expect(refusals).toEqual([
    'admission-denied',
    'could-not-look',
    'deletion-budget-exceeded',
    'deletion-unconfirmed',
    'field-conflict',
    'foreign-inventory',
    'foreign-object',
    'gate-not-passed',
    'image-refused',
    'image-unsigned',
    'not-permitted',
    'not-supported',
    'outside-credentials',
    'policy-denied',
    'protected-kind',
    'protection-missing',
    'rollback-impossible',
    'signature-refused',
    'target-emptied',
    'trust-missing',
    'trust-root-unreachable',
    'unsigned',
    'upgrade-path-missing',
    'version-quarantined',
  ]);
});

describe('the search finds a code', () => {
  test.each([
    ['of an object', "f({ code: 'a-b', rule: 'V-01' });", ['a-b V-01']],
    ['of an object without a rule', "f({ code: 'a-b', rule: undefined });", ['a-b undefined']],
    ['in a condition', "const x = { code: y ? 'a-b' : z ?? 'c-d' };", undefined],
    ['in a condition of texts', "const x = { code: y ? 'a-b' : 'c-d' };", ['a-b unknown', 'c-d unknown']],
    ['in a table', "const T = { x: 'a-b', y: 'c-d' } as const; f({ code: T[k] });", ['a-b unknown', 'c-d unknown']],
    ['in a member of a table', "const T = { x: 'a-b' }; f({ code: T.x });", ['a-b unknown']],
    ['in a constant', "const C = 'a-b'; f({ code: C });", ['a-b unknown']],
    ['given to a function', "function p(where: string, code: string) { return { code }; }\np('x', 'a-b');", ['a-b unknown']],
    [
      'given to a function with its rule',
      "function p(code: string, rule: string) { return { code, rule }; }\np('a-b', 'V-02');",
      ['a-b V-02'],
    ],
    ['in a type', "interface X { readonly code: 'a-b' | 'c-d' }", ['a-b unknown', 'c-d unknown']],
    ['in a type of codes', "type XCode = 'a-b';", ['a-b unknown']],
    ['nobody can follow', 'const x = { code: made() };', undefined],
    ['of a table nobody can follow', 'const x = { code: far[k] };', undefined],
  ])('%s', (_, text, expected) => {
    const found = findProblemCodes([{ path: 'x.ts', text }]);
    const shown = found.sites.map((site) => `${site.code} ${site.rule ?? 'undefined'}`);
    expect(found.lost.length === 0 ? shown : undefined).toEqual(expected);
  });

  test('given to a function of another file', () => {
    const files = [
      { path: 'a.ts', text: 'export function p(code: string) { return { code }; }' },
      { path: 'b.ts', text: "import { p } from './a.ts';\np('a-b');" },
    ];
    expect(findProblemCodes(files)).toEqual({ sites: [{ path: 'b.ts', code: 'a-b', rule: 'unknown' }], lost: [] });
  });
});
