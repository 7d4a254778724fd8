import { expect, test } from 'vitest';

import { expectSameEnd } from '#test/kill/expect-same-end.ts';
import { seedOf, tellRounds } from '#test/kill/rounds.ts';

/** `npm run test:kill` is the same with 50 kills. */
test('row 14: a service that is killed a few times ends where an undisturbed one ends', async () => {
  const rounds = 4;

  const told = await tellRounds(rounds, seedOf(process.env), rounds);

  expect(told.disturbed).toHaveLength(1);
  expectSameEnd(told, rounds);
});
