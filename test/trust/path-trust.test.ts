import { describe, expect, test } from 'vitest';

import type { TrustState } from '#model/trust.ts';
import { change, commit, content, declared, entry, project, side, step } from '#test/trust/build-history.ts';
import { advanceTrust, explainVerdict, rewriteTrust, startTrust, trustUnit, verdictOf } from '#trust/trust.ts';

const TRUST = project(entry('ada', ['commit']), entry('carol', ['capsule']), entry('engine', ['engine']));
const DEV = 'environments/dev/environment.yaml';
const LOCK = 'environments/dev/environment.lock.yaml';
const GREETER = 'capsules/greeter';
const ROOT = commit({ message: 'root\n' });

function start(): TrustState {
  const units = [DEV, LOCK, GREETER, 'environments/project.yaml'].map((path) => ({ path, id: content('one') }));
  return startTrust({ commit: ROOT, ...declared(TRUST), units });
}

describe('a commit along first parents', () => {
  test('is accepted for what its signer may change, by the name of the trust entry', () => {
    const next = commit({ parents: [ROOT], by: 'c' });

    const state = advanceTrust(start(), [step(next, TRUST, [change(GREETER, 'one', 'two'), change(DEV, 'one', 'two')])]);

    expect(verdictOf(state, GREETER)).toEqual({ kind: 'accepted', by: 'carol', commit: next.id });
    expect(verdictOf(state, DEV)).toMatchObject({ kind: 'refused', commit: next.id });
  });

  test('that is unsigned, or signed by an unknown key, holds only what it changed, and says so in one sentence', () => {
    const unsigned = commit({ parents: [ROOT] });
    const stranger = commit({ parents: [unsigned], by: 'x' });

    const state = advanceTrust(start(), [
      step(unsigned, TRUST, [change(DEV, 'one', 'two')]),
      step(stranger, TRUST, [change(GREETER, 'one', 'two')]),
    ]);

    expect(verdictOf(state, DEV)).toMatchObject({ kind: 'unsigned', commit: unsigned.id });
    expect(verdictOf(state, GREETER)).toMatchObject({ kind: 'refused', commit: stranger.id });
    expect(verdictOf(state, LOCK)).toMatchObject({ kind: 'accepted', by: 'the trust root' });
    expect(verdictOf(state, 'environments/dev')).toMatchObject({ kind: 'unsigned' });
    expect(explainVerdict(DEV, verdictOf(state, DEV))).toBe(
      `${DEV} was changed by ${unsigned.id.slice(0, 10)}: commit ${unsigned.id.slice(0, 10)} is not signed`,
    );
  });

  test('that is accepted puts right what an earlier one broke', () => {
    const unsigned = commit({ parents: [ROOT] });
    const signed = commit({ parents: [unsigned], by: 'a' });

    const state = advanceTrust(start(), [
      step(unsigned, TRUST, [change(DEV, 'one', 'two')]),
      step(signed, TRUST, [change(DEV, 'two', 'three')]),
    ]);

    expect(verdictOf(state, DEV)).toEqual({ kind: 'accepted', by: 'ada', commit: signed.id });
  });

  test('by the engine counts for locks alone', () => {
    const lock = commit({ parents: [ROOT], by: 'e' });
    const more = commit({ parents: [lock], by: 'e' });

    const state = advanceTrust(start(), [step(lock, TRUST, [change(LOCK, 'one', 'two')])]);
    const after = advanceTrust(state, [step(more, TRUST, [change(LOCK, 'two', 'three'), change(DEV, 'one', 'two')])]);

    expect(verdictOf(state, LOCK)).toMatchObject({ kind: 'accepted', by: 'engine' });
    expect(verdictOf(after, LOCK)).toMatchObject({ kind: 'refused' });
    expect(verdictOf(after, DEV)).toMatchObject({ kind: 'refused' });
  });

  test('that deletes what was accepted needs a signature, too', () => {
    const unsigned = commit({ parents: [ROOT] });
    const signed = commit({ parents: [ROOT], by: 'a' });

    expect(verdictOf(advanceTrust(start(), [step(unsigned, TRUST, [change(DEV, 'one', undefined)])]), DEV).kind).toBe('unsigned');
    expect(advanceTrust(start(), [step(signed, TRUST, [change(DEV, 'one', undefined)])]).units.has(DEV)).toBe(false);
  });
});

