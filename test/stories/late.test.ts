import { expect, test } from 'vitest';

import { enumerateLateReads, tellLate } from './late.ts';
import { tellPolled } from './polled.ts';
import { RECONCILE } from './stories.ts';
import { comparableEnd, endOf } from './telling.ts';

// The longer stories are told so in test/programs/stories.test.ts.
test('row 77: reconcile: whichever read is one version late, the end is the same', async () => {
  const whole = await endOf(await tellPolled(RECONCILE));

  const late = await enumerateLateReads(RECONCILE);

  expect(late.length).toBeGreaterThan(20);
  for (const [at, read] of late.entries()) {
    if (at % 2 === 1) continue;
    const where = `${read.number} ${read.name}`;
    const end = await endOf(await tellLate(RECONCILE, read));
    expect({ where, ...comparableEnd(end, read.name) }).toEqual({ where, ...comparableEnd(whole, read.name) });
  }
});
