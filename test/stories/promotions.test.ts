import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { toEnvironmentName } from '#model/names.ts';
import { portsOf, startEngine, type Engine } from './engine.ts';
import { newOutside, peopleOf, type Outside } from './outside.ts';
import { goOnPolling } from './polled.ts';
import { capsuleFiles, DEV, environmentFile, PROD, PROJECT_FILE, STAGING, type Stage } from './shop.ts';
import { declareShop } from './stories.ts';
import { endOf } from './telling.ts';

const MINUTE = 60_000;

interface Play {
  readonly outside: Outside;
  readonly engine: Engine;
  /** Pushes a signed release of web. */
  readonly release: (version: string) => Promise<void>;
  readonly passes: (minutes: number) => Promise<void>;
  /** A consumer reports everything of web in a target. */
  readonly reports: (target: string, state: 'healthy' | 'degraded') => Promise<void>;
  readonly requests: () => readonly string[];
  readonly runs: (target: string) => string | undefined;
}

async function play(stages: readonly Stage[]): Promise<Play> {
  const outside = newOutside();
  await declareShop(outside, stages);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const advance = (minutes: number): void => {
    outside.now = (outside.now + minutes * MINUTE) as Outside['now'];
  };
  return {
    outside,
    engine,
    async release(version) {
      advance(1);
      await peopleOf(outside).push(capsuleFiles(version), { message: `web ${version}` });
      await engine.wake({ kind: 'look' });
    },
    async passes(minutes) {
      advance(minutes);
      await goOnPolling(engine);
    },
    async reports(name, state) {
      const target = outside.targets.get(name);
      for (const [path, text] of target?.files ?? []) target?.reports.set(path, { path, state, reason: 'crashes', sha256: sha256Of(text) });
      await engine.drift();
    },
    requests: () => [...outside.forge.pulls.values()].map(({ request }) => `${request.number} ${request.state} ${request.title}`),
    runs: (name) =>
      /capstan.dev\/version: "(.*)"/.exec(outside.targets.get(name)?.files.get('web/apps_v1_deployment_' + deployment(name)) ?? '')?.[1],
  };
}

function deployment(target: string): string {
  return `shop-${target.split('/')[0] ?? ''}_web.yaml`;
}

test('a promotion that held all its gates stands when a newer release overtakes it, and the newer one follows it', async () => {
  const { outside, engine, release, passes, requests, runs } = await play([DEV, STAGING, PROD]);
  const bob = peopleOf(outside).forge('bob');
  await release('1.1.0');
  await passes(11);
  await passes(61);
  await bob.review(3, 'approved');
  await engine.wake({ kind: 'promote', environment: toEnvironmentName('prod') });

  await release('1.2.0');
  await passes(11);
  expect([runs('dev/one'), runs('staging/one'), runs('prod/one')]).toEqual(['1.2.0', '1.2.0', '1.0.0']);
  expect(requests().filter((line) => line.includes('(prod)'))).toEqual(['3 open promote(prod): web 1.0.0 → 1.1.0']);

  const { headCommit, title } = (await bob.list('promote/prod/', undefined))[0] ?? { headCommit: undefined, title: '' };
  if (headCommit === undefined) throw new Error('no request');
  expect(await bob.merge(3, { head: headCommit, title, message: 'by hand' })).toMatchObject({ kind: 'merged' });
  await engine.wake({ kind: 'look' });
  await passes(1);

  expect(engine.endings.get('reconcile/prod')).toEqual({ kind: 'settled' });
  expect(runs('prod/one')).toBe('1.1.0');
  expect(requests().filter((line) => line.includes('(prod)'))).toEqual([
    '3 merged promote(prod): web 1.0.0 → 1.1.0',
    '6 open promote(prod): web 1.1.0 → 1.2.0',
  ]);
});

test('a newer release that is verified itself supersedes a promotion that still soaks', async () => {
  const { outside, release, passes, requests, runs } = await play([DEV, STAGING]);
  await release('1.1.0');
  await passes(4);
  await release('1.2.0');
  await passes(5);
  expect(requests().filter((line) => line.includes('(staging)'))).toEqual([
    '2 closed promote(staging): web 1.0.0 → 1.1.0',
    '4 open promote(staging): web 1.0.0 → 1.2.0',
  ]);
  expect(outside.forge.pulls.get(2)?.comments).toEqual([
    expect.stringMatching(/^Superseded by cs-[0-9a-f]{16}, which is verified as well\.$/),
  ]);

  await passes(6);

  expect(runs('staging/one')).toBe('1.2.0');
  expect((await endOf(outside)).history.filter((row) => row.startsWith('staging/one/web'))).toEqual([
    'staging/one/web - -> 1.0.0 healthy',
    'staging/one/web 1.0.0 -> 1.2.0 healthy',
  ]);
});

test('a version whose consumer is not well never leaves dev; the next one passes it by', async () => {
  const { release, passes, reports, requests, runs } = await play([DEV, STAGING]);
  await release('1.1.0');
  await reports('dev/two', 'degraded');
  await passes(30);
  expect(runs('staging/one')).toBe('1.0.0');

  await release('1.2.0');
  await passes(11);

  expect(runs('staging/one')).toBe('1.2.0');
  expect(requests().filter((line) => line.includes('merged promote(staging)'))).toEqual(['4 merged promote(staging): web 1.0.0 → 1.2.0']);
});

