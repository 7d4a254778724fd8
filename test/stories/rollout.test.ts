import { expect, test } from 'vitest';

import { createLedgerReader } from '#loops/audit-branch.ts';
import { promote } from '#loops/promote.ts';
import { reconcile } from '#loops/reconcile.ts';
import { statusOf } from '#loops/status.ts';
import type { HealthState } from '#model/health.ts';
import type { Observation } from '#model/plan.ts';
import { PortError } from '#ports/port-error.ts';
import { portsOf, startEngine, type Engine, type Ports } from './engine.ts';
import { newOutside, peopleOf, targetOf, type Outside } from './outside.ts';
import { capsuleFiles, DEV, environmentFile, PROJECT_FILE, STAGING, type Stage } from './shop.ts';
import { declareShop, freshLocks } from './stories.ts';

const MINUTE = 60_000;
const VERSION = /kubernetes\.io\/version: '?"?([\d.]+)/;
const ROLLED: Stage = { ...DEV, targets: ['ap', 'eu', 'us-1', 'us-2'] };

/** eu first, then us, then the rest. */
function rolledOut(maxUnavailable: number): string {
  const rollout = `  rollout:
    partitions:
      - name: canary
        selector: { matchLabels: { ring: canary } }
      - name: early
        selector: { matchLabels: { ring: early } }
    maxUnavailable: ${maxUnavailable}
    pauseBetween: 10m
`.replaceAll(/\{ matchLabels: \{ (ring: \w+) \} \}/g, '\n          matchLabels:\n            $1');
  return environmentFile(ROLLED)
    .replace('    eu:\n', '    eu:\n      labels:\n        ring: canary\n')
    .replaceAll(/ {4}us-(\d):\n/g, '    us-$1:\n      labels:\n        ring: early\n')
    .replace('  capsules:\n', `${rollout}  capsules:\n`);
}

interface World {
  readonly outside: Outside;
  engine: Engine;
  /** What consumers say, by target and version; healthy where nothing is said. */
  readonly says: Map<string, HealthState>;
  /** Clusters that do not answer. */
  readonly away: Set<string>;
  restart(): Promise<void>;
  passes(minutes: number): Promise<void>;
  release(version: string): Promise<void>;
}

async function shop(maxUnavailable: number, stages: readonly Stage[] = [ROLLED]): Promise<World> {
  const outside = newOutside();
  await declareShop(outside, stages);
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': rolledOut(maxUnavailable) }, { message: 'Roll out' });
  await peopleOf(outside).push(await freshLocks(outside), { message: 'Lock' });
  const says: World['says'] = new Map();
  const away: World['away'] = new Set();
  const world: World = {
    outside,
    says,
    away,
    engine: startEngine(judged(outside, says, away)),
    async restart() {
      world.engine = startEngine(judged(outside, says, away));
      await world.engine.start();
    },
    async passes(minutes) {
      outside.now = (outside.now + minutes * MINUTE) as Outside['now'];
      await world.engine.tick();
      await world.engine.drift();
    },
    async release(version) {
      outside.now = (outside.now + MINUTE) as Outside['now'];
      await peopleOf(outside).push(capsuleFiles(version), { message: `web ${version}` });
      await world.engine.wake({ kind: 'look' });
    },
  };
  await world.engine.start();
  return world;
}

function judged(outside: Outside, says: World['says'], away: World['away']): Ports {
  return {
    ...portsOf(outside),
    targets: {
      async open(environment, name) {
        const target = targetOf(outside, `${environment}/${name}`);
        if (away.has(name)) throw new PortError('transient', 'connection refused');
        return {
          observe: async (wanted, signal) => reported(await target.observe(wanted, signal), (path) => said(target.files.get(path), name)),
          apply: (plan, next, signal) => target.apply(plan, next, signal),
        };
      },
    },
  };

  function said(text: string | undefined, name: string): HealthState | undefined {
    return says.get(`${name} ${VERSION.exec(text ?? '')?.[1]}`);
  }
}

