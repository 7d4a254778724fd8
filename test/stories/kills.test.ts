import { expect, test } from 'vitest';

import { memoryDisk } from '#test/contracts/memory-repository.ts';
import { enumerateKills, goOnFrom } from './kills.ts';
import { PROMOTE, RECONCILE, ROLLOUT } from './stories.ts';
import { endOf, tellStory } from './telling.ts';

const STORIES = [
  { ...RECONCILE, calls: 150, moments: 15 },
  { ...PROMOTE, calls: 800, moments: 60 },
  { ...ROLLOUT, calls: 300, moments: 30 },
];

test.each(STORIES)('row 99: $name: killed before, after or within any port call, the end is the same', async (story) => {
  const whole = await endOf((await tellStory(story)).outside);

  const { calls, moments } = await enumerateKills(story);

  expect(calls.length).toBeGreaterThan(story.calls);
  expect(moments.length).toBeGreaterThan(story.moments);
  for (const moment of moments) {
    const end = await endOf(await goOnFrom(story, moment));
    expect({ where: moment.where[0], ...end }).toEqual({ where: moment.where[0], ...whole });
  }
});

test('promote: killed together with its mirror, the end is the same', async () => {
  const whole = await endOf((await tellStory(PROMOTE)).outside);

  const { moments } = await enumerateKills(PROMOTE);

  for (const [index, moment] of moments.entries()) {
    if (index % 4 !== 0) continue;
    const left = { ...moment.left, mirror: memoryDisk() };
    const end = await endOf(await goOnFrom(PROMOTE, { ...moment, left }));
    expect({ where: moment.where[0], ...end }).toEqual({ where: moment.where[0], ...whole });
  }
});
