import { expect, test } from 'vitest';

import { toInstanceName } from '#model/names.ts';
import type { Pin } from '#model/resolution.ts';
import { resolveEnvironment } from '#resolve/resolve.ts';
import { environment, moving, pin, resolvedLines, world, type Shelf } from '#test/resolve/worlds.ts';

const REDIS: Shelf = { redis: { '7.2.5': {}, '7.4.0': {}, '8.0.1': {} } };
const cache = (version: string) => ({ dependencies: { cache: { capsule: 'redis', version } } });

test('takes the highest version that every range accepts, dependencies in earlier waves', () => {
  const shelf = world({ ...REDIS, greeter: { '1.4.1': cache('^7.2.0'), '1.4.2': cache('>=7.2.0 <8.0.0') } });

  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '^1.4.0' } }))).toEqual([
    'greeter greeter@1.4.2 wave 1 by environment',
    'redis redis@7.4.0 wave 0 by greeter',
  ]);
});

test('keeps what is locked while it still fits', () => {
  const shelf = world({ ...REDIS, greeter: { '1.4.1': cache('^7.2.0'), '1.4.2': cache('^7.2.0') } });
  const locked = [pin('greeter', '1.4.1'), pin('redis', '7.2.5', { requestedBy: ['greeter'] })];

  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '^1.4.0' } }), { locked })).toEqual([
    'greeter greeter@1.4.1 wave 1 by environment',
    'redis redis@7.2.5 wave 0 by greeter',
  ]);
});

test('an upgrade moves the instance and only those whose ranges force them', () => {
  const shelf = world({ ...REDIS, greeter: { '1.4.1': cache('^7.2.0'), '1.5.0': cache('^7.4.0') }, other: { '1.0.0': {}, '1.1.0': {} } });
  const locked = [pin('greeter', '1.4.1'), pin('other', '1.0.0'), pin('redis', '7.2.5', { requestedBy: ['greeter'] })];
  const dev = environment('dev', { greeter: { version: '^1.4.0' }, other: { version: '^1.0.0' } });

  expect(resolvedLines(shelf, dev, { locked, move: { greeter: '1.5.0' } })).toEqual([
    'greeter greeter@1.5.0 wave 1 by environment',
    'other other@1.0.0 wave 0 by environment',
    'redis redis@7.4.0 wave 0 by greeter',
  ]);
  expect(resolvedLines(shelf, dev, { locked, move: { other: 'newest' } })).toEqual([
    'greeter greeter@1.4.1 wave 1 by environment',
    'other other@1.1.0 wave 0 by environment',
    'redis redis@7.2.5 wave 0 by greeter',
  ]);
});

test('steps back to an older version when the newest cannot have its dependency', () => {
  const shelf = world({ ...REDIS, billing: { '1.0.0': cache('^7.2.0') }, greeter: { '1.4.0': cache('^7.2.0'), '2.0.0': cache('^8.0.0') } });

  expect(resolvedLines(shelf, environment('dev', { billing: { version: '*' }, greeter: { version: '*' } }))).toEqual([
    'billing billing@1.0.0 wave 1 by environment',
    'greeter greeter@1.4.0 wave 1 by environment',
    'redis redis@7.4.0 wave 0 by billing,greeter',
  ]);
});

test('steps back over decisions that had no part in the clash', () => {
  const shelf = world({
    a: { '1.0.0': cache('^7.2.0'), '2.0.0': cache('^8.0.0') },
    b: { '1.0.0': {}, '2.0.0': {} },
    z: { '1.0.0': cache('^7.2.0') },
    ...REDIS,
  });

  expect(resolvedLines(shelf, environment('dev', { a: { version: '*' }, b: { version: '*' }, z: { version: '*' } }))).toEqual([
    'a a@1.0.0 wave 1 by environment',
    'b b@2.0.0 wave 0 by environment',
    'redis redis@7.4.0 wave 0 by a,z',
    'z z@1.0.0 wave 1 by environment',
  ]);
});

