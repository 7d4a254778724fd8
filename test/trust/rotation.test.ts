import { describe, expect, test } from 'vitest';

import type { Project } from '#model/declarations.generated.ts';
import { toTreeId } from '#model/digest.ts';
import { encodeCommit } from '#model/git-commit.ts';
import type { Commit } from '#model/git-objects.ts';
import { ROTATION_NAMESPACE, withSecondSignature } from '#model/rotation.ts';
import { signWithSshKey } from '#model/ssh-signature.ts';
import type { TrustState } from '#model/trust.ts';
import { advanceTrust, judgeRotation, readTrustPolicy, startTrust, verdictOf } from '#trust/trust.ts';
import { change, commit, commitOf, content, declared, entry, keyOf, NOW, project, side, step } from './build-history.ts';

const PROJECT = 'environments/project.yaml';
const ADA = entry('ada', ['commit']);
const OLD = entry('engine', ['engine']);
const NEW = entry('fresh', ['engine']);
const ENDED = { ...OLD, validUntil: '2026-07-01T00:00:00Z' };
const BEFORE = project(ADA, OLD);
const AFTER = project(ADA, ENDED, NEW);
const ROOT = commit({ message: 'root\n' });

interface Signing {
  readonly first?: string | undefined;
  readonly second?: string | undefined;
  readonly namespace?: string;
  /** Changes the payload of the second signature. */
  readonly spoil?: (payload: string) => string;
  readonly finish?: (message: string) => string;
}

/** A commit on `parent` that is signed by the old key and, over itself without that line, by the new one. */
function rotation(parent: Commit, { first = 'e', second = 'f', namespace = ROTATION_NAMESPACE, spoil, finish }: Signing = {}): Commit {
  const person = { name: 'Capstan', email: 'engine@acme.example', at: NOW, zone: '+0000' };
  const draft = { tree: toTreeId(content('tree')), parents: [parent.id], author: person, committer: person };
  const message = 'trust: let fresh follow engine\n\nRun-Id: 1\n';
  const payload = Buffer.from(encodeCommit({ ...draft, message }, undefined)).toString('utf8');
  const block = signWithSshKey(keyOf(second), Buffer.from(spoil === undefined ? payload : spoil(payload)), namespace);
  const both = (finish ?? ((text) => text))(second === '-' ? message : withSecondSignature(message, block));
  const unsigned = encodeCommit({ ...draft, message: both }, undefined);
  const signature = first === '-' ? undefined : signWithSshKey(keyOf(first), unsigned);
  return commitOf(Buffer.from(encodeCommit({ ...draft, message: both }, signature)));
}

function judged(of: Commit, after: Project = AFTER.value, before: Project = BEFORE.value): string {
  const signers = readTrustPolicy({ ...BEFORE, value: before }, new Map()).policy.entries;
  const verdict = judgeRotation(of, { before, after, signers, firstSeen: NOW });
  return verdict.kind === 'accepted' ? `accepted: ${verdict.change.to.name} follows ${verdict.change.from.name}` : verdict.reason;
}

describe('a rotation of an engine key', () => {
  test('counts if both keys signed it', () => {
    expect(judged(rotation(ROOT))).toBe('accepted: fresh follows engine');
  });

  test.each<[string, Signing, RegExp]>([
    ['the old key alone', { second: '-' }, /the new key fresh did not sign it/],
    ['the new key alone', { first: 'f' }, /the old key did not sign it: .*no trust entry names the key/],
    ['no key at all', { first: '-' }, /the old key did not sign it: commit .* is not signed/],
    ['a stranger in place of the new key', { second: 'x' }, /the second signature is not by the new key fresh/],
    ['the old key twice', { second: 'e' }, /the second signature is not by the new key fresh/],
    ['a signature for git by the new key', { namespace: 'git' }, /made for another purpose than rotation@capstan\.dev/],
    ['a second signature over another commit', { spoil: (text) => text.replace('tree ', 'tree 0') }, /does not fit its bytes/],
    ['a second signature over another parent', { spoil: (text) => text.replace(/parent ./, 'parent 0') }, /does not fit its bytes/],
    ['words behind the second signature', { finish: (text) => `${text}Approved-By: nobody\n` }, /not the last line of its message/],
    [
      'two second signatures',
      { finish: (text) => `${text}${text.split('\n').find((line) => line.startsWith('Signed-Also-By')) ?? ''}\n` },
      /it has 2 trailers Signed-Also-By/,
    ],
    [
      'a second signature that is no base64',
      { finish: (text) => text.replace('Signed-Also-By: U1NI', 'Signed-Also-By: !!!!') },
      /not base64/,
    ],
  ])('by %s is refused', (_, signing, reason) => {
    expect(judged(rotation(ROOT, signing))).toMatch(reason);
  });

  test.each<[string, Project, RegExp]>([
    ['gives the new key more rights', project(ADA, ENDED, entry('fresh', ['engine', 'commit'])).value, /is not for the same as engine/],
    ['brings two keys', project(ADA, ENDED, NEW, entry('grace', ['engine'])).value, /adds 2 trust entries/],
    ['brings none', project(ADA, ENDED).value, /adds 0 trust entries/],
    ['takes the old key out, so that what it wrote could not be verified', project(ADA, NEW).value, /removes or reorders/],
    ['leaves the old key without an end', project(ADA, OLD, NEW).value, /changes 0 trust entries/],
    ['touches a person', project({ ...ADA, for: ['engine', 'commit'] }, ENDED, NEW).value, /changes 2 trust entries/],
    ['ends a person', project({ ...ADA, validUntil: '2026-07-01' }, OLD, NEW).value, /ada is no key of an engine/],
    ['gives the old key more', project(ADA, { ...ENDED, for: ['engine', 'image'] }, NEW).value, /changes more of engine than validUntil/],
    ['brings the old key again', project(ADA, ENDED, { ...OLD, name: 'fresh' }).value, /with a key of its own/],
    ['gives the new key a login', project(ADA, ENDED, { ...NEW, user: 'mallory' }).value, /is not for the same as engine/],
    [
      'changes something else of the project',
      { ...AFTER.value, spec: { ...AFTER.value.spec, description: 'more' } } as Project,
      /more of the project than spec\.trust/,
    ],
  ])('that %s is refused, though both keys signed it', (_, after, reason) => {
    expect(judged(rotation(ROOT), after)).toMatch(reason);
  });

  test('by an old key that had ended is refused', () => {
    const before = project(ADA, { ...OLD, validUntil: '2026-01-01' }).value;

    expect(judged(rotation(ROOT), AFTER.value, before)).toMatch(/was not valid when it was first seen/);
  });

  test('hands on exactly the rights of an entry, also where its name stands twice', () => {
    const wide = { ...entry('engine', ['engine', 'commit']), sshKey: entry('wide', []).sshKey ?? '' };
    const before = project(ADA, OLD, wide).value;
    const after = project(ADA, OLD, { ...wide, validUntil: '2026-07-01T00:00:00Z' }, entry('fresh', ['engine', 'commit'])).value;

    expect(judged(rotation(ROOT), after, before)).toMatch(/the old key did not sign it/);
  });
});

