import { describe, expect, test } from 'vitest';

import type { DesiredEnvironment } from '#model/desired.ts';
import { toCommitId, sha256Of } from '#model/digest.ts';
import type { EvidenceFound } from '#model/evidence.ts';
import { toInstant } from '#model/instant.ts';
import { toTargetName } from '#model/names.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { SignatureCode } from '#model/signature-finding.ts';
import type { CapsuleSignature, SignatureQuestion } from '#promotion/capsule-signature.ts';
import { classificationProblems, type ArrivingCapsule } from '#promotion/classification.ts';
import { costProblems, monthlyCost, type CostQuestion } from '#promotion/cost.ts';
import { evidenceProblems, type EvidenceQuestion } from '#promotion/evidence.ts';
import { judgeCapsule, refuseSignature } from '#promotion/promotion.ts';
import { environment, placeAt } from '#test/resolve/worlds.ts';
import { COMMIT, gates, minutes, NOW, told, type Evidence } from './questions.ts';

const messages = (problems: readonly Problem[]): readonly string[] => problems.map(({ rule, message }) => `${rule ?? ''} ${message}`);
const days = (count: number) => toInstant(NOW + count * 86_400_000);

describe('V-45', () => {
  const above = (sha256: string, version = '1.4.2') => ({
    above: [{ environment: 'staging', instance: 'greeter', version, sha256 }],
  });

  test('V-45: another content than the one above', () => {
    expect(told(gates({}, above(sha256Of('other'))))).toEqual([
      `content failed: change set moves greeter@1.4.2 sha256 ${sha256Of('b').slice(0, 12)}, but staging verified ${sha256Of('other').slice(0, 12)}`,
    ]);
  });

  test('V-45 near miss: the same content, and another version', () => {
    expect(gates({}, above(sha256Of('b')))).toEqual([]);
    expect(gates({}, above(sha256Of('other'), '1.4.1'))).toEqual([]);
  });
});

describe('V-57', () => {
  const arriving = (spec: Partial<ArrivingCapsule['spec']>): Partial<Evidence> => ({
    capsules: [{ instance: 'greeter', capsule: 'greeter', version: '1.4.2', spec: { type: 'service', ...spec }, labels: {} }],
  });
  const onTarget = (
    facts: Record<string, string | boolean>,
    spec: Partial<DesiredEnvironment['declared']['value']['spec']>,
    evidence: Partial<Evidence> = {},
  ): readonly string[] => {
    const targets = [
      { name: toTargetName('eu'), value: { driver: 'directory', facts }, at: placeAt('environments/prod/environment.yaml') },
    ];
    return messages(classificationProblems({ ...environment('prod', {}, spec), targets }, evidence.capsules ?? []));
  };

  test('V-57: a capsule above its environment, also by what it reads', () => {
    const detail = 'classification failed: greeter@1.4.2 holds confidential data; prod allows at most internal';
    expect(told(gates({ dataClassification: 'internal' }, arriving({ security: { dataClassification: 'confidential' } })))).toEqual([
      detail,
    ]);
    expect(
      told(
        gates({ dataClassification: 'internal' }, arriving({ dataSources: { people: { uri: 's3://p', classification: 'confidential' } } })),
      ),
    ).toEqual([detail]);
  });

  test('V-57: an environment above its target', () => {
    expect(onTarget({ dataClassification: 'internal' }, { dataClassification: 'restricted' })).toEqual([
      'V-57 prod allows restricted data; target eu holds at most internal',
    ]);
    expect(onTarget({ encryptionAtRest: false }, {}, arriving({ security: { dataClassification: 'confidential' } }))).toEqual([
      'V-57 prod allows confidential data; target eu holds at most internal without encryption at rest',
    ]);
  });

  test('V-57 near miss: as much as is allowed, and what nobody limits', () => {
    const confidential = arriving({ security: { dataClassification: 'confidential' } });
    expect(gates({ dataClassification: 'confidential' }, confidential)).toEqual([]);
    expect(gates({}, confidential)).toEqual([]);
    expect(onTarget({ encryptionAtRest: true }, { dataClassification: 'confidential' }, confidential)).toEqual([]);
    expect(onTarget({ encryptionAtRest: false }, { dataClassification: 'internal' }, arriving({}))).toEqual([]);
  });
});

