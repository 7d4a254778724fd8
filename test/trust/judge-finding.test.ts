import { describe, expect, test } from 'vitest';

import { type CommitFact, type CommitFinding, findingKey, type LookedUpCredential } from '#model/commit-finding.ts';
import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { NOWHERE } from '#model/problem.ts';
import { namesOfSshKey } from '#model/revoked-keys.ts';
import type { AllowedSigner, SignatureVerdict } from '#model/verdict.ts';
import { commit, keyOf, NOW } from '#test/trust/build-history.ts';
import { judgeSigned } from '#trust/trust.ts';

const DAY = 86_400_000;
const ROOT: LookedUpCredential = { kind: 'x509-root', pem: 'root', identity: undefined };
const KEYLESS: LookedUpCredential = { kind: 'keyless', issuer: 'https://issuer', identity: { kind: 'exact', identity: 'ada@example.org' } };
const OBJECT = {
  kind: 'commit' as const,
  id: 'a'.repeat(40),
  raw: Buffer.from('tree x\ngpgsig -----BEGIN SIGNED MESSAGE-----\n AAAA\n -----END SIGNED MESSAGE-----\n\nm\n'),
};
const FACT: CommitFact = {
  fingerprint: 'f'.repeat(64),
  signedBy: 'f'.repeat(64),
  identities: ['ada@example.org'],
  issuer: undefined,
  goodFrom: toInstant(NOW - DAY),
  goodBefore: toInstant(NOW + DAY),
  provenAt: undefined,
};

function signer(name: string, credential: AllowedSigner['credential'], more: Partial<AllowedSigner> = {}): AllowedSigner {
  return { name, credential, purposes: ['commit'], validFrom: undefined, validUntil: undefined, place: NOWHERE, ...more };
}

function word(verdict: SignatureVerdict): string {
  return verdict.kind === 'accepted' ? verdict.signer : verdict.kind === 'refused' ? verdict.code : verdict.kind;
}

function judged(
  finding: CommitFinding | undefined,
  credential: LookedUpCredential = ROOT,
  more: Partial<Parameters<typeof judgeSigned>[1]> = {},
): string {
  const findings = new Map(finding === undefined ? [] : [[findingKey(OBJECT.id, credential, undefined), finding]]);
  return word(judgeSigned(OBJECT, { signers: [signer('acme', credential)], purposes: ['commit'], firstSeen: NOW, findings, ...more }));
}

const holds = (change: Partial<CommitFact> = {}): CommitFinding => ({ kind: 'holds', fact: { ...FACT, ...change } });

