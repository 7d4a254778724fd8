import { describe, expect, test } from 'vitest';

import { toCommitId } from '#model/digest.ts';
import { importKey } from '#model/imports.ts';
import { toCapsuleName } from '#model/names.ts';
import { resolveEnvironment } from '#resolve/resolve.ts';
import { environment, pin, resolvedLines, world } from './worlds.ts';

const BASES = { '1.0.0': {}, '1.1.0': {}, '2.0.0': {} };
const onBase = (version: string): object => ({ extends: { capsule: 'base', version } });
const wanted = (...names: readonly string[]) => environment('dev', Object.fromEntries(names.map((name) => [name, { version: '*' }])));

describe('extends', () => {
  test('the highest parent in range is an instance of its child, in its wave', () => {
    const shelf = world({ base: BASES, web: { '1.0.0': onBase('^1.0.0') } });
    expect(resolvedLines(shelf, wanted('web'))).toEqual(['web web@1.0.0 wave 0 by environment', 'web.base base@1.1.0 wave 0 by web']);
  });

  test('two children may extend different versions of one parent', () => {
    const shelf = world({ base: BASES, a: { '1.0.0': onBase('^1.0.0') }, b: { '1.0.0': onBase('^2.0.0') } });
    expect(resolvedLines(shelf, wanted('a', 'b')).filter((line) => line.includes('.base'))).toEqual([
      'a.base base@1.1.0 wave 0 by a',
      'b.base base@2.0.0 wave 0 by b',
    ]);
  });

  test('a locked parent stays, and moves on its own or with its child', () => {
    const shelf = world({ base: BASES, web: { '1.0.0': onBase('^1.0.0'), '2.0.0': onBase('>=1.1.0 <2.0.0') } });
    const locked = [pin('web', '1.0.0'), pin('web.base', '1.0.0', { capsule: 'base', requestedBy: ['web'] })];
    const versions = (move: Readonly<Record<string, string>>) =>
      resolvedLines(shelf, wanted('web'), { locked, move }).map((line) => line.split(' ')[1]);
    expect(versions({})).toEqual(['web@1.0.0', 'base@1.0.0']);
    expect(versions({ 'web.base': 'newest' })).toEqual(['web@1.0.0', 'base@1.1.0']);
    expect(versions({ web: '2.0.0' })).toEqual(['web@2.0.0', 'base@1.1.0']);
  });

  test('what a parent needs its child needs, and a parent that cannot have it gives way to an older one', () => {
    const shelf = world({
      redis: { '7.0.0': {} },
      base: {
        '1.0.0': { dependencies: { cache: { capsule: 'redis', version: '^7.0.0' } } },
        '1.1.0': { dependencies: { cache: { capsule: 'redis', version: '^8.0.0' } } },
      },
      web: { '1.0.0': onBase('^1.0.0') },
    });
    expect(resolvedLines(shelf, wanted('web'))).toEqual([
      'redis redis@7.0.0 wave 0 by web',
      'web web@1.0.0 wave 1 by environment',
      'web.base base@1.0.0 wave 1 by web',
    ]);
  });

  test('a child says more of a dependency than its parent', () => {
    const shelf = world({
      redis: { '7.0.0': {}, '7.1.0': {} },
      base: { '1.0.0': { dependencies: { cache: { capsule: 'redis', version: '^7.0.0', optional: true } } } },
      web: { '1.0.0': { ...onBase('^1.0.0'), dependencies: { cache: { version: '7.0.0', optional: false } } } },
    });
    expect(resolvedLines(shelf, wanted('web'))[0]).toBe('redis redis@7.0.0 wave 0 by web');
  });

  test('V-17 and V-20: a parent that nobody released, or not in that range', () => {
    expect(resolvedLines(world({ web: { '1.0.0': onBase('^1.0.0') } }), wanted('web'))).toEqual([
      'V-17: web depends on "base", which is not in capsules/ nor in imports',
    ]);
    expect(resolvedLines(world({ base: BASES, web: { '1.0.0': onBase('^3.0.0') } }), wanted('web'))).toEqual([
      'V-20: no version of base satisfies all of: web@1.0.0 extends ^3.0.0; available 1.0.0, 1.1.0, 2.0.0',
    ]);
  });

  test('a retired parent is chosen where it is locked, and nowhere else', () => {
    const shelf = world({ base: { '1.0.0': {}, '1.1.0': { lifecycle: 'retired' } }, web: { '1.0.0': onBase('^1.0.0') } });
    const locked = [pin('web', '1.0.0'), pin('web.base', '1.1.0', { capsule: 'base' })];
    expect(resolvedLines(shelf, wanted('web'))[1]).toBe('web.base base@1.0.0 wave 0 by web');
    expect(resolvedLines(shelf, wanted('web'), { locked })[1]).toBe('web.base base@1.1.0 wave 0 by web');
  });

  test('an imported parent is the version that is pinned, also for what its child inherits', () => {
    const commit = 'c'.repeat(40);
    const imports = { base: { url: 'https://example.org/base.git', commit, path: 'base' } };
    const shelf = world({
      base: BASES,
      mid: { '1.0.0': { ...onBase('^1.0.0'), imports } },
      web: { '1.0.0': { extends: { capsule: 'mid', version: '*' } } },
    });
    const key = importKey({ commit: toCommitId(commit), path: 'base' });
    const known = {
      ...shelf,
      index: { ...shelf.index, imports: new Map([[key, { kind: 'here', capsule: toCapsuleName('base'), version: '1.0.0' } as const]]) },
    };
    expect(resolvedLines(known, wanted('web')).at(-1)).toBe('web.mid.base base@1.0.0 wave 0 by web.mid');
    expect(resolvedLines(shelf, wanted('web'))).toEqual([
      expect.stringContaining('imports base from https://example.org/base.git at cccccccccccc, which this clone does not have'),
    ]);
  });
});

