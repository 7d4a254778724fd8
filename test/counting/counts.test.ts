import { afterAll, beforeAll, expect, test } from 'vitest';

import { countedEngine, NOTHING, type Cost, type CountedEngine } from './counted-engine.ts';

let small: CountedEngine;
let large: CountedEngine;
let first: Cost;

beforeAll(async () => {
  small = await countedEngine(20);
  large = await countedEngine(100);
  await small.engine.start();
  first = await large.costOf(() => large.engine.start());
}, 60_000);
afterAll(async () => {
  await small.close();
  await large.close();
});

test('a first run renders each unit once, and reads and parses each file once', () => {
  const capsules = 10;
  const environments = 4;
  expect(first).toMatchObject({
    renders: 100,
    // A project, environments and their locks, capsules.
    parses: 1 + 2 * environments + capsules,
    // The same files, and the schema and the template that all capsules share; what was written here is never read back.
    blobs: 1 + 2 * environments + capsules + 2,
    // One for each instance of each target.
    records: 100,
    // A fetch, and a push of each rendered branch and of what happened there.
    remoteCalls: 1 + 2 * environments,
  });
});

test('a tick on which nothing happened asks the remote for its refs and does nothing else, a look for drift not even that', async () => {
  expect(await large.costOf(() => large.engine.tick())).toEqual({ ...NOTHING, remoteCalls: 1 });
  expect(await large.costOf(() => large.engine.drift())).toEqual(NOTHING);
});

test('one capsule changed costs the same among twenty and a hundred units', async () => {
  const change = async (counted: CountedEngine, n: number): Promise<readonly Cost[]> => {
    await counted.release(n);
    return [await counted.costOf(() => counted.engine.wake({ kind: 'look' })), await counted.costOf(() => counted.engine.tick())];
  };

  const [once, other, ...again] = [await change(small, 1), await change(large, 1), await change(small, 2), await change(large, 2)];

  expect(once?.[0]).toEqual({
    ...NOTHING,
    // The lock and the capsule that moved.
    blobs: 2,
    trees: 6,
    commits: 2,
    parses: 2,
    // The unit that moved; and what the promotion that follows will render, twice (V-89), for its pull request.
    renders: 1 + 2,
    records: 1,
    // Fetch; push of the rendered branch, of the record and of the promotion that follows.
    forks: 4,
    remoteCalls: 4,
    forgeRequests: 6,
  });
  // The tick checks the promotion's request: what the release would be in the units of its capsule that are left, twice (V-89).
  expect(once?.[1]).toEqual({ ...NOTHING, parses: 1, renders: 2 * 8, forks: 3, remoteCalls: 2, forgeRequests: 2 });
  expect([other, ...again]).toEqual([once, once, once]);
});
