import { expect, test } from 'vitest';

import type { Review } from '#model/promotion.ts';
import { COMMIT, FROM, gates, minutes, told, type Evidence, type Spec } from '#test/promotion/questions.ts';

test('soak is the time since the last change to healthy, in the target that has had the least of it', () => {
  const upstream = (since: number | undefined, other = -60): Evidence['upstream'] => [
    {
      environment: 'staging',
      target: 'eu',
      instance: 'greeter',
      since: since === undefined ? undefined : minutes(since),
      until: undefined,
      state: 'healthy',
    },
    { environment: 'staging', target: 'us', instance: 'greeter', since: minutes(other), until: undefined, state: 'healthy' },
  ];
  const soak = (evidence: Evidence['upstream']) => gates(FROM, { upstream: evidence }).find((one) => one.name === 'soak');

  expect(soak(upstream(-4))).toEqual({ name: 'soak', type: 'soak', status: 'waiting', detail: '4m of 10m', until: minutes(6) });
  expect(soak(upstream(-10))).toEqual({ name: 'soak', type: 'soak', status: 'passed', detail: '10m of 10m', until: undefined });
  expect(soak(upstream(undefined))?.detail).toBe('0s of 10m: not healthy in staging/eu');
  expect(soak([])?.status).toBe('waiting');
});

test('a soak that was reached counts after a newer version took the place; one that was not reached never will be', () => {
  const upstream = (since: number, until: number): Evidence['upstream'] => [
    { environment: 'staging', target: 'eu', instance: 'greeter', since: minutes(since), until: minutes(until), state: 'healthy' },
    { environment: 'staging', target: 'us', instance: 'greeter', since: minutes(-60), until: undefined, state: 'healthy' },
  ];
  const soak = (since: number, until: number) => gates(FROM, { upstream: upstream(since, until) }).find((one) => one.name === 'soak');

  expect(soak(-30, -20)).toMatchObject({ status: 'passed', detail: '10m of 10m' });
  expect(soak(-30, -26)).toEqual({
    name: 'soak',
    type: 'soak',
    status: 'waiting',
    detail: '4m of 10m: replaced in staging/eu',
    until: undefined,
  });
});

test('with strategy any a soak that will pass stands before one that never will', () => {
  const upstream: Evidence['upstream'] = [
    { environment: 'staging', target: 'eu', instance: 'greeter', since: minutes(-30), until: minutes(-26), state: 'healthy' },
    { environment: 'qa', target: 'eu', instance: 'greeter', since: minutes(-1), until: undefined, state: 'healthy' },
  ];
  const spec = { promotion: { from: { environments: ['staging', 'qa'], strategy: 'any' }, soak: '10m' } } as const;

  expect(gates(spec, { upstream }).find((one) => one.name === 'soak')).toMatchObject({ detail: '1m of 10m', until: minutes(9) });
});

test('with strategy any the environment that stands best counts', () => {
  const upstream: Evidence['upstream'] = [
    { environment: 'staging', target: 'eu', instance: 'greeter', since: undefined, until: undefined, state: 'degraded' },
    { environment: 'qa', target: 'eu', instance: 'greeter', since: minutes(-20), until: undefined, state: 'healthy' },
  ];
  const spec = (strategy: 'all' | 'any') => ({ promotion: { from: { environments: ['staging', 'qa'], strategy }, soak: '10m' } });

  expect(told(gates(spec('any'), { upstream }))).toEqual(['health passed: healthy in qa', 'soak passed: 10m of 10m']);
  expect(told(gates(spec('all'), { upstream }))).toEqual([
    'health waiting: greeter is degraded in staging/eu',
    'soak waiting: 0s of 10m: not healthy in staging/eu',
  ]);
});

test.each<[string, Evidence['releases'][number]['verdict'], string]>([
  ['low', { kind: 'not-enforced' }, 'signed passed: greeter: not enforced'],
  ['high', { kind: 'not-enforced' }, 'signed failed: no trust entry names capsules, and risk high needs one'],
  ['low', { kind: 'accepted', by: 'ci', commit: COMMIT }, 'signed passed: greeter by ci'],
  ['low', { kind: 'unsigned', commit: COMMIT, sentence: 'no signature' }, 'signed failed: greeter is unsigned: no signature'],
  ['low', { kind: 'refused', commit: COMMIT, sentence: 'unknown key' }, 'signed failed: greeter is refused: unknown key'],
  ['low', { kind: 'could-not-look', commit: COMMIT, sentence: 'timeout' }, 'signed inconclusive: greeter: could not look: timeout'],
  ['low', undefined, 'signed inconclusive: the release of greeter was not looked at yet'],
])('signature at risk %s: %j', (risk, verdict, expected) => {
  const spec = { risk: risk as 'low', gates: [{ name: 'signed', type: 'signature' }] } as const;

  expect(told(gates(spec, { releases: [{ instance: 'greeter', verdict }] }))).toEqual([expected]);
});

