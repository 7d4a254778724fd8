import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import type { HealthState } from '#model/health.ts';
import { toInstant } from '#model/instant.ts';
import { toTargetName } from '#model/names.ts';
import { planRollout, type RolloutRequest, type RolloutTarget } from '#rollout/rollout.ts';

const NOW = toInstant(Date.parse('2026-01-05T09:00:00.000Z'));
const MINUTE = 60_000;
const CANARY = { name: 'canary', selector: { matchLabels: { partition: 'canary' } } };

interface Seen {
  readonly partition?: string;
  /** `new` has the wanted rendering, `old` another one, `empty` nothing. */
  readonly has?: 'new' | 'old' | 'empty';
  readonly health?: HealthState;
  readonly live?: HealthState;
  readonly minutes?: number;
}

function target(name: string, { partition, has = 'old', health = 'healthy', live, minutes = 600 }: Seen = {}): RolloutTarget {
  const wanted = sha256Of(`new ${name}`);
  return {
    name: toTargetName(name),
    labels: partition === undefined ? {} : { partition },
    wanted,
    last: {
      rendering: has === 'new' ? wanted : has === 'old' ? sha256Of(`old ${name}`) : undefined,
      health: has === 'empty' ? 'unknown' : health,
      healthySince: has === 'empty' || health !== 'healthy' ? undefined : toInstant(NOW - minutes * MINUTE),
    },
    live,
  };
}

function turns(declaration: RolloutRequest['declaration'], ...targets: readonly RolloutTarget[]): readonly string[] {
  const plan = planRollout({ declaration, targets, now: NOW });
  return plan.order.map((name) => {
    const turn = plan.turns.get(name);
    if (turn?.kind !== 'wait') return `${name} ${turn?.partition} ${turn?.kind}`;
    const until = turn.until === undefined ? '' : ` until +${(turn.until - NOW) / MINUTE}m`;
    return `${name} ${turn.partition} wait${until}: ${turn.reason}`;
  });
}

test('the first partition goes, the others wait for it', () => {
  expect(turns({ partitions: [CANARY] }, target('a'), target('b', { partition: 'canary' }), target('c'))).toEqual([
    'b canary go',
    'a rest wait: partition canary is not done: b is not updated yet',
    'c rest wait: partition canary is not done: b is not updated yet',
  ]);
});

test('a partition that is not healthy with the new rendering stops the ones after it', () => {
  for (const health of ['degraded', 'progressing', 'unknown'] as const)
    expect(turns({ partitions: [CANARY] }, target('a'), target('b', { partition: 'canary', has: 'new', health }))).toEqual([
      'b canary current',
      `a rest wait: partition canary is not done: b is ${health}`,
    ]);
});

test('what this run sees counts more than what the ledger says', () => {
  const seen = { partition: 'canary', has: 'new', health: 'healthy', live: 'degraded' } as const;
  expect(turns({ partitions: [CANARY] }, target('a'), target('b', seen))).toEqual([
    'b canary current',
    'a rest wait: partition canary is not done: b is degraded',
  ]);
});

test('the next partition starts when the one before it is healthy, and its pause is over', () => {
  const canary = (minutes: number) => target('b', { partition: 'canary', has: 'new', minutes });
  const declaration = { partitions: [CANARY], pauseBetween: '10m' };
  expect(turns(declaration, target('a'), canary(4))).toEqual([
    'b canary current',
    'a rest wait until +6m: partition canary became healthy at 2026-01-05T08:56:00.000Z; the pause of 10m is not over',
  ]);
  expect(turns(declaration, target('a'), canary(10))).toEqual(['b canary current', 'a rest go']);
});

test('a pause begins now where the ledger does not know of the health yet', () => {
  const seen = { partition: 'canary', has: 'new', health: 'progressing', live: 'healthy' } as const;
  expect(turns({ partitions: [CANARY], pauseBetween: '10m' }, target('a'), target('b', seen))[1]).toBe(
    'a rest wait until +10m: partition canary became healthy at 2026-01-05T09:00:00.000Z; the pause of 10m is not over',
  );
});

test('the rest is parted by a share that no group exceeds', () => {
  const targets = ['a', 'b', 'c', 'd', 'e'].map((name) => target(name));
  const named = (autoPartitionSize: string) =>
    turns({ autoPartitionSize }, ...targets).map((line) => line.split(' ').slice(0, 2).join(' '));
  expect(named('50%')).toEqual(['a rest-1', 'b rest-1', 'c rest-2', 'd rest-2', 'e rest-3']);
  expect(named('1%')).toEqual(['a rest-1', 'b rest-2', 'c rest-3', 'd rest-4', 'e rest-5']);
  expect(named('100%')).toEqual(['a rest', 'b rest', 'c rest', 'd rest', 'e rest']);
});

