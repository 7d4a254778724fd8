import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import type { Environment } from '#model/declarations.generated.ts';
import { sha256Of, toCommitId } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { toCapsuleName, toEnvironmentName, toInstanceName } from '#model/names.ts';
import type { ChangeRequest, GateReading, Review } from '#model/promotion.ts';
import type { Move, Pin } from '#model/resolution.ts';
import {
  assessRisk,
  changeSetOfRequest,
  describeWaiting,
  draftPromotion,
  findCandidates,
  mayOpen,
  readGates,
  regateLock,
  shouldSupersede,
} from '#promotion/promotion.ts';
import { environment, pin, world, type Shelf } from '#test/resolve/worlds.ts';

type Spec = Partial<Environment['spec']>;
type Facts = Parameters<typeof findCandidates>[0];
type Evidence = Parameters<typeof readGates>[0]['evidence'];

const SHELF: Shelf = { greeter: { '1.4.1': {}, '1.4.2': {}, '2.0.0': {} }, redis: { '7.2.5': {}, '7.4.0': {} } };
const GREETER = { greeter: { version: '^1.4.0' } };
const COMMIT = toCommitId(sha256Of('c').slice(0, 40));

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

const MOVE: Move = {
  instance: toInstanceName('greeter'),
  capsule: toCapsuleName('greeter'),
  from: { version: '1.4.1', sha256: sha256Of('a') },
  to: { version: '1.4.2', sha256: sha256Of('b') },
};
const CHANGE = { id: 'cs-35abd357876817cd', moves: [MOVE] };
const NOW = toInstant(Date.parse('2026-11-04T10:00:00.000Z'));
const minutes = (count: number) => toInstant(NOW + count * 60_000);

function gates(spec: Spec, evidence: Partial<Evidence> = {}): readonly GateReading[] {
  return readGates(
    {
      environment: environment('prod', GREETER, spec),
      changeSet: CHANGE,
      evidence: {
        risk: 'medium',
        upstream: [{ environment: 'staging', target: 'eu', instance: 'greeter', since: minutes(-4), state: 'healthy' }],
        releases: [{ instance: 'greeter', verdict: { kind: 'accepted', by: 'ci', commit: COMMIT } }],
        checks: undefined,
        reviews: [],
        heads: [COMMIT],
        authors: new Set(['capstan[bot]']),
        releaseAuthors: new Set(['ada']),
        isMember: () => true,
        holds: () => true,
        kind: 'promotion',
        ...evidence,
      },
    },
    NOW,
  );
}

const told = (readings: readonly GateReading[]) => readings.map((one) => `${one.name} ${one.status}: ${one.detail}`);
const FROM = { promotion: { from: { environments: ['staging'] }, soak: '10m' } } as const;

test('soak is the time since the last change to healthy, in the target that has had the least of it', () => {
  const upstream = (since: number | undefined, other = -60): Evidence['upstream'] => [
    {
      environment: 'staging',
      target: 'eu',
      instance: 'greeter',
      since: since === undefined ? undefined : minutes(since),
      state: 'healthy',
    },
    { environment: 'staging', target: 'us', instance: 'greeter', since: minutes(other), state: 'healthy' },
  ];
  const soak = (evidence: Evidence['upstream']) => gates(FROM, { upstream: evidence }).find((one) => one.name === 'soak');

  expect(soak(upstream(-4))).toEqual({ name: 'soak', type: 'soak', status: 'waiting', detail: '4m of 10m', until: minutes(6) });
  expect(soak(upstream(-10))).toEqual({ name: 'soak', type: 'soak', status: 'passed', detail: '10m of 10m', until: undefined });
  expect(soak(upstream(undefined))?.detail).toBe('0s of 10m: not healthy in staging/eu');
  expect(soak([])?.status).toBe('waiting');
});

