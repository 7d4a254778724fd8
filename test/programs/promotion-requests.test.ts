import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { promotionInLargeRepository, type PromotionResult } from '#bench/promotion.ts';

let folder: string;
let result: PromotionResult;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-requests-'));
  result = await promotionInLargeRepository({ files: 10_000, folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a promotion among ten thousand files changes one blob', () => {
  expect([result.files, result.changedBlobs]).toEqual([10_000, 1]);
});

test('its push is two requests: what is there, and the pack', () => {
  expect(result.requests.push.map(withoutNames)).toEqual([
    'GET /capstan/bench.git/info/refs?service=git-receive-pack 200',
    'POST /capstan/bench.git/git-receive-pack 200',
  ]);
});

test('its pull request is four: open, label, and the status read and written', () => {
  expect(result.requests.pullRequest.map(withoutNames)).toEqual([
    'POST /api/v3/repos/capstan/bench/pulls 201',
    'POST /api/v3/repos/capstan/bench/issues/N/labels 200',
    'GET /api/v3/repos/capstan/bench/commits/C/status?per_page=100&page=1 200',
    'POST /api/v3/repos/capstan/bench/statuses/C 201',
  ]);
});

test('what it asks before anything is written does not grow with the repository', () => {
  expect(result.requests.before.length).toBeLessThanOrEqual(6);
});

function withoutNames(request: string): string {
  return request.replace(/[0-9a-f]{40}/, 'C').replace(/issues\/[0-9]+/, 'issues/N');
}
