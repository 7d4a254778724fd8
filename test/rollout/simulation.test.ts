import fc from 'fast-check';
import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import type { HealthState } from '#model/health.ts';
import { toInstant } from '#model/instant.ts';
import { toTargetName } from '#model/names.ts';
import { planRollout, type LastWord, type RolloutRequest, type RolloutTarget } from '#rollout/rollout.ts';

/** A cluster as it is, and what the ledger says of it: two things, because a run can die between writing one and the other. */
interface Cluster {
  readonly name: string;
  readonly ring: number;
  has: string | undefined;
  health: HealthState;
  ledger: LastWord;
}

interface Plan {
  readonly rings: readonly number[];
  readonly installed: boolean;
  readonly limit: number | undefined;
  readonly pause: number;
}

type Event =
  | { readonly kind: 'run'; readonly diesAfter: number }
  | { readonly kind: 'passes'; readonly minutes: number }
  | { readonly kind: 'becomes'; readonly index: number; readonly health: HealthState }
  | { readonly kind: 'release' };

const RINGS = 3;
const MINUTE = 60_000;
const plans = fc.record<Plan>({
  rings: fc.array(fc.integer({ min: 0, max: RINGS }), { minLength: 1, maxLength: 7 }),
  installed: fc.boolean(),
  limit: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  pause: fc.integer({ min: 0, max: 12 }),
});
const events = fc.array(
  fc.oneof<fc.Arbitrary<Event>[]>(
    fc.record({ kind: fc.constant('run' as const), diesAfter: fc.integer({ min: 0, max: 12 }) }),
    fc.record({ kind: fc.constant('passes' as const), minutes: fc.integer({ min: 1, max: 15 }) }),
    fc.record({
      kind: fc.constant('becomes' as const),
      index: fc.nat(6),
      health: fc.constantFrom<HealthState>('healthy', 'healthy', 'progressing', 'degraded', 'unknown'),
    }),
    fc.record({ kind: fc.constant('release' as const) }),
  ),
  { maxLength: 60 },
);

test('however clusters fare and runs die: order and pauses are kept, no more are away than may be, and it ends once all are healthy', () => {
  fc.assert(
    fc.property(plans, events, (plan, happened) => {
      const world = begin(plan);
      for (const event of happened) happens(world, event);
      for (let round = 0; round < 40; round += 1) {
        for (const cluster of world.clusters) cluster.health = 'healthy';
        run(world, Infinity);
        world.now = toInstant(world.now + 13 * MINUTE);
      }
      expect(world.clusters.map(({ has }) => has)).toEqual(world.clusters.map(() => world.release));
      expect(turnsOf(world, new Map()).filter((turn) => turn?.kind !== 'current')).toEqual([]);
    }),
    { numRuns: 120, seed: 5 },
  );
});

interface World {
  readonly plan: Plan;
  readonly clusters: readonly Cluster[];
  release: string;
  releases: number;
  now: ReturnType<typeof toInstant>;
}

function begin(plan: Plan): World {
  const now = toInstant(Date.UTC(2026, 0, 5));
  const old = sha256Of('old');
  const clusters = plan.rings.map((ring, index): Cluster => {
    const last: LastWord = plan.installed
      ? { rendering: old, health: 'healthy', healthySince: toInstant(now - 999 * MINUTE) }
      : { rendering: undefined, health: 'unknown', healthySince: undefined };
    return { name: `t${index}`, ring, has: last.rendering, health: 'healthy', ledger: last };
  });
  return { plan, clusters, release: sha256Of('1'), releases: 1, now };
}

function happens(world: World, event: Event): void {
  switch (event.kind) {
    case 'run':
      return run(world, event.diesAfter);
    case 'passes':
      world.now = toInstant(world.now + event.minutes * MINUTE);
      return;
    case 'becomes': {
      const cluster = world.clusters[event.index];
      if (cluster !== undefined) cluster.health = event.health;
      return;
    }
    case 'release':
      world.releases += 1;
      world.release = sha256Of(`${world.releases}`);
  }
}

