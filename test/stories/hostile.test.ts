import { expect, test } from 'vitest';

import { toCommitId } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { branchRef, toEnvironmentName } from '#model/names.ts';
import type { Ending } from '#model/receipt.ts';
import { serviceWork } from '#service/service.ts';
import { portsOf, startEngine, type Engine } from './engine.ts';
import { newOutside, peopleOf, type Outside } from './outside.ts';
import { plant, PLANTS, remove } from './planted.ts';
import { capsuleFiles, DEV, shopFiles, signerOf, STAGING } from './shop.ts';
import { declareShop, freshLocks } from './stories.ts';
import { endOf } from './telling.ts';

const MAIN = branchRef('main');

const UNITS = ['reconcile/dev', 'reconcile/staging', 'promote/dev', 'promote/staging'];
const RECONCILE_ALL = (['dev', 'staging'] as const).map((name) => ({ kind: 'reconcile', environment: toEnvironmentName(name) }) as const);

/** Dev and staging at rest, with web 1.0.0. */
async function atRest(staging = STAGING): Promise<{ readonly outside: Outside; readonly engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [DEV, staging]);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  return { outside, engine };
}

/** Staging gets a second target: whether it does is whether staging goes on. */
async function widenStaging(outside: Outside, staging = STAGING): Promise<void> {
  const path = 'environments/staging/environment.yaml';
  await peopleOf(outside).push({ [path]: shopFiles([{ ...staging, targets: ['one', 'two'] }])[path] ?? '' });
}

function filesOn(outside: Outside, target: string): readonly string[] {
  return [...(outside.targets.get(target)?.files.keys() ?? [])];
}

/** `settled`, or what a run is stuck with. */
function said(ending: Ending | undefined): string {
  if (ending?.kind === 'stuck') return ending.problems.map((problem) => `${problem.code} ${problem.place.file ?? ''}`).join(', ');
  return ending?.kind ?? 'never ran';
}

/** A look at what was pushed, and at staging that gets a second target meanwhile. */
async function lookAround(outside: Outside, engine: Engine, staging = STAGING): Promise<object> {
  const before = filesOn(outside, 'dev/one');
  await widenStaging(outside, staging);
  await engine.wake({ kind: 'look' });
  const widened = filesOn(outside, 'staging/two');
  return {
    dev: said(engine.endings.get('reconcile/dev')),
    devKeeps: before.length > 0 && before.join() === filesOn(outside, 'dev/one').join(),
    staging: said(engine.endings.get('reconcile/staging')),
    stagingWidens: widened.length > 0 && widened.join() === filesOn(outside, 'staging/one').join(),
  };
}

function onlyDevStops(words: string): object {
  return { dev: words, devKeeps: true, staging: 'settled', stagingWidens: true };
}

/** Staging that takes nothing from dev. */
const ALONE = { ...STAGING, from: [] };
const DEV_LOCK = 'environments/dev/environment.lock.yaml';
const CONFIG = 'environments/dev/config/web.yaml';

test.each([
  ['row 16: a folder with unsafe names', 'environments/dev/config', PLANTS.unsafeNames],
  ['row 17: a symbolic link', CONFIG, PLANTS.symbolicLink],
  ['row 18: a folder with a name twice', 'environments/dev/config', PLANTS.twins],
  ['row 19: a submodule', CONFIG, PLANTS.submodule],
  ['row 21: a file of more than is read', CONFIG, PLANTS.hugeFile],
  ['row 21: a folder that stands for a billion files', 'environments/dev/config', PLANTS.boundless],
  ['row 21: folders five thousand deep', 'environments/dev/config', PLANTS.bottomless],
])('%s in dev stops dev by name, and staging goes on', async (_title, path, make) => {
  const { outside, engine } = await atRest();
  await plant(outside, path, make);

  expect(await lookAround(outside, engine)).toEqual(onlyDevStops(`declaration-not-regular ${path}`));
});