describe('commits that a forge made are judged by content', () => {
  const branch = commit({ parents: [ROOT], by: 'a', message: 'on a branch\n' });

  test('merge: the content of the signed branch is accepted under the key of its signer', () => {
    const merge = commit({ parents: [ROOT, branch], by: 'f' });
    const merged = { ...step(merge, TRUST, [change(DEV, 'one', 'two')]), sides: [side([branch], { [DEV]: 'two' })] };

    expect(verdictOf(advanceTrust(start(), [merged]), DEV)).toEqual({ kind: 'accepted', by: 'ada', commit: merge.id });
  });

  test('merge: content that the branch does not have is refused', () => {
    const merge = commit({ parents: [ROOT, branch], by: 'f' });
    const merged = { ...step(merge, TRUST, [change(DEV, 'one', 'evil')]), sides: [side([branch], { [DEV]: 'two' })] };

    expect(verdictOf(advanceTrust(start(), [merged]), DEV)).toMatchObject({ kind: 'refused', commit: merge.id });
  });

  test('merge: one unsigned commit of the branch spoils what it changed, and only that', () => {
    const unsigned = commit({ parents: [ROOT], message: 'slipped in\n' });
    const head = commit({ parents: [unsigned], by: 'a', message: 'head\n' });
    const merge = commit({ parents: [ROOT, head], by: 'f' });
    const whole = side([unsigned, head], { [DEV]: 'two', 'policies/a.yaml': 'one' });
    const detailed = {
      ...whole,
      range: [
        { commit: unsigned, units: ['policies/a.yaml'] },
        { commit: head, units: [DEV] },
      ],
    };
    const changes = [change(DEV, 'one', 'two'), change('policies/a.yaml', undefined, 'one')];

    const strict = advanceTrust(start(), [{ ...step(merge, TRUST, changes), sides: [whole] }]);
    const precise = advanceTrust(start(), [{ ...step(merge, TRUST, changes), sides: [detailed] }]);

    expect(verdictOf(strict, DEV)).toMatchObject({ kind: 'unsigned' });
    expect(verdictOf(precise, DEV)).toMatchObject({ kind: 'accepted', by: 'ada' });
    expect(verdictOf(precise, 'policies/a.yaml')).toMatchObject({ kind: 'unsigned' });
  });

  test.each(['squash', 'rebase'])('%s: the content of the signed head of the pull request is accepted', () => {
    const squashed = commit({ parents: [ROOT], by: 'f', message: 'squashed\n' });
    const withHead = { ...step(squashed, TRUST, [change(DEV, 'one', 'two')]), sides: [side([branch], { [DEV]: 'two' })] };
    const unread = { ...step(squashed, TRUST, [change(DEV, 'one', 'two')]), unread: 'the forge did not answer' };
    const without = step(squashed, TRUST, [change(DEV, 'one', 'two')]);

    expect(verdictOf(advanceTrust(start(), [withHead]), DEV)).toMatchObject({ kind: 'accepted', by: 'ada' });
    expect(verdictOf(advanceTrust(start(), [unread]), DEV)).toMatchObject({ kind: 'could-not-look' });
    expect(verdictOf(advanceTrust(start(), [without]), DEV)).toMatchObject({ kind: 'refused' });
  });

  test('squash: a promotion that the engine signed is accepted for its lock', () => {
    const promotion = commit({ parents: [ROOT], by: 'e', message: 'promote\n' });
    const squashed = commit({ parents: [ROOT], by: 'f' });
    const merged = {
      ...step(squashed, TRUST, [change(LOCK, 'one', 'two'), change(DEV, 'one', 'two')]),
      sides: [side([promotion], { [LOCK]: 'two', [DEV]: 'two' })],
    };

    const state = advanceTrust(start(), [merged]);

    expect(verdictOf(state, LOCK)).toMatchObject({ kind: 'accepted', by: 'engine' });
    expect(verdictOf(state, DEV)).toMatchObject({ kind: 'refused' });
  });

  test('repair: taking back what was refused needs nobody', () => {
    const broken = commit({ parents: [ROOT], by: 'f' });
    const repaired = commit({ parents: [broken], by: 'f' });
    const other = commit({ parents: [repaired], by: 'f' });

    const state = advanceTrust(start(), [
      step(broken, TRUST, [change(DEV, 'one', 'two')]),
      step(repaired, TRUST, [change(DEV, 'two', 'one')]),
    ]);

    expect(verdictOf(state, DEV)).toMatchObject({ kind: 'accepted', commit: repaired.id });
    expect(verdictOf(advanceTrust(state, [step(other, TRUST, [change(DEV, 'one', 'three')])]), DEV).kind).toBe('refused');
  });

  test('row 59: turning accepted content back to what was accepted earlier needs a signature', () => {
    const signed = commit({ parents: [ROOT], by: 'a' });
    const back = commit({ parents: [signed], by: 'f' });
    const meant = commit({ parents: [signed], by: 'a' });
    const gone = commit({ parents: [signed], by: 'a' });
    const returned = commit({ parents: [gone], by: 'f' });
    const forward = advanceTrust(start(), [step(signed, TRUST, [change(DEV, 'one', 'two')])]);

    const verdicts = [
      advanceTrust(forward, [step(back, TRUST, [change(DEV, 'two', 'one')])]),
      advanceTrust(forward, [step(meant, TRUST, [change(DEV, 'two', 'one')])]),
      advanceTrust(forward, [step(gone, TRUST, [change(DEV, 'two', undefined)]), step(returned, TRUST, [change(DEV, undefined, 'two')])]),
    ].map((state) => verdictOf(state, DEV).kind);

    expect(verdicts).toEqual(['refused', 'accepted', 'refused']);
  });
});

