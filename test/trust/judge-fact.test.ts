import { expect, test } from 'vitest';

import { sha256Of, toSha256 } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { IMAGE_SIGNATURE, type SignatureFact, type SignatureSigner } from '#model/signature-finding.ts';
import { entry, NOW, project, withThresholds } from '#test/trust/build-history.ts';
import { judgeFact, judgeFacts, readTrustPolicy } from '#trust/trust.ts';

const ISSUER = 'https://token.actions.githubusercontent.com';
const IDENTITY = 'https://github.com/acme/web/.github/workflows/release.yaml@refs/tags/v1.2.3';
const CI = {
  name: 'ci',
  issuer: ISSUER,
  identityPattern: 'https://github.com/acme/[^/]+/.github/workflows/release.yaml@refs/tags/v.*',
  for: ['image', 'capsule'] as const,
};
const EXACT = { name: 'exact', issuer: ISSUER, identity: 'ops@acme.example', for: ['image'] as const };
const ADA = { ...entry('ada', ['evidence', 'image']), validUntil: '2026-06-30' };
const PROD_ONLY = { ...entry('bob', ['image']), paths: ['environments/prod/**'] };
const { policy } = readTrustPolicy(project(CI, EXACT, ADA, PROD_ONLY, entry('carol', ['commit'])), new Map());

function keyOf(name: string): SignatureSigner {
  const found = policy.entries.find((one) => one.name === name)?.credential;
  if (found?.kind !== 'ssh-key' || found.spkiSha256 === undefined) throw new Error('no key');
  return { kind: 'key', spkiSha256: found.spkiSha256 };
}

function fact(signer: SignatureSigner, signedAt?: number): SignatureFact {
  return {
    subjects: [],
    predicateType: IMAGE_SIGNATURE,
    predicate: undefined,
    signer,
    signedAt: signedAt === undefined ? undefined : toInstant(signedAt),
    annotations: {},
    bundle: sha256Of('bundle'),
  };
}

const keyless = (identity: string, issuer = ISSUER): SignatureSigner => ({ kind: 'keyless', issuer, identity });
const LOCK = 'environments/prod/environment.lock.yaml';
const IMAGE = { purpose: 'image', path: LOCK, firstSeen: NOW } as const;

test.each<[string, SignatureSigner, string]>([
  [
    'the release workflow',
    keyless(IDENTITY),
    'accepted: it is signed by ' + `${IDENTITY} (${ISSUER}), allowed by trust entry ci (for image)`,
  ],
  [
    'an identity that is named exactly',
    keyless('ops@acme.example'),
    `accepted: it is signed by ops@acme.example (${ISSUER}), allowed by trust entry exact (for image)`,
  ],
  ['an identity around the pattern', keyless(`${IDENTITY}/../x`.replace('https', 'xhttps')), 'wrong-identity'],
  ['a workflow of another organisation', keyless(IDENTITY.replace('acme', 'acme.evil.example/acme')), 'wrong-identity'],
  ['a longer address', keyless('ops@acme.example.evil.example'), 'wrong-identity'],
  ['the same identity of another issuer', keyless(IDENTITY, 'https://evil.example'), 'wrong-identity'],
  ['the empty identity', keyless(''), 'wrong-identity'],
  ['an unknown key', { kind: 'key', spkiSha256: toSha256('0'.repeat(64)) }, 'unknown-key'],
  ['a key for commits', keyOf('carol'), 'wrong-purpose'],
  ['a key that counts there', keyOf('bob'), 'accepted'],
])('%s', (_, signer, expected) => {
  const verdict = judgeFact(fact(signer), policy, IMAGE);
  const word = verdict.kind === 'refused' ? verdict.code : `${verdict.kind}: ${verdict.sentence}`;

  expect(word.startsWith(expected) ? expected : word).toBe(expected);
});

test('a key whose entry has paths does not count elsewhere, nor where no path is asked for', () => {
  const verdicts = ['environments/dev/environment.lock.yaml', undefined].map((path) =>
    judgeFact(fact(keyOf('bob')), policy, { ...IMAGE, path }),
  );

  expect(verdicts.map((verdict) => verdict.kind === 'refused' && verdict.code)).toEqual(['wrong-purpose', 'wrong-purpose']);
});

test('row 64: a key that has ended counts for what a log saw in its time, and for nothing first seen later', () => {
  const later = { ...IMAGE, firstSeen: toInstant(Date.UTC(2026, 8, 1)) };

  expect(judgeFact(fact(keyOf('ada'), Date.UTC(2026, 5, 15)), policy, later).kind).toBe('accepted');
  expect(judgeFact(fact(keyOf('ada')), policy, later)).toMatchObject({ kind: 'refused', code: 'outside-window' });
  expect(judgeFact(fact(keyOf('ada'), Date.UTC(2026, 6, 1)), policy, { ...IMAGE, firstSeen: NOW })).toMatchObject({
    code: 'outside-window',
  });
});

test('a purpose that nobody is for is not enforced, and says so', () => {
  expect(judgeFact(fact(keyOf('ada')), policy, { ...IMAGE, purpose: 'approval' })).toEqual({
    kind: 'not-enforced',
    sentence: 'no trust entry of the project is for approval',
  });
  expect(judgeFacts([], policy, IMAGE)).toEqual({ kind: 'refused', code: 'unsigned', sentence: 'it is not signed' });
});

test('a threshold counts different people, whatever number of signatures they give', () => {
  const two = withThresholds(
    project(
      { ...entry('ada', ['image']), user: 'ada' },
      { ...entry('bob', ['image']), user: 'ADA' },
      entry('carol', ['image']),
      { ...entry('carol', ['image']), name: 'carla' },
      entry('dora', ['image']),
    ),
    { name: 'two', for: ['image'], of: ['ada', 'bob', 'carol', 'carla'], atLeast: 2 },
  );
  const read = readTrustPolicy(two, new Map()).policy;
  const by = (name: string): SignatureFact => {
    const found = read.entries.find((one) => one.name === name)?.credential;
    if (found?.kind !== 'ssh-key' || found.spkiSha256 === undefined) throw new Error('no key');
    return fact({ kind: 'key', spkiSha256: found.spkiSha256 });
  };
  const words = (...facts: readonly SignatureFact[]): string => {
    const verdict = judgeFacts(facts, read, IMAGE);
    return verdict.kind === 'refused' ? `${verdict.code}: ${verdict.sentence}` : verdict.kind;
  };

  expect(words(by('ada'), by('bob'))).toBe('too-few-signatures: threshold two asks for 2 people of ada, bob, carol, carla: signed by ada');
  expect(words(by('carol'), by('carla'))).toContain('signed by carol');
  expect(words(by('ada'), by('dora'))).toContain('signed by ada');
  expect(words(by('dora'))).toContain('nobody of them signed');
  expect(words(by('bob'), by('dora'), by('carol'))).toBe('accepted');
});