test('says who needs what, what there is, and the chain behind it, when nothing fits', () => {
  const shelf = world({ ...REDIS, greeter: { '1.4.2': cache('>=7.2.0 <8.0.0') }, billing: { '2.0.0': cache('^8.0.0') } });
  const dev = environment('dev', { greeter: { version: '^1.4.0' }, billing: { version: '^2.0.0' } });

  const answer = resolveEnvironment({ environment: dev, ...shelf, locked: [], move: new Map() });

  expect(answer).toEqual({
    kind: 'unresolvable',
    problems: [
      {
        code: 'unresolvable',
        rule: 'V-20',
        severity: 'error',
        phase: 'resolve',
        message:
          'no version of redis satisfies all of: billing@2.0.0 needs ^8.0.0; greeter@1.4.2 needs >=7.2.0 <8.0.0; available 7.2.5, 7.4.0, 8.0.1',
        remedy: 'Widen one of these ranges, or release a version of redis that all of them accept.',
        place: { file: 'environments/dev/environment.yaml', line: 1, column: 1, pointer: '/spec/capsules/billing' },
        related: [
          { file: 'environments/dev/environment.yaml', line: undefined, note: 'billing@2.0.0 is asked for by the environment' },
          { file: 'environments/dev/environment.yaml', line: undefined, note: 'greeter@1.4.2 is asked for by the environment' },
        ],
      },
    ],
  });
});

test('a range of the environment alone can be the reason', () => {
  expect(resolvedLines(world(REDIS), environment('dev', { redis: { version: '^9.0.0' } }))).toEqual([
    'V-20: no version of redis satisfies all of: environment dev needs ^9.0.0; available 7.2.5, 7.4.0, 8.0.1',
  ]);
});

test('an unknown capsule is named, with the name that was probably meant', () => {
  const shelf = world({ ...REDIS, greeter: { '1.0.0': { dependencies: { cache: { capsule: 'reddis', version: '*' } } } } });

  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '*' } }))).toEqual([
    'V-17: greeter depends on "reddis", which is not in capsules/ nor in imports; did you mean "redis"?',
  ]);
  expect(resolvedLines(shelf, environment('dev', { greter: { version: '*' } }))).toEqual([
    'V-17: environment dev depends on "greter", which is not in capsules/ nor in imports; did you mean "greeter"?',
  ]);
});

test('row 45: a mandatory dependency cycle is refused with the cycle', () => {
  const shelf = world({
    greeter: { '1.0.0': { dependencies: { r: { capsule: 'redis', version: '*' } } } },
    redis: { '7.0.0': { dependencies: { g: { capsule: 'greeter', version: '*' } } } },
  });

  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '*' } }))).toEqual([
    'V-19: dependency cycle: greeter → redis → greeter',
  ]);
});

test('row 45: a capsule that depends on itself is a cycle, too', () => {
  const shelf = world({ a: { '1.0.0': { dependencies: { me: { capsule: 'a', version: '*' } } } } });

  expect(resolvedLines(shelf, environment('dev', { a: { version: '*' } }))).toEqual(['V-19: dependency cycle: a → a']);
});

test('row 45: a private dependency on itself ends as a clash, not as an endless descent', () => {
  const shelf = world({ a: { '1.0.0': { dependencies: { me: { capsule: 'a', version: '*', shared: false } } } } });

  const lines = resolvedLines(shelf, environment('dev', { a: { version: '*' } }));

  expect(lines).toEqual(['V-25: instance a.me.me.me.me.me.me.me.me is nested deeper than 8']);
});

test('a cycle over an optional dependency is cut there with a warning', () => {
  const shelf = world({
    greeter: { '1.0.0': { dependencies: { r: { capsule: 'redis', version: '*' } } } },
    redis: { '7.0.0': { dependencies: { g: { capsule: 'greeter', version: '*', optional: true } } } },
  });

  const answer = resolveEnvironment({
    environment: environment('dev', { greeter: { version: '*' } }),
    ...shelf,
    locked: [],
    move: new Map(),
  });

  expect(answer.kind === 'resolved' && answer.warnings.map((one) => `${one.rule} ${one.severity} ${one.message}`)).toEqual([
    'V-19 warning dependency cycle: greeter → redis → greeter; cut at the optional dependency "g"',
  ]);
  expect(answer.kind === 'resolved' && answer.resolution.instances.map((one) => [one.pin.instance, one.wave])).toEqual([
    ['greeter', 1],
    ['redis', 0],
  ]);
});

