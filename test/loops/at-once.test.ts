import { expect, test } from 'vitest';

import { atOnce } from '#loops/at-once.ts';

test('answers in the order of the items, whoever is first, and never works on more than it may', async () => {
  const waiting: (() => void)[] = [];
  let inside = 0;
  let most = 0;
  const answers = atOnce([1, 2, 3, 4, 5], 2, async (item) => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise<void>((resolve) => waiting.push(resolve));
    inside -= 1;
    return item * 10;
  });
  while (waiting.length > 0) {
    waiting.pop()?.();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }

  expect(await answers).toEqual([10, 20, 30, 40, 50]);
  expect(most).toBe(2);
});

test('a failure is thrown once what is under way is finished, and begins nothing more', async () => {
  const began: number[] = [];
  let isFinished = false;
  let finish = (): void => undefined;
  const answers = atOnce([1, 2, 3], 2, async (item) => {
    began.push(item);
    if (item === 1) throw new Error('no');
    await new Promise<void>((resolve) => (finish = resolve));
    isFinished = true;
  });
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  finish();

  await expect(answers).rejects.toThrow('no');
  expect([began, isFinished]).toEqual([[1, 2], true]);
});
