import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { kubernetesTargets } from '#adapters/kubernetes/kubernetes.ts';
import { systemChance, systemClock, systemTimers } from '#adapters/machine/machine.ts';
import type { ClusterContent } from '#bench/cluster-content.ts';
import { clusterFiles, ENVIRONMENT, environmentText } from '#bench/cluster-content.ts';
import { createWorld } from '#loops/create-world.ts';
import { reconcile } from '#loops/reconcile.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { portsOf } from '#test/stories/engine.ts';
import { newOutside, peopleOf } from '#test/stories/outside.ts';
import { freshLocks } from '#test/stories/stories.ts';
import { accessTo } from './cluster-bench.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-counts-'));
/** The last capsule has five of them. */
const OBJECTS = 205;
const CONTENT: ClusterContent = { count: OBJECTS, revision: 1, first: 'as it was' };
let kubernetes: RunningKubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch, { auditLog: true, users: { engine: ['system:masters'] } });
});

afterAll(async () => {
  await kubernetes.stop();
  rmSync(scratch, { recursive: true, force: true });
});

test('objects cost one request each and the inventory at most four, and nothing once they are there', async () => {
  const outside = await repository('first');
  await outside.declare(CONTENT);
  const engine = openEngine(outside);

  const first = await engine.countsOf(() => engine.run());
  const second = await engine.countsOf(() => engine.run());
  await outside.declare({ ...CONTENT, first: 'changed' });
  const one = await engine.countsOf(() => engine.run());
  await outside.declare({ ...CONTENT, revision: 2 });
  const all = await engine.countsOf(() => engine.run());
  await outside.declare({ ...CONTENT, revision: 2, count: OBJECTS - 5 });
  const fewer = await engine.countsOf(() => engine.run());
  await engine.close();

  expect(writesOf(first)).toEqual({ objects: OBJECTS, removals: 0, inventory: expect.any(Number) });
  expect(writesOf(first).inventory).toBeLessThanOrEqual(4);
  // Beside that one look for what is in the way.
  expect(readsOf(first)).toEqual({ ...READS_OF_A_START, 'list configmaps': 2 });
  expect(second).toEqual({});
  expect(one).toEqual({ 'patch configmaps': 1, 'update configmaps': 1 });
  expect(all).toEqual({ 'patch configmaps': OBJECTS, 'update configmaps': 1 });
  expect(writesOf(fewer)).toEqual({ objects: 0, removals: 5, inventory: expect.any(Number) });
  expect(writesOf(fewer).inventory).toBeLessThanOrEqual(2);
});

test('an engine that starts again reads and writes nothing', async () => {
  const outside = await repository('restart');
  await outside.declare(CONTENT);
  const before = openEngine(outside);
  await before.run();
  await before.close();

  const after = openEngine(outside);
  const counts = await after.countsOf(() => after.run());
  const again = await after.countsOf(() => after.run());
  await after.close();

  expect(writesOf(counts)).toEqual({ objects: 0, removals: 0, inventory: 0 });
  expect(readsOf(counts)).toEqual(READS_OF_A_START);
  expect(again).toEqual({});
});

test('a field that somebody changed costs the one request that takes it back', async () => {
  const outside = await repository('drift');
  await outside.declare(CONTENT);
  const engine = openEngine(outside);
  await engine.run();

  const change = JSON.stringify({ data: { text: 'by hand' } });
  const moved = engine.moved();
  await kubernetes.kubectl(['patch', 'configmap', 'settings-00007', '-n', outside.namespace, '--type=merge', '-p', change]);
  await moved;
  const counts = await engine.countsOf(() => engine.run());
  await engine.close();

  expect(counts['patch configmaps']).toBe(1);
  expect(writesOf(counts).inventory).toBeLessThanOrEqual(1);
  expect(readsOf(counts)).toEqual({});
  expect(await kubernetes.kubectl(['get', 'configmap', 'settings-00007', '-n', outside.namespace, '-o', 'jsonpath={.data.text}'])).not.toBe(
    'by hand',
  );
});

/** What kinds there are, the inventory, and one watch that begins with everything. */
const READS_OF_A_START = { 'get /api': 1, 'get /apis': 1, 'list configmaps': 1, 'watch configmaps': 1 };

type Counts = Readonly<Record<string, number>>;

function writesOf(counts: Counts): { readonly objects: number; readonly removals: number; readonly inventory: number } {
  const sum = (verbs: readonly string[]): number => verbs.reduce((total, verb) => total + (counts[`${verb} configmaps`] ?? 0), 0);
  return { objects: sum(['patch']), removals: sum(['delete', 'deletecollection']), inventory: sum(['create', 'update']) };
}

function readsOf(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([name]) => /^(?:get|list|watch) /.test(name)));
}

interface Declared {
  readonly namespace: string;
  readonly outside: ReturnType<typeof newOutside>;
  declare(content: ClusterContent): Promise<void>;
}

/** A repository whose one environment has a namespace of its own. */
async function repository(namespace: string): Promise<Declared> {
  await kubernetes.kubectl(['create', 'namespace', namespace]);
  const outside = newOutside();
  const people = peopleOf(outside);
  const driver = ['driver: kubernetes', 'credentials: here', `namespace: ${namespace}`];
  let isThere = false;
  return {
    namespace,
    outside,
    async declare(content) {
      const { declarations, capsules } = clusterFiles(CONTENT);
      const files = isThere ? [] : [...declarations, ...capsules.flatMap((capsule) => capsule.below)];
      const environment = { path: `environments/${ENVIRONMENT}/environment.yaml`, text: environmentText(content, { namespace, driver }) };
      await people.push(Object.fromEntries([...files, environment].map(({ path, text }) => [path, text])));
      await people.push(await freshLocks(outside), { message: 'Lock versions' });
      isThere = true;
    },
  };
}

function openEngine({ outside }: Declared) {
  const targets = kubernetesTargets({
    credentials: new Map([
      [
        'here',
        {
          ...accessTo(kubernetes),
          source: { kind: 'kubeconfig', file: kubernetes.user('engine').kubeconfig, context: undefined, allowExec: false },
        },
      ],
    ]),
    secrets: undefined,
    clock: systemClock,
    timers: systemTimers,
    chance: systemChance,
  });
  const world = createWorld({ ...portsOf(outside), targets, clock: systemClock });
  let tell = (): void => undefined;
  targets.watch(() => tell());
  return {
    async run(): Promise<void> {
      await world.repository.fetch();
      const { ending } = await reconcile(world, { environment: ENVIRONMENT, target: undefined, trigger: 'poll', dryRun: false });
      if (ending.kind === 'stuck' || ending.kind === 'retry') throw new Error(JSON.stringify(ending));
    },
    async countsOf(work: () => Promise<void>): Promise<Counts> {
      await kubernetes.audit.forget();
      await work();
      return kubernetes.audit.counts('engine');
    },
    moved: () => new Promise<void>((resolve) => (tell = resolve)),
    close: () => targets.close(),
  };
}
