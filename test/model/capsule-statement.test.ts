import { expect, test } from 'vitest';

import { bundleMistake, CAPSULE_RELEASE, capsuleStatement, statementMistake } from '#model/capsule-statement.ts';
import { sha256Of, toTreeId } from '#model/digest.ts';

const FACTS = { name: 'web', version: '1.0.0', sha256: sha256Of('web'), gitTree: toTreeId('a'.repeat(40)), commit: undefined };
const STATEMENT = Buffer.from(capsuleStatement(FACTS, `sha256:${sha256Of('artifact')}`)).toString('utf8');

function bundleOf(statement: string): Uint8Array {
  return Buffer.from(JSON.stringify({ dsseEnvelope: { payload: Buffer.from(statement).toString('base64') } }));
}

test('the statement of a release names its artifact and both digests of its directory', () => {
  expect(JSON.parse(STATEMENT)).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: 'web@1.0.0', digest: { sha256: sha256Of('artifact') } },
      { name: 'capsules/web', digest: { gitTree: 'a'.repeat(40), sha256: sha256Of('web') } },
    ],
    predicateType: CAPSULE_RELEASE,
    predicate: { capsule: 'web', version: '1.0.0' },
  });
});

test('a bundle that was made elsewhere is taken if it is about this release, and else not', () => {
  expect(bundleMistake(bundleOf(STATEMENT), FACTS)).toBe(undefined);
  expect(bundleMistake(bundleOf(STATEMENT.replace(sha256Of('web'), sha256Of('evil'))), FACTS)).toContain('another content');
  expect(bundleMistake(bundleOf(STATEMENT.replace('capsules/web', 'capsules/redis')), FACTS)).toContain('another capsule (capsules/redis)');
  expect(bundleMistake(bundleOf(STATEMENT.replace(CAPSULE_RELEASE, 'https://example.com/x')), FACTS)).toContain('another kind');
});

test.each([
  ['no JSON', Buffer.from('x')],
  ['a list', Buffer.from('[]')],
  ['no envelope', Buffer.from('{}')],
  ['a payload that is no JSON', bundleOf('x')],
  ['a statement without subjects', bundleOf('{}')],
  ['deep nesting', bundleOf('['.repeat(100_000))],
])('a bundle with %s carries no statement', (_what, bundle) => {
  expect(bundleMistake(bundle, FACTS)).toBe('carries no signed in-toto statement');
});

test('digests are looked for among the own ones of a subject alone', () => {
  const subjects = [
    { name: 'capsules/web', digest: Object.create({ sha256: FACTS.sha256, gitTree: FACTS.gitTree }) as Record<string, string> },
  ];
  expect(statementMistake({ subjects, predicateType: CAPSULE_RELEASE }, FACTS)?.code).toBe('wrong-digest');
});
