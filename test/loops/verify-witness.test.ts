import { expect, test } from 'vitest';

import { verifyClone } from '#loops/verify.ts';
import { branchRef } from '#model/names.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, STAGING } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

/** web 1.1.0 has come to dev and, after its soak, to staging. */
async function promoted(): Promise<{ outside: Outside; engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [DEV, STAGING]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  outside.now = (outside.now + 60_000) as Outside['now'];
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });
  for (let minute = 0; minute < 13; minute += 1) {
    outside.now = (outside.now + 60_000) as Outside['now'];
    await engine.tick();
  }
  return { outside, engine };
}

async function verified(outside: Outside): Promise<readonly string[]> {
  const { world } = startEngine(portsOf(outside));
  await world.repository.fetch();
  const { problems } = await verifyClone(world, { full: false, report: () => undefined });
  return problems.map(({ code, message }) => `${code}: ${message}`);
}

test('a ledger that was cut back behind a promotion is missed by the promotion', async () => {
  const { outside } = await promoted();
  const { repository } = peopleOf(outside);
  const head = await repository.resolve('audit');
  const chain = head === undefined ? [] : await repository.firstParents(head, undefined, 1000);
  const whole = await verified(outside);
  const told: string[][] = [];
  for (const earlier of chain.slice(1)) {
    await repository.push([{ ref: branchRef('audit'), expected: await repository.resolve('audit'), next: earlier }]);
    told.push((await verified(outside)).filter((line) => line.startsWith('audit-rewound: ')));
  }

  expect(whole).toEqual([]);
  expect(told.length).toBeGreaterThan(2);
  expect(told.at(0)).toEqual([]);
  expect(told.at(-1)).toEqual([
    expect.stringMatching(/^audit-rewound: main [0-9a-f]{10} promotes web 1\.1\.0 to staging, and audit does not tell that it ever ran/),
  ]);
});

test('a rendered branch that was cut back is missed by the ledger', async () => {
  const { outside } = await promoted();
  const { repository } = peopleOf(outside);
  const head = await repository.resolve('rendered/staging');
  const parent = head === undefined ? undefined : (await repository.commit(head)).parents[0];
  await repository.push([{ ref: branchRef('rendered/staging'), expected: head, next: parent }]);

  expect(await verified(outside)).toEqual([
    expect.stringMatching(
      /^branch-rewound: audit record \w{26} names commit [0-9a-f]{10} of rendered\/staging, which is not on that branch/,
    ),
  ]);
});
