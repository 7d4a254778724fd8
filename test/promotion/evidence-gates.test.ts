import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { DRILL, EVAL, type ContentEvidence, type EvidenceFound, TEST_RESULT } from '#model/evidence.ts';
import { toInstant } from '#model/instant.ts';
import type { Json } from '#model/json.ts';
import { gates, minutes, NOW, told, type Spec } from './questions.ts';

const VULNS = 'https://in-toto.io/attestation/vulns/v0.1';
const SUBJECT = { sha256: sha256Of('b'), gitTree: 't'.repeat(40) };
const GREETER = { instance: 'greeter', capsule: 'greeter', version: '1.4.2', ...SUBJECT };
const PASSED = { result: 'PASSED', passedTests: ['a', 'b'], failedTests: [] };

function statement(predicate: Json, more: Partial<EvidenceFound> = {}): EvidenceFound {
  return {
    subject: SUBJECT,
    predicateType: TEST_RESULT,
    predicate,
    answers: 'tests',
    signer: { name: 'ci', for: ['evidence'] },
    issuedAt: minutes(-10),
    ...more,
  };
}

function scan(findings: readonly (readonly [string, string])[], more: Partial<EvidenceFound> = {}): EvidenceFound {
  const result = findings.map(([id, score]) => ({ id, severity: [{ method: 'nvd', score }] }));
  return statement({ scanner: { result } }, { predicateType: VULNS, answers: 'scan', ...more });
}

function of(found: readonly EvidenceFound[], more: Partial<ContentEvidence> = {}): readonly ContentEvidence[] {
  return [{ ...GREETER, found, refused: [], unread: undefined, isCut: false, ...more }];
}

const UNIT = { gates: [{ name: 'unit', type: 'tests', minPassRate: 1 }] } satisfies Spec;

/** What the gates of evidence say; health and the like are left out. */
function said(spec: Spec, attested: readonly ContentEvidence[] | undefined): readonly string[] {
  const readings = gates(spec, attested === undefined ? {} : { attested }).filter(({ type }) => type !== 'health');
  return told(readings);
}

test('a gate of tests passes on a signed result of exactly this content', () => {
  expect(said(UNIT, of([statement(PASSED)]))).toEqual(['unit passed: greeter@1.4.2: 2 of 2 passed (ci)']);
});

test('no evidence, evidence refused and could not look are different words', () => {
  expect([
    ...said(UNIT, of([])),
    ...said(UNIT, of([], { refused: [{ answers: 'tests', reason: 'bad-signature: it does not hold' }] })),
    ...said(UNIT, of([], { unread: 'the mirror cannot be read' })),
    ...said(UNIT, undefined),
    ...said(UNIT, of([], { isCut: true })),
  ]).toEqual([
    'unit waiting: no evidence: there is no tests evidence of greeter@1.4.2',
    'unit failed: evidence refused: greeter@1.4.2: bad-signature: it does not hold',
    'unit inconclusive: could not look: the mirror cannot be read',
    'unit inconclusive: could not look: no evidence was gathered',
    'unit inconclusive: no evidence: there is no tests evidence of greeter@1.4.2; not all statements were looked at, there are more',
  ]);
});

test.each<[string, Partial<EvidenceFound>, string]>([
  [
    'another content',
    { subject: { ...SUBJECT, sha256: sha256Of('x') } },
    'there is no tests evidence of greeter@1.4.2; 1 of another content',
  ],
  [
    'the right sha256 and another tree',
    { subject: { ...SUBJECT, gitTree: 'u'.repeat(40) } },
    'there is no tests evidence of greeter@1.4.2; 1 of another content',
  ],
  ['another kind', { predicateType: EVAL }, `tests evidence says ${EVAL}; gate unit wants ${TEST_RESULT}`],
  [
    'a signer for capsules only',
    { signer: { name: 'ci', for: ['capsule'] } },
    'tests evidence is signed by ci, which may not sign evidence',
  ],
])('evidence of %s is refused', (_, more, why) => {
  expect(said(UNIT, of([statement(PASSED, more)]))).toEqual([`unit failed: evidence refused: greeter@1.4.2: ${why}`]);
});

test('evidence made for another gate answers none but that one', () => {
  const spec: Spec = {
    gates: [
      { name: 'unit', type: 'tests' },
      { name: 'integration', type: 'tests' },
    ],
  };
  expect(said(spec, of([statement(PASSED, { answers: 'unit' })]))).toEqual([
    'unit passed: greeter@1.4.2: 2 of 2 passed (ci)',
    'integration waiting: no evidence: there is no tests evidence of greeter@1.4.2',
  ]);
});

