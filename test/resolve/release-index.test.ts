import { expect, test } from 'vitest';

import { toCapsuleName } from '#model/names.ts';
import type { Pin } from '#model/resolution.ts';
import { checkLock, emptyIndex, extendIndex, lockText, pinsOfLock } from '#resolve/resolve.ts';
import { commitOf, environment, pin, treeOf, world } from '#test/resolve/worlds.ts';

const seen = (commit: string, name: string, version: string, tree = `${name}@${version}`) => ({
  commit: commitOf(commit),
  capsules: [{ name: toCapsuleName(name), version, gitTree: treeOf(tree) }],
});
const released = (index: ReturnType<typeof emptyIndex>) =>
  [...index.releases].flatMap(([name, versions]) => [...versions.values()].map((one) => [`${name}@${one.version}`, one.commit] as const));

test('the first commit that carries a version is its release', () => {
  const index = extendIndex(emptyIndex(), 'main', [
    seen('c1', 'redis', '7.2.5'),
    seen('c2', 'redis', '7.2.5'),
    seen('c3', 'redis', '7.4.0'),
  ]);

  expect(released(index)).toEqual([
    ['redis@7.2.5', commitOf('c1')],
    ['redis@7.4.0', commitOf('c3')],
  ]);
  expect(index.conflicts).toEqual([]);
  expect([...index.tips]).toEqual([['main', commitOf('c3')]]);
});

test('row 58: the same version with another tree is a conflict, and the first content stays the release', () => {
  const index = extendIndex(emptyIndex(), 'main', [seen('c1', 'redis', '7.2.5'), seen('c2', 'redis', '7.2.5', 'other')]);

  expect(index.conflicts).toEqual([
    {
      release: { capsule: 'redis', version: '7.2.5', commit: commitOf('c1'), gitTree: treeOf('redis@7.2.5') },
      commit: commitOf('c2'),
      gitTree: treeOf('other'),
    },
  ]);
});

test('an index grown push by push equals one read at once, whichever branch was pushed first', () => {
  const main = [seen('c1', 'redis', '7.2.5'), seen('c2', 'redis', '7.4.0'), seen('c4', 'redis', '7.2.6', 'other')];
  const backports = [seen('b1', 'redis', '7.2.6'), seen('b2', 'redis', '7.2.7')];
  const atOnce = extendIndex(extendIndex(emptyIndex(), 'main', main), 'release/7.2', backports);

  let grown = extendIndex(emptyIndex(), 'main', main.slice(0, 1));
  grown = extendIndex(grown, 'release/7.2', backports);
  for (const one of main.slice(1)) grown = extendIndex(grown, 'main', [one]);

  expect(new Map(released(grown))).toEqual(new Map(released(atOnce)));
  expect(grown.conflicts).toEqual(atOnce.conflicts);
  expect(grown.conflicts.length).toBe(1);
});

const SHELF = world({ redis: { '7.2.5': {}, '7.4.0': {} }, greeter: { '1.0.0': {} } });

function lockedWith(pins: readonly Pin[]) {
  const capsules = Object.fromEntries(pins.map(({ instance, ...entry }) => [instance, entry]));
  const lock = {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'EnvironmentLock',
    metadata: { environment: 'dev' },
    capsules,
    holds: {},
  } as const;
  return environment('dev', { redis: { version: '^7.0.0' } }, { lock });
}

const lines = (pins: readonly Pin[], expected: readonly Pin[] | undefined, reachable = true) =>
  checkLock(lockedWith(pins), {
    index: SHELF.index,
    loaded: SHELF.loaded,
    expected,
    text: undefined,
    reachable: () => reachable,
  }).map((one) => `${one.rule} ${one.place.pointer} ${one.message}`);

test('a lock that is as the engine would write it is accepted', () => {
  expect(lines([pin('redis', '7.2.5')], [pin('redis', '7.2.5')])).toEqual([]);
  const { lock } = lockedWith([pin('redis', '7.2.5')]);
  expect(lock && pinsOfLock(lock.value)).toEqual([pin('redis', '7.2.5')]);
});

test('V-47: a lock that is missing, lacks an instance, or has one too many', () => {
  const without = checkLock(environment('dev', {}), {
    index: undefined,
    loaded: SHELF.loaded,
    expected: undefined,
    text: undefined,
    reachable: () => true,
  });

  expect(without.map((one) => [one.rule, one.message, one.remedy])).toEqual([
    ['V-47', 'environment dev has no lock', 'Run capstan lock dev.'],
  ]);
  expect(lines([], [pin('redis', '7.2.5', { requestedBy: ['greeter'] })])).toEqual([
    'V-47 /capsules lock of dev misses redis required by greeter',
  ]);
  expect(lines([pin('greeter', '1.0.0')], [])).toEqual(['V-47 /capsules/greeter lock of dev has greeter, which nothing requests']);
});

test('V-46: what resolution would not keep was edited by hand', () => {
  expect(lines([pin('redis', '7.2.5')], [pin('redis', '7.4.0')])).toEqual([
    'V-46 /capsules/redis/version environment.lock.yaml was edited by hand: /capsules/redis/version is 7.2.5, expected 7.4.0',
  ]);
  expect(lines([pin('redis', '7.2.5', { requestedBy: ['greeter'] })], [pin('redis', '7.2.5')])).toEqual([
    'V-46 /capsules/redis/requestedBy environment.lock.yaml was edited by hand: /capsules/redis/requestedBy is greeter, expected environment',
  ]);
});

test('V-48: version, tree and content must be those of the release', () => {
  const redis = pin('redis', '7.2.5');

  expect(lines([{ ...redis, version: '7.9.9' }], [redis])).toEqual([
    `V-48 /capsules/redis/version lock says redis@7.9.9 = tree ${redis.gitTree}; history has no release 7.9.9 of redis`,
  ]);
  expect(lines([{ ...redis, gitTree: treeOf('x') }], [redis])).toEqual([
    `V-48 /capsules/redis/gitTree lock says redis@7.2.5 = tree ${treeOf('x')}; commit ${redis.commit} has ${redis.gitTree}`,
  ]);
  expect(lines([{ ...redis, sha256: pin('greeter', '1.0.0').sha256 }], [redis])).toEqual([
    `V-48 /capsules/redis/sha256 lock says redis@7.2.5 = sha256 ${pin('greeter', '1.0.0').sha256}; sha256 mismatch; the git tree matches but the content digest does not (${redis.sha256})`,
  ]);
});

test('V-49: a commit beside the branches is named', () => {
  const stray = { ...pin('redis', '7.2.5'), commit: commitOf('elsewhere') };

  expect(lines([stray], [pin('redis', '7.2.5')], false)).toEqual([
    `V-49 /capsules/redis/commit commit ${stray.commit} of redis@7.2.5 is not on main`,
  ]);
});

test('V-46 names the line where the bytes differ although the values agree', () => {
  const pins = [pin('redis', '7.2.5')];
  const expected = lockText('dev', pins, undefined);
  const actual = expected.replace('    version:', '    version: ');

  const problems = checkLock(lockedWith(pins), {
    index: SHELF.index,
    loaded: SHELF.loaded,
    expected: pins,
    text: { actual, expected },
    reachable: () => true,
  });

  expect(problems.map((one) => [one.rule, one.place.line])).toEqual([['V-46', 8]]);
});
