import { expect, test } from 'vitest';

import { DRIFT } from '#test/stories/drift.ts';
import { enumerateFailures, tellFailing } from '#test/stories/errors.ts';
import { enumerateLateReads, tellLate } from '#test/stories/late.ts';
import { tellPolled } from '#test/stories/polled.ts';
import { tellSideBySide } from '#test/stories/side-by-side.ts';
import { PROMOTE, RECONCILE, ROLLOUT, SQUASH, type Story } from '#test/stories/stories.ts';
import { comparableEnd, endOf, withoutDoubt } from '#test/stories/telling.ts';

const STORIES: readonly Story[] = [RECONCILE, PROMOTE, SQUASH, ROLLOUT, DRIFT];

test.each([RECONCILE, ROLLOUT])('$name: every read, one version late', { timeout: 1_800_000 }, async (story) => {
  const whole = await endOf(await tellPolled(story));

  for (const read of await enumerateLateReads(story)) {
    const where = `${read.number} ${read.name}`;
    const end = await endOf(await tellLate(story, read));
    expect({ where, ...comparableEnd(end, read.name) }).toEqual({ where, ...comparableEnd(whole, read.name) });
  }
});

test.each([RECONCILE, ROLLOUT])('$name: every port call, failing once in every way', { timeout: 1_800_000 }, async (story) => {
  const whole = await endOf(await tellPolled(story));

  for (const [at, failure] of (await enumerateFailures(story)).entries()) {
    // Of the long one some: all of them take ten minutes.
    if (story === ROLLOUT && at % 8 !== 0) continue;
    const end = await endOf(await tellFailing(story, failure));
    expect({ failure, ...comparableEnd(end, failure.name) }).toEqual({ failure, ...comparableEnd(whole, failure.name) });
  }
});

test('drift: every port call, failing once in every way', { timeout: 1_800_000 }, async () => {
  const whole = withoutDoubt(await endOf(await tellPolled(DRIFT)));

  for (const failure of await enumerateFailures(DRIFT)) {
    // That drift was taken back is told by the run that did it, or by none: the next one finds everything as it should be.
    const end = withoutDoubt(await endOf(await tellFailing(DRIFT, failure)));
    expect({ failure, ...end }).toEqual({ failure, ...whole });
  }
});

test.each(STORIES)('$name: two engines at once, interleaved in thirty ways', { timeout: 1_800_000 }, async (story) => {
  const whole = withoutDoubt(await endOf(await tellPolled(story)));

  for (let seed = 1; seed <= 30; seed += 1) {
    const end = withoutDoubt(await endOf(await tellSideBySide(story, seed)));
    expect({ seed, ...end }).toEqual({ seed, ...whole });
  }
});