test.each<[string, Json, string]>([
  [
    'too few passed',
    { result: 'FAILED', passedTests: ['a'], failedTests: ['b'] },
    'failed: greeter@1.4.2: 1 of 2 passed; gate wants 90 % (ci)',
  ],
  [
    'enough passed',
    { result: 'FAILED', passedTests: Array.from({ length: 19 }, () => 'a'), failedTests: ['b'] },
    'passed: greeter@1.4.2: 19 of 20 passed (ci)',
  ],
  [
    'a list that leaves out what failed',
    { result: 'FAILED', passedTests: ['a'] },
    'failed: greeter@1.4.2: 1 of 1 passed, and it says FAILED (ci)',
  ],
  ['a word alone', { result: 'PASSED' }, 'passed: greeter@1.4.2: passed (ci)'],
  [
    'no word',
    { outcome: 'fine' },
    'failed: evidence refused: the tests evidence of greeter@1.4.2 by ci has no result that is understood (PASSED, WARNED or FAILED)',
  ],
])('minPassRate 0.9: %s', (_, predicate, reading) => {
  expect(said({ gates: [{ name: 'unit', type: 'tests', minPassRate: 0.9 }] }, of([statement(predicate)]))).toEqual([`unit ${reading}`]);
});

test('the newest word of each signer decides: an older pass does not make up for it, nor does the pass of another', () => {
  const failed = { result: 'FAILED', failedTests: ['a'] };
  const older = statement(PASSED, { issuedAt: minutes(-60) });
  const other = statement(PASSED, { signer: { name: 'lab', for: ['evidence'] }, issuedAt: minutes(-1) });
  expect(said(UNIT, of([older, statement(failed), other]))).toEqual(['unit failed: greeter@1.4.2: 0 of 1 passed; gate wants 100 % (ci)']);
  expect(said(UNIT, of([statement(failed, { issuedAt: minutes(-60) }), older, statement(PASSED)]))).toEqual([
    'unit passed: greeter@1.4.2: 2 of 2 passed (ci)',
  ]);
});

test.each<[string, readonly (readonly [string, string])[], string]>([
  ['nothing', [], 'passed: greeter@1.4.2: 0 known, at most high is allowed (ci)'],
  [
    'what is allowed',
    [
      ['CVE-1', 'HIGH'],
      ['CVE-2', '7.5'],
    ],
    'passed: greeter@1.4.2: 2 known, at most high is allowed (ci)',
  ],
  [
    'what is worse',
    [
      ['CVE-1', 'critical'],
      ['CVE-2', '9.8'],
    ],
    'failed: greeter@1.4.2: 2 too grave: CVE-1 (critical), CVE-2 (critical); at most high is allowed (ci)',
  ],
  [
    'of a severity that nobody gave',
    [['CVE-1', 'who knows']],
    'failed: greeter@1.4.2: 1 too grave: CVE-1 (unknown); at most high is allowed (ci)',
  ],
])('a scan with maxSeverity high that found %s', (_, findings, reading) => {
  expect(said({ gates: [{ name: 'scan', type: 'scan', maxSeverity: 'high', maxAge: '7d' }] }, of([scan(findings)]))).toEqual([
    `scan ${reading}`,
  ]);
});

test('a scan that is too old, of no time, or of a form that nobody understands is refused', () => {
  const spec: Spec = { gates: [{ name: 'scan', type: 'scan', maxSeverity: 'high', maxAge: '7d' }] };
  const strange = statement({ scanner: { result: 'clean' } }, { predicateType: VULNS, answers: 'scan' });
  expect([
    ...said(spec, of([scan([], { issuedAt: toInstant(NOW - 9 * 86_400_000) })])),
    ...said(spec, of([scan([], { issuedAt: undefined })])),
    ...said(spec, of([strange])),
  ]).toEqual([
    'scan failed: evidence refused: greeter@1.4.2: scan evidence is 9d old; gate allows 7d',
    'scan failed: evidence refused: greeter@1.4.2: scan evidence does not say when it was made; gate allows 7d',
    'scan failed: evidence refused: the scan evidence of greeter@1.4.2 by ci is of a form that is not understood',
  ]);
});

test('drills are held one by one: each kind that a gate names needs its own', () => {
  const spec: Spec = { gates: [{ name: 'drill', type: 'drill', kinds: ['rollback', 'failover'] }] };
  const held = statement({ kind: 'rollback', result: 'PASSED' }, { predicateType: DRILL, answers: 'drill' });
  expect(said(spec, of([held]))).toEqual(['drill waiting: failover: no evidence: there is no drill evidence of greeter@1.4.2']);
});

test('every content that arrives needs its own evidence', () => {
  const [first] = of([statement(PASSED)]);
  const second = { ...first, capsule: 'redis', instance: 'redis', version: '7.2.5', sha256: sha256Of('r') } as ContentEvidence;
  expect(said(UNIT, [...of([statement(PASSED)]), second])).toEqual([
    'unit failed: evidence refused: redis@7.2.5: there is no tests evidence of redis@7.2.5; 1 of another content',
  ]);
});