test('row 20: a large-file pointer in dev stops dev by name, and staging goes on', async () => {
  const { outside, engine } = await atRest();
  await peopleOf(outside).push({ [CONFIG]: 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n' });

  expect(await lookAround(outside, engine)).toEqual(onlyDevStops(`lfs-pointer ${CONFIG}`));
});

test.each([
  ['row 16: unsafe names', 'docs/a', PLANTS.unsafeNames],
  ['row 17: a symbolic link', 'docs', PLANTS.symbolicLink],
  ['row 19: a submodule', 'vendored', PLANTS.submodule],
  ['row 21: a huge file', 'docs/film', PLANTS.hugeFile],
  ['row 21: a folder of a billion files', 'docs/files', PLANTS.boundless],
])('%s where nothing is declared stop nobody', async (_title, path, make) => {
  const { outside, engine } = await atRest();
  await plant(outside, path, make);
  await widenStaging(outside);
  await engine.wake({ kind: 'look' });

  expect([...engine.endings].filter(([, ending]) => ending.kind !== 'settled')).toEqual([]);
  expect(filesOn(outside, 'staging/two')).not.toEqual([]);
});

test.each([
  ['row 16: unsafe names', 'capsules/web/files', PLANTS.unsafeNames],
  ['row 17: a symbolic link', 'capsules/web/link', PLANTS.symbolicLink],
  ['row 19: a submodule', 'capsules/web/other', PLANTS.submodule],
  ['row 21: a huge file', 'capsules/web/film', PLANTS.hugeFile],
  ['row 21: a folder of a billion files', 'capsules/web/files', PLANTS.boundless],
])('%s in a release keep that release out, and everything else goes on', async (_title, path, make) => {
  const { outside, engine } = await atRest();
  await plant(outside, path, make);
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await widenStaging(outside);
  await engine.wake({ kind: 'look' });

  const end = await endOf(outside);
  expect(end.history.filter((row) => row.includes('1.1.0'))).toEqual([]);
  expect(said(engine.endings.get('reconcile/dev'))).toBe('settled');
  expect(said(engine.endings.get('reconcile/staging'))).toBe('settled');
  expect(filesOn(outside, 'staging/two')).not.toEqual([]);
});

test('row 12: pushes whose deliveries never came are found by the poll', async () => {
  const { outside, engine } = await atRest();
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.tick();
  await peopleOf(outside).push(capsuleFiles('1.2.0'));
  await engine.tick();

  expect((await endOf(outside)).history.filter((row) => row.startsWith('dev/one/web'))).toEqual([
    'dev/one/web - -> 1.0.0 healthy',
    'dev/one/web 1.0.0 -> 1.1.0 healthy',
    'dev/one/web 1.1.0 -> 1.2.0 healthy',
  ]);
});

test('row 13: two pushes and their deliveries in the wrong order end at the newer one, with no way back', async () => {
  const { outside, engine } = await atRest();
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await peopleOf(outside).push(capsuleFiles('1.2.0'));
  await engine.wake({ kind: 'look' });
  await engine.wake({ kind: 'look' });

  expect((await endOf(outside)).history.filter((row) => row.startsWith('dev/one/web'))).toEqual([
    'dev/one/web - -> 1.0.0 healthy',
    'dev/one/web 1.0.0 -> 1.2.0 healthy',
  ]);
});

test('row 14: what was accepted and not yet worked on is found by the next engine', async () => {
  const { outside } = await atRest();
  await peopleOf(outside).push(capsuleFiles('1.1.0'));

  await startEngine(portsOf(outside)).start();

  expect((await endOf(outside)).history).toContain('dev/one/web 1.0.0 -> 1.1.0 healthy');
});

/** Main becomes another history that ada signed, with staging widened. */
async function rewriteMain(outside: Outside): Promise<void> {
  const { repository } = peopleOf(outside);
  const tip = outside.remote.refs.get(MAIN);
  if (tip === undefined) throw new Error('nothing is pushed yet');
  const signer = signerOf('ada');
  const author = { name: 'ada', email: signer.email, at: outside.now, zone: '+0000' };
  const base = (await repository.commit(tip)).tree;
  const root = await repository.writeCommit({ base, changes: [], parents: [], author, message: 'another beginning\n' }, (payload) =>
    signer.sign(payload),
  );
  outside.remote.refs.set(MAIN, root);
  await widenStaging(outside);
}

test('row 23: rewritten history stops every environment and touches no target, also after a restart', async () => {
  const { outside, engine } = await atRest();
  await rewriteMain(outside);
  await engine.wake({ kind: 'look' }, ...RECONCILE_ALL);
  const restarted = startEngine(portsOf(outside));
  await restarted.start();

  const kinds = (one: Engine): readonly unknown[] => UNITS.map((unit) => [unit, one.endings.get(unit)?.kind]);
  expect(kinds(engine).slice(0, 2)).toEqual(UNITS.slice(0, 2).map((unit) => [unit, 'stuck']));
  expect(kinds(restarted)).toEqual(UNITS.map((unit) => [unit, 'stuck']));
  expect(said(restarted.endings.get('reconcile/staging'))).toBe('history-rewritten ');
  expect(filesOn(outside, 'staging/two')).toEqual([]);
});

test('row 23: a merge that puts accepted history aside, so that an older policy would judge, stops every environment', async () => {
  const { outside } = await atRest();
  const { repository } = peopleOf(outside);
  const tip = outside.remote.refs.get(MAIN);
  if (tip === undefined) throw new Error('nothing is pushed yet');
  const first = (await repository.firstParents(tip, undefined, 1_000)).at(-1) ?? tip;
  const author = { name: 'eve', email: 'eve@example.org', at: outside.now, zone: '+0000' };
  const base = (await repository.commit(tip)).tree;
  const content = { base, changes: [], author };
  const aside = await repository.writeCommit({ ...content, parents: [first], message: 'beside\n' }, (payload) =>
    signerOf('eve').sign(payload),
  );
  const merge = await repository.writeCommit({ ...content, parents: [aside, tip], message: 'merge\n' }, (payload) =>
    signerOf('eve').sign(payload),
  );
  outside.remote.refs.set(MAIN, merge);

  const restarted = startEngine(portsOf(outside));
  await restarted.start();

  expect(said(restarted.endings.get('reconcile/dev'))).toBe('history-rewritten ');
  expect(said(restarted.endings.get('reconcile/staging'))).toBe('history-rewritten ');
});

test('row 23: a default branch that is turned back is waited for, also after a restart', async () => {
  const { outside, engine } = await atRest();
  const before = outside.remote.refs.get(MAIN);
  if (before === undefined) throw new Error('nothing is pushed yet');
  await widenStaging(outside);
  await engine.wake({ kind: 'look' });
  outside.remote.refs.set(MAIN, before);
  const work = serviceWork(startEngine(portsOf(outside)).world);
  const { signal } = new AbortController();
  await work.look('start', signal);

  expect(await work.reconcile(toEnvironmentName('staging'), 'start', signal)).toEqual({
    ending: { kind: 'retry', because: expect.stringMatching(/^main is behind [0-9a-f]{40}, which staging was already rendered from$/) },
    wakes: [],
    targets: [],
  });
  expect(filesOn(outside, 'staging/two')).not.toEqual([]);
});

test('row 24: a default branch that is gone is waited for, and nothing is pruned', async () => {
  const { outside } = await atRest();
  const before = filesOn(outside, 'dev/one');
  outside.remote.refs.delete(MAIN);
  const work = serviceWork(startEngine(portsOf(outside)).world);
  const { signal } = new AbortController();

  const look = await work.look('poll', signal);
  const run = await work.reconcile(toEnvironmentName('dev'), 'drift', signal);

  expect([look.ending.kind, run.ending.kind]).toEqual(['retry', 'retry']);
  expect(filesOn(outside, 'dev/one')).toEqual(before);
});

test('row 24: a branch named like a commit id decides nothing', async () => {
  const { outside, engine } = await atRest();
  const tip = outside.remote.refs.get(MAIN);
  if (tip === undefined) throw new Error('nothing is pushed yet');
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  outside.remote.refs.set(branchRef(outside.remote.refs.get(MAIN) ?? ''), toCommitId(tip));
  await engine.wake({ kind: 'look' });

  expect((await endOf(outside)).history).toContain('dev/one/web 1.0.0 -> 1.1.0 healthy');
});

test('row 28: an environment without capsules in one commit is stopped with all its files, and staging goes on', async () => {
  const { outside, engine } = await atRest(ALONE);
  const path = 'environments/dev/environment.yaml';
  const emptied = (shopFiles([DEV])[path] ?? '').replace(/ {2}capsules:\n {4}web:\n {6}version: .*\n/, '  capsules: {}\n');
  await peopleOf(outside).push({ [path]: emptied });
  await peopleOf(outside).push({ [DEV_LOCK]: (await freshLocks(outside))[DEV_LOCK] ?? '' });

  expect(await lookAround(outside, engine, ALONE)).toEqual(
    onlyDevStops('target-emptied environments/dev/environment.yaml, target-emptied environments/dev/environment.yaml'),
  );
});

test('row 28: an environment that is deleted whole leaves its targets as they are, and staging goes on', async () => {
  const { outside, engine } = await atRest();
  const before = filesOn(outside, 'dev/one');
  await remove(outside, ['environments/dev']);
  const path = 'environments/staging/environment.yaml';
  await peopleOf(outside).push({ [path]: shopFiles([{ ...STAGING, from: [], targets: ['one', 'two'] }])[path] ?? '' });
  await engine.wake({ kind: 'look' });

  expect(filesOn(outside, 'dev/one')).toEqual(before);
  expect(said(engine.endings.get('reconcile/staging'))).toBe('settled');
  expect(filesOn(outside, 'staging/two')).toEqual(filesOn(outside, 'staging/one'));
});

test('row 29: in a shallow clone no environment is acted on', async () => {
  const { outside } = await atRest();
  await widenStaging(outside);
  const ports = portsOf(outside);
  const engine = startEngine({ ...ports, repository: { ...ports.repository, isShallow: async () => true } });
  await engine.start();

  expect(said(engine.endings.get('reconcile/staging'))).toBe('shallow-history ');
  expect(filesOn(outside, 'staging/two')).toEqual([]);
});

test('row 59: a lock that is turned back without a signature is refused, and what runs stays', async () => {
  const { outside, engine } = await atRest();
  const old = (await lockOf(outside, DEV_LOCK)) ?? '';
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.wake({ kind: 'look' });
  const before = filesOn(outside, 'dev/one');
  await peopleOf(outside).push({ [DEV_LOCK]: old }, { by: 'nobody' });

  await engine.wake({ kind: 'look' });

  expect(said(engine.endings.get('reconcile/dev'))).toBe('unsigned environments/dev');
  expect(filesOn(outside, 'dev/one')).toEqual(before);
  expect((await endOf(outside)).history.filter((row) => row.includes('1.1.0 -> 1.0.0'))).toEqual([]);
});

test('row 59: a signed commit that turns a lock back still has to pass the gates of its environment', async () => {
  const { outside, engine } = await atRest();
  const lock = 'environments/staging/environment.lock.yaml';
  const old = (await lockOf(outside, lock)) ?? '';
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.wake({ kind: 'look' });
  outside.now = toInstant(outside.now + 11 * 60_000);
  await engine.tick();
  await peopleOf(outside).push({ [lock]: old });

  await engine.wake({ kind: 'look' });

  expect(await lockOf(outside, lock)).toBe(old);
  expect(engine.endings.get('reconcile/staging')?.kind).toBe('waiting');
  expect((await endOf(outside)).history.filter((row) => row.startsWith('staging/one/web')).at(-1)).toBe(
    'staging/one/web 1.0.0 -> 1.1.0 healthy',
  );
});

async function lockOf(outside: Outside, path: string): Promise<string | undefined> {
  const { repository } = peopleOf(outside);
  const tip = outside.remote.refs.get(MAIN);
  if (tip === undefined) return undefined;
  let entries = await repository.tree((await repository.commit(tip)).tree);
  for (const name of path.split('/')) {
    const entry = entries.find((item) => item.name === name);
    if (entry?.kind === 'tree') entries = await repository.tree(entry.id);
    else if (entry?.kind === 'blob') return Buffer.from(await repository.blob(entry.id)).toString('utf8');
  }
  return undefined;
}