test('checks must all be there and succeed', () => {
  const spec = { gates: [{ name: 'ci', type: 'check', checks: ['validate', 'build'] }] } as const;
  const check = (name: string, state: 'success' | 'pending' | 'failure') => ({ name, state, detail: '' });

  expect(told(gates(spec))).toEqual(['ci waiting: waiting for validate, build']);
  expect(told(gates(spec, { checks: [check('validate', 'success'), check('build', 'pending')] }))).toEqual([
    'ci waiting: waiting for build',
  ]);
  expect(told(gates(spec, { checks: [check('validate', 'failure'), check('build', 'success')] }))).toEqual(['ci failed: failed: validate']);
  expect(told(gates(spec, { checks: [check('validate', 'success'), check('build', 'success')] }))).toEqual(['ci passed: validate, build']);
});

const review = (reviewer: string, more: Partial<Review> = {}): Review => ({
  reviewer,
  state: 'approved',
  commit: COMMIT,
  at: minutes(-5),
  ...more,
});

test.each<[string, readonly Review[], Partial<NonNullable<Spec['approvals']>[number]>, string]>([
  ['nobody', [], {}, 'waiting: 0 of 1'],
  ['somebody else', [review('bob')], {}, 'passed: bob approved; 1 of 1'],
  ['one of two', [review('bob')], { required: 2 }, 'waiting: bob approved; 1 of 2'],
  [
    'the engine',
    [review('Capstan[bot]')],
    {},
    'waiting: 0 of 1; approval by Capstan[bot] does not count: Capstan[bot] authored the change',
  ],
  ['the author of the release', [review('ada')], {}, 'waiting: 0 of 1; approval by ada does not count: ada authored the release'],
  [
    'the author of the release where duties are not separated',
    [review('ada')],
    { separationOfDuties: false },
    'passed: ada approved; 1 of 1',
  ],
  [
    'a review of another commit',
    [review('bob', { commit: undefined })],
    {},
    'waiting: 0 of 1; approval by bob does not count: it is of another commit',
  ],
  ['an expired one', [review('bob')], { expiresAfter: '5m' }, 'waiting: 0 of 1; approval by bob does not count: has expired'],
  ['a stranger to the team', [review('eve')], { teams: ['sre'] }, 'waiting: 0 of 1; approval by eve does not count: not in sre'],
  ['a member of the team', [review('bob')], { teams: ['sre'] }, 'passed: bob approved; 1 of 1'],
  ['a member of a team that could not be read', [review('zoe')], { teams: ['sre'] }, 'inconclusive: 0 of 1; a team could not be looked up'],
  ['changes asked for', [review('bob'), review('eve', { state: 'changes-requested' })], {}, 'waiting: eve asks for changes'],
  ['a mind that changed', [review('bob'), review('bob', { state: 'dismissed', at: minutes(-1) })], {}, 'waiting: 0 of 1'],
  ['the same person twice', [review('bob'), review('BOB', { at: minutes(-1) })], { required: 2 }, 'waiting: BOB approved; 1 of 2'],
  ['a comment after it', [review('bob'), review('bob', { state: 'commented', at: minutes(-1) })], {}, 'passed: bob approved; 1 of 1'],
])('row 82: approval by %s', (_, reviews, rule, expected) => {
  const isMember = (login: string) => (login === 'zoe' ? undefined : login === 'bob');

  expect(told(gates({ approvals: [{ required: 1, ...rule }] }, { reviews, isMember }))).toEqual([`approval-1 ${expected}`]);
});

test('conditions leave a gate out, and one that cannot be judged holds', () => {
  const spec: Spec = {
    gates: [{ name: 'signed', type: 'signature', when: "change.risk == 'high'" }],
    approvals: [{ required: 1, when: 'x' }, { required: 2 }],
  };

  expect(told(gates(spec, { holds: () => false }))).toEqual(['approval-2 waiting: 0 of 2']);
  expect(told(gates(spec, { holds: () => undefined }))).toEqual([
    'signed inconclusive: its condition could not be judged',
    'approval-1 inconclusive: its condition could not be judged',
    'approval-2 waiting: 0 of 2',
  ]);
});

test('what is not honoured holds, gates and windows alike', () => {
  const spec: Spec = {
    gates: [{ name: 'cost', type: 'cost' }],
    windows: [
      { name: 'night', kind: 'allow' },
      { name: 'freeze', kind: 'deny', except: { change: ['emergency'] } },
    ],
  };

  expect(told(gates(spec, { kind: 'emergency' }))).toEqual([
    'cost waiting: not-supported: gates of type cost are not honoured yet and hold',
    'night waiting: not-supported: windows are not honoured yet and hold',
  ]);
});