describe('a finding', () => {
  test.each<[string, string, string]>([
    ['that nobody made is no answer', judged(undefined), 'could-not-look'],
    ['that holds is accepted', judged(holds()), 'acme'],
    ['of another key is unknown', judged({ kind: 'other-key', key: 'ABC' }), 'unknown-key'],
    ['that is refused keeps its word', judged({ kind: 'refused', code: 'weak-hash', reason: 'x' }), 'weak-hash'],
    ['that could not be made is no refusal', judged({ kind: 'refused', code: 'could-not-look', reason: 'x' }), 'could-not-look'],
    ['of a key that began later', judged(holds({ goodFrom: toInstant(NOW + 1) })), 'key-not-yet-valid'],
    ['of a key that has just ended', judged(holds({ goodBefore: NOW })), 'expired-key'],
    ['of a key that ended, and a log that saw it in time', judged(holds({ goodBefore: NOW, provenAt: toInstant(NOW - 1) })), 'acme'],
    ['of a key that was good, and a log that saw it too late', judged(holds({ provenAt: toInstant(NOW + DAY) })), 'expired-key'],
    ['of a revoked key', judged(holds(), ROOT, { revoked: new Set(['f'.repeat(64)]) }), 'revoked-key'],
    ['of a revoked subkey', judged(holds({ signedBy: 'AB' }), ROOT, { revoked: new Set(['AB']) }), 'revoked-key'],
    ['for another purpose', judged(holds(), ROOT, { purposes: ['image'] }), 'wrong-purpose'],
    ['against another trusted root', judged(holds(), ROOT, { trustedRoot: sha256Of('x') }), 'acme'],
    ['of keyless kind, against another trusted root', judged(holds(), KEYLESS, { trustedRoot: sha256Of('x') }), 'could-not-look'],
    ['of another issuer', judged(holds({ issuer: 'https://other' }), KEYLESS), 'wrong-identity'],
    ['of the issuer', judged(holds({ issuer: 'https://issuer' }), KEYLESS), 'acme'],
    ['of another identity', judged(holds({ issuer: 'https://issuer', identities: ['eve@example.org'] }), KEYLESS), 'wrong-identity'],
  ])('%s', (_, found, expected) => expect(found).toBe(expected));

  test.each([
    ['ada@example[.]org', 'acme'],
    ['ada', 'wrong-identity'],
    ['.*@example[.]org', 'acme'],
    ['eve|.*@example[.]com', 'wrong-identity'],
    ['x)|(.*', 'wrong-identity'],
    ['', 'wrong-identity'],
  ])('names whom the pattern %j matches whole', (pattern, expected) => {
    expect(judged(holds(), { ...ROOT, identity: { kind: 'pattern', pattern } })).toBe(expected);
  });

  test('says whom the certificate names, and by which entry that one may', () => {
    const findings = new Map([[findingKey(OBJECT.id, ROOT, undefined), holds()]]);
    const verdict = judgeSigned(OBJECT, { signers: [signer('acme', ROOT)], purposes: ['commit'], firstSeen: NOW, findings });

    expect(verdict).toMatchObject({
      identity: 'ada@example.org',
      sentence: 'commit aaaaaaaaaa is signed by ada@example.org, allowed by acme',
    });
  });

  test('of several entries one that vouches suffices, else the word that tells most is kept', () => {
    const other: LookedUpCredential = { kind: 'x509-root', pem: 'other', identity: undefined };
    const signers = [signer('other', other), signer('acme', ROOT)];
    const far: CommitFinding = { kind: 'refused', code: 'untrusted-certificate', reason: 'x' };
    const both = (mine: CommitFinding): string => {
      const findings = new Map([
        [findingKey(OBJECT.id, other, undefined), far],
        [findingKey(OBJECT.id, ROOT, undefined), mine],
      ]);
      return word(judgeSigned(OBJECT, { signers, purposes: ['commit'], firstSeen: NOW, findings }));
    };

    expect([both(holds()), both(holds({ goodBefore: NOW })), both(far)]).toEqual(['acme', 'expired-key', 'untrusted-certificate']);
  });
});

describe('an SSH key', () => {
  const signed = commit({ by: 'b' });
  const { publicKey } = keyOf('b');
  const bob = signer('bob', { kind: 'ssh-key', key: `${publicKey.type} ${publicKey.blob.toString('base64')}` });
  const asked = { purposes: ['commit' as const], firstSeen: NOW };
  const object = { kind: 'commit' as const, id: signed.id, raw: signed.raw };

  test('counts no more under any name that a revocation list gives it', () => {
    const names = namesOfSshKey(publicKey.blob);

    expect(names).toHaveLength(2);
    expect(names.map((name) => word(judgeSigned(object, { ...asked, signers: [bob], revoked: new Set([name]) })))).toEqual([
      'revoked-key',
      'revoked-key',
    ]);
    expect(word(judgeSigned(object, { ...asked, signers: [bob], revoked: new Set(['SHA256:other']) }))).toBe('bob');
  });

  test('counts only where its entry is for git', () => {
    expect(word(judgeSigned(object, { ...asked, signers: [{ ...bob, namespaces: ['file'] }] }))).toBe('wrong-namespace');
    expect(word(judgeSigned(object, { ...asked, signers: [{ ...bob, namespaces: ['file', 'git'] }] }))).toBe('bob');
  });
});