function reported(observation: Observation, said: (path: string) => HealthState | undefined): Observation {
  const reports = observation.objects.flatMap(({ path, sha256 }) => {
    const state = said(path);
    return state === undefined || state === 'unknown' ? [] : [{ path, sha256, state, reason: 'crash loop' }];
  });
  return { ...observation, reports };
}

/** Which version each target has. */
function versions({ outside }: World): Readonly<Record<string, string | undefined>> {
  const found = ROLLED.targets?.map((name) => {
    const texts = [...targetOf(outside, `dev/${name}`).files.values()].join('\n');
    return [name, VERSION.exec(texts)?.[1]] as const;
  });
  return Object.fromEntries(found ?? []);
}

/** What the ledger says each target runs. */
async function recorded({ outside }: World): Promise<Readonly<Record<string, string>>> {
  const { repository } = peopleOf(outside);
  const { ledger, problems } = await createLedgerReader(repository).at(await repository.resolve('audit'));
  expect(problems).toEqual([]);
  return Object.fromEntries(
    (ROLLED.targets ?? []).map((name) => {
      const web = ledger.instances.get(`dev/${name}`)?.get('web');
      return [name, web === undefined ? '-' : `${web.version} ${web.health}`];
    }),
  );
}

test('a first installation goes partition by partition, one target of each at a time, with its pauses', async () => {
  const world = await shop(1);
  expect(versions(world)).toEqual({ ap: undefined, eu: '1.0.0', 'us-1': undefined, 'us-2': undefined });
  expect(await recorded(world)).toEqual({ ap: '-', eu: '1.0.0 healthy', 'us-1': '-', 'us-2': '-' });
  expect(world.engine.endings.get('reconcile/dev')).toEqual({
    kind: 'waiting',
    reasons: ['us-1', 'us-2', 'ap'].map(
      (name) => `${name} keeps what it has: partition canary became healthy at 2026-01-05T09:00:00.000Z; the pause of 10m is not over`,
    ),
    until: world.outside.now + 10 * MINUTE,
  });
  world.says.set('us-1 1.0.0', 'progressing');
  await world.passes(10);
  expect(versions(world)).toEqual({ ap: undefined, eu: '1.0.0', 'us-1': '1.0.0', 'us-2': undefined });
  world.says.clear();
  await world.passes(2);
  expect(versions(world)).toEqual({ ap: undefined, eu: '1.0.0', 'us-1': '1.0.0', 'us-2': '1.0.0' });
  await world.passes(9);
  expect(versions(world)).toMatchObject({ ap: undefined });
  await world.passes(1);
  expect(versions(world)).toMatchObject({ ap: '1.0.0' });
  expect(world.engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
});

async function installed(maxUnavailable = 1, stages?: readonly Stage[]): Promise<World> {
  const world = await shop(maxUnavailable, stages);
  for (const _ of [1, 2, 3]) await world.passes(10);
  expect(await recorded(world)).toEqual({ ap: '1.0.0 healthy', eu: '1.0.0 healthy', 'us-1': '1.0.0 healthy', 'us-2': '1.0.0 healthy' });
  return world;
}

test('a bad version stops at the canary, whatever time passes and whoever restarts; the mended one rolls through', async () => {
  const world = await installed();
  world.says.set('eu 1.1.0', 'degraded');
  await world.release('1.1.0');
  const stopped = { ap: '1.0.0', eu: '1.1.0', 'us-1': '1.0.0', 'us-2': '1.0.0' };
  expect(versions(world)).toEqual(stopped);
  await world.passes(60);
  await world.restart();
  await world.passes(60);
  expect(versions(world)).toEqual(stopped);
  // What waits is still what the ledger says it is, so that nothing counts as verified.
  expect(await recorded(world)).toEqual({ ap: '1.0.0 healthy', eu: '1.1.0 degraded', 'us-1': '1.0.0 healthy', 'us-2': '1.0.0 healthy' });
  const status = await statusOf(world.engine.world, 'dev');
  const reason = 'partition canary is not done: eu is degraded';
  expect(status.targets.map(({ name, health, sync, partition, waiting }) => ({ name, health, sync, partition, waiting }))).toEqual([
    { name: 'eu', health: 'degraded', sync: 'Synced', partition: 'canary', waiting: null },
    { name: 'us-1', health: 'healthy', sync: 'OutOfSync', partition: 'early', waiting: reason },
    { name: 'us-2', health: 'healthy', sync: 'OutOfSync', partition: 'early', waiting: reason },
    { name: 'ap', health: 'healthy', sync: 'OutOfSync', partition: 'rest', waiting: reason },
  ]);

  await world.release('1.2.0');
  expect(versions(world)).toEqual({ ...stopped, eu: '1.2.0' });
  await world.restart();
  expect(versions(world)).toEqual({ ...stopped, eu: '1.2.0' });
  await world.passes(10);
  expect(versions(world)).toEqual({ ap: '1.0.0', eu: '1.2.0', 'us-1': '1.2.0', 'us-2': '1.2.0' });
  await world.restart();
  await world.passes(10);
  expect(await recorded(world)).toEqual({ ap: '1.2.0 healthy', eu: '1.2.0 healthy', 'us-1': '1.2.0 healthy', 'us-2': '1.2.0 healthy' });
  expect(world.engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
});

test('later partitions are recorded with the decision that brought the rendering', async () => {
  const world = await installed();
  await world.release('1.1.0');
  await world.passes(10);
  const { repository } = peopleOf(world.outside);
  const { records } = await createLedgerReader(repository).at(await repository.resolve('audit'));
  const brought = records.filter(({ data }) => JSON.stringify(data['to'] ?? '').includes('1.1.0'));
  expect(brought.map(({ data }) => [data['target'], data['reason'], data['changeRequest']])).toEqual([
    ['eu', 'promotion', 'acme/shop#1'],
    ['us-1', 'promotion', 'acme/shop#1'],
    ['us-2', 'promotion', 'acme/shop#1'],
  ]);
  expect(new Set(brought.map(({ data }) => data['changeSet'])).size).toBe(1);
  expect(brought[0]?.data['changeSet']).toMatch(/^cs-/);
});

test('a version that is put in quarantine half way goes no further', async () => {
  const world = await installed();
  await world.release('1.1.0');
  const quarantine = "  quarantine:\n    web@1.1.0:\n      reason: it leaks\n      actor: ada\n      until: '2027-01-01T00:00:00Z'\n";
  await peopleOf(world.outside).push({ 'environments/project.yaml': PROJECT_FILE + quarantine }, { message: 'Quarantine' });
  await world.passes(30);
  expect(versions(world)).toEqual({ ap: '1.0.0', eu: '1.1.0', 'us-1': '1.0.0', 'us-2': '1.0.0' });
  const ending = world.engine.endings.get('reconcile/dev');
  expect(ending?.kind === 'waiting' && ending.reasons[0]).toBe('us-1 keeps what it has: web 1.1.0 is in quarantine: it leaks');
});

/** Somebody changes an object of the target that waits longest. */
function tamper({ outside }: World): ReturnType<typeof targetOf> {
  const ap = targetOf(outside, 'dev/ap');
  const [path = '', text = ''] = [...ap.files].find(([name]) => name.includes('_deployment_')) ?? [];
  ap.files.set(path, text.replace('replicas: 1', 'replicas: 9'));
  return ap;
}

test('what waits is kept in line with the version that it keeps', async () => {
  const world = await installed();
  const whole = [...targetOf(world.outside, 'dev/ap').files];
  world.says.set('eu 1.1.0', 'degraded');
  await world.release('1.1.0');
  const ap = tamper(world);
  await world.passes(10);
  expect([...ap.files]).toEqual(whole);
  expect(await recorded(world)).toEqual({ ap: '1.0.0 healthy', eu: '1.1.0 degraded', 'us-1': '1.0.0 healthy', 'us-2': '1.0.0 healthy' });
  const { repository } = peopleOf(world.outside);
  const { records } = await createLedgerReader(repository).at(await repository.resolve('audit'));
  const drift = records.filter(({ data }) => data['target'] === 'ap' && data['driftDetected'] === true);
  expect(drift.map(({ data }) => [data['reason'], data['changed'], data['ending']])).toEqual([['drift', true, 'waiting']]);
});

test('where drift is only told, what waits is looked at: its drift and worse health are recorded', async () => {
  const world = await installed();
  const path = 'environments/dev/environment.yaml';
  await peopleOf(world.outside).push({ [path]: rolledOut(1).replace('  capsules:\n', '  sync:\n    selfHeal: false\n  capsules:\n') });
  world.says.set('eu 1.1.0', 'degraded');
  await world.release('1.1.0');
  const ap = tamper(world);
  const writes = ap.writes;
  await world.passes(10);
  expect(ap.writes).toBe(writes);
  expect(await recorded(world)).toMatchObject({ ap: '1.0.0 degraded', 'us-1': '1.0.0 healthy' });
  expect((await statusOf(world.engine.world, 'dev')).targets.find((target) => target.name === 'ap')).toMatchObject({ drifted: 1 });
});

test('a target that waits makes no records while nothing happens', async () => {
  const world = await installed();
  world.says.set('eu 1.1.0', 'degraded');
  await world.release('1.1.0');
  await world.passes(10);
  const { repository } = peopleOf(world.outside);
  const before = await repository.resolve('audit');
  await world.passes(10);
  await world.restart();
  await world.passes(60);
  expect(await repository.resolve('audit')).toBe(before);
});

test('row 96: a cluster that does not answer is unknown: the others go on as far as one may be missing, and the promotion downstream waits', async () => {
  const world = await installed(2, [ROLLED, { ...STAGING, soak: '1m' }]);
  world.says.set('eu 1.1.0', 'progressing');
  await world.release('1.1.0');
  world.says.clear();
  world.away.add('us-2');
  async function later(minutes: number): Promise<readonly string[]> {
    world.outside.now = (world.outside.now + minutes * MINUTE) as Outside['now'];
    const { ending } = await reconcile(world.engine.world, { environment: 'dev', target: undefined, trigger: 'drift', dryRun: false });
    const { changes, held } = await promote(world.engine.world, {
      environment: 'staging',
      only: undefined,
      dryRun: true,
      byPerson: false,
    });
    return [
      ending.kind,
      ...changes.map(({ draft, waiting }) => `${draft.title}: ${waiting.join('; ')}`),
      ...held.map(({ instance, version, reason }) => `${instance} ${version} ${reason}`),
    ];
  }
  const held = (why: string) => `web 1.1.0 1.1.0 is not verified in dev: ${why}`;
  expect(await later(1)).toEqual(['waiting', held('dev/ap has 1.0.0, dev/us-1 has 1.0.0, dev/us-2 has 1.0.0')]);
  expect(versions(world)).toEqual({ ap: '1.0.0', eu: '1.1.0', 'us-1': '1.0.0', 'us-2': '1.0.0' });
  expect(await later(10)).toEqual(['retry', held('dev/ap has 1.0.0, dev/us-2 cannot be looked at')]);
  expect(versions(world)).toEqual({ ap: '1.0.0', eu: '1.1.0', 'us-1': '1.1.0', 'us-2': '1.0.0' });
  expect(await later(10)).toEqual(['retry', held('dev/us-2 cannot be looked at')]);
  expect(versions(world)).toEqual({ ap: '1.1.0', eu: '1.1.0', 'us-1': '1.1.0', 'us-2': '1.0.0' });
  expect(await recorded(world)).toMatchObject({ 'us-2': '1.1.0 unknown' });
  world.away.clear();
  expect(await later(10)).toEqual(['settled', expect.stringContaining('promote(staging): web 1.0.0 → 1.1.0')]);
  expect(versions(world)).toEqual({ ap: '1.1.0', eu: '1.1.0', 'us-1': '1.1.0', 'us-2': '1.1.0' });
});
