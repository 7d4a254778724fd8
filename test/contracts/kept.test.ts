import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { keptFiles } from '#adapters/machine/machine.ts';
import { sha256Of } from '#model/digest.ts';
import type { Kept } from '#ports/kept.ts';
import { memoryKept } from './memory-kept.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-kept-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const KEY = `${sha256Of('image')}-${sha256Of('policy')}`;

for (const [name, made] of [
  ['the double', (): Kept => memoryKept()],
  ['files', (): Kept => keptFiles(join(folder, 'a'))],
] as const) {
  test(`${name}: what was put is there, the last of two counts, and what was not put is not there`, async () => {
    const kept = made();
    await kept.put(KEY, 'first');
    await kept.put(KEY, 'second\nline');
    expect([await kept.get(KEY), await kept.get(sha256Of('other'))]).toEqual(['second\nline', undefined]);
  });
}

test('files: it is there after a restart, for its owner alone, and nothing passing stays', async () => {
  const place = join(folder, 'b');
  await keptFiles(place).put(KEY, 'text');
  expect(await keptFiles(place).get(KEY)).toBe('text');
  expect(await readdir(place)).toEqual([KEY]);
  expect((await stat(join(place, KEY))).mode & 0o777).toBe(0o600);
});

test('files: one that was cut off or written by hand counts as absent', async () => {
  const place = join(folder, 'c');
  await keptFiles(place).put(KEY, 'a text that is long enough to be cut');
  const whole = await readFile(join(place, KEY), 'utf8');
  await writeFile(join(place, KEY), whole.slice(0, -3));
  expect(await keptFiles(place).get(KEY)).toBeUndefined();
});

test('files: a key is never a path', async () => {
  const kept = keptFiles(join(folder, 'd'));
  await kept.put('../escaped', 'text');
  expect(await kept.get('../escaped')).toBeUndefined();
  expect(await readdir(folder)).not.toContain('escaped');
});

test('files: where nothing can be written, nothing is kept and nothing breaks', async () => {
  await writeFile(join(folder, 'file'), '');
  const kept = keptFiles(join(folder, 'file', 'below'));
  await kept.put(KEY, 'text');
  expect(await kept.get(KEY)).toBeUndefined();
});
