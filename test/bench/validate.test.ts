import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Look } from '#bench/validate-process.ts';
import { measureLooks } from '#bench/validate.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-test-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function countsOf(capsules: number) {
  const { looks } = await measureLooks(capsules, join(folder, String(capsules)));
  return looks.map(({ what, filesRead, blobs, parses, renders, problems }: Look) => ({
    what,
    filesRead,
    blobs,
    parses,
    renders,
    problems,
  }));
}

test('a second look does the work of what changed, however large the repository is', async () => {
  const [small, large] = [await countsOf(4), await countsOf(16)];

  // Twelve units a capsule, each rendered twice; three files a capsule, two an environment, one project.
  expect(small[0]).toMatchObject({ filesRead: 21, parses: 13, renders: 96, problems: 0 });
  expect(large[0]).toMatchObject({ filesRead: 57, parses: 25, renders: 384, problems: 0 });
  const again = [
    { what: 'nothing changed', filesRead: 0, blobs: 0, parses: 0, renders: 0, problems: 0 },
    { what: 'one value of one environment', filesRead: 1, blobs: 0, parses: 1, renders: 6, problems: 0 },
    // The file of the environment was read within the time that a clock may not have moved; the new version is not released yet.
    { what: 'one capsule, with a new version', filesRead: expect.any(Number) as number, blobs: 0, parses: 1, renders: 24, problems: 1 },
  ];
  expect(small.slice(1)).toEqual(again);
  expect(large.slice(1)).toEqual(again);
});
