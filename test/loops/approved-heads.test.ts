import { expect, test } from 'vitest';

import { treeDiff } from '#loops/tree-diff.ts';
import type { BlobId, CommitId } from '#model/digest.ts';
import { branchRef, toEnvironmentName } from '#model/names.ts';
import type { ChangeRequest } from '#model/promotion.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, PROJECT_FILE, signerOf } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const APPROVED = { ...DEV, merge: 'manual', approvals: 1 } as const;
const LOCK = 'environments/dev/environment.lock.yaml';
const promoteDev = { kind: 'promote' as const, environment: toEnvironmentName('dev') };

/** Two releases of web, a promotion to the newer one that bob approved. */
async function approved(): Promise<{ outside: Outside; engine: Engine; request: ChangeRequest }> {
  const outside = newOutside();
  await declareShop(outside, [APPROVED]);
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
  await peopleOf(outside).push(capsuleFiles('1.2.0'), { message: 'web 1.2.0' });
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const forge = peopleOf(outside).forge('bob');
  const [request] = await forge.list('promote/', undefined);
  if (request === undefined) throw new Error('no request');
  await forge.review(request.number, 'approved');
  await engine.wake(promoteDev);
  return { outside, engine, request };
}

const status = (outside: Outside) =>
  [...outside.forge.statuses.values()].filter(({ check }) => check.name === 'capstan/promote').map(({ check }) => check.state);

test('an approval stands for the head that it was given for', async () => {
  const { outside } = await approved();

  expect(status(outside)).toEqual(['success']);
});

test('an approval stands when the branch is rebuilt with the same change', async () => {
  const { outside, engine, request } = await approved();
  const { repository, forge } = peopleOf(outside);
  const main = await repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  const lock = Buffer.from(await repository.blob(await lockBlob(outside, main))).toString('utf8');

  await peopleOf(outside).push({ [LOCK]: lock.replace('holds: {}', 'holds:\n  api:\n    reason: not yet') });
  await engine.wake({ kind: 'look' }, promoteDev);

  const [rebuilt] = await forge('bob').list('promote/', undefined);
  expect(rebuilt?.number).toBe(request.number);
  expect(rebuilt?.headCommit).not.toBe(request.headCommit);
  expect(rebuilt?.body).toContain('bob approved; 1 of 1');
});

test('row 79: an approval falls when the base moved so that the branch renders to something else, until it is given again', async () => {
  const { outside, engine, request } = await approved();
  const { forge } = peopleOf(outside);

  await peopleOf(outside).push({ 'environments/dev/environment.yaml': environmentFile({ ...APPROVED, targets: ['one', 'two', 'three'] }) });
  await engine.wake({ kind: 'look' }, promoteDev);

  const [rebuilt] = await forge('bob').list('promote/', undefined);
  if (rebuilt === undefined) throw new Error('no request');
  expect([rebuilt.number, rebuilt.headCommit === request.headCommit]).toEqual([request.number, false]);
  expect(status(outside).at(-1)).toBe('pending');
  await engine.wake(promoteDev);
  expect((await forge('bob').list('promote/', undefined)).at(-1)?.body).toContain(
    'approval by bob does not count: it is of another commit',
  );

  await forge('bob').review(request.number, 'approved');
  await engine.wake(promoteDev);

  expect((await forge('bob').list('promote/', undefined)).at(-1)?.body).toContain('bob approved; 1 of 1');
});

test('an approval stands when the base moved in something that renders to the same', async () => {
  const { outside, engine, request } = await approved();
  const { forge } = peopleOf(outside);

  await peopleOf(outside).push({ 'environments/dev/environment.yaml': `${environmentFile(APPROVED)}\n# a remark\n` });
  await engine.wake({ kind: 'look' }, promoteDev);

  const [rebuilt] = await forge('bob').list('promote/', undefined);
  expect(rebuilt?.headCommit).not.toBe(request.headCommit);
  expect(rebuilt?.body).toContain('bob approved; 1 of 1');
});

