import { expect } from 'vitest';

import type { Rounds } from './rounds.ts';

/** Every disturbed story ends where the undisturbed one ends, with nothing lost, nothing twice and nothing that threw. */
export function expectSameEnd({ undisturbed, disturbed }: Rounds, rounds: number): void {
  expect(disturbed.flatMap((told) => told.moments)).toHaveLength(rounds);
  for (const { moments, end, unsettled, exitCode, errors, accepted } of [undisturbed, ...disturbed]) {
    expect({ moments, end, unsettled, exitCode, errors }).toEqual({
      moments,
      end: undisturbed.end,
      unsettled: [],
      exitCode: 0,
      errors: [],
    });
    expect(accepted).toBeGreaterThan(5);
  }
  expect(undisturbed.end.verified).toBe(0);
  expect(undisturbed.end.requests).toHaveLength(3);
  expect(Object.values(undisturbed.end.moves).map((rows) => rows.length)).toEqual([2, 2, 2]);
}
