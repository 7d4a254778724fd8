import { expect, test } from 'vitest';

import { checkDesiredState } from '#desired/desired.ts';
import { toCommitId, toTreeId } from '#model/digest.ts';
import { toCapsuleName } from '#model/names.ts';
import { capsule, NO_FACTS, ofRule, readFiles, shown } from '#test/desired/declarations.ts';

const HERE = readFiles({ 'capsules/web/capsule.yaml': capsule('web', '1.0.0') }).state;

/** `1.0.0 a` is version 1.0.0 with tree aaaa…; the last state is the working directory. */
function check(states: readonly string[], newFrom = states.length - 1, merged = states.length - 1) {
  const observations = states.map((text, index) => {
    const [version = '', tree = 'a'] = text.split(' ');
    const commit = index === states.length - 1 ? undefined : toCommitId(String(index).repeat(40));
    return { commit, version, gitTree: toTreeId(tree.repeat(40)) };
  });
  const history = {
    kind: 'complete',
    branch: 'main',
    capsules: [{ capsule: toCapsuleName('web'), observations, newFrom, merged }],
  } as const;
  return checkDesiredState(HERE, { ...NO_FACTS, history });
}

test('V-06: versions that differ in build metadata only have equal precedence', () => {
  expect(ofRule(check(['1.0.0+a a', '1.0.0+b b']), 'V-06')).toEqual([
    'V-06 error capsules/web/capsule.yaml:5 versions 1.0.0+a and 1.0.0+b of web have equal precedence',
  ]);
});

test('V-06: a prerelease and its release differ', () => {
  expect(shown(check(['1.0.0-rc.1 a', '1.0.0 b']))).toEqual([]);
});

test('V-07: content that changed under the same version is an error at the version', () => {
  expect(shown(check(['1.0.0 a', '1.0.0 b']))).toEqual([
    'V-07 error capsules/web/capsule.yaml:5 content of web changed since 000000000000 (tree aaaaaaaaaaaa→bbbbbbbbbbbb) ' +
      'but version is still 1.0.0; bump metadata.version',
  ]);
});

test('V-07: a bumped version, and a return to what was released, are fine', () => {
  expect(shown(check(['1.0.0 a', '1.0.1 b']))).toEqual([]);
  expect(shown(check(['1.0.0 a', '1.1.0 b', '1.0.0 a']))).toEqual([]);
});

test('V-08: a version that goes down is an error', () => {
  expect(shown(check(['1.5.0 a', '1.4.2 b']))).toEqual([
    'V-08 error capsules/web/capsule.yaml:5 web goes from 1.5.0 to 1.4.2; versions on main must increase (use a release branch for backports)',
  ]);
});

test('V-08: only new steps are judged, and a prerelease comes before its release', () => {
  expect(shown(check(['1.5.0 a', '1.4.2 b', '1.6.0 c']))).toEqual([]);
  expect(shown(check(['1.5.0-rc.2 a', '1.5.0 b']))).toEqual([]);
  expect(ofRule(check(['1.5.0 a', '1.4.2 b', '1.6.0 c'], 1), 'V-08')).toHaveLength(1);
});

test('V-09: an earlier commit that changed a released version is an error until a later one takes it back', () => {
  const rewritten = shown(check(['1.0.0 a', '1.0.0 b', '1.0.1 c']));
  expect(rewritten).toEqual([
    `V-09 error capsules/web/capsule.yaml:5 web@1.0.0 was released at ${'0'.repeat(40)} with tree ${'a'.repeat(40)}; ${'1'.repeat(40)} changes it to ${'b'.repeat(40)}`,
  ]);
  expect(shown(check(['1.0.0 a', '1.0.0 b', '1.0.0 a', '1.0.1 c']))).toEqual([
    `V-09 warning capsules/web/capsule.yaml:5 web@1.0.0 was released at ${'0'.repeat(40)} with tree ${'a'.repeat(40)}; ${'1'.repeat(40)} changes it to ${'b'.repeat(40)}, and a later commit took it back`,
  ]);
});

test('V-09: a branch that raised the version in a later commit may be merged, and is told how', () => {
  const [problem] = check(['1.0.0 a', '1.0.0 b', '1.0.1 c'], 1, 1);
  expect(problem).toMatchObject({
    severity: 'warning',
    message: expect.stringMatching(/changes it to b{40}, which is not on main yet$/u),
    remedy: 'Merge with a merge commit or a squash; commit by commit (rebase, fast forward) it would be an error on main.',
  });
});

test('V-07: on the branch itself a higher version is no remedy, for V-09 would follow', () => {
  const remedies = (merged: number): readonly string[] => check(['1.0.0 a', '1.0.0 b'], 1, merged).map(({ remedy }) => remedy);
  expect(remedies(1)).toEqual(['Raise metadata.version, or take the change back.']);
  expect(remedies(2)).toEqual(['Bring the released content back in a new commit, then release the change under a new version.']);
});

test('V-09: the same content seen again is no violation', () => {
  expect(shown(check(['1.0.0 a', '1.1.0 b', '1.0.0 a', '1.2.0 c']))).toEqual([]);
});

test('a shallow clone gets one error and no rule of history', () => {
  expect(shown(checkDesiredState(HERE, { ...NO_FACTS, history: { kind: 'shallow' } }))).toEqual([
    'shallow-history error : the history of this clone is cut off (shallow), so versions cannot be checked against it',
  ]);
});
