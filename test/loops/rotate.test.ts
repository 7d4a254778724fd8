import { expect, test } from 'vitest';

import { checkChange } from '#loops/check-change.ts';
import { rotateKey, type Rotated } from '#loops/rotate.ts';
import { verifyClone } from '#loops/verify.ts';
import { branchRef } from '#model/names.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, PROD, shopFiles, signerOf, STAGING } from '#test/stories/shop.ts';
import { declareShop, PROMOTE } from '#test/stories/stories.ts';

const DAY = 86_400_000;
const BRANCH = /^rotate\/engine-[0-9a-f]{12}$/;

async function running(): Promise<{ outside: Outside; engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [DEV, STAGING]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  return { outside, engine };
}

async function rotated(engine: Engine, options: { dryRun?: boolean; by?: string } = {}): Promise<Rotated> {
  const world = options.by === undefined ? engine.world : { ...engine.world, signer: signerOf(options.by) };
  const result = await rotateKey(world, { next: signerOf('fresh'), overlap: 7 * DAY, dryRun: options.dryRun === true });
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join());
  return result.value;
}

function later(outside: Outside, milliseconds: number): void {
  outside.now = (outside.now + milliseconds) as Outside['now'];
}

async function merge(outside: Outside, engine: Engine, { change }: Rotated): Promise<void> {
  if (change === undefined) throw new Error('there is no pull request');
  expect(await checkChange(engine.world, change.number)).toEqual({ kind: 'settled' });
  const merged = await peopleOf(outside)
    .forge('bob')
    .merge(change.number, { head: change.headCommit, title: change.title, message: change.title });
  expect(merged.kind).toBe('merged');
}

async function problemsOf(engine: Engine): Promise<readonly string[]> {
  await engine.world.repository.fetch();
  const { problems, commits } = await verifyClone(engine.world, { full: false, report: () => undefined });
  expect(commits).toBeGreaterThan(3);
  return problems.map((problem) => problem.message);
}

test('an engine goes on with its new key, and what the old one wrote stays verifiable', async () => {
  const { outside, engine } = await running();
  const proposal = await rotated(engine);
  await merge(outside, engine, proposal);
  later(outside, DAY);

  const next = startEngine({ ...portsOf(outside), signer: signerOf('fresh') });
  await next.start();
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
  await next.wake({ kind: 'look' });
  later(outside, 30 * DAY);
  await next.tick();
  const rendered = await next.world.repository.resolve('rendered/dev');

  expect(proposal).toMatchObject({ from: 'engine', to: 'engine-2026-01-05', validUntil: '2026-01-12T09:00:00Z' });
  expect(proposal.branch).toMatch(BRANCH);
  expect(proposal.patch).toContain('+    - name: "engine-2026-01-05"');
  expect(next.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  expect(rendered === undefined ? undefined : (await next.world.repository.commit(rendered)).author.name).toBe('fresh');
  expect(await problemsOf(next)).toEqual([]);
});

test('the old key writes nothing that counts after its end', async () => {
  const { outside, engine } = await running();
  await merge(outside, engine, await rotated(engine));
  later(outside, 30 * DAY);
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });

  expect(engine.endings.get('reconcile/dev')).toMatchObject({
    kind: 'stuck',
    problems: [{ code: 'signing-key-ended', message: expect.stringContaining('the key of this engine, engine, is not valid now') }],
  });
});

test('a dry run writes nothing', async () => {
  const { outside, engine } = await running();
  const before = [...(await peopleOf(outside).repository.refs())];
  const drafted = await rotated(engine, { dryRun: true });

  expect(drafted).toMatchObject({ commit: undefined, change: undefined, isDone: false });
  expect(drafted.patch).toContain('validUntil: "2026-01-12T09:00:00Z"');
  expect([...(await peopleOf(outside).repository.refs())]).toEqual(before);
});

