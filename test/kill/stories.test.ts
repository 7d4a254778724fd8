import { expect, test } from 'vitest';

import { enumerateFailures, tellFailing } from '#test/stories/errors.ts';
import { enumerateLateReads, tellLate } from '#test/stories/late.ts';
import { tellPolled } from '#test/stories/polled.ts';
import { PROMOTE, SQUASH } from '#test/stories/stories.ts';
import { comparableEnd, endOf } from '#test/stories/telling.ts';

// The long stories, call by call: a quarter of an hour on a slow machine, so not in every run. The gate takes samples of them.

test.each([PROMOTE, SQUASH])('$name: every read, one version late', { timeout: 1_800_000 }, async (story) => {
  const whole = await endOf(await tellPolled(story));

  for (const read of await enumerateLateReads(story)) {
    const where = `${read.number} ${read.name}`;
    const end = await endOf(await tellLate(story, read));
    expect({ where, ...comparableEnd(end, read.name) }).toEqual({ where, ...comparableEnd(whole, read.name) });
  }
});

test.each([PROMOTE])('$name: every port call, failing once in every way', { timeout: 1_800_000 }, async (story) => {
  const whole = await endOf(await tellPolled(story));

  for (const failure of await enumerateFailures(story)) {
    const end = await endOf(await tellFailing(story, failure));
    expect({ failure, ...comparableEnd(end, failure.name) }).toEqual({ failure, ...comparableEnd(whole, failure.name) });
  }
});