test('with strategy any the environment that stands best counts', () => {
  const upstream: Evidence['upstream'] = [
    { environment: 'staging', target: 'eu', instance: 'greeter', since: undefined, state: 'degraded' },
    { environment: 'qa', target: 'eu', instance: 'greeter', since: minutes(-20), state: 'healthy' },
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
])('approval by %s', (_, reviews, rule, expected) => {
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
    gates: [{ name: 'scan', type: 'scan' }],
    windows: [
      { name: 'night', kind: 'allow' },
      { name: 'freeze', kind: 'deny', except: { change: ['emergency'] } },
    ],
  };

  expect(told(gates(spec, { kind: 'emergency' }))).toEqual([
    'scan waiting: not-supported: gates of type scan are not honoured yet and hold',
    'night waiting: not-supported: windows are not honoured yet and hold',
  ]);
});

test('risk starts at the floor of the environment and rises with what moves', () => {
  const prod = (risk: 'low' | 'high') => environment('prod', GREETER, { risk });
  const facts = { capsuleRisk: 'medium', irreversible: false, newClusterObjects: false } as const;
  const major: Move = { ...MOVE, to: { version: '2.0.0', sha256: sha256Of('c') } };

  expect(assessRisk(prod('low'), [{ move: MOVE, facts: undefined }])).toBe('low');
  expect(assessRisk(prod('low'), [{ move: MOVE, facts }])).toBe('medium');
  expect(assessRisk(prod('high'), [{ move: MOVE, facts }])).toBe('high');
  expect(assessRisk(prod('low'), [{ move: major, facts: { ...facts, irreversible: true } }])).toBe('critical');
  expect(assessRisk(prod('high'), [{ move: major, facts: { ...facts, irreversible: true, newClusterObjects: true } }])).toBe('critical');
  expect(assessRisk(prod('high'), [])).toBe('medium');
});

const gate = (status: GateReading['status'], type = 'check'): GateReading => ({
  name: type,
  type,
  status,
  detail: 'x',
  until: type === 'soak' ? minutes(6) : undefined,
});

test('a newer change set supersedes only when verified, of the same instances, and the open one still waits', () => {
  const open = { changeSet: 'cs-0', instances: ['greeter'], gates: [gate('waiting')] };
  const newer = { changeSet: CHANGE, verified: true };

  expect(shouldSupersede(open, newer)).toBe(true);
  expect(shouldSupersede(open, { ...newer, verified: false })).toBe(false);
  expect(shouldSupersede({ ...open, gates: [gate('passed')] }, newer)).toBe(false);
  expect(shouldSupersede({ ...open, instances: ['redis'] }, newer)).toBe(false);
  expect(shouldSupersede({ ...open, changeSet: CHANGE.id }, newer)).toBe(false);
});

const request = (more: Partial<ChangeRequest>): ChangeRequest => ({
  number: 1,
  state: 'open',
  title: '',
  body: '',
  author: 'capstan[bot]',
  head: 'promote/prod/cs-35abd357876817cd',
  headCommit: COMMIT,
  base: 'main',
  mergeCommit: undefined,
  closedBy: undefined,
  labels: [],
  url: '',
  updatedAt: NOW,
  ...more,
});

test('what a person closed stays closed until it is asked for', () => {
  const may = (existing: ChangeRequest | undefined, isAsked = false) => mayOpen(existing, 'capstan[bot]', isAsked);

  expect(may(undefined)).toBe(true);
  expect(may(request({}))).toBe(true);
  expect(may(request({ state: 'closed', closedBy: 'ada' }))).toBe(false);
  expect(may(request({ state: 'closed', closedBy: undefined }))).toBe(false);
  expect(may(request({ state: 'closed', closedBy: 'capstan[bot]' }))).toBe(true);
  expect(may(request({ state: 'closed', closedBy: 'ada' }), true)).toBe(true);
  expect(may(request({ state: 'merged' }))).toBe(false);
});