describe('V-58', () => {
  const review = (reviewer: string) => ({ reviewer, state: 'approved' as const, commit: COMMIT, at: minutes(-1) });

  test('V-58: one approval, and that of an author', () => {
    expect(told(gates({}, { risk: 'critical', reviews: [review('eve'), review('ada')] }))).toEqual([
      'critical waiting: critical change without two approvals (1 of 2 count)',
    ]);
  });

  test('V-58: no way back', () => {
    expect(
      told(gates({}, { risk: 'critical', reviews: [review('eve'), review('bob')], irreversible: ['drop cannot be taken back'] })),
    ).toEqual([
      'critical-way-back failed: critical change without a way back: drop cannot be taken back',
      'critical passed: bob, eve approved; 2 of 2',
    ]);
  });

  test('V-58: somebody asks for changes', () => {
    const against = { ...review('joe'), state: 'changes-requested' as const };
    expect(told(gates({}, { risk: 'critical', reviews: [review('eve'), review('bob'), against] }))).toEqual([
      'critical waiting: critical change without two approvals (0 of 2 count)',
    ]);
  });

  test('V-58 near miss: two approvals, and one where the risk is high', () => {
    expect(told(gates({}, { risk: 'critical', reviews: [review('eve'), review('bob')] }))).toEqual([
      'critical passed: bob, eve approved; 2 of 2',
    ]);
    expect(gates({}, { risk: 'high', irreversible: ['drop cannot be taken back'] })).toEqual([]);
  });
});

describe('V-85', () => {
  const rule = { approvals: [{ required: 1, teams: ['sre'], expiresAfter: '1h' }] };
  const detail = (review: Partial<Evidence['reviews'][number]>, evidence: Partial<Evidence> = {}): string | undefined =>
    gates(rule, { reviews: [{ reviewer: 'eve', state: 'approved', commit: COMMIT, at: minutes(-1), ...review }], ...evidence })[0]?.detail;

  test.each([
    ['V-85: by an author', { reviewer: 'Capstan[bot]' }, {}, 'Capstan[bot] authored the change'],
    ['V-85: by who released it', { reviewer: 'ada' }, {}, 'ada authored the release'],
    ['V-85: of another commit', { commit: toCommitId('d'.repeat(40)) }, {}, 'it is of another commit'],
    ['V-85: of yesterday', { at: minutes(-61) }, {}, 'has expired'],
    ['V-85: of another team', {}, { isMember: () => false }, 'not in sre'],
  ])('%s', (_, review, evidence, why) => {
    const reviewer = 'reviewer' in review ? review.reviewer : 'eve';
    expect(detail(review, evidence)).toBe(`0 of 1; approval by ${reviewer} does not count: ${why}`);
  });

  test('V-85 near miss: of the present head, by another person of the team, in time', () => {
    expect(detail({ at: minutes(-59) })).toBe('eve approved; 1 of 1');
  });
});

