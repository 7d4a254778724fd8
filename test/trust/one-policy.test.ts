import { describe, expect, test } from 'vitest';

import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { TrustState } from '#model/trust.ts';
import { change, commit, content, declared, emptyStep, entry, project, side, step, withThresholds } from '#test/trust/build-history.ts';
import { advanceTrust, policyAfter, readTrustPolicy, startTrust, verdictOf } from '#trust/trust.ts';

const PROD = 'environments/prod/environment.yaml';
const DEV = 'environments/dev/environment.yaml';
const RULE = 'policies/no-latest.yaml';
const PROJECT = 'environments/project.yaml';
const WEB = 'capsules/web';
const ROOT = commit({ message: 'root\n' });

function start(by: Declared<Project>, more: readonly string[] = []): TrustState {
  const units = [PROD, DEV, RULE, PROJECT, WEB, ...more].map((path) => ({ path, id: content('one') }));
  return startTrust({ commit: ROOT, ...declared(by), units });
}

describe('who may sign where', () => {
  const TRUST = project(
    entry('ada', ['commit']),
    { ...entry('bob', ['commit']), paths: ['environments/dev/**'] },
    { ...entry('carol', ['commit', 'policy']), paths: ['policies/**', 'environments/prod/**'] },
    entry('dora', ['policy']),
    { ...entry('fred', ['capsule']), paths: ['capsules/web/**'] },
    { ...entry('gina', ['capsule']), paths: ['capsules/api'] },
    { ...entry('hugo', ['commit']), namespaces: ['file'] },
  );

  test.each<[who: string, path: string, verdict: string]>([
    ['ada', DEV, 'accepted'],
    ['ada', PROD, 'accepted'],
    ['ada', RULE, 'refused'],
    ['ada', PROJECT, 'refused'],
    ['ada', WEB, 'refused'],
    ['bob', DEV, 'accepted'],
    ['bob', PROD, 'refused'],
    ['bob', RULE, 'refused'],
    ['carol', DEV, 'refused'],
    ['carol', PROD, 'accepted'],
    ['carol', RULE, 'accepted'],
    ['carol', PROJECT, 'refused'],
    ['dora', RULE, 'accepted'],
    ['dora', PROJECT, 'accepted'],
    ['dora', PROD, 'refused'],
    ['fred', WEB, 'accepted'],
    ['gina', WEB, 'refused'],
    ['hugo', DEV, 'refused'],
  ])('%s changes %s: %s', (who, path, verdict) => {
    const next = commit({ parents: [ROOT], by: who.charAt(0) });

    expect(verdictOf(advanceTrust(start(TRUST), [step(next, TRUST, [change(path, 'one', 'two')])]), path).kind).toBe(verdict);
  });

  test('a signature that does not count somewhere names the entry and the place', () => {
    const next = commit({ parents: [ROOT], by: 'b' });
    const state = advanceTrust(start(TRUST), [step(next, TRUST, [change(PROD, 'one', 'two')])]);

    expect(verdictOf(state, PROD)).toMatchObject({
      sentence: `${PROD} was changed by ${next.id.slice(0, 10)}: the signature of commit ${next.id.slice(0, 10)} does not count: trust entry bob is not for ${PROD}`,
    });
  });

  test('one commit is judged path by path', () => {
    const next = commit({ parents: [ROOT], by: 'b' });
    const state = advanceTrust(start(TRUST), [step(next, TRUST, [change(DEV, 'one', 'two'), change(PROD, 'one', 'two')])]);

    expect([DEV, PROD].map((path) => verdictOf(state, path).kind)).toEqual(['accepted', 'refused']);
  });

  test('without an entry for policy, policies and the project are changed by whoever may sign commits', () => {
    const open = project(entry('ada', ['commit']));
    const next = commit({ parents: [ROOT], by: 'a' });

    const state = advanceTrust(start(open), [step(next, open, [change(RULE, 'one', 'two'), change(PROJECT, 'one', 'two')])]);

    expect([RULE, PROJECT].map((path) => verdictOf(state, path).kind)).toEqual(['accepted', 'accepted']);
  });

  test('an entry for policy alone judges policies and the project, and leaves the rest unjudged', () => {
    const only = project(entry('dora', ['policy']));
    const next = commit({ parents: [ROOT] });

    const state = advanceTrust(start(only), [
      step(
        next,
        only,
        [DEV, RULE, PROJECT].map((path) => change(path, 'one', 'two')),
      ),
    ]);

    expect([DEV, RULE, PROJECT].map((path) => verdictOf(state, path).kind)).toEqual(['not-enforced', 'unsigned', 'unsigned']);
  });
});

