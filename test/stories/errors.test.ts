import { expect, test } from 'vitest';

import { enumerateFailures, tellFailing } from './errors.ts';
import { tellPolled } from './polled.ts';
import { RECONCILE } from './stories.ts';
import { comparableEnd, endOf } from './telling.ts';

// All of them, and of the longer stories, are told in test/programs/stories.test.ts.
test('reconcile: whichever port call fails once, the end is the same', async () => {
  const whole = await endOf(await tellPolled(RECONCILE));

  const all = await enumerateFailures(RECONCILE);

  expect(all.length).toBeGreaterThan(150);
  for (const [at, failure] of all.entries()) {
    if (at % 7 !== 0) continue;
    const end = await endOf(await tellFailing(RECONCILE, failure));
    expect({ failure, ...comparableEnd(end, failure.name) }).toEqual({ failure, ...comparableEnd(whole, failure.name) });
  }
});
