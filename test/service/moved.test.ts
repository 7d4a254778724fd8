import { expect, test } from 'vitest';

import { toEnvironmentName, toTargetName } from '#model/names.ts';
import { wakeWhenMoved } from '#service/moved.ts';
import { memoryTargets } from '#test/contracts/memory-target.ts';
import { settableTime } from './settable-time.ts';

const dev = toEnvironmentName('dev');
const one = toTargetName('one');

function watching() {
  const time = settableTime();
  const began = time.now();
  const targets = memoryTargets();
  const woken: string[] = [];
  const { stop } = wakeWhenMoved({
    watch: (moved) => targets.watch?.(moved),
    clock: time.clock,
    timers: time.timers,
    wake: (environment) => woken.push(`${environment} after ${time.now() - began}`),
  });
  return { time, woken, stop, tell: () => targets.tell(dev, one) };
}

test('many changes at once wake the environment once, soon', async () => {
  const { time, woken, tell } = watching();
  for (let count = 0; count < 1000; count += 1) tell();
  await time.advance(10_000);
  expect(woken).toEqual(['dev after 50']);
});

test('while changes keep coming they wake it ever less often, four times a second at most', async () => {
  const { time, woken, tell } = watching();
  for (let count = 0; count < 100; count += 1) {
    tell();
    await time.advance(10);
  }
  expect(woken).toEqual(['dev after 50', 'dev after 150', 'dev after 350', 'dev after 600', 'dev after 850']);
});

test('after two quiet seconds a change is looked at soon again', async () => {
  const { time, woken, tell } = watching();
  for (let count = 0; count < 40; count += 1) {
    tell();
    await time.advance(10);
  }
  await time.advance(3_600);
  tell();
  await time.advance(100);
  expect(woken.at(-1)).toBe('dev after 4050');
});

test('nothing is woken once it is stopped', async () => {
  const { time, woken, stop, tell } = watching();
  tell();
  stop();
  tell();
  await time.advance(1_000);
  expect(woken).toEqual([]);
});