describe('row 70: the policy is that of the protected base', () => {
  const TRUST = withThresholds(project(entry('ada', ['commit', 'capsule']), entry('dora', ['policy']), entry('eve', ['policy'])), {
    name: 'policy-by-two',
    for: ['policy'],
    atLeast: 2,
  });
  const CHANGED = [change(PROJECT, 'one', 'two')];

  test('row 70: a threshold is lowered only by as many people as it asked for', () => {
    const lower = commit({ parents: [ROOT], by: 'd' });
    const LOWERED = project(entry('ada', ['commit', 'capsule']), entry('dora', ['policy']), entry('eve', ['policy']));
    const next = commit({ parents: [lower], by: 'd' });

    const state = advanceTrust(start(TRUST), [step(lower, TRUST, CHANGED), step(next, LOWERED, [change(RULE, 'one', 'two')])]);

    expect([PROJECT, RULE].map((path) => verdictOf(state, path).kind)).toEqual(['refused', 'refused']);
    expect(state.policy.thresholds.map((one) => one.name)).toEqual(['policy-by-two']);
  });

  test('row 70: taking out the entry that enforces a purpose needs the signatures that the old policy demands', () => {
    const without = commit({ parents: [ROOT], by: 'a' });
    const OPEN = project(entry('ada', ['commit']));
    const slipped = commit({ parents: [without] });

    const state = advanceTrust(start(TRUST), [step(without, TRUST, CHANGED), step(slipped, OPEN, [change(WEB, 'one', 'evil')])]);

    expect([PROJECT, WEB].map((path) => verdictOf(state, path).kind)).toEqual(['refused', 'unsigned']);
  });

  test('row 70: a change and the policy that would allow it in one commit are judged by the policy before', () => {
    const both = commit({ parents: [ROOT], by: 'x' });

    const state = advanceTrust(start(TRUST), [step(both, TRUST, [...CHANGED, change(PROD, 'one', 'two')])]);

    expect([PROJECT, PROD].map((path) => verdictOf(state, path).kind)).toEqual(['refused', 'refused']);
  });

  test('row 70: a project that cannot be read ends nothing: what judged before goes on', () => {
    const broken = commit({ parents: [ROOT], by: 'a' });
    const OPEN = project(entry('ada', ['commit', 'capsule', 'policy']));
    const slipped = commit({ parents: [broken] });
    const unread = { ...step(slipped, undefined, [change(DEV, 'one', 'evil')]), policy: undefined };

    const state = advanceTrust(start(OPEN), [step(broken, OPEN, CHANGED), unread]);

    expect([PROJECT, DEV].map((path) => verdictOf(state, path).kind)).toEqual(['accepted', 'unsigned']);
  });

  test('row 70: the file of the project taken away without a signature ends nothing', () => {
    const gone = commit({ parents: [ROOT], by: 'x' });
    const slipped = commit({ parents: [gone] });

    const state = advanceTrust(start(TRUST), [
      step(gone, TRUST, [change(PROJECT, 'one', undefined)]),
      step(slipped, undefined, [change(DEV, 'one', 'evil')]),
    ]);

    expect([PROJECT, DEV].map((path) => verdictOf(state, path).kind)).toEqual(['refused', 'unsigned']);
  });

  test('row 70: a second file of the project under another name is a change of the policy', () => {
    const second = commit({ parents: [ROOT], by: 'a' });
    const path = 'environments/project.yml';

    expect(verdictOf(advanceTrust(start(TRUST), [step(second, TRUST, [change(path, undefined, 'two')])]), path).kind).toBe('refused');
  });

  test('row 70: a file of a key is exchanged only by who may change the policy, and counts only once that is accepted', () => {
    const KEY = 'environments/prod/release.pub';
    const TRUSTING = project(entry('ada', ['commit', 'capsule']), entry('dora', ['policy']), {
      name: 'ci',
      publicKey: { file: KEY },
      for: ['image'],
    });
    const swapped = commit({ parents: [ROOT], by: 'a' });
    const next = commit({ parents: [swapped] });
    const before = readTrustPolicy(TRUSTING, new Map([[KEY, { text: 'old' }]]));
    const after = readTrustPolicy(TRUSTING, new Map([[KEY, { text: 'new' }]]));

    const units = [PROJECT, KEY].map((path) => ({ path, id: content('one') }));
    const began = startTrust({ commit: ROOT, project: TRUSTING, policy: before.policy, units });
    const state = advanceTrust(began, [
      { ...step(swapped, TRUSTING, [change(KEY, 'one', 'two')]), policy: before.policy },
      { ...step(next, TRUSTING, []), policy: after.policy },
    ]);

    expect(verdictOf(state, KEY).kind).toBe('refused');
    expect(policyAfter(state, after.policy)).toBe(before.policy);
  });

  test('row 70: what stood while nobody was asked is not brought back without a signature later', () => {
    const CAPSULES = project(entry('ada', ['capsule', 'commit']));
    const OPEN = project(entry('ada', ['commit']));
    const bad = commit({ parents: [ROOT] });
    const ended = commit({ parents: [bad], by: 'a' });
    const begun = commit({ parents: [ended], by: 'a' });
    const broken = commit({ parents: [begun] });
    const back = commit({ parents: [broken] });

    const state = advanceTrust(start(CAPSULES), [
      step(bad, CAPSULES, [change(WEB, 'one', 'two')]),
      step(ended, CAPSULES, CHANGED),
      step(begun, OPEN, [change(PROJECT, 'two', 'three')]),
      step(broken, CAPSULES, [change(WEB, 'two', 'evil')]),
      step(back, CAPSULES, [change(WEB, 'evil', 'one')]),
    ]);

    expect(verdictOf(state, WEB).kind).toBe('unsigned');
  });
});

