import { describe, expect, test } from 'vitest';

import { encodeCommit } from '#model/git-commit.ts';
import { parseInstant, toInstant } from '#model/instant.ts';
import { signWithSshKey } from '#model/ssh-signature.ts';
import type { SignatureVerdict } from '#model/verdict.ts';
import { commit, commitOf, entry, keyOf, NOW, project } from '#test/trust/build-history.ts';
import { readTrustPolicy, judgeCommit } from '#trust/trust.ts';

const SIGNERS = readTrustPolicy(project(entry('bob', ['commit']), entry('carol', ['capsule', 'commit'])), new Map()).policy.entries;

function word(verdict: SignatureVerdict): string {
  switch (verdict.kind) {
    case 'accepted':
      return verdict.signer;
    case 'refused':
      return verdict.code;
    case 'unsigned':
    case 'could-not-look':
      return verdict.kind;
  }
}

function judged(raw: Buffer): string {
  return word(judgeCommit(commitOf(raw), SIGNERS, 'commit', NOW));
}

test('names the trust entry of the key, never the author', () => {
  const verdict = judgeCommit(
    commit({ by: 'b', author: { name: 'Root', email: 'root@example.org', at: NOW, zone: '+0100' } }),
    SIGNERS,
    'commit',
    NOW,
  );

  expect(verdict).toMatchObject({ kind: 'accepted', signer: 'bob' });
});

test('row 61: unsigned, unknown key, wrong purpose and bad signature are different words', () => {
  const signed = Buffer.from(commit({ by: 'b' }).raw);
  const tampered = Buffer.from(signed.toString('latin1').replace('change', 'chanGe'), 'latin1');

  expect(word(judgeCommit(commit({}), SIGNERS, 'commit', NOW))).toBe('unsigned');
  expect(word(judgeCommit(commit({ by: 'x' }), SIGNERS, 'commit', NOW))).toBe('unknown-key');
  expect(word(judgeCommit(commit({ by: 'b' }), SIGNERS, 'capsule', NOW))).toBe('wrong-purpose');
  expect(judged(tampered)).toBe('bad-signature');
});

test('row 25: a forged author and a date of 1970 or 2200 change nothing: the key and the time first seen decide', () => {
  const signers = readTrustPolicy(project(entry('bob', ['commit'], { validFrom: '2026-01-01', validUntil: '2026-05-31' })), new Map())
    .policy.entries;
  const old = commit({ by: 'b', author: { name: 'A', email: 'a@b', at: toInstant(0), zone: '+0000' } });
  const future = commit({ by: 'b', author: { name: 'A', email: 'a@b', at: toInstant(Date.UTC(2200, 0)), zone: '+0000' } });
  const at = (text: string): NonNullable<ReturnType<typeof parseInstant>> => parseInstant(text) ?? NOW;

  expect(word(judgeCommit(old, signers, 'commit', at('2026-03-01T00:00:00Z')))).toBe('bob');
  expect(word(judgeCommit(future, signers, 'commit', at('2026-05-31T23:00:00Z')))).toBe('bob');
  expect(word(judgeCommit(old, signers, 'commit', at('2026-06-01T00:00:00Z')))).toBe('outside-window');
  expect(word(judgeCommit(old, signers, 'commit', at('2025-12-31T23:59:59Z')))).toBe('outside-window');
});

describe('exactly one signature header counts', () => {
  const signed = Buffer.from(commit({ by: 'b' }).raw).toString('latin1');
  const block = /gpgsig (?:.*\n )*.*\n/.exec(signed)?.[0] ?? '';

  test.each([
    ['two signatures', signed.replace(block, block + block), 'several-signatures'],
    ['a second header that begins with gpgsig', signed.replace(block, `${block}gpgsig-sha256 x\n`), 'several-signatures'],
    [
      'another signature format',
      signed.replace(/gpgsig (?:.*\n )*.*\n/, 'gpgsig -----BEGIN PGP MESSAGE-----\n \n x\n -----END PGP MESSAGE-----\n'),
      'unsupported-signature',
    ],
    ['a line behind the block', signed.replace('-----END SSH SIGNATURE-----', '-----END SSH SIGNATURE-----\n more'), 'malformed-signature'],
    ['a signature under another header', signed.replace('gpgsig ', 'gpgsig-sha256 '), 'unsupported-signature'],
    ['a header slipped in behind the signature', signed.replace(block, `${block}encoding latin1\n`), 'bad-signature'],
  ])('%s', (_, raw, expected) => {
    expect(block.length).toBeGreaterThan(200);
    expect(judged(Buffer.from(raw, 'latin1'))).toBe(expected);
  });

  test('a signature that covers headers behind it is accepted', () => {
    const content = commit({});
    const payload = Buffer.from(encodeCommit({ ...content, message: 'm\n' }, undefined))
      .toString('latin1')
      .replace('\n\n', '\nencoding latin1\n\n');
    const signature = signWithSshKey(keyOf('b'), Buffer.from(payload, 'latin1')).trimEnd().replaceAll('\n', '\n ');

    expect(judged(Buffer.from(payload.replace('\nencoding', `\ngpgsig ${signature}\nencoding`), 'latin1'))).toBe('bob');
  });
});

test('an entry whose key cannot be used is a problem at its place and vouches for nothing', () => {
  const { policy, problems } = readTrustPolicy(project({ name: 'dora', sshKey: 'ssh-dss AAAAB3NzaC1kc3M=', for: ['commit'] }), new Map());

  expect(policy.entries).toEqual([]);
  expect(problems.map((problem) => [problem.code, problem.place.pointer])).toEqual([['unusable-trust-key', '/spec/trust/0/sshKey']]);
});
