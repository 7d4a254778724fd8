import { describe, expect, test } from 'vitest';

import { createWorld } from '#loops/create-world.ts';
import { reconcile } from '#loops/reconcile.ts';
import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { portsOf } from '#test/stories/engine.ts';
import { targetOf } from '#test/stories/outside.ts';
import { changed, edit, plantedGarden, withLocks } from './garden.ts';
import type { Garden } from './garden.ts';

const CACHE = 'redis/apps_v1_statefulset_shop-dev_redis.yaml';
const WEB = 'web/apps_v1_deployment_shop-dev_web.yaml';

/** One target of dev that says itself how its objects are; in the garden, web depends on redis. */
function gardenWithHealth(garden: Garden) {
  const ports = portsOf(garden.outside);
  const world = createWorld(ports);
  const target = targetOf(garden.outside, 'dev/one');
  target.reportsHealth = true;
  function say(path: string, state: 'healthy' | 'progressing' | 'degraded'): void {
    target.reports.set(path, { path, state, reason: '', sha256: sha256Of(target.files.get(path) ?? '') });
  }
  async function run() {
    await world.repository.fetch();
    return reconcile(world, { environment: 'dev', target: 'one', trigger: 'poll', dryRun: false });
  }
  return { target, say, run };
}

test('what is on its way for too long is degraded, and the run that waits for it says when to look again', async () => {
  const garden = await plantedGarden();
  const { target, run } = gardenWithHealth(garden);
  const began = garden.outside.now;
  const observed = target.observe.bind(target);
  target.observe = async (wanted, signal) => {
    const observation = await observed(wanted, signal);
    const live = { uid: '1', appliedAt: began, object: { metadata: { generation: 1 } }, changedBy: [] };
    return { ...observation, objects: observation.objects.map((one) => (one.path === CACHE ? { ...one, live } : one)) };
  };

  const first = await run();
  expect(first.ending).toMatchObject({ kind: 'waiting', until: toInstant(began + 600_000) });
  expect(first.receipts[0]?.health.state).toBe('progressing');

  garden.outside.now = toInstant(began + 590_000);
  expect((await run()).ending).toMatchObject({ kind: 'waiting', until: toInstant(began + 600_000) });

  garden.outside.now = toInstant(began + 600_000);
  const late = await run();
  expect(late.ending).toMatchObject({ kind: 'waiting', until: undefined });
  expect(late.receipts[0]?.health.state).toBe('degraded');
  expect(late.ending.kind === 'waiting' ? late.ending.reasons : []).toContain(
    'StatefulSet redis no progress for 10m: waits for its controller',
  );
});

describe('a target that says itself how its objects are', () => {
  test('gets what depends on something once that is healthy, and the run in between waits for it', async () => {
    const { target, say, run } = gardenWithHealth(await plantedGarden());
    const applied = target.apply.bind(target);
    // It is seen progressing by the look that follows the write.
    target.apply = async (plan, next, signal) => {
      const outcomes = await applied(plan, next, signal);
      if (!target.reports.has(CACHE)) say(CACHE, 'progressing');
      return outcomes;
    };

    const first = await run();

    expect([...target.files.keys()].some((path) => path.startsWith('web/'))).toBe(false);
    expect(first.ending).toMatchObject({ kind: 'waiting' });
    expect(first.ending.kind === 'waiting' ? first.ending.reasons : []).toContain('Deployment web waits for redis');
    expect((await run()).ending.kind).toBe('waiting');

    say(CACHE, 'healthy');
    const last = await run();

    expect(last.ending).toEqual({ kind: 'settled' });
    expect(target.files.has(WEB)).toBe(true);
  });

  test('gets everything in one run where all is healthy at once, each object written once', async () => {
    const { target, run } = gardenWithHealth(await plantedGarden());

    const { ending, receipts } = await run();

    expect(ending).toEqual({ kind: 'settled' });
    expect(target.writes).toBe(target.files.size);
    expect(receipts[0]?.outcomes.map((outcome) => outcome.result)).toEqual([...target.files].map(() => 'done'));
  });

  test('keeps the old objects of what waits, without calling them drift', async () => {
    const garden = await plantedGarden();
    const before = gardenWithHealth(garden);
    await before.run();
    const old = before.target.files.get(WEB);
    const next = await changed(garden, {
      'environments/dev/environment.yaml': edit('replicas: 1', 'replicas: 3'),
    });
    const { target, say, run } = gardenWithHealth(await withLocks(next));
    say(CACHE, 'degraded');

    const { ending, receipts } = await run();

    expect(target.files.get(WEB)).toBe(old);
    expect(ending.kind).toBe('waiting');
    expect(receipts.map((receipt) => receipt.driftDetected)).toEqual([false]);
    expect(JSON.stringify(receipts[0]?.health)).not.toContain('outside git');

    say(CACHE, 'healthy');
    await run();
    expect(target.files.get(WEB)).not.toBe(old);
  });
});
