import { expect, test } from 'vitest';

import { measureBundles } from '#bench/bundles.ts';

test('the measurement of bundles verifies signatures that hold', async () => {
  expect(await measureBundles(3)).toEqual({
    verifications: 3,
    keyless: { wall: expect.any(Number), cpu: expect.any(Number) },
    byKey: { wall: expect.any(Number), cpu: expect.any(Number) },
  });
});
