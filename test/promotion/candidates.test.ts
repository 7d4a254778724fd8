import { expect, test } from 'vitest';

import { toEnvironmentName, toInstanceName } from '#model/names.ts';
import type { Pin } from '#model/resolution.ts';
import { findCandidates } from '#promotion/promotion.ts';
import { COMMIT, GREETER, type Spec } from '#test/promotion/questions.ts';
import { environment, pin, world, type Shelf } from '#test/resolve/worlds.ts';

type Facts = Parameters<typeof findCandidates>[0];

const SHELF: Shelf = { greeter: { '1.4.1': {}, '1.4.2': {}, '2.0.0': {} }, redis: { '7.2.5': {}, '7.4.0': {} } };

function candidates(
  more: Partial<Facts> & {
    readonly spec?: Spec;
    readonly requests?: NonNullable<Spec['capsules']>;
    readonly holds?: Readonly<Record<string, { reason: string }>>;
  },
) {
  const { spec, requests, holds, ...facts } = more;
  const lock = {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'EnvironmentLock',
    metadata: { environment: 'prod' },
    capsules: {},
    holds: holds ?? {},
  } as const;
  const found = findCandidates({
    environment: environment('prod', requests ?? GREETER, { ...spec, lock }),
    pins: [pin('greeter', '1.4.1')],
    upstreams: [],
    index: world(SHELF).index,
    verdict: () => ({ kind: 'accepted', by: 'ci', commit: COMMIT }),
    quarantined: () => undefined,
    wanted: undefined,
    ...facts,
  });
  return {
    moves: found.candidates.map(
      (one) =>
        `${one.group}: ${[...one.move].map(([name, version]) => `${name}@${version}`).join(', ')}${one.leaves.map((name) => `-${name}`).join('')}`,
    ),
    held: found.held.map((one) => `${one.instance}: ${one.reason}`),
    notYet: [...found.notYet],
  };
}

const above = (name: string, pins: readonly Pin[], verified = true) => ({
  environment: toEnvironmentName(name),
  pins,
  isVerified: () => verified,
});

test('an entry environment takes the newest release in range', () => {
  expect(candidates({})).toEqual({ moves: ['greeter: greeter@1.4.2'], held: [], notYet: [] });
  expect(candidates({ pins: [pin('greeter', '1.4.2')] })).toEqual({ moves: [], held: [], notYet: [] });
});

test('a refused, unsigned, unread or quarantined release is held, and the next one below is taken', () => {
  const refused: Facts['verdict'] = (release) =>
    release.version === '1.4.2'
      ? { kind: 'unsigned', commit: COMMIT, sentence: 'commit has no signature' }
      : { kind: 'accepted', by: 'ci', commit: COMMIT };

  expect(candidates({ verdict: refused })).toEqual({
    moves: [],
    held: ['greeter: 1.4.2 is unsigned: commit has no signature'],
    notYet: [],
  });
  expect(candidates({ verdict: refused, pins: [] })).toEqual({ moves: ['greeter: greeter@1.4.1'], held: [], notYet: [] });
  expect(candidates({ verdict: () => undefined }).held).toEqual(['greeter: 1.4.2: its signature was not looked at yet']);
  expect(candidates({ quarantined: (_, version) => (version === '1.4.2' ? 'CVE' : undefined) }).held).toEqual([
    'greeter: 1.4.2 is in quarantine: CVE',
  ]);
});

test('a hold keeps an instance where it is and says why', () => {
  expect(candidates({ holds: { greeter: { reason: 'INC-4' } } })).toEqual({ moves: [], held: ['greeter: held: INC-4'], notYet: [] });
});

test('other environments take what is verified above, in all or in any', () => {
  const from = (strategy: 'all' | 'any') => ({ promotion: { from: { environments: ['dev', 'qa'], strategy } } });
  const dev = above('dev', [pin('greeter', '1.4.2')]);
  const qa = above('qa', [pin('greeter', '1.4.2')], false);

  expect(candidates({ spec: from('all'), upstreams: [dev] }).moves).toEqual(['greeter: greeter@1.4.2']);
  expect(candidates({ spec: from('all'), upstreams: [dev, qa] })).toEqual({
    moves: [],
    held: ['greeter: 1.4.2 is not verified in dev and qa'],
    notYet: [],
  });
  expect(candidates({ spec: from('any'), upstreams: [dev, qa] }).moves).toEqual(['greeter: greeter@1.4.2']);
});

