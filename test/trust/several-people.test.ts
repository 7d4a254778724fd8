import { describe, expect, test } from 'vitest';

import type { Commit } from '#model/git-objects.ts';
import type { MergedSide, TrustState } from '#model/trust.ts';
import {
  change,
  commit,
  content,
  declared,
  emptyStep,
  endorsement,
  entry,
  project,
  side,
  step,
  withThresholds,
} from '#test/trust/build-history.ts';
import { advanceTrust, explainVerdict, startTrust, verdictOf } from '#trust/trust.ts';

const PROD = 'environments/prod/environment.yaml';
const DEV = 'environments/dev/environment.yaml';
const LOCK = 'environments/prod/environment.lock.yaml';
const PROJECT = 'environments/project.yaml';
const PEOPLE = ['ada', 'bob', 'carol'].map((name) => entry(name, ['commit']));
const TWO = { name: 'prod-by-two', for: ['commit'] as const, paths: ['environments/prod/**'], of: ['ada', 'bob', 'carol'], atLeast: 2 };
const TRUST = withThresholds(project(...PEOPLE, entry('dora', ['commit']), entry('engine', ['engine'])), TWO);
const ROOT = commit({ message: 'root\n' });

function start(by = TRUST): TrustState {
  const units = [PROD, DEV, LOCK, PROJECT].map((path) => ({ path, id: content('one') }));
  return startTrust({ commit: ROOT, ...declared(by), units });
}

const CHANGE = [change(PROD, 'one', 'two')];

/** A branch of commits, of which each changes the units, or (an endorsement) none of them. */
function branch(commits: readonly { readonly of: Commit; readonly word: string; readonly endorses?: boolean }[]): MergedSide {
  const whole = side(
    commits.map((one) => one.of),
    { [PROD]: commits.at(-1)?.word ?? '' },
  );
  const range = commits.map(({ of, word, endorses }) => ({
    commit: of,
    units: endorses === true ? [] : [PROD],
    contents: new Map([[PROD, content(word)]]),
  }));
  return { ...whole, range };
}