describe('V-83', () => {
  const by = (name: string): CapsuleSignature => ({ standing: { kind: 'allowed', by: name } });
  const not = (code: SignatureCode, reason: string): CapsuleSignature => ({ standing: { kind: 'refused', code, reason } });
  const judged = (signatures: readonly CapsuleSignature[], more: Partial<SignatureQuestion> = {}) => {
    const verdict = judgeCapsule({
      capsule: 'greeter',
      version: '1.4.2',
      allowed: ['ci-release'],
      signatures,
      isCut: false,
      shortage: undefined,
      unread: undefined,
      ...more,
    });
    const problem = refuseSignature(verdict, NOWHERE);
    return problem === undefined ? verdict.sentence : `${problem.rule ?? problem.code} ${problem.message}`;
  };
  const ANOTHER = not('wrong-digest', 'carries the signature of another content (sha256 0123456789ab)');

  test.each<[string, readonly CapsuleSignature[], Partial<SignatureQuestion>, string]>([
    ['nothing', [], {}, 'V-83 greeter@1.4.2 is not signed'],
    ['another content', [ANOTHER], {}, 'V-83 greeter@1.4.2 carries the signature of another content (sha256 0123456789ab)'],
    ['somebody else', [by('ada')], {}, 'V-83 greeter@1.4.2 is signed by ada; allowed: ci-release'],
    [
      'a stranger, which says more than a signature of another content',
      [ANOTHER, not('unknown-key', 'is signed by the key sha256:01, and no trust entry names that')],
      {},
      'V-83 greeter@1.4.2 is signed by the key sha256:01, and no trust entry names that',
    ],
    ['too few', [by('ci-release')], { shortage: 'two people' }, 'V-83 greeter@1.4.2 is not signed by enough people: two people'],
    [
      'none that counts among too many',
      [ANOTHER],
      { isCut: true },
      'V-83 greeter@1.4.2 has more than 64 signatures; none of those that were looked at counts',
    ],
    [
      'a registry that is away',
      [ANOTHER],
      { unread: 'it is away' },
      'could-not-look the signatures of greeter@1.4.2 could not be looked at: it is away',
    ],
    [
      'a signature that could not be judged',
      [not('could-not-look', 'no trusted root')],
      {},
      'could-not-look a signature of greeter@1.4.2 could not be looked at: no trusted root',
    ],
  ])('V-83: %s', (_, signatures, more, message) => {
    expect(judged(signatures, more)).toBe(message);
  });

  test('V-83 near miss: one good one among others, wherever else could not be looked, and any entry where none is named', () => {
    expect(judged([ANOTHER, by('ada'), by('ci-release')], { unread: 'it is away', isCut: true })).toBe(
      'greeter@1.4.2 is signed by ci-release',
    );
    expect(judged([by('ada')], { allowed: [] })).toBe('greeter@1.4.2 is signed by ada');
  });
});

describe('V-84', () => {
  const SCAN = 'https://example.com/scan/v1';
  const good: EvidenceFound = {
    subject: { sha256: sha256Of('b'), gitTree: 't'.repeat(40) },
    predicateType: SCAN,
    predicate: undefined,
    answers: 'scan',
    signer: { name: 'scanner', for: ['evidence'] },
    issuedAt: days(-6),
  };
  const judged = (found: readonly EvidenceFound[], gate: EvidenceQuestion['gate'] = { name: 'scan', type: 'scan', maxAge: '7d' }) =>
    messages(
      evidenceProblems(
        {
          gate,
          predicateTypes: [SCAN],
          subject: { capsule: 'greeter', version: '1.4.2', sha256: sha256Of('b'), gitTree: 't'.repeat(40) },
          found,
          place: NOWHERE,
        },
        NOW,
      ),
    );

  test.each([
    ['V-84: none', [], 'there is no scan evidence of greeter@1.4.2'],
    [
      'V-84: one digest of two',
      [{ ...good, subject: { ...good.subject, gitTree: 'u'.repeat(40) } }],
      'there is no scan evidence of greeter@1.4.2; 1 of another content',
    ],
    ['V-84: too old', [{ ...good, issuedAt: days(-9) }], 'scan evidence is 9d old; gate allows 7d'],
    ['V-84: of no time', [{ ...good, issuedAt: undefined }], 'scan evidence does not say when it was made; gate allows 7d'],
    ['V-84: of tomorrow', [{ ...good, issuedAt: days(1) }], 'scan evidence is dated 1d ahead'],
    ['V-84: of another kind', [{ ...good, predicateType: 'x' }], `scan evidence says x; gate scan wants ${SCAN}`],
    ['V-84: by a stranger', [{ ...good, signer: undefined }], 'scan evidence is signed by nobody that spec.trust names'],
    [
      'V-84: by who signs capsules',
      [{ ...good, signer: { name: 'ci', for: ['capsule'] } }],
      'scan evidence is signed by ci, which may not sign evidence',
    ],
  ])('%s', (_, found, message) => {
    expect(judged(found)).toEqual([`V-84 ${message}`]);
  });

  test('V-84 near miss: a good one that is not the newest, and an old one where age does not matter', () => {
    expect(judged([{ ...good, issuedAt: days(-1), signer: undefined }, good])).toEqual([]);
    expect(judged([{ ...good, issuedAt: days(-900) }], { name: 'scan', type: 'scan' })).toEqual([]);
  });
});