test('what is out of range above is held', () => {
  expect(candidates({ upstreams: [above('dev', [pin('greeter', '2.0.0')])] }).held).toEqual(['greeter: 2.0.0 is not in ^1.4.0']);
});

test('row 59: going back is never automatic, unless the environment follows upstream and allows it', () => {
  const upstreams = [above('dev', [pin('greeter', '1.4.1')])];
  const pins = [pin('greeter', '1.4.2')];
  const matching = (backward: 'allow' | 'deny') => ({ promotion: { selection: 'match-upstream', backward } }) as const;

  expect(candidates({ upstreams, pins })).toEqual({
    moves: [],
    held: ['greeter: 1.4.1 is older than 1.4.2; going back takes a rollback'],
    notYet: [],
  });
  expect(candidates({ upstreams, pins, spec: matching('deny') }).moves).toEqual([]);
  expect(candidates({ upstreams, pins, spec: matching('allow') }).moves).toEqual(['greeter: greeter@1.4.1']);
});

test('row 58: a version that is locked upstream with another content than was released is held', () => {
  const forged = { ...pin('greeter', '1.4.2'), gitTree: pin('redis', '7.2.5').gitTree };

  expect(candidates({ upstreams: [above('dev', [forged])] }).held).toEqual([
    'greeter: 1.4.2 was released with another content than is locked upstream',
  ]);
});

test('an instance that the lock lacks is a promotion from nothing, and waits outside until it can come', () => {
  expect(candidates({ pins: [] })).toEqual({ moves: ['greeter: greeter@1.4.2'], held: [], notYet: [] });
  expect(candidates({ pins: [], upstreams: [above('dev', [])] })).toEqual({
    moves: [],
    held: ['greeter: dev does not run greeter'],
    notYet: ['greeter'],
  });
  expect(candidates({ pins: [], upstreams: [above('dev', [pin('greeter', '1.4.2')], false)] }).notYet).toEqual(['greeter']);
});

test('an instance that nothing requests leaves', () => {
  const pins = [pin('greeter', '1.4.2'), pin('old', '1.0.0')];

  expect(candidates({ pins, wanted: new Set([toInstanceName('greeter')]) }).moves).toEqual(['old: -old']);
});

test('update policies: pinned stays, latest takes releases past the environments above', () => {
  const policy = (updatePolicy: 'pinned' | 'latest') => ({ requests: { greeter: { version: '^1.4.0', updatePolicy } } });

  expect(candidates(policy('pinned')).moves).toEqual([]);
  expect(candidates({ ...policy('latest'), upstreams: [above('dev', [pin('greeter', '1.4.1')])] }).moves).toEqual([
    'greeter: greeter@1.4.2',
  ]);
});

test('grouping decides what travels together', () => {
  const requests = { greeter: { version: '^1.4.0' }, redis: { version: '^7.0.0' } };
  const pins = [pin('greeter', '1.4.1'), pin('redis', '7.2.5')];
  const ask = (grouping: NonNullable<Spec['promotion']>['grouping']) =>
    candidates({ requests, pins, spec: { promotion: grouping === undefined ? {} : { grouping } } }).moves;

  expect(ask(undefined)).toEqual(['greeter: greeter@1.4.2', 'redis: redis@7.4.0']);
  expect(ask('environment')).toEqual(['environment: greeter@1.4.2, redis@7.4.0']);
  expect(ask({ groups: { hello: ['greeter', 'redis'] } })).toEqual(['hello: greeter@1.4.2, redis@7.4.0']);
});

test('a dependency that nobody requests by name may move, too, and its dependents decide how far', () => {
  const pins = [pin('greeter', '1.4.2'), pin('redis', '7.2.5', { requestedBy: ['greeter'] })];

  expect(candidates({ pins }).moves).toEqual(['redis: redis@newest']);
});