test('no more targets of a partition are updated at once than may be unavailable, those that are so already included', () => {
  const three = (a: Seen, b: Seen, c: Seen) => turns({ maxUnavailable: 2 }, target('a', a), target('b', b), target('c', c));
  expect(three({}, {}, {})).toEqual([
    'a rest go',
    'b rest go',
    'c rest wait: at most 2 of the 3 targets of partition rest may be unavailable at once, and others of it are being updated',
  ]);
  expect(three({ has: 'new', health: 'progressing' }, {}, {})).toEqual([
    'a rest current',
    'b rest go',
    'c rest wait: at most 2 of the 3 targets of partition rest may be unavailable at once, and a is not healthy',
  ]);
  expect(three({}, { health: 'degraded' }, { health: 'unknown' })).toEqual([
    'b rest go',
    'c rest go',
    'a rest wait: at most 2 of the 3 targets of partition rest may be unavailable at once, and b, c are not healthy',
  ]);
});

test('where nothing may be unavailable, one is updated at a time', () => {
  expect(turns({ maxUnavailable: 0 }, target('a'), target('b')).map((line) => line.split(':')[0])).toEqual(['a rest go', 'b rest wait']);
  expect(turns({ maxUnavailable: '10%' }, target('a'), target('b')).map((line) => line.split(':')[0])).toEqual([
    'a rest go',
    'b rest wait',
  ]);
});

test('a first installation has the same order', () => {
  const empty = { has: 'empty' } as const;
  const targets = [target('a', empty), target('b', { ...empty, partition: 'canary' }), target('c', { ...empty, partition: 'canary' })];
  expect(turns({ partitions: [CANARY], maxUnavailable: 1 }, ...targets).map((line) => line.split(':')[0])).toEqual([
    'b canary go',
    'c canary wait',
    'a rest wait',
  ]);
});

test('an unreachable cluster is forgiven as far as targets may be unavailable, once another one spoke for the rendering', () => {
  const canary = { partition: 'canary', has: 'new' } as const;
  const away = target('away', { ...canary, health: 'unknown' });
  const last = (maxUnavailable: number, ...before: readonly RolloutTarget[]) =>
    turns({ partitions: [CANARY], maxUnavailable }, ...before, target('z')).at(-1);
  expect(last(1, away, target('here', canary))).toBe('z rest go');
  expect(last(0, away, target('here', canary))).toBe('z rest wait: partition canary is not done: away is unknown');
  expect(last(1, away)).toBe('z rest wait: partition canary is not done: away is unknown');
  expect(last(2, away, target('here', { ...canary, health: 'degraded' }))).toBe(
    'z rest wait: partition canary is not done: away is unknown, here is degraded',
  );
});

test('so many partitions may be unfinished before it stops', () => {
  const one = (partition: string, seen: Seen) => target(partition, { ...seen, partition });
  const partitions = ['a', 'b', 'c'].map((name) => ({ name, selector: { matchLabels: { partition: name } } }));
  const declaration = { partitions, maxUnavailablePartitions: 1, pauseBetween: '10m' };
  const bad = one('a', { has: 'new', health: 'degraded' });
  expect(turns(declaration, bad, one('b', {}), one('c', {}))).toEqual([
    'a a current',
    'b b go',
    'c c wait: partition a is not done: a is degraded',
  ]);
  // The first one is beyond help; the second one only needs its time.
  expect(turns(declaration, bad, one('b', { has: 'new', minutes: 1 }), one('c', {}))[2]).toBe(
    'c c wait until +9m: partition a is not done: a is degraded',
  );
});

test('another rendering starts at the first partition again, and one that goes back as well', () => {
  const targets = [target('a', { has: 'new' }), target('b', { partition: 'canary', health: 'degraded' })];
  expect(turns({ partitions: [CANARY] }, ...targets)).toEqual(['b canary go', 'a rest current']);
});

test('a target belongs to the first partition that selects it', () => {
  const all = { name: 'all', selector: {} };
  expect(turns({ partitions: [all, CANARY] }, target('a'), target('b', { partition: 'canary' }))).toEqual(['a all go', 'b all go']);
});
