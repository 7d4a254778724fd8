import { readFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { PROBLEM_CATALOGUE } from '#model/problem-catalogue.ts';
import { TRUST_PAGE, withVerdicts } from '#schemas/verdict-tables.ts';
import { COMMIT_VERDICTS } from '#test/verdict-tables/commits.ts';
import { IMAGE_VERDICTS } from '#test/verdict-tables/images.ts';

test('docs/trust.md holds the tables that `npm run generate` writes', async () => {
  const page = await readFile(TRUST_PAGE, 'utf8');

  expect(withVerdicts(page)).toBe(page);
  expect(page.match(/^\| .* \| (?:accepts|refuses|varies) \|$/gm)).toHaveLength(COMMIT_VERDICTS.length + IMAGE_VERDICTS.length);
});

test('every verdict of a table can be explained', () => {
  const codes = COMMIT_VERDICTS.flatMap(({ code }) => (code === null || code === 'unreadable' ? [] : [code]));

  expect(codes.length).toBeGreaterThan(30);
  expect(codes.filter((code) => !PROBLEM_CATALOGUE.has(code))).toEqual([]);
});