test('a soak starts over when health comes back', async () => {
  const { release, passes, reports, runs } = await play([DEV, STAGING]);
  await release('1.1.0');
  await passes(6);
  await reports('dev/one', 'degraded');
  await passes(2);
  await reports('dev/one', 'healthy');
  await passes(6);
  expect(runs('staging/one')).toBe('1.0.0');

  await passes(5);

  expect(runs('staging/one')).toBe('1.1.0');
});

test('a version in quarantine enters nowhere until the quarantine ends', async () => {
  const { outside, engine, release, passes, runs } = await play([DEV, STAGING]);
  const project = (entry: string) => ({
    'environments/project.yaml': `${PROJECT_FILE}  quarantine:\n    web@1.1.0:\n      reason: it leaks\n${entry}`,
  });
  await peopleOf(outside).push(project('      until: 2026-01-05T10:00:00Z\n'));
  await engine.wake({ kind: 'look' });

  await release('1.1.0');
  await passes(30);
  expect(runs('dev/one')).toBe('1.0.0');

  await passes(31);
  expect(runs('dev/one')).toBe('1.1.0');
});

test('a lock that a person moves to a version in quarantine is stuck, and what runs goes on', async () => {
  const { outside, engine, release, passes, runs } = await play([DEV, { ...STAGING, merge: 'manual' }]);
  const people = peopleOf(outside);
  await release('1.1.0');
  await moveLockByHand(outside);
  await engine.wake({ kind: 'look' });
  expect(engine.endings.get('reconcile/staging')).toMatchObject({ kind: 'waiting' });

  await people.push({ 'environments/project.yaml': `${PROJECT_FILE}  quarantine:\n    web@1.1.0:\n      reason: it leaks\n` });
  await engine.wake({ kind: 'look' });
  await passes(30);

  expect(engine.endings.get('reconcile/staging')).toMatchObject({ kind: 'stuck', problems: [{ code: 'version-quarantined' }] });
  expect(runs('staging/one')).toBe('1.0.0');
  expect(runs('dev/one')).toBe('1.1.0');
});

test('a lock that a person moves to a version that is not well above is stuck, and what runs goes on', async () => {
  const { outside, engine, release, passes, reports, runs } = await play([DEV, { ...STAGING, merge: 'manual' }]);
  await release('1.1.0');
  await reports('dev/two', 'degraded');
  await moveLockByHand(outside);
  await engine.wake({ kind: 'look' });
  await passes(30);

  expect(engine.endings.get('reconcile/staging')).toMatchObject({
    kind: 'stuck',
    problems: [
      { code: 'gate-not-passed', message: expect.stringContaining('gate health (health) is waiting: web is degraded in dev/two') },
    ],
  });
  expect(runs('staging/one')).toBe('1.0.0');
});

test('an instance that is declared no more leaves the lock by a request of the engine, and then its targets', async () => {
  const { outside, engine, passes, requests } = await play([DEV]);
  const one = `${environmentFile(DEV)}  sync:\n    deletionBudget:\n      count: 10\n      percent: 60\n`;
  const two = one.replace('  promotion:', '    extra:\n      version: ^1.0.0\n  promotion:');
  await peopleOf(outside).push({ ...capsuleFiles('1.0.0', 'extra'), 'environments/dev/environment.yaml': two });
  await engine.wake({ kind: 'look' });
  await passes(1);
  const folders = () => new Set([...(outside.targets.get('dev/one')?.files.keys() ?? [])].map((path) => path.split('/')[0]));
  expect(folders()).toEqual(new Set(['extra', 'web']));

  await peopleOf(outside).push({ 'environments/dev/environment.yaml': one });
  await engine.wake({ kind: 'look' });
  await passes(1);

  expect(requests()).toEqual(['1 merged promote(dev): extra → 1.0.0', '2 merged promote(dev): extra 1.0.0 leaves']);
  expect(folders()).toEqual(new Set(['web']));
});

/** Signed by ada, past every request: staging gets the lock of dev. */
async function moveLockByHand(outside: Outside): Promise<void> {
  const moved = await textAt(outside, 'environments/dev/environment.lock.yaml');
  await peopleOf(outside).push({
    'environments/staging/environment.lock.yaml': moved
      .replace('environment: dev', 'environment: staging')
      .replace('name: dev', 'name: staging'),
  });
}

async function textAt(outside: Outside, path: string): Promise<string> {
  const { repository } = peopleOf(outside);
  const main = await repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  let tree = (await repository.commit(main)).tree;
  for (const name of path.split('/')) {
    const entry = (await repository.tree(tree)).find((item) => item.name === name);
    if (entry?.kind === 'blob') return Buffer.from(await repository.blob(entry.id)).toString('utf8');
    if (entry?.kind === 'tree') tree = entry.id;
  }
  throw new Error(`${path} is not there`);
}