test('an optional dependency joins where it fits and is skipped with a note where it does not', () => {
  const optional = { dependencies: { cache: { capsule: 'redis', version: '^7.2.0', optional: true } } };
  const shelf = world({ ...REDIS, greeter: { '1.0.0': optional } });
  const ask = (capsules: Parameters<typeof environment>[1]) => {
    const answer = resolveEnvironment({ environment: environment('dev', capsules), ...shelf, locked: [], move: new Map() });
    if (answer.kind !== 'resolved') throw new Error(answer.kind);
    const [first] = answer.resolution.instances;
    return [
      answer.resolution.instances.map((one) => `${one.pin.instance}@${one.pin.version}`),
      [...(first?.capabilities ?? [])],
      answer.resolution.notes,
    ];
  };

  expect(ask({ greeter: { version: '*' } })).toEqual([['greeter@1.0.0', 'redis@7.4.0'], [['cache', true]], []]);
  expect(ask({ greeter: { version: '*' }, redis: { version: '^8.0.0' } })).toEqual([
    ['greeter@1.0.0', 'redis@8.0.1'],
    [['cache', false]],
    [
      'greeter goes without its optional dependency "cache": no version of redis satisfies all of: environment dev needs ^8.0.0; greeter@1.0.0 needs ^7.2.0; available 7.2.5, 7.4.0, 8.0.1',
    ],
  ]);
});

test('when: a dependency that does not apply is not considered', () => {
  const shelf = world({
    ...REDIS,
    greeter: { '1.0.0': { dependencies: { cache: { capsule: 'redis', version: '*', when: 'config.cache' } } } },
  });
  const input = { environment: environment('dev', { greeter: { version: '*' } }), ...shelf, locked: [], move: new Map() };

  const without = resolveEnvironment({ ...input, applies: ({ expression }) => expression !== 'config.cache' });
  const undecided = resolveEnvironment({ ...input, applies: () => undefined });

  expect(without.kind === 'resolved' && without.resolution.instances.map((one) => one.pin.instance)).toEqual(['greeter']);
  expect(undecided.kind === 'resolved' && undecided.resolution.instances.map((one) => one.pin.instance)).toEqual(['greeter', 'redis']);
});

test('a private dependency has its own instance and its own version', () => {
  const shelf = world({
    ...REDIS,
    greeter: { '1.0.0': { dependencies: { cache: { capsule: 'redis', version: '^7.2.0', shared: false } } } },
  });

  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '*' }, redis: { version: '^8.0.0' } }))).toEqual([
    'greeter greeter@1.0.0 wave 1 by environment',
    'greeter.cache redis@7.4.0 wave 0 by greeter',
    'redis redis@8.0.1 wave 0 by environment',
  ]);
});

test('a shared dependency is served by the alias that the environment asks for', () => {
  const shelf = world({ ...REDIS, greeter: { '1.0.0': cache('^7.2.0') } });

  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '*' }, store: { capsule: 'redis', version: '7.2.5' } }))).toEqual([
    'greeter greeter@1.0.0 wave 1 by environment',
    'store redis@7.2.5 wave 0 by environment',
  ]);
});

test('an abstract type goes by the recipe of the environment, and without one is V-17', () => {
  const shelf = world({ ...REDIS, greeter: { '1.0.0': { dependencies: { cache: { type: 'redis' } } } } });
  const requests = { greeter: { version: '*' } };

  expect(resolvedLines(shelf, environment('dev', requests, { recipes: { redis: { capsule: 'redis', version: '^7.2.0' } } }))).toEqual([
    'greeter greeter@1.0.0 wave 1 by environment',
    'redis redis@7.4.0 wave 0 by greeter',
  ]);
  expect(resolvedLines(shelf, environment('dev', requests))).toEqual([
    'V-17: greeter depends on type "redis", for which the environment has no recipe',
  ]);
});

test('retired versions are no candidates unless they are locked', () => {
  const shelf = world({ redis: { '7.0.0': {}, '7.1.0': { lifecycle: 'retired' } } });
  const dev = environment('dev', { redis: { version: '^7.0.0' } });

  expect(resolvedLines(shelf, dev)).toEqual(['redis redis@7.0.0 wave 0 by environment']);
  expect(resolvedLines(shelf, dev, { locked: [pin('redis', '7.1.0')] })).toEqual(['redis redis@7.1.0 wave 0 by environment']);
});