test('gates are read again for a lock that changed: time waits, others are stuck, an emergency needs its approvals', () => {
  const prod = environment('prod', GREETER);
  const verdict = (readings: readonly GateReading[], reason: 'promotion' | 'emergency' = 'promotion') => regateLock(prod, readings, reason);

  expect(verdict([gate('passed')])).toEqual({ kind: 'passed' });
  expect(verdict([gate('waiting', 'soak')])).toEqual({ kind: 'waiting', reasons: ['soak: x'], until: minutes(6) });
  expect(verdict([gate('waiting', 'soak'), gate('waiting', 'window')])).toMatchObject({ kind: 'waiting', until: undefined });
  const stuck = verdict([gate('waiting', 'soak'), gate('waiting', 'approval')]);
  expect(stuck.kind === 'stuck' && stuck.problems.map((one) => [one.code, one.message])).toEqual([
    ['gate-not-passed', 'the lock of prod changed, but gate approval (approval) is waiting: x'],
  ]);
  expect(verdict([gate('failed', 'signature'), gate('passed', 'approval')], 'emergency')).toEqual({ kind: 'passed' });
  expect(verdict([gate('waiting', 'approval')], 'emergency').kind).toBe('stuck');
  expect(verdict([gate('passed')], 'emergency').kind).toBe('stuck');
});

test('a draft names its branch by its change set, edits one file, and its patch applies with stock git', () => {
  const path = 'environments/prod/environment.lock.yaml';
  const before = Array.from({ length: 40 }, (_, at) => `line ${at}\n`).join('');
  const after = before.replace('line 3\n', 'line three\nand more\n').replace('line 30\n', '').replace('line 39\n', 'line 39');
  const draft = draftPromotion({
    environment: environment('prod', GREETER),
    from: toEnvironmentName('staging'),
    changeSet: CHANGE,
    risk: 'high',
    gates: gates(FROM),
    lock: { path, before, after },
    labels: ['promotion'],
    notes: ['hello --> <script> @everyone | `x`'],
  });
  const folder = mkdtempSync(join(tmpdir(), 'patch-'));
  writeFileSync(join(folder, 'lock'), before);
  execFileSync('git', ['apply', '-'], { cwd: folder, input: draft.file.patch.replaceAll(path, 'lock') });
  const applied = readFileSync(join(folder, 'lock'), 'utf8');
  rmSync(folder, { recursive: true });

  expect([draft.branch, draft.title, draft.file.content === after]).toEqual([
    'promote/prod/cs-35abd357876817cd',
    'promote(prod): greeter 1.4.1 → 1.4.2',
    true,
  ]);
  expect(applied).toBe(after);
  expect(draft.body).toContain('| greeter | greeter | 1.4.1 | 1.4.2 |');
  expect(draft.body).toContain('| soak | soak | waiting | until 2026-11-04T10:06:00.000Z |');
  expect(draft.body).toContain('- hello --&gt; &lt;script&gt; @\u2060everyone \\| \\`x\\`');
  expect(draft.body.match(/-->/g)?.length).toBe(1);
  expect(changeSetOfRequest(request({ head: 'elsewhere', body: draft.body }))).toBe(CHANGE.id);
  expect(changeSetOfRequest(request({}))).toBe(CHANGE.id);
  expect(changeSetOfRequest(request({ head: 'x', body: 'no' }))).toBe(undefined);
});

test('waiting is described in 140 characters, and in the same words while time passes', () => {
  const until = (detail: string): GateReading => ({ ...gate('waiting', 'soak'), detail });

  expect(describeWaiting([until('4m of 10m')])).toBe(describeWaiting([until('5m of 10m')]));
  expect(describeWaiting([until('4m of 10m'), gate('waiting')])).toBe('soak until 2026-11-04T10:06:00.000Z; check: x');
  expect(describeWaiting([gate('passed')])).toBe('all 1 gates passed');
  const long = describeWaiting(Array.from({ length: 20 }, () => ({ ...gate('failed'), detail: '\u{1F600}'.repeat(20) })));
  expect([long.length <= 140, long.isWellFormed()]).toEqual([true, true]);
});