test('row 79: a check that passed on a head says nothing of the head that the branch is rebuilt to', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const checked = environmentFile(DEV).replace('  gates:\n', '  gates:\n    - name: tests\n      type: check\n      checks: [ci]\n');
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': checked });
  const engine = startEngine(portsOf(outside));
  await engine.start();
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });
  const { repository, forge } = peopleOf(outside);
  const [request] = await forge('bob').list('promote/', undefined);
  const main = await repository.resolve('main');
  if (request === undefined || main === undefined) throw new Error('no request');
  const lock = Buffer.from(await repository.blob(await lockBlob(outside, main))).toString('utf8');

  await forge('bob').publish(request.headCommit, { name: 'ci', state: 'success', detail: 'green' });
  await peopleOf(outside).push({ [LOCK]: lock.replace('holds: {}', 'holds:\n  api:\n    reason: not yet') });
  await engine.wake({ kind: 'look' }, promoteDev);

  const [rebuilt] = await forge('bob').list('promote/', undefined);
  expect([rebuilt?.state, rebuilt?.headCommit === request.headCommit]).toEqual(['open', false]);
  expect(status(outside).at(-1)).toBe('pending');

  await forge('bob').publish(rebuilt?.headCommit ?? main, { name: 'ci', state: 'success', detail: 'green' });
  await engine.wake(promoteDev);

  expect((await forge('bob').list('promote/', undefined)).map((one) => one.state)).toEqual(['merged']);
});

test('an approval of one content does not let another one in that somebody pushed to the branch and merged', async () => {
  const { outside, engine, request } = await approved();
  const { repository, forge } = peopleOf(outside);
  const signer = signerOf('ada');
  const lock = Buffer.from(await repository.blob(await lockBlob(outside, request.headCommit))).toString('utf8');
  const evil = await repository.writeCommit(
    {
      base: (await repository.commit(request.headCommit)).tree,
      changes: [{ kind: 'file', path: LOCK, content: Buffer.from(await olderLock(outside, lock)) }],
      parents: [request.headCommit],
      author: { name: 'ada', email: signer.email, at: outside.now, zone: '+0000' },
      message: 'a small correction\n',
    },
    (payload) => signer.sign(payload),
  );
  await repository.push([{ ref: branchRef(request.head), expected: request.headCommit, next: evil }]);
  outside.forge.protections.delete('main');
  await forge('ada').follow();
  expect(await forge('ada').merge(request.number, { head: evil, title: 'x', message: '' })).toMatchObject({ kind: 'merged' });
  await engine.wake({ kind: 'look' });

  expect(engine.endings.get('reconcile/dev')).toMatchObject({
    kind: 'stuck',
    problems: [{ code: 'gate-not-passed', message: expect.stringContaining('approval by bob does not count: it is of another commit') }],
  });
});

interface Written {
  readonly author: string;
  readonly signer: string | undefined;
  readonly beside?: Readonly<Record<string, string>>;
}

/** In place of the engine's commit, one by somebody else with the same lock. */
async function rewriteBranch(outside: Outside, request: ChangeRequest, { author, signer, beside = {} }: Written): Promise<CommitId> {
  const { repository, forge } = peopleOf(outside);
  const { parents } = await repository.commit(request.headCommit);
  const [parent] = parents;
  if (parent === undefined) throw new Error('no parent');
  const lock = Buffer.from(await repository.blob(await lockBlob(outside, request.headCommit))).toString('utf8');
  const next = await repository.writeCommit(
    {
      base: (await repository.commit(parent)).tree,
      changes: Object.entries({ [LOCK]: lock, ...beside }).map(([path, text]) => ({ kind: 'file', path, content: Buffer.from(text) })),
      parents,
      author: { name: author, email: `${author}@example.org`, at: outside.now, zone: '+0000' },
      message: 'the same, by hand\n',
    },
    signer === undefined ? undefined : (payload) => signerOf(signer).sign(payload),
  );
  await repository.push([{ ref: branchRef(request.head), expected: request.headCommit, next }]);
  await forge('admin').follow();
  return next;
}

async function openRequest(project = PROJECT_FILE): Promise<{ outside: Outside; engine: Engine; request: ChangeRequest }> {
  const outside = newOutside();
  await declareShop(outside, [APPROVED]);
  await peopleOf(outside).push({ 'environments/project.yaml': project, ...capsuleFiles('1.1.0') }, { message: 'web 1.1.0' });
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const [request] = await peopleOf(outside).forge('bob').list('promote/', undefined);
  if (request === undefined) throw new Error('no request');
  return { outside, engine, request };
}

const bodyOf = async (outside: Outside): Promise<string> =>
  (await peopleOf(outside).forge('bob').list('promote/', undefined)).at(-1)?.body ?? '';