describe('row 59: an old branch turns nothing back', () => {
  const TRUST = project(entry('ada', ['commit']));
  const stale = commit({ parents: [ROOT], by: 'a', message: 'stale\n' });
  const merge = commit({ parents: [ROOT, stale], by: 'f' });

  test('row 59: a signed branch that does not change a path itself vouches for no older content of it', () => {
    const untouched = { ...side([stale], { [DEV]: 'one' }), range: [{ commit: stale, units: [PROD] }] };
    const merged = { ...step(merge, TRUST, [change(DEV, 'two', 'one')]), sides: [untouched] };

    expect(verdictOf(advanceTrust(start(TRUST), [merged]), DEV)).toMatchObject({
      kind: 'refused',
      sentence: expect.stringContaining('does not change environments/dev/environment.yaml itself'),
    });
  });

  test('row 59: a signed branch that did not know what was accepted last does not replace it', () => {
    const old = { ...side([stale], { [DEV]: 'one' }), knows: new Set<string>() };
    const merged = { ...step(merge, TRUST, [change(DEV, 'two', 'one')]), sides: [old] };

    expect(verdictOf(advanceTrust(start(TRUST), [merged]), DEV)).toMatchObject({
      kind: 'refused',
      sentence: expect.stringContaining('is older than what was accepted'),
    });
  });
});