describe('V-95', () => {
  const GIB = 2n ** 30n * 1_000_000_000n;
  const requested = { cpu: 2_000_000_000n, memory: 4n * GIB, storage: 10n * GIB };
  const prices = { cpuHour: 0.031, memoryGiBHour: 0.004, storageGiBMonth: 0.1, currency: 'EUR' };
  const judged = (budget: NonNullable<CostQuestion['cost']>['budget'], more: Partial<CostQuestion> = {}): readonly string[] =>
    messages(
      costProblems({
        capsule: 'greeter',
        environment: 'prod',
        cost: budget === undefined ? {} : { budget },
        prices,
        requested,
        before: undefined,
        gate: {},
        at: () => NOWHERE,
        ...more,
      }),
    );

  test('a month is what cores, memory and storage cost', () => {
    expect(monthlyCost(requested, prices)).toBeCloseTo(57.98, 2);
    expect(monthlyCost(requested, {})).toBe(0);
  });

  test.each([
    ['V-95: over the month', { monthly: 57 }, 'greeter in prod is estimated at 57.98 EUR/month; budget is 57'],
    ['V-95: over the day', { daily: 1.89 }, 'greeter in prod is estimated at 1.90 EUR/day; budget is 1.89'],
    ['V-95: over the year', { annual: 695 }, 'greeter in prod is estimated at 695.75 EUR/year; budget is 695'],
    ['V-95: days that do not make a month', { daily: 2, monthly: 63 }, 'budget of greeter: 31 days of 2 are less than 63 a month'],
    ['V-95: months that do not make a year', { monthly: 60, annual: 721 }, 'budget of greeter: 12 months of 60 are less than 721 a year'],
    ['V-95: another currency', { monthly: 60, currency: 'USD' }, 'budget of greeter is in USD; prices are in EUR'],
  ])('%s', (_, budget, message) => {
    expect(judged(budget)).toEqual([`V-95 ${message}`]);
  });

  test('V-95: a rise that the gate does not allow', () => {
    const before = { ...requested, cpu: 1_000_000_000n };
    expect(judged(undefined, { before, gate: { maxIncreasePercent: 60 } })).toEqual([
      'V-95 greeter in prod rises from 35.33 to 57.98 EUR/month; the gate allows 60 % more',
    ]);
  });

  test('V-95 near miss: a budget just kept, that agrees with itself', () => {
    expect(judged({ daily: 2, monthly: 57.98, annual: 695.75, currency: 'EUR' })).toEqual([]);
    expect(judged(undefined, { before: { ...requested, cpu: 1_000_000_000n }, gate: { maxIncreasePercent: 65 } })).toEqual([]);
  });
});

test('a condition on the capsule holds if one of those that arrive meets it', () => {
  const capsule = (name: string, type: 'agent' | 'service'): ArrivingCapsule => ({
    instance: name,
    capsule: name,
    version: '1.0.0',
    spec: { type },
    labels: {},
  });
  const asked: unknown[] = [];
  const holds: Evidence['holds'] = (_, input) => {
    asked.push(input['capsule']);
    return JSON.stringify(input['capsule']).includes('agent');
  };
  const gate = { gates: [{ name: 'eval', type: 'compat' as const, when: 'x' }] };

  expect(told(gates(gate, { holds, capsules: [capsule('a', 'service'), capsule('b', 'agent')] }))).toEqual([
    'eval waiting: not-supported: gates of type compat are not honoured yet and hold',
  ]);
  expect(gates(gate, { holds, capsules: [capsule('a', 'service')] })).toEqual([]);
  expect(asked[0]).toEqual({ name: 'a', type: 'service', version: '1.0.0', risk: 'low', labels: {} });
});
