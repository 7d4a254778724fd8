import { expect, it } from 'vitest';

import { concurrency } from '#adapters/kubernetes/concurrency.ts';

const free = new AbortController().signal;

it('lets as many in as the limit says, in the order in which they came', async () => {
  const slots = concurrency({ start: 2, most: 4 });
  const order: number[] = [];
  const entering = [1, 2, 3, 4].map((who) => slots.enter(free)?.then(() => order.push(who)));
  slots.leave();
  await entering[2];
  slots.leave();
  await entering[3];

  expect(entering.slice(0, 2)).toEqual([undefined, undefined]);
  expect(order).toEqual([3, 4]);
});

it('grows by one after as many good answers as it lets in, while it is used, up to its bound', () => {
  const slots = concurrency({ start: 2, most: 4 });
  const limits: number[] = [];
  const fill = (): void => {
    for (let inside = slots.inside(); inside < slots.limit(); inside++) void slots.enter(free);
  };
  slots.keptUp();
  limits.push(slots.limit());
  for (let answers = 0; answers < 12; answers++) {
    fill();
    slots.keptUp();
    limits.push(slots.limit());
  }

  expect(limits).toEqual([2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]);
});

it('halves once for all that was on its way, never below one', () => {
  const slots = concurrency({ start: 8, most: 8 });
  for (let inside = 0; inside < 8; inside++) void slots.enter(free);
  const limits: number[] = [];
  for (let refused = 0; refused < 8; refused++) {
    slots.overloaded();
    slots.leave();
    limits.push(slots.limit());
  }
  for (let round = 0; round < 4; round++) {
    void slots.enter(free);
    slots.overloaded();
    slots.leave();
    limits.push(slots.limit());
  }

  expect(limits).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 2, 1, 1, 1]);
});

it('lets go of who waits and no longer wants to', async () => {
  const slots = concurrency({ start: 1, most: 1 });
  const quitting = new AbortController();
  void slots.enter(free);
  const quitter = slots.enter(quitting.signal);
  const patient = slots.enter(free);
  quitting.abort(new Error('enough'));
  slots.leave();

  await expect(quitter).rejects.toThrow('enough');
  await expect(patient).resolves.toBe(undefined);
  expect(slots.inside()).toBe(1);
});
