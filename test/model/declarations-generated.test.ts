import { readFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { GENERATED_FILE, generatedTypes } from '#schemas/generate.ts';

test('the declaration types are what the schemas generate (npm run generate)', async () => {
  expect(await readFile(GENERATED_FILE, 'utf8')).toBe(await generatedTypes());
});