test('row 82: the author of a commit on the branch cannot approve it, somebody else can', async () => {
  const { outside, engine, request } = await openRequest();
  const head = await rewriteBranch(outside, request, { author: 'carol', signer: undefined });

  await peopleOf(outside).forge('carol').review(request.number, 'approved');
  await engine.wake({ kind: 'look' }, promoteDev);

  expect((await peopleOf(outside).forge('bob').list('promote/', undefined)).map((one) => one.headCommit)).toEqual([head]);
  expect(await bodyOf(outside)).toContain('approval by carol does not count: carol authored the change');
  expect(status(outside)).toEqual(['pending', 'pending']);

  await peopleOf(outside).forge('bob').review(request.number, 'approved');
  await engine.wake({ kind: 'look' }, promoteDev);

  expect(await bodyOf(outside)).toContain('bob approved; 1 of 1');
});

test('row 82: whose key signed a commit on the branch cannot approve it, whatever the commit says of its author', async () => {
  const bob = `    - name: key-of-bob\n      user: bob\n      sshKey: ${signerOf('bob').publicKey}\n      for: [commit]\n`;
  const { outside, engine, request } = await openRequest(PROJECT_FILE.replace('    - name: engine\n', (text) => `${bob}${text}`));
  await rewriteBranch(outside, request, { author: 'carol', signer: 'bob' });

  await peopleOf(outside).forge('bob').review(request.number, 'approved');
  await engine.wake({ kind: 'look' }, promoteDev);

  expect(await bodyOf(outside)).toContain('approval by bob does not count: bob authored the change');
});

test('the forge is not asked who wrote a branch that only the engine wrote', async () => {
  const { outside, engine } = await approved();
  const { forge } = engine.world;
  const before = forge?.counts().requests ?? 0;

  await engine.wake(promoteDev);

  // Open requests, the reviews of the one, and the request that its release came in by.
  expect((forge?.counts().requests ?? 0) - before).toBe(3);
  expect(status(outside)).toEqual(['success']);
});

test('a branch that brings more than its lock is rebuilt, never merged', async () => {
  const { outside, engine, request } = await openRequest();
  const evil = await rewriteBranch(outside, request, { author: 'carol', signer: undefined, beside: { 'README.md': 'mine\n' } });

  await engine.wake({ kind: 'look' }, promoteDev);

  const [rebuilt] = await peopleOf(outside).forge('bob').list('promote/', undefined);
  if (rebuilt === undefined) throw new Error('no request');
  expect(rebuilt.headCommit).not.toBe(evil);
  const { world } = engine;
  const [parent] = (await world.repository.commit(rebuilt.headCommit)).parents;
  const trees = await Promise.all([parent, rebuilt.headCommit].map(async (id) => (await world.repository.commit(id ?? evil)).tree));
  expect(
    (await treeDiff(world.repository, trees[0], trees[1] ?? (await world.repository.commit(evil)).tree, '')).map((one) => one.path),
  ).toEqual([LOCK]);
});

async function lockBlob(outside: Outside, commit: ChangeRequest['headCommit']): Promise<BlobId> {
  const { repository } = peopleOf(outside);
  let { tree } = await repository.commit(commit);
  for (const name of LOCK.split('/')) {
    const entry = (await repository.tree(tree)).find((item) => item.name === name);
    if (entry?.kind === 'blob') return entry.id;
    if (entry?.kind === 'tree') tree = entry.id;
  }
  throw new Error('no lock');
}

/** The same lock with web 1.1.0 instead of 1.2.0. */
async function olderLock(outside: Outside, lock: string): Promise<string> {
  const { world } = startEngine(portsOf(outside));
  await world.repository.fetch();
  const main = await world.repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  const { index } = await world.history.releases(main);
  const web = [...index.releases].find(([name]) => name === 'web')?.[1];
  const [old, fresh] = [web?.get('1.1.0'), web?.get('1.2.0')];
  if (old === undefined || fresh === undefined) throw new Error('two releases were made');
  const [loaded] = await world.reading.capsules([{ name: old.capsule, tree: old.gitTree }]);
  return lock
    .replace('1.2.0', '1.1.0')
    .replace(fresh.commit, old.commit)
    .replace(fresh.gitTree, old.gitTree)
    .replace(/sha256: [0-9a-f]{64}/, `sha256: ${loaded?.source?.sha256}`);
}