/** As the loop does it: one target after the other, planned again with what was seen; the ledger is written at the end, if it lives. */
function run(world: World, diesAfter: number): void {
  const seen = new Map<string, LastWord>();
  const order = planOf(world, seen).order;
  for (const [index, name] of order.entries()) {
    if (index >= diesAfter) return;
    const cluster = world.clusters.find((one) => one.name === name);
    const turn = planOf(world, seen).turns.get(name);
    if (cluster === undefined || turn === undefined) throw new Error('every target has a turn');
    if (turn.kind === 'go') check(world, cluster, seen);
    if (turn.kind !== 'wait' && cluster.health !== 'unknown' && cluster.has !== world.release) {
      cluster.has = world.release;
      cluster.health = 'progressing';
    }
    const rendering = turn.kind === 'wait' ? cluster.ledger.rendering : world.release;
    seen.set(name, worded(cluster, rendering, world.now));
  }
  for (const cluster of world.clusters) cluster.ledger = seen.get(cluster.name) ?? cluster.ledger;
}

function worded(cluster: Cluster, rendering: string | undefined, now: World['now']): LastWord {
  const { ledger, health } = cluster;
  const since = ledger.rendering === rendering ? ledger.healthySince : undefined;
  return { rendering, health, healthySince: health === 'healthy' ? (since ?? now) : health === 'unknown' ? since : undefined };
}

/** What must hold for one that is let go, said once more in other words. */
function check(world: World, cluster: Cluster, seen: ReadonlyMap<string, LastWord>): void {
  const known = (one: Cluster): LastWord => seen.get(one.name) ?? one.ledger;
  const { limit, pause } = world.plan;
  for (const before of world.clusters.filter((one) => one.ring < cluster.ring)) {
    const { rendering, health, healthySince } = known(before);
    const isForgiven = health === 'unknown' && limit !== undefined && limit > 0;
    if (!isForgiven) expect([rendering, health]).toEqual([world.release, 'healthy']);
    if (healthySince !== undefined) expect(world.now - healthySince).toBeGreaterThanOrEqual(health === 'healthy' ? pause * MINUTE : 0);
  }
  const isAway = (one: Cluster): boolean => known(one).rendering !== undefined && known(one).health !== 'healthy';
  const away = world.clusters.filter((one) => one.ring === cluster.ring && isAway(one)).length;
  if (limit !== undefined && !isAway(cluster)) expect(away + 1).toBeLessThanOrEqual(Math.max(1, limit));
}

function planOf(world: World, seen: ReadonlyMap<string, LastWord>): ReturnType<typeof planRollout> {
  const { limit, pause } = world.plan;
  const declaration: RolloutRequest['declaration'] = {
    partitions: Array.from({ length: RINGS }, (_, ring) => ({ name: `r${ring}`, selector: { matchLabels: { ring: `${ring}` } } })),
    pauseBetween: `${pause}m`,
    ...(limit === undefined ? {} : { maxUnavailable: limit }),
  };
  const targets = world.clusters.map((cluster): RolloutTarget => {
    const now = seen.get(cluster.name);
    const last = now ?? cluster.ledger;
    const labels = { ring: `${cluster.ring}` };
    return { name: toTargetName(cluster.name), labels, wanted: world.release as RolloutTarget['wanted'], last, live: now?.health };
  });
  return planRollout({ declaration, targets, now: world.now });
}

function turnsOf(world: World, seen: ReadonlyMap<string, LastWord>) {
  return [...planOf(world, seen).turns.values()];
}

test('the same end, whether or not runs die in between', () => {
  fc.assert(
    fc.property(plans, events, (plan, happened) => {
      const [whole, broken] = [begin(plan), begin(plan)];
      for (const event of happened) {
        happens(whole, event.kind === 'run' ? { ...event, diesAfter: Infinity } : event);
        happens(broken, event);
      }
      for (const world of [whole, broken]) {
        for (let round = 0; round < 40; round += 1) {
          for (const cluster of world.clusters) cluster.health = 'healthy';
          run(world, Infinity);
          world.now = toInstant(world.now + 13 * MINUTE);
        }
      }
      const end = ({ clusters }: World) => clusters.map(({ has, ledger }) => [has, ledger.rendering, ledger.health]);
      expect(end(broken)).toEqual(end(whole));
    }),
    { numRuns: 60, seed: 6 },
  );
});
