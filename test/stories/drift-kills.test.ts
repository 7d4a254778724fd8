import { expect, test } from 'vitest';

import { DRIFT } from './drift.ts';
import { enumerateKills, goOnFrom } from './kills.ts';
import { endOf, tellStory, withoutDoubt } from './telling.ts';

test('drift: killed before, after or within any port call, the end is the same', async () => {
  const whole = await endOf((await tellStory(DRIFT)).outside);
  expect(whole.requests).toEqual([
    '1 merged drift(dev): adopt what was changed in Deployment web',
    '2 closed drift(dev): adopt what was changed in Deployment web',
  ]);
  expect(Object.keys(whole.trees)).toEqual(['main', 'rendered/dev']);

  const { calls, moments } = await enumerateKills(DRIFT);

  expect(calls.length).toBeGreaterThan(400);
  expect(moments.length).toBeGreaterThan(40);
  for (const moment of moments) {
    const end = await endOf(await goOnFrom(DRIFT, moment));
    expect({ where: moment.where[0], ...withoutDoubt(end) }).toEqual({ where: moment.where[0], ...withoutDoubt(whole) });
  }
});
