import { expect, test } from 'vitest';

import { restAfterWork } from '#service/rest.ts';
import { settableTime } from './settable-time.ts';

function bench() {
  const time = settableTime();
  const state = { isIdle: true, rests: 0 };
  const rest = restAfterWork({ timers: time.timers, isIdle: () => state.isIdle, rest: () => (state.rests += 1) });
  return { time, state, rest };
}

test('rests once, ten seconds after the last of much work', async () => {
  const { time, state, rest } = bench();

  rest.ended(900);
  rest.ended(900);
  await time.advance(9_000);
  rest.ended(1);
  await time.advance(9_999);
  const before = state.rests;
  await time.advance(1);
  const then = state.rests;
  await time.advance(1_000_000);

  expect([before, then, state.rests]).toEqual([0, 1, 1]);
});

test('little work counts until it is much', async () => {
  const { time, state, rest } = bench();

  rest.ended(600);
  await time.advance(1_000_000);
  const before = state.rests;
  rest.ended(600);
  await time.advance(10_000);

  expect([before, state.rests]).toEqual([0, 1]);
});

test('does not rest while something runs, but after it', async () => {
  const { time, state, rest } = bench();

  rest.ended(5_000);
  state.isIdle = false;
  await time.advance(10_000);
  const before = state.rests;
  state.isIdle = true;
  rest.ended(1);
  await time.advance(10_000);

  expect([before, state.rests]).toEqual([0, 1]);
});

test('does not rest any more when it was stopped', async () => {
  const { time, state, rest } = bench();

  rest.ended(5_000);
  rest.stop();
  await time.advance(10_000);

  expect(state.rests).toBe(0);
  expect(time.next()).toBeUndefined();
});