test('run again it finds what stands, before the merge and after it', async () => {
  const { outside, engine } = await running();
  const first = await rotated(engine);
  later(outside, DAY);
  const second = await rotated(engine);
  await merge(outside, engine, second);
  await engine.world.repository.fetch();
  const third = await rotated(engine);

  expect(second).toEqual({ ...first, change: second.change });
  expect(second.change?.number).toBe(first.change?.number);
  expect(third).toMatchObject({ isDone: true, to: 'engine-2026-01-05', commit: undefined });
});

test.each(['the branch', 'the pull request'])('dying before %s and running again comes to the same end', async (where) => {
  const { outside, engine } = await running();
  const { repository, forge } = engine.world;
  const dies = (): never => {
    throw new Error('killed');
  };
  const dead = {
    ...engine.world,
    repository: where === 'the branch' ? { ...repository, push: dies } : repository,
    forge: where === 'the branch' || forge === undefined ? forge : { ...forge, open: dies },
  };
  await expect(rotateKey(dead, { next: signerOf('fresh'), overlap: 7 * DAY, dryRun: false })).rejects.toThrow('killed');
  const again = await rotated(engine);
  await merge(outside, engine, again);
  await engine.world.repository.fetch();

  expect(await rotated(engine)).toMatchObject({ isDone: true });
  expect(await problemsOf(engine)).toEqual([]);
});

test('a proposal that main has left behind is drafted anew on the same branch', async () => {
  const { outside, engine } = await running();
  const first = await rotated(engine);
  const project = shopFiles([DEV])['environments/project.yaml'] ?? '';
  await peopleOf(outside).push({
    'environments/project.yaml': `${project}    - name: bob\n      sshKey: ${signerOf('bob').publicKey}\n      for:\n        - commit\n`,
  });
  await engine.world.repository.fetch();
  const second = await rotated(engine);
  const head = await peopleOf(outside).repository.resolve(second.branch);

  expect(second.branch).toBe(first.branch);
  expect(second.commit).not.toBe(first.commit);
  expect(head).toBe(second.commit);
});

test('a key that the project does not trust for engines hands nothing on', async () => {
  const { engine } = await running();
  const world = { ...engine.world, signer: signerOf('mallory') };

  expect(await rotateKey(world, { next: signerOf('fresh'), overlap: DAY, dryRun: false })).toMatchObject({
    ok: false,
    problems: [{ code: 'rotation-impossible', message: expect.stringContaining('stands in no trust entry for engines') }],
  });
});

test.each([
  ['the old key alone', (message: string) => message.replace(/Signed-Also-By: .*\n/, '')],
  ['a second signature of another commit', (message: string) => message.replace('trust: let', 'trust: Let')],
])('a rotation by %s is refused on main, though it was merged', async (_, change) => {
  const { outside, engine } = await running();
  const proposal = await rotated(engine);
  const { repository } = peopleOf(outside);
  const good = await repository.commit(proposal.commit ?? ('' as never));
  const bad = await repository.writeCommit(
    { base: good.tree, changes: [], parents: good.parents, author: good.author, message: change(good.message) },
    async (payload) => signerOf('capstan').sign(payload),
  );
  await repository.push([{ ref: branchRef('main'), expected: good.parents[0], next: bad }]);
  await engine.wake({ kind: 'look' });

  expect(engine.endings.get('reconcile/dev')).toMatchObject({
    kind: 'stuck',
    problems: [{ code: 'signature-refused', message: expect.stringContaining('is no rotation of its key: ') }],
  });
  expect(await problemsOf(engine)).toEqual([expect.stringContaining('is no rotation of its key: ')]);
});

test('a rotation is no way past the gates of a promotion', async () => {
  const outside = newOutside();
  await PROMOTE.begin(outside);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const proposal = await rotated(engine);
  await merge(outside, engine, proposal);
  await engine.wake({ kind: 'look' });

  expect([...engine.endings].filter(([, ending]) => ending.kind === 'stuck')).toEqual([]);
  expect(PROD.approvals).toBe(1);
});
