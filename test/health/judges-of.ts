import { expect, test } from 'vitest';

import type { JsonObject } from '#model/json.ts';
import { judged } from './build-live.ts';

type Case = readonly [name: string, spec: JsonObject, status: JsonObject | undefined, said: string];

/** Every case with an observed generation unless its status says another. */
export function judgesOf(kind: string, cases: readonly Case[]): void {
  test.each(cases)('%s', (_, spec, status, said) => {
    expect(judged({ kind, spec, ...(status === undefined ? {} : { status: { observedGeneration: 1, ...status } }) })).toBe(said);
  });
}