test('row 57: a prerelease is taken only where the range names one of its own version', () => {
  const shelf = world({ app: { '1.4.0': {}, '1.5.0-rc.9': {}, '1.5.0-rc.10': {}, '1.5.0-rc.1a': {}, '1.6.0-rc.1': {} } });
  const ask = (version: string, locked: readonly Pin[] = []) => resolvedLines(shelf, environment('dev', { app: { version } }), { locked });

  expect(ask('^1.0.0')).toEqual(['app app@1.4.0 wave 0 by environment']);
  expect(ask('^1.5.0-rc.0')).toEqual(['app app@1.5.0-rc.1a wave 0 by environment']);
  expect(ask('>=1.5.0-rc.0 <1.5.0-rc.1a')).toEqual(['app app@1.5.0-rc.10 wave 0 by environment']);
  expect(ask('^1.0.0', [pin('app', '1.5.0-rc.10')])).toEqual(['app app@1.4.0 wave 0 by environment']);
});

test('asks for every declaration it lacks at once', () => {
  const shelf = world({ ...REDIS, greeter: { '1.0.0': cache('^7.2.0') } });
  const dev = environment('dev', { greeter: { version: '*' }, redis: { version: '*' } });

  const answer = resolveEnvironment({ environment: dev, index: shelf.index, loaded: () => undefined, locked: [], move: new Map() });

  expect(answer.kind === 'needs' && answer.releases.map((one) => `${one.capsule}@${one.version}`)).toEqual([
    'greeter@1.0.0',
    'redis@8.0.1',
  ]);
});

test('only admitted releases may enter, and what is locked stays', () => {
  const shelf = world({ redis: { '7.0.0': {}, '7.1.0': {} } });
  const input = { environment: environment('dev', { redis: { version: '^7.0.0' } }), ...shelf, admits: () => false };

  const entering = resolveEnvironment({ ...input, locked: [], move: new Map() });
  const staying = resolveEnvironment({ ...input, locked: [pin('redis', '7.0.0')], move: new Map() });
  const leftOut = resolveEnvironment({ ...input, locked: [], move: moving({}), leaveOut: new Set([toInstanceName('redis')]) });

  expect(entering.kind).toBe('unresolvable');
  expect(staying.kind === 'resolved' && staying.resolution.instances.map((one) => one.pin)).toEqual([pin('redis', '7.0.0')]);
  expect(leftOut.kind === 'resolved' && leftOut.resolution.instances).toEqual([]);
});

test('wiring: a protocol or an output that the chosen version does not provide is V-18', () => {
  const shelf = world({
    redis: { '7.0.0': { provides: { redis: { protocol: 'redis', outputs: { url: 'redis://x' } } } } },
    greeter: {
      '1.0.0': {
        dependencies: { cache: { capsule: 'redis', version: '*', requires: { protocol: 'http' } } },
        components: { web: { kind: 'Deployment', env: { URL: { dependency: 'cache', output: 'uri' } } } },
      },
    },
  });

  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '*' } }))).toEqual([
    'V-18: greeter wants protocol "http" of dependency "cache" (redis@7.0.0), which provides redis',
    'V-18: greeter.env.URL wants output "uri" of dependency "cache" (redis@7.0.0), which provides url',
  ]);
});

test('a resolution of 10,000 locked instances is found in one pass', () => {
  const shelf: Record<string, Record<string, object>> = { base: { '1.0.0': {}, '1.1.0': {} } };
  const requests: Record<string, { version: string }> = {};
  const locked = [pin('base', '1.0.0', { requestedBy: Array.from({ length: 9999 }, (_, at) => `c${at}`).sort() })];
  for (let at = 0; at < 9999; at += 1) {
    shelf[`c${at}`] = { '1.0.0': { dependencies: { base: { capsule: 'base', version: '^1.0.0' } } }, '1.1.0': {} };
    requests[`c${at}`] = { version: '^1.0.0' };
    locked.push(pin(`c${at}`, '1.0.0'));
  }
  const full = world(shelf);
  let loads = 0;
  const loaded: typeof full.loaded = (release) => {
    loads += 1;
    return full.loaded(release);
  };

  const answer = resolveEnvironment({ environment: environment('big', requests), index: full.index, loaded, locked, move: new Map() });

  expect(answer.kind === 'resolved' && answer.resolution.instances.length).toBe(10_000);
  expect(loads).toBe(10_000);
});

test('a retired version is told among those that are available, and chosen by nobody', () => {
  const shelf = world({ greeter: { '1.4.1': {}, '1.5.0': { lifecycle: 'retired' } } });

  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '^1.0.0' } }))).toEqual([
    'greeter greeter@1.4.1 wave 0 by environment',
  ]);
  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '^1.5.0' } }))).toEqual([
    'V-20: no version of greeter satisfies all of: environment dev needs ^1.5.0; available 1.4.1, 1.5.0 (retired)',
  ]);
});