describe('a seal', () => {
  const TRUST = project(entry('ada', ['commit']), entry('carol', ['capsule']), entry('dora', ['policy']));
  const unsigned = commit({ parents: [ROOT] });
  const BROKEN = [DEV, WEB].map((path) => change(path, 'one', 'two'));
  const sealing = (by: string | undefined, message = 'Seal\n\nTrust-Seal: imported from the old repository\n') =>
    commit({ parents: [unsigned], by, message });

  function after(by: Declared<Project>, seal: ReturnType<typeof sealing>, isEmpty = true): TrustState {
    return advanceTrust(start(by), [step(unsigned, by, BROKEN), { ...emptyStep(seal, by), isEmpty }]);
  }

  test('by who may change the policy accepts everything before it, and says who and why', () => {
    const seal = sealing('d');
    const state = after(TRUST, seal);

    expect([DEV, WEB].map((path) => verdictOf(state, path))).toEqual([
      { kind: 'accepted', by: 'dora', commit: seal.id },
      { kind: 'accepted', by: 'dora', commit: seal.id },
    ]);
    expect(state.seal).toEqual({ commit: seal.id, by: 'dora', reason: 'imported from the old repository' });
  });

  test('accepts nothing that comes after it', () => {
    const seal = sealing('d');
    const later = commit({ parents: [seal] });

    expect(verdictOf(advanceTrust(after(TRUST, seal), [step(later, TRUST, [change(DEV, 'two', 'three')])]), DEV).kind).toBe('unsigned');
  });

  test.each<[string, ReturnType<typeof sealing>, boolean]>([
    ['of somebody who may only sign commits', sealing('a'), true],
    ['of a stranger', sealing('x'), true],
    ['of nobody', sealing(undefined), true],
    ['that changes a file as well, such as a squash with the words of its branch', sealing('d'), false],
    ['without a reason', sealing('d', 'Seal\n\nTrust-Seal: \n'), true],
    ['in the middle of a message', sealing('d', 'Trust-Seal: yes\n\nThe end.\n'), true],
    ['that says it twice', sealing('d', 'Seal\n\nTrust-Seal: a\nTrust-Seal: b\n'), true],
    ['that merges a branch', commit({ parents: [unsigned, ROOT], by: 'd', message: 'Seal\n\nTrust-Seal: a\n' }), true],
  ])('%s does nothing', (_, seal, isEmpty) => {
    const state = after(TRUST, seal, isEmpty);

    expect([DEV, WEB].map((path) => verdictOf(state, path).kind)).toEqual(['unsigned', 'unsigned']);
    expect(state.seal).toBeUndefined();
  });

  test("is nobody's where no entry is for policy, and of nobody whose entry has paths", () => {
    const open = project(entry('ada', ['commit']), entry('carol', ['capsule']));
    const narrow = project(entry('ada', ['commit']), entry('carol', ['capsule']), { ...entry('dora', ['policy']), paths: ['**'] });

    expect(after(open, sealing('a')).seal).toBeUndefined();
    expect(after(narrow, sealing('d')).seal).toBeUndefined();
  });

  test('needs as many people as any threshold for policy asks for, wherever that holds', () => {
    const TWO = withThresholds(
      project(entry('ada', ['commit']), entry('carol', ['capsule']), entry('dora', ['policy']), entry('eve', ['policy'])),
      {
        name: 'two',
        for: ['policy'],
        paths: ['policies/**'],
        atLeast: 2,
      },
    );
    const seal = sealing('d');
    const alone = after(TWO, seal);
    const endorsed = commit({ parents: [seal], by: 'e', message: `Endorse\n\nEndorses: ${seal.id}\n` });
    const between = commit({ parents: [seal] });
    const late = commit({ parents: [between], by: 'e', message: `Endorse\n\nEndorses: ${between.id}\n` });

    expect(alone.seal).toBeUndefined();
    expect(advanceTrust(alone, [emptyStep(endorsed, TWO)]).seal).toMatchObject({ by: 'dora' });
    expect(advanceTrust(alone, [step(between, TWO, [change(PROD, 'one', 'evil')]), emptyStep(late, TWO)]).seal).toBeUndefined();
  });
});
