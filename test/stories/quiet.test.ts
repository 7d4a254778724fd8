import { expect, test } from 'vitest';

import { portsOf, startEngine } from './engine.ts';
import { digestOf, newOutside } from './outside.ts';
import { PROMOTE } from './stories.ts';
import { watchedPorts } from './watched-ports.ts';

const POLLS = 6;

test('left alone for a minute, the engine polls and looks for drift, and asks, renders, parses and writes nothing', async () => {
  const outside = newOutside();
  await PROMOTE.begin(outside);
  const calls: string[] = [];
  const watched = watchedPorts(portsOf(outside), {
    through(call, carryOut) {
      calls.push(call.name);
      return carryOut();
    },
  });
  const engine = startEngine(watched);
  for (const step of PROMOTE.steps) {
    await step.happen(outside);
    await step.wake(engine);
  }
  const before = digestOf(outside);
  const read = engine.world.repository.counts();
  const { parses } = engine.world.reading.counts();
  calls.splice(0);

  for (let poll = 0; poll < POLLS; poll += 1) {
    outside.now = (outside.now + 10_000) as typeof outside.now;
    await engine.tick();
    await engine.drift();
  }

  const now = outside.now;
  outside.now = (now - POLLS * 10_000) as typeof outside.now;
  expect(digestOf(outside)).toBe(before);
  expect(engine.world.repository.counts()).toEqual({ ...read, remoteCalls: read.remoteCalls + POLLS });
  expect(engine.world.reading.counts().parses).toBe(parses);
  const outward = calls.filter((name) => /^(forge|renderer|signer|target|targets)\.|\.(hasNews|fetch|push|write\w+|apply)$/.test(name));
  // Four targets: two of dev, one of staging and of prod.
  expect(Object.fromEntries([...Map.groupBy(outward, (name) => name)].map(([name, all]) => [name, all.length]))).toEqual({
    'repository.hasNews': POLLS,
    'targets.open': 4 * POLLS,
    'target.observe': 4 * POLLS,
  });
});
