import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { PROBLEM_CATALOGUE } from '#model/problem-catalogue.ts';

const SOURCE = new URL('../../src', import.meta.url).pathname;
/** Their codes are GitHub's or an adapter's, not problems. */
const ELSEWHERE = /\/(forge|adapters)\/|catalogue|-problems\.ts$/;

function sources(): readonly string[] {
  return readdirSync(SOURCE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !ELSEWHERE.test(path))
    .map((path) => readFileSync(path, 'utf8'));
}

test('every problem code in the source can be explained', () => {
  const used = new Set(
    sources().flatMap((text) =>
      [...text.matchAll(/(?:\bcode: |\bproblem\(\s*(?:[a-zA-Z]+,\s*)?(?:[^'()]* \? )?)'([a-z0-9]+(?:-[a-z0-9]+)+)'/g)].map(
        (match) => match[1] ?? '',
      ),
    ),
  );
  expect([...used].filter((code) => !PROBLEM_CATALOGUE.has(code)).sort()).toEqual([]);
});

test('the catalogue explains nothing that is not used', () => {
  const text = sources().join('\n');
  expect([...PROBLEM_CATALOGUE.keys()].filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});