describe('bundles', () => {
  const PAIR = { instances: { left: { capsule: 'web', version: '*' }, right: { capsule: 'redis', version: '*' } } };
  const WEB = { dependencies: { cache: { capsule: 'redis', version: '*' } } };

  test('children come before their bundle and serve each other', () => {
    const shelf = world({ pair: { '1.0.0': PAIR }, web: { '1.0.0': WEB }, redis: { '7.0.0': {} } });
    expect(resolvedLines(shelf, wanted('pair', 'redis'))).toEqual([
      'pair pair@1.0.0 wave 2 by environment',
      'pair.left web@1.0.0 wave 1 by pair',
      'pair.right redis@7.0.0 wave 0 by pair,pair.left',
      'redis redis@7.0.0 wave 0 by environment',
    ]);
  });

  test('what no child serves the environment does', () => {
    const shelf = world({
      pair: { '1.0.0': { instances: { left: { capsule: 'web', version: '*' } } } },
      web: { '1.0.0': WEB },
      redis: { '7.0.0': {} },
    });
    expect(resolvedLines(shelf, wanted('pair'))).toEqual([
      'pair pair@1.0.0 wave 2 by environment',
      'pair.left web@1.0.0 wave 1 by pair',
      'redis redis@7.0.0 wave 0 by pair.left',
    ]);
  });

  test('a child whose condition does not hold is not there, and its bundle knows', () => {
    const shelf = world({
      pair: { '1.0.0': { instances: { left: { capsule: 'web', version: '*', when: 'config.both' } } } },
      web: { '1.0.0': {} },
    });
    const answer = resolveEnvironment({ environment: wanted('pair'), ...shelf, locked: [], move: new Map(), applies: () => false });
    expect(answer.kind === 'resolved' && answer.resolution.instances.map((one) => [one.pin.instance, [...one.capabilities]])).toEqual([
      ['pair', [['left', false]]],
    ]);
  });

  test('V-25: a bundle in itself ends', () => {
    const shelf = world({ a: { '1.0.0': { instances: { a: { capsule: 'a', version: '*' } } } } });
    expect(resolvedLines(shelf, wanted('a'))).toEqual(['V-25: instance a.a.a.a.a.a.a.a.a is nested deeper than 8']);
  });

  test('V-27: a nested instance and one of the environment whose objects would have one name', () => {
    const shelf = world({ pair: { '1.0.0': PAIR }, web: { '1.0.0': {} }, redis: { '7.0.0': {} } });
    const dev = environment('dev', { pair: { version: '*' }, 'pair-left': { capsule: 'web', version: '*' } });
    expect(resolvedLines(shelf, dev)).toEqual(['V-27: derived name "pair-left" is used by pair-left and pair.left']);
  });

  test('V-26: what is sealed between a capsule and its farthest parent is closed to the capsule as well', () => {
    const shelf = world({
      base: {
        '1.0.0': {
          sealed: true,
          components: { web: { kind: 'Deployment' } },
          extensionPoints: [{ name: 'env', path: '/components/web/env' }],
        },
      },
      mid: { '1.0.0': { ...onBase('^1.0.0'), components: { web: { kind: 'Deployment', env: { A: { value: 'a' } } } } } },
      web: { '1.0.0': { extends: { capsule: 'mid', version: '*' }, components: { web: { kind: 'StatefulSet' } } } },
    });
    expect(resolvedLines(shelf, wanted('web'))).toEqual([
      'V-26: web changes /components/web/kind, which base does not open as an extension point',
    ]);
  });
});

test('private dependencies are apart from shared ones, in their own version, before what owns them', () => {
  const shelf = world({
    redis: { '7.0.0': {}, '8.0.0': {} },
    web: { '1.0.0': { dependencies: { cache: { capsule: 'redis', version: '^7.0.0', shared: false } } } },
    shop: { '1.0.0': { dependencies: { cache: { capsule: 'redis', version: '*' }, web: { capsule: 'web', version: '*' } } } },
  });
  expect(resolvedLines(shelf, wanted('shop'))).toEqual([
    'redis redis@8.0.0 wave 0 by shop',
    'shop shop@1.0.0 wave 2 by environment',
    'web web@1.0.0 wave 1 by shop',
    'web.cache redis@7.0.0 wave 0 by web',
  ]);
});
