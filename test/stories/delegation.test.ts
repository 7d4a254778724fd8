import { expect, test } from 'vitest';

import { reconcile } from '#loops/reconcile.ts';
import type { JsonObject } from '#model/json.ts';
import { branchRef } from '#model/names.ts';
import type { Observation } from '#model/plan.ts';
import type { TargetDeclaration } from '#ports/target.ts';
import { portsOf, startEngine } from './engine.ts';
import { newOutside, peopleOf, targetOf, type Outside } from './outside.ts';
import { capsuleFiles, DEV, environmentFile } from './shop.ts';
import { declareShop, freshLocks } from './stories.ts';

const TARGETS = ['eu', 'us'];

function delegated(labels = ''): string {
  return environmentFile({ ...DEV, targets: TARGETS })
    .replaceAll(/driver: directory\n {6}path: dev\/(\w+)\n/g, `driver: delegate-flux\n      credentials: hub\n      cluster: $1\n`)
    .replace('    us:\n', `    us:\n${labels}`)
    .replace(
      '  capsules:\n',
      '  sync:\n    interval: 1h30m\n    delegate:\n      repository: https://git.example.com/acme/shop.git\n  capsules:\n',
    );
}

interface World {
  readonly outside: Outside;
  readonly declarations: Map<string, TargetDeclaration>;
  /** The commit that Flux has applied, by target; `failed` where it is not well. */
  readonly applied: Map<string, { readonly commit: string; readonly failed?: true }>;
  run(): Promise<readonly string[]>;
  writes(): Readonly<Record<string, number>>;
  commit(target: string): string | undefined;
}

async function delegating(): Promise<World> {
  const outside = newOutside();
  await declareShop(outside, [{ ...DEV, targets: TARGETS }]);
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': delegated() }, { message: 'Delegate' });
  await peopleOf(outside).push(await freshLocks(outside), { message: 'Lock' });
  const applied: World['applied'] = new Map();
  const declarations: World['declarations'] = new Map();
  const ports = portsOf(outside);
  const engine = startEngine({
    ...ports,
    targets: {
      async open(environment, name, declaration) {
        declarations.set(name, declaration);
        const target = targetOf(outside, `${environment}/${name}`);
        return {
          observe: async (wanted, signal) => withStatus(await target.observe(wanted, signal), statusOf(applied.get(name))),
          apply: (plan, next, signal) => target.apply(plan, next, signal),
        };
      },
    },
  });
  const textOf = (name: string): string => [...targetOf(outside, `dev/${name}`).files.values()].join('---\n');
  return {
    outside,
    applied,
    declarations,
    async run() {
      outside.now = (outside.now + 600_000) as Outside['now'];
      await engine.world.repository.fetch();
      const result = await reconcile(engine.world, { environment: 'dev', target: undefined, trigger: 'poll', dryRun: false });
      return [result.ending.kind, ...result.receipts.map(({ target, health }) => `${target} ${health.state}`)];
    },
    writes: () => Object.fromEntries(TARGETS.map((name) => [name, targetOf(outside, `dev/${name}`).writes])),
    commit: (name) => /commit: "?([0-9a-f]{40})/.exec(textOf(name))?.[1],
  };
}

function statusOf(applied: { readonly commit: string; readonly failed?: true } | undefined): JsonObject {
  if (applied === undefined) return {};
  const revision = `rendered/dev@sha1:${applied.commit}`;
  const ready = { type: 'Ready', status: applied.failed ? 'False' : 'True', reason: 'told', message: 'told' };
  return { conditions: [ready], lastAttemptedRevision: revision, ...(applied.failed ? {} : { lastAppliedRevision: revision }) };
}

function withStatus(observation: Observation, status: JsonObject): Observation {
  const objects = observation.objects.map((object) => {
    const kind = object.path.includes('_kustomization_') ? status : {};
    const live = { uid: '1', appliedAt: undefined, object: { metadata: {}, status: kind }, changedBy: [] };
    return { ...object, live };
  });
  return { ...observation, objects, reportsHealth: true };
}

test('a delegated target is opened where the tool is, and is as the tool says of the commit it was given', async () => {
  const world = await delegating();
  expect(await world.run()).toEqual(['waiting', 'eu progressing', 'us progressing']);
  const head = await peopleOf(world.outside).repository.resolve('rendered/dev');
  expect([world.commit('eu'), world.commit('us')]).toEqual([head, head]);
  expect(world.declarations.get('eu')).toMatchObject({
    driver: 'kubernetes',
    credentials: 'hub',
    namespace: 'flux-system',
    inventory: 'dev.eu',
  });
  expect([...targetOf(world.outside, 'dev/eu').files.values()].join('')).toContain('interval: 90m\n');

  for (const name of TARGETS) world.applied.set(name, { commit: head ?? '' });
  expect(await world.run()).toEqual(['settled', 'eu healthy', 'us healthy']);
  const writes = world.writes();
  expect(await world.run()).toEqual(['settled', 'eu healthy', 'us healthy']);
  expect(world.writes()).toEqual(writes);
});

test('a commit that changes one target leaves the objects of the others as they are', async () => {
  const world = await delegating();
  await world.run();
  const first = world.commit('eu');
  for (const name of TARGETS) world.applied.set(name, { commit: first ?? '' });
  await world.run();
  const more = delegated('      labels:\n        size: big\n').replace(
    '  promotion:\n',
    '    more:\n      version: ^1.0.0\n      targets:\n        matchLabels:\n          size: big\n  promotion:\n',
  );
  await peopleOf(world.outside).push({ ...capsuleFiles('1.0.0', 'more'), 'environments/dev/environment.yaml': more });
  await peopleOf(world.outside).push(await freshLocks(world.outside), { message: 'Lock' });
  expect(await world.run()).toEqual(['waiting', 'eu healthy', 'us progressing']);
  expect(world.commit('eu')).toBe(first);
  expect(world.commit('us')).not.toBe(first);
  world.applied.set('us', { commit: world.commit('us') ?? '', failed: true });
  expect(await world.run()).toEqual(['waiting', 'eu healthy', 'us degraded']);
});

test('where the rendered branch was taken away, the commit of the one that takes its place is given', async () => {
  const world = await delegating();
  await world.run();
  const first = world.commit('eu');
  for (const name of TARGETS) world.applied.set(name, { commit: first ?? '' });
  await world.run();
  const { repository } = peopleOf(world.outside);
  world.outside.remote.refs.delete(branchRef('rendered/dev'));
  world.outside.mirror.refs.delete(branchRef('rendered/dev'));
  await world.run();
  expect(world.commit('eu')).not.toBe(first);
  expect(world.commit('eu')).toBe(await repository.resolve('rendered/dev'));
});