describe('two of three', () => {
  test('one signature is not enough, and the verdict says whose there is', () => {
    const one = commit({ parents: [ROOT], by: 'a' });

    const state = advanceTrust(start(), [step(one, TRUST, CHANGE)]);

    expect(verdictOf(state, PROD)).toEqual({
      kind: 'refused',
      commit: one.id,
      sentence: `${PROD} was changed by ${one.id.slice(0, 10)}: threshold prod-by-two asks for 2 people of ada, bob, carol: signed by ada`,
    });
    expect(verdictOf(advanceTrust(start(), [step(one, TRUST, [change(DEV, 'one', 'two')])]), DEV).kind).toBe('accepted');
  });

  test('somebody who may sign, and is not among the three, is none of the two', () => {
    const one = commit({ parents: [ROOT], by: 'a' });
    const other = endorsement(one, 'd');

    const state = advanceTrust(start(), [step(one, TRUST, CHANGE), emptyStep(other, TRUST)]);

    expect(verdictOf(state, PROD).kind).toBe('refused');
  });

  test('an endorsement by another of them right after it is the second signature', () => {
    const one = commit({ parents: [ROOT], by: 'a' });
    const two = endorsement(one, 'b');

    const state = advanceTrust(start(), [step(one, TRUST, CHANGE), emptyStep(two, TRUST)]);

    expect(explainVerdict(PROD, verdictOf(state, PROD))).toBe(`${PROD} is accepted: ada, bob vouch for it in ${two.id.slice(0, 10)}`);
  });

  test.each<[string, (first: Commit) => Commit]>([
    ['by the same person', (first) => endorsement(first, 'a')],
    ['by nobody', (first) => endorsement(first, undefined)],
    ['by a stranger', (first) => endorsement(first, 'x')],
    ['of another commit', (first) => commit({ parents: [first], by: 'b', message: `Endorse\n\nEndorses: ${ROOT.id}\n` })],
    ['that says so in its subject alone', (first) => commit({ parents: [first], by: 'b', message: `Endorses: ${first.id}\n\nNot so.\n` })],
    [
      'that says it twice',
      (first) => commit({ parents: [first], by: 'b', message: `E\n\nEndorses: ${first.id}\nEndorses: ${first.id}\n` }),
    ],
    ['that is only an empty commit', (first) => commit({ parents: [first], by: 'b', message: 'Retry the build\n' })],
  ])('an endorsement %s is no second signature', (_, endorsing) => {
    const one = commit({ parents: [ROOT], by: 'a' });

    const state = advanceTrust(start(), [step(one, TRUST, CHANGE), emptyStep(endorsing(one), TRUST)]);

    expect(verdictOf(state, PROD).kind).toBe('refused');
  });

  test('an endorsement that changes a file is none: it may say one thing and do another', () => {
    const one = commit({ parents: [ROOT], by: 'a' });
    const two = { ...step(endorsement(one, 'b'), TRUST, []), isEmpty: false };

    expect(verdictOf(advanceTrust(start(), [step(one, TRUST, CHANGE), two]), PROD).kind).toBe('refused');
  });

  test('two keys of one person are one person, whatever the entries are called', () => {
    const twins = withThresholds(
      project({ ...entry('ada', ['commit']), user: 'ada' }, { ...entry('bob', ['commit']), user: 'Ada' }, entry('carol', ['commit'])),
      TWO,
    );
    const same = withThresholds(
      project(entry('ada', ['commit']), { ...entry('ada', ['commit']), name: 'bob' }, entry('carol', ['commit'])),
      TWO,
    );
    const one = commit({ parents: [ROOT], by: 'a' });

    expect(verdictOf(advanceTrust(start(twins), [step(one, twins, CHANGE), emptyStep(endorsement(one, 'b'), twins)]), PROD).kind).toBe(
      'refused',
    );
    expect(verdictOf(advanceTrust(start(same), [step(one, same, CHANGE), emptyStep(endorsement(one, 'a'), same)]), PROD).kind).toBe(
      'refused',
    );
  });

  test('a merge that one signed of a branch that another signed has both', () => {
    const topic = commit({ parents: [ROOT], by: 'b', message: 'topic\n' });
    const merge = commit({ parents: [ROOT, topic], by: 'c' });
    const merged = { ...step(merge, TRUST, CHANGE), sides: [branch([{ of: topic, word: 'two' }])] };

    expect(verdictOf(advanceTrust(start(), [merged]), PROD)).toEqual({
      kind: 'accepted',
      by: 'carol',
      commit: merge.id,
      vouching: [
        { by: 'carol', commit: merge.id },
        { by: 'bob', commit: topic.id },
      ],
    });
  });

  test('a branch that one signed and another endorsed is accepted when a forge merges or squashes it', () => {
    const topic = commit({ parents: [ROOT], by: 'a', message: 'topic\n' });
    const endorsed = endorsement(topic, 'c');
    const sides = [
      branch([
        { of: topic, word: 'two' },
        { of: endorsed, word: 'two', endorses: true },
      ]),
    ];
    const merge = { ...step(commit({ parents: [ROOT, endorsed], by: 'f' }), TRUST, CHANGE), sides };
    const squash = { ...step(commit({ parents: [ROOT], by: 'f' }), TRUST, CHANGE), sides };

    expect([merge, squash].map((one) => verdictOf(advanceTrust(start(), [one]), PROD).kind)).toEqual(['accepted', 'accepted']);
  });

  test('an endorsement of a branch counts for the content that it saw, not for what came later', () => {
    const topic = commit({ parents: [ROOT], by: 'a', message: 'topic\n' });
    const endorsed = endorsement(topic, 'c');
    const late = commit({ parents: [endorsed], by: 'a', message: 'late\n' });
    const merge = {
      ...step(commit({ parents: [ROOT, late], by: 'f' }), TRUST, [change(PROD, 'one', 'evil')]),
      sides: [
        branch([
          { of: topic, word: 'two' },
          { of: endorsed, word: 'two', endorses: true },
          { of: late, word: 'evil' },
        ]),
      ],
    };

    expect(verdictOf(advanceTrust(start(), [merge]), PROD).kind).toBe('refused');
  });

  test('somebody who only worked on the same branch did not sign what another changed there', () => {
    const topic = commit({ parents: [ROOT], by: 'a', message: 'topic\n' });
    const readme = commit({ parents: [topic], by: 'c', message: 'mend a typo\n' });
    const whole = branch([
      { of: topic, word: 'two' },
      { of: readme, word: 'two', endorses: true },
    ]);
    const merge = { ...step(commit({ parents: [ROOT, readme], by: 'f' }), TRUST, CHANGE), sides: [whole] };

    expect(verdictOf(advanceTrust(start(), [merge]), PROD).kind).toBe('refused');
  });

  test('a removal needs both signatures, too, and a signed second one lets it go', () => {
    const gone = commit({ parents: [ROOT], by: 'a' });
    const alone = advanceTrust(start(), [step(gone, TRUST, [change(PROD, 'one', undefined)])]);

    expect(verdictOf(alone, PROD).kind).toBe('refused');
    expect(advanceTrust(alone, [emptyStep(endorsement(gone, 'b'), TRUST)]).units.has(PROD)).toBe(false);
  });

  test('a second signature stands under what is there when it is given: a change in between begins anew', () => {
    const one = commit({ parents: [ROOT], by: 'a' });
    const unsigned = commit({ parents: [one] });
    const two = endorsement(unsigned, 'b');

    const state = advanceTrust(start(), [
      step(one, TRUST, CHANGE),
      step(unsigned, TRUST, [change(PROD, 'two', 'evil')]),
      emptyStep(two, TRUST),
    ]);

    expect(verdictOf(state, PROD).kind).toBe('refused');
  });

  test('what an engine signs of a lock is for gates to hold, what a person signs of it is counted', () => {
    const promoted = commit({ parents: [ROOT], by: 'e' });
    const byHand = commit({ parents: [ROOT], by: 'a' });
    const lock = [change(LOCK, 'one', 'two')];

    expect(verdictOf(advanceTrust(start(), [step(promoted, TRUST, lock)]), LOCK).kind).toBe('accepted');
    expect(verdictOf(advanceTrust(start(), [step(byHand, TRUST, lock)]), LOCK).kind).toBe('refused');
  });

  test('every threshold that matches holds', () => {
    const three = { name: 'three', for: ['commit'] as const, paths: ['environments/prod/environment.yaml'], atLeast: 3 };
    const both = withThresholds(project(...PEOPLE), TWO, three);
    const one = commit({ parents: [ROOT], by: 'a' });
    const two = endorsement(one, 'b');
    const steps = [step(one, both, CHANGE), emptyStep(two, both)];

    const state = advanceTrust(start(both), steps);

    expect(explainVerdict(PROD, verdictOf(state, PROD))).toContain('threshold three asks for 3 people: signed by ada, bob');
    expect(verdictOf(advanceTrust(state, [emptyStep(endorsement(two, 'c'), both)]), PROD).kind).toBe('accepted');
  });
});

test('without a threshold, an endorsement signs afterwards what nobody signed', () => {
  const open = project(entry('ada', ['commit']));
  const unsigned = commit({ parents: [ROOT] });

  const state = advanceTrust(start(open), [step(unsigned, open, CHANGE), emptyStep(endorsement(unsigned, 'a'), open)]);

  expect(verdictOf(state, PROD)).toMatchObject({ kind: 'accepted', by: 'ada' });
});