describe('who may sign is decided before', () => {
  const PROJECT = 'environments/project.yaml';
  const OPENED = project(entry('ada', ['commit']), entry('mallory', ['commit']));

  test('row 70: a commit that adds its own key is judged by the declaration of its first parent, and so is all that follows', () => {
    const takeover = commit({ parents: [ROOT], by: 'm' });
    const next = commit({ parents: [takeover], by: 'm', message: 'next\n' });
    const far = commit({ parents: [next], by: 'a', message: 'far\n' });

    const state = advanceTrust(start(), [
      step(takeover, TRUST, [change(PROJECT, 'one', 'two'), change(DEV, 'one', 'two')]),
      step(next, OPENED, [change(DEV, 'two', 'three')]),
      step(far, OPENED, [change(LOCK, 'one', 'two')]),
    ]);

    expect(verdictOf(state, PROJECT)).toMatchObject({ kind: 'refused', commit: takeover.id });
    expect(verdictOf(state, DEV)).toMatchObject({ kind: 'refused', commit: next.id });
    expect(verdictOf(state, LOCK)).toMatchObject({ kind: 'accepted', by: 'ada' });
    expect(state.project).toBe(TRUST);
  });

  test('a key that an accepted commit added counts from the next commit on', () => {
    const adding = commit({ parents: [ROOT], by: 'a' });
    const next = commit({ parents: [adding], by: 'm' });

    const state = advanceTrust(start(), [
      step(adding, TRUST, [change(PROJECT, 'one', 'two')]),
      step(next, OPENED, [change(DEV, 'one', 'two')]),
    ]);

    expect(verdictOf(state, DEV)).toMatchObject({ kind: 'accepted', by: 'mallory' });
  });

  test('a purpose that no entry names is not enforced, and what was in place when one begins to name it stays', () => {
    const open = project(entry('ada', ['commit']));
    const before = startTrust({ commit: ROOT, ...declared(undefined), units: [{ path: GREETER, id: content('one') }] });
    const one = commit({ parents: [ROOT] });
    const two = commit({ parents: [one] });
    const three = commit({ parents: [two] });

    const unjudged = advanceTrust(before, [step(one, undefined, [change(GREETER, 'one', 'two'), change(DEV, undefined, 'one')])]);
    const partly = advanceTrust(unjudged, [step(two, open, [change(GREETER, 'two', 'three')])]);
    const wholly = advanceTrust(partly, [step(three, TRUST, [])]);

    expect(verdictOf(unjudged, GREETER)).toEqual({ kind: 'not-enforced' });
    expect(verdictOf(partly, GREETER)).toEqual({ kind: 'not-enforced' });
    expect(verdictOf(partly, DEV)).toMatchObject({ kind: 'accepted', by: 'the commit that declared trust' });
    expect(verdictOf(wholly, GREETER)).toMatchObject({ kind: 'accepted', commit: two.id });
    expect(explainVerdict(GREETER, verdictOf(partly, GREETER))).toBe(
      'capsules/greeter runs unverified: no trust entry of the project is for capsule',
    );
  });
});

test('row 23: rewritten history accepts nothing any more', () => {
  const elsewhere = commit({ by: 'a', message: 'elsewhere\n' });
  const child = commit({ parents: [elsewhere], by: 'a' });

  const state = advanceTrust(start(), [step(child, TRUST, [change(DEV, 'one', 'two')])]);

  expect(verdictOf(state, LOCK)).toMatchObject({ kind: 'refused', commit: child.id });
  expect(verdictOf(rewriteTrust(start(), elsewhere.id), DEV)).toMatchObject({ kind: 'refused', commit: elsewhere.id });
  expect(advanceTrust(state, [step(commit({ parents: [ROOT], by: 'a' }), TRUST, [])]).head).toBe(ROOT.id);
});

test('a path belongs to its capsule, to itself below environments and policies, or to nobody', () => {
  const paths = ['capsules/greeter/templates/a.yaml', DEV, 'policies/x/y.yaml', 'README.md', 'environmentsx/a'];

  expect(paths.map(trustUnit)).toEqual(['capsules/greeter', DEV, 'policies/x/y.yaml', undefined, undefined]);
});
