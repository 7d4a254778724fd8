import { describe, expect, test } from 'vitest';

import type { Capsule } from '#model/declarations.generated.ts';
import { findCandidates, flagIrreversible, readPathGates, refuseUpgrade, regateLock } from '#promotion/promotion.ts';
import { CHANGE, COMMIT, MOVE, told } from '#test/promotion/questions.ts';
import { environment, pin, world, type Shelf } from '#test/resolve/worlds.ts';

type Spec = Partial<Capsule['spec']>;

const from = (upgradesFrom: string, more: Spec = {}): Spec => ({ compatibility: { upgradesFrom }, ...more });

/** What is said of an upgrade to the last of the versions. */
function refusal(current: string, versions: Readonly<Record<string, Spec>>): string | undefined {
  const to = Object.keys(versions).at(-1) ?? '';
  return refuseUpgrade(
    { environment: 'prod', capsule: 'greeter', from: current, to },
    { versions: Object.keys(versions), declared: (version) => ({ type: 'service', ...versions[version] }) },
  );
}

describe('V-23: refused', () => {
  test.each<[string, string, Readonly<Record<string, Spec>>, string]>([
    [
      'V-23: a version that must be promoted first',
      '1.0.0',
      { '1.2.0': {}, '1.3.0': {}, '2.0.0': from('>=1.2.0') },
      'prod runs greeter 1.0.0; 2.0.0 can be upgraded to only from >=1.2.0; promote 1.3.0 first or add a migration',
    ],
    [
      'V-23: several steps, of which the first is named',
      '1.0.0',
      { '1.2.0': {}, '2.0.0': from('>=1.2.0'), '3.0.0': from('^2.0.0') },
      'prod runs greeter 1.0.0; 3.0.0 can be upgraded to only from ^2.0.0; promote 1.2.0 first or add a migration',
    ],
    [
      'V-23: no way at all',
      '1.0.0',
      { '1.2.0': from('>=1.1.0'), '2.0.0': from('>=1.2.0', { migrations: [{ from: '~0.9.0', job: 'm' }] }) },
      'prod runs greeter 1.0.0; 2.0.0 can be upgraded to only from >=1.2.0 || ~0.9.0; no released version leads there; add a migration',
    ],
    [
      'V-23: a retired version is no way',
      '1.0.0',
      { '1.2.0': {}, '1.3.0': { lifecycle: 'retired' }, '2.0.0': from('>=1.2.0') },
      'prod runs greeter 1.0.0; 2.0.0 can be upgraded to only from >=1.2.0; promote 1.2.0 first or add a migration',
    ],
  ])('%s', (_, current, versions, expected) => {
    expect(refusal(current, versions)).toBe(expected);
  });
});

describe('near misses', () => {
  test.each<[string, string, Readonly<Record<string, Spec>>]>([
    ['V-23: from within the range', '1.2.0', { '2.0.0': from('>=1.2.0') }],
    ['V-23: with a migration', '1.0.0', { '2.0.0': from('>=1.2.0', { migrations: [{ from: '<1.2.0', job: 'm' }] }) }],
    ['V-23: from a prerelease', '1.3.0-rc.1', { '2.0.0': from('>=1.2.0') }],
    ['V-23: going back', '3.0.0', { '2.0.0': from('>=1.2.0 <2.0.0') }],
    ['V-23: migrations without a limit', '1.0.0', { '2.0.0': { migrations: [{ from: '^1.5.0', job: 'm' }] } }],
  ])('%s', (_, current, versions) => {
    expect(refusal(current, versions)).toBe(undefined);
  });
});

const SHELF: Shelf = { greeter: { '1.4.1': {}, '1.4.2': {}, '1.5.0': from('>=1.4.2'), '1.6.0': { lifecycle: 'retired' } } };

function candidates(more: Partial<Parameters<typeof findCandidates>[0]>) {
  const { index, loaded } = world(SHELF);
  const found = findCandidates({
    environment: environment('prod', { greeter: { version: '^1.4.0' } }),
    pins: [pin('greeter', '1.4.1')],
    upstreams: [],
    index,
    verdict: () => ({ kind: 'accepted', by: 'ci', commit: COMMIT }),
    quarantined: () => undefined,
    wanted: undefined,
    declared: (release) => loaded(release)?.declaration.spec,
    ...more,
  });
  return {
    moves: found.candidates.map((one) => [...one.move].join()),
    held: found.held.map((one) => `${one.version ?? '-'}: ${one.reason}`),
  };
}

