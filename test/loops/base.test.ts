import { beforeAll, expect, test } from 'vitest';

import { validateSnapshot } from '#loops/check.ts';
import { compareProblems } from '#model/problem.ts';
import { type Change, changed, edit, edits, type Garden, plantedGarden, seen, worldOf } from './garden.ts';
import { DEV, NOTE, PROD, PROD_CONFIG, REDIS, release } from './rule-changes.ts';

let garden: Garden;

beforeAll(async () => {
  garden = await plantedGarden();
});

/** What `validate --base` finds at the head of a change of `from`, what it looked at, and how much it rendered. */
async function since(from: Garden, change: Change) {
  const now = await changed(from, change);
  const world = await worldOf(now);
  const [head, base] = [await world.reading.at(now.head), await world.reading.at(from.head)];
  const { problems, affected, suppressed } = await validateSnapshot(world, head, undefined, base);
  const { renders } = world.renderer.counts();
  return {
    problems: seen([...problems].sort(compareProblems)),
    suppressed: seen(suppressed),
    capsules: [...(affected?.capsules ?? [])].sort(),
    environments: [...(affected?.environments ?? [])].sort(),
    renders,
  };
}

const NOTHING = { problems: [], suppressed: [], capsules: [], environments: [], renders: 0 };

test('against a base, what did not move is not rendered', async () => {
  expect(await since(garden, { 'README.md': 'hello\n' })).toEqual(NOTHING);
});

test('a change of one environment looks at that one alone', async () => {
  // Two instances, rendered twice each.
  expect(await since(garden, { [PROD_CONFIG]: 'greeting: Salut\n' })).toEqual({ ...NOTHING, environments: ['prod'], renders: 4 });
});

test('a change of a capsule renders what is locked once, and what it brings twice', async () => {
  // Web and redis on three targets; the new web on three.
  expect(await since(garden, release())).toEqual({ ...NOTHING, capsules: ['web'], environments: ['dev', 'prod'], renders: 6 + 2 * 3 });
});

test('a change of a capsule shows its mistakes in the environments that use it', async () => {
  const found = await since(garden, release({ [NOTE]: edit('kind: ConfigMap\n', '') }));

  expect(found).toMatchObject({ capsules: ['web'], environments: ['dev', 'prod'] });
  expect(found.problems.filter((problem) => problem.includes(NOTE)).length).toBeGreaterThan(0);
});

test('a mistake that was there before is told to whoever touches its place, and to nobody else', async () => {
  const wrong = await changed(garden, {
    [DEV]: edit('name: dev', 'name: dev\n  annotations:\n    a: b'),
    [PROD_CONFIG]: 'greeting: Hello\n',
  });
  const repeated = ['~V-78 override-repeats environments/prod/config/web.yaml:1:11'];

  expect(await since(wrong, { 'README.md': 'hello\n' })).toEqual(NOTHING);
  expect(await since(wrong, { [PROD]: (before) => `${before}# touched\n` })).toMatchObject({ problems: repeated, environments: ['prod'] });
});

test('a mistake that a change makes in another place is told', async () => {
  const other = edits(edit('version: 7.2.5', 'version: 7.3.0'), edit('protocol: redis', 'protocol: memcached'));

  const found = await since(garden, { [REDIS]: other });

  expect(found).toMatchObject({ capsules: ['redis'], environments: ['dev', 'prod'] });
  expect(found.problems).toContain('V-18 wiring-mismatch capsules/web/capsule.yaml:35:19');
});

test('a policy or the project concerns everything', async () => {
  const found = await since(garden, { 'environments/project.yaml': (before) => `${before}# touched\n` });

  expect(found).toEqual({ ...NOTHING, environments: ['dev', 'prod'], renders: 12 });
});

test('a comment silences the warning that only a rendering finds', async () => {
  const comment = '# capstan-ignore V-78: the same on purpose, until 2099-01-31\n';

  const found = await since(garden, { [PROD_CONFIG]: `${comment}greeting: Hello\n` });

  expect(found).toMatchObject({ problems: [], suppressed: ['~V-78 override-repeats environments/prod/config/web.yaml:2:11'] });
});
