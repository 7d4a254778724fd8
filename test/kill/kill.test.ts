import { expect, test } from 'vitest';

import { expectSameEnd } from './expect-same-end.ts';
import { seedOf, tellRounds } from './rounds.ts';

test('a service that is killed at 50 moments of the story ends where an undisturbed one ends', async () => {
  const rounds = Number(process.env['CAPSTAN_KILL_ROUNDS'] ?? 50);

  const told = await tellRounds(rounds, seedOf(process.env), 5);

  expect(rounds).toBeGreaterThan(0);
  expectSameEnd(told, rounds);
});
