import { expect, test } from 'vitest';

import { countedEngine, NOTHING, type Cost } from '#test/counting/counted-engine.ts';

/** What a first run, a quiet tick and two changes cost among so many units. */
async function costsAmong(
  units: number,
): Promise<{ readonly first: Cost; readonly quiet: readonly Cost[]; readonly changes: readonly Cost[] }> {
  const counted = await countedEngine(units);
  try {
    const first = await counted.costOf(() => counted.engine.start());
    const quiet = [await counted.costOf(() => counted.engine.tick()), await counted.costOf(() => counted.engine.drift())];
    const changes: Cost[] = [];
    for (const n of [1, 2]) {
      await counted.release(n);
      changes.push(await counted.costOf(() => counted.engine.wake({ kind: 'look' })));
      changes.push(await counted.costOf(() => counted.engine.tick()));
    }
    return { first, quiet, changes };
  } finally {
    await counted.close();
  }
}

// About 80 s on two cores, nearly all of it the first run of ten thousand units.
test('one capsule changed costs the same among a hundred and ten thousand units', { timeout: 1_800_000 }, async () => {
  const small = await costsAmong(100);
  const large = await costsAmong(10_000);

  expect([small.first.renders, large.first.renders]).toEqual([100, 10_000]);
  expect(large.quiet).toEqual([{ ...NOTHING, remoteCalls: 1 }, NOTHING]);
  expect(large.changes).toEqual(small.changes);
  // dev's own unit, and twice what would be promoted: its pull request shows it, and the check that follows finds it rendered.
  expect(large.changes[0]?.renders).toBe(3);
});