describe('on the default branch', () => {
  function start(): TrustState {
    return startTrust({ commit: ROOT, ...declared(BEFORE), units: [{ path: PROJECT, id: content('one') }] });
  }
  const CHANGE = [change(PROJECT, 'one', 'two')];

  test('a rotation is accepted, and the new key counts from the next commit on', () => {
    const rotated = rotation(ROOT);
    const lock = 'environments/dev/environment.lock.yaml';
    const next = commit({ parents: [rotated], by: 'f' });
    const state = advanceTrust(start(), [
      { ...step(rotated, BEFORE, CHANGE), next: AFTER },
      step(next, AFTER, [change(lock, undefined, 'lock')]),
    ]);

    expect(verdictOf(state, PROJECT)).toEqual({ kind: 'accepted', by: 'engine', commit: rotated.id });
    expect(verdictOf(state, lock)).toMatchObject({ kind: 'accepted', by: 'fresh' });
  });

  test('a merged rotation is judged by the commit that both keys signed', () => {
    const rotated = rotation(ROOT);
    const merge = commit({ parents: [ROOT, rotated] });
    const state = advanceTrust(start(), [{ ...step(merge, BEFORE, CHANGE), next: AFTER, sides: [side([rotated], { [PROJECT]: 'two' })] }]);

    expect(verdictOf(state, PROJECT)).toEqual({ kind: 'accepted', by: 'engine', commit: merge.id });
  });

  test.each([
    ['the old key alone', { second: '-' }],
    ['the new key alone', { first: 'f' }],
  ])('a merged rotation by %s is refused and changes nobody', (_, signing) => {
    const rotated = rotation(ROOT, signing);
    const merge = commit({ parents: [ROOT, rotated] });
    const next = commit({ parents: [merge], by: 'f' });
    const lock = 'environments/dev/environment.lock.yaml';
    const state = advanceTrust(start(), [
      { ...step(merge, BEFORE, CHANGE), next: AFTER, sides: [side([rotated], { [PROJECT]: 'two' })] },
      step(next, AFTER, [change(lock, undefined, 'lock')]),
    ]);

    expect(verdictOf(state, PROJECT)).toMatchObject({ kind: 'refused', commit: merge.id });
    expect(verdictOf(state, lock)).toMatchObject({ kind: 'refused' });
  });

  test('a rotation cannot carry in what was refused before it', () => {
    const smuggled = commit({ parents: [ROOT], by: 'e' });
    const MORE = project(ADA, OLD, entry('mallory', ['commit']));
    const rotated = rotation(smuggled);
    const state = advanceTrust(start(), [
      { ...step(smuggled, BEFORE, CHANGE), next: MORE },
      { ...step(rotated, MORE, [change(PROJECT, 'two', 'three')]), next: project(ADA, ENDED, entry('mallory', ['commit']), NEW) },
    ]);
    const verdict = verdictOf(state, PROJECT);

    expect(verdict).toMatchObject({ kind: 'refused', commit: rotated.id });
    expect('sentence' in verdict && verdict.sentence).toContain('it adds 2 trust entries; a rotation adds one');
  });

  test('a person who may change the project replaces a lost key without it', () => {
    const replaced = commit({ parents: [ROOT], by: 'a' });
    const state = advanceTrust(start(), [{ ...step(replaced, BEFORE, CHANGE), next: project(ADA, NEW) }]);

    expect(verdictOf(state, PROJECT)).toMatchObject({ kind: 'accepted', by: 'ada' });
  });
});