const WAITS = '1.5.0: prod runs greeter 1.4.1; 1.5.0 can be upgraded to only from >=1.4.2; promote 1.4.2 first or add a migration';

test('an entry environment takes the step that is needed first, and says what it is for', () => {
  expect(candidates({})).toEqual({ moves: ['greeter,1.4.2'], held: ['1.6.0: 1.6.0 is retired'] });
  expect(candidates({ pins: [pin('greeter', '1.4.2')] })).toEqual({ moves: ['greeter,1.5.0'], held: ['1.6.0: 1.6.0 is retired'] });
});

test('another environment goes by the version that was healthy above before, and waits where none was', () => {
  const upstreams = [{ environment: environment('dev', {}).name, pins: [pin('greeter', '1.5.0')], isVerified: () => true }];

  expect(candidates({ upstreams, wasVerified: (release) => release.version === '1.4.2' })).toEqual({
    moves: ['greeter,1.4.2'],
    held: [WAITS],
  });
  expect(candidates({ upstreams })).toEqual({ moves: [], held: [WAITS] });
});

const irreversible = (range: string): Spec => ({ migrations: [{ from: range, job: 'migrate', reversible: false }] });
const volume = (snapshotBeforeUpgrade: boolean) => ({ type: 'persistent', size: '1Gi', snapshotBeforeUpgrade }) as const;

function gatesWith(spec: Spec, risk: 'medium' | 'high', rollback?: { automatic: boolean }): readonly string[] {
  const specOf = (): Capsule['spec'] => ({ type: 'service', ...spec });
  const going = { name: 'prod', environment: { risk, ...(rollback === undefined ? {} : { rollback }) }, risk, changeSet: CHANGE, specOf };
  return told(readPathGates(going, () => ({ versions: [], declared: specOf })));
}

test('V-79: a risky change with a migration that cannot be taken back has no plan', () => {
  expect(gatesWith(irreversible('<1.4.2'), 'high')).toEqual([
    'rollback-plan failed: greeter 1.4.1→1.4.2 runs irreversible migration migrate; rollback to 1.4.1 is impossible; declare rollback, or snapshotBeforeUpgrade on every volume',
  ]);
  const components = { db: { kind: 'StatefulSet', storage: { a: volume(true), b: volume(false) } } } as const;
  expect(gatesWith({ ...irreversible('<1.4.2'), components }, 'high')).toHaveLength(1);
});

describe('near misses', () => {
  test('V-79: a plan, a snapshot, a lower risk, or a migration for other versions', () => {
    expect(gatesWith({ ...irreversible('<1.4.2'), rollback: { automatic: true } }, 'high')).toEqual([]);
    expect(gatesWith(irreversible('<1.4.2'), 'high', { automatic: true })).toEqual([]);
    expect(
      gatesWith({ ...irreversible('<1.4.2'), components: { db: { kind: 'StatefulSet', storage: { a: volume(true) } } } }, 'high'),
    ).toEqual([]);
    expect(gatesWith(irreversible('<1.4.2'), 'medium')).toEqual([]);
    expect(gatesWith(irreversible('<1.4.0'), 'high')).toEqual([]);
  });
});

test('V-79: what cannot be taken back is flagged at any risk, on the way up only', () => {
  const specOf = (): Capsule['spec'] => ({ type: 'service', ...irreversible('<2.0.0') });
  const back = { ...MOVE, from: MOVE.to, to: MOVE.from };

  expect(flagIrreversible({ changeSet: CHANGE, specOf })).toEqual([
    'greeter 1.4.1→1.4.2 runs irreversible migration migrate; rollback to 1.4.1 is impossible',
  ]);
  expect(flagIrreversible({ changeSet: { ...CHANGE, moves: [back] }, specOf })).toEqual([]);
});

test('a lock that was changed past the two is stuck with their own codes', () => {
  const gates = ['upgrade-path', 'rollback-plan'].map(
    (type) => ({ name: type, type, status: 'failed', detail: 'why', until: undefined }) as const,
  );
  const verdict = regateLock(environment('prod', {}), gates, 'promotion');

  expect(verdict.kind === 'stuck' ? verdict.problems.map(({ code, rule, message }) => [code, rule, message]) : verdict).toEqual([
    ['upgrade-path-missing', 'V-23', 'why'],
    ['rollback-impossible', 'V-79', 'why'],
  ]);
});
