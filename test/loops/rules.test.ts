import { beforeAll, describe, expect, test } from 'vitest';

import { prepareEnvironment } from '#loops/prepare-environment.ts';
import type { Renderer } from '#ports/renderer.ts';
import { rendererInProcess } from '#test/stories/engine.ts';
import { type Change, changed, edit, type Garden, plantedGarden, seen, validated, worldOf } from './garden.ts';
import { DEV, LOCK, NOTE, PROD, release, type Row } from './rule-changes.ts';
import { NEAR_MISSES } from './rule-near-misses.ts';
import { AGENT_NEAR_MISSES, AGENT_VIOLATIONS } from './rule-rows-agents.ts';
import { BREAKING_NEAR_MISSES, BREAKING_VIOLATIONS } from './rule-rows-breaking.ts';
import { COMPOSITION_NEAR_MISSES, COMPOSITION_VIOLATIONS } from './rule-rows-composition.ts';
import { OBJECT_NEAR_MISSES, OBJECT_VIOLATIONS } from './rule-rows-objects.ts';
import { OPERATION_NEAR_MISSES, OPERATION_VIOLATIONS } from './rule-rows-operations.ts';
import { REVIEW_NEAR_MISSES, REVIEW_VIOLATIONS } from './rule-rows-review.ts';
import { SECRET_NEAR_MISSES, SECRET_VIOLATIONS } from './rule-rows-secrets.ts';
import { SUCCESSION_NEAR_MISSES, SUCCESSION_VIOLATIONS } from './rule-rows-succession.ts';
import { VIOLATIONS } from './rule-violations.ts';

const ALL_VIOLATIONS: readonly Row[] = [
  // A line for each file of rows.
  ...VIOLATIONS,
  ...AGENT_VIOLATIONS,
  ...BREAKING_VIOLATIONS,
  ...COMPOSITION_VIOLATIONS,
  ...SECRET_VIOLATIONS,
  ...OBJECT_VIOLATIONS,
  ...OPERATION_VIOLATIONS,
  ...REVIEW_VIOLATIONS,
  ...SUCCESSION_VIOLATIONS,
];

const ALL_NEAR_MISSES: readonly Row[] = [
  // A line for each file of rows.
  ...NEAR_MISSES,
  ...AGENT_NEAR_MISSES,
  ...BREAKING_NEAR_MISSES,
  ...COMPOSITION_NEAR_MISSES,
  ...SECRET_NEAR_MISSES,
  ...OBJECT_NEAR_MISSES,
  ...OPERATION_NEAR_MISSES,
  ...REVIEW_NEAR_MISSES,
  ...SUCCESSION_NEAR_MISSES,
];

let garden: Garden;

beforeAll(async () => {
  garden = await plantedGarden();
});

async function after(changes: Change | readonly Change[]): Promise<Garden> {
  let now = garden;
  for (const change of changes instanceof Array ? (changes as readonly Change[]) : [changes as Change]) now = await changed(now, change);
  return now;
}

test('the garden itself has nothing wrong', async () => {
  expect(seen(await validated(garden))).toEqual([]);
});

describe('validate finds', () => {
  test.each(ALL_VIOLATIONS)('%s', async (_, changes, expected) => {
    expect(seen(await validated(await after(changes)))).toEqual(expected);
  });
});

describe('validate does not mind', () => {
  test.each(ALL_NEAR_MISSES)('%s', async (_, changes, expected) => {
    expect(seen(await validated(await after(changes)))).toEqual(expected);
  });
});

/** A renderer whose every answer differs from the one before. */
function restless(): Renderer {
  const calm = rendererInProcess();
  let answers = 0;
  return {
    ...calm,
    async render(units, signal) {
      answers += 1;
      const rendered = await calm.render(units, signal);
      return rendered.map((one) =>
        one.ok
          ? {
              ok: true,
              value: { ...one.value, objects: one.value.objects.map((object) => ({ ...object, text: `${object.text}# ${answers}\n` })) },
            }
          : one,
      );
    },
  };
}

test('V-89: validate renders twice and compares', async () => {
  expect(seen(await validated(garden, restless()))).toEqual([
    'V-89 rendering-not-deterministic capsules/redis/capsule.yaml',
    'V-89 rendering-not-deterministic capsules/redis/capsule.yaml',
    'V-89 rendering-not-deterministic capsules/web/capsule.yaml',
    'V-89 rendering-not-deterministic capsules/web/capsule.yaml',
  ]);
});

test('a mistake in several targets is told once, with their names', async () => {
  const [problem] = await validated(await after({ [DEV]: edit('replicas: 1', 'replicas: 50') }));
  expect(problem?.message).toBe(
    'dev/one web: /replicas must be ≤ 20 (value 50 from environments/dev/environment.yaml:23); the same in dev/two',
  );
});

describe('a run of dev', () => {
  async function run(changes: Change | readonly Change[]): Promise<readonly string[] | 'ready'> {
    const now = await after(changes);
    const prepared = await prepareEnvironment(await worldOf(now), 'dev', now.head);
    if (prepared.kind === 'ready') return 'ready';
    return prepared.ending.kind === 'stuck' ? seen(prepared.ending.problems) : [prepared.ending.kind];
  }

  test.each<Row>([
    ['V-01 in its own file', { [DEV]: edit('risk: low', 'risk: &x low') }, ['V-01 yaml-feature environments/dev/environment.yaml:6:9']],
    ['V-16 in its own range', { [DEV]: edit('^1.0.0', 'newest') }, ['V-16 range-invalid environments/dev/environment.yaml:21:16']],
    ['V-17', { [DEV]: edit('    web:\n', '    wbe:\n') }, ['V-17 unknown-capsule environments/dev/environment.yaml:20:5']],
    ['V-41', { [DEV]: edit('environments: []', 'environments: [dev]') }, ['V-41 promotion-cycle environments/dev/environment.yaml:26:22']],
    ['V-46', { [LOCK]: edit('- environment', '- redis') }, ['V-46 lock-edited environments/dev/environment.lock.yaml:20:5']],
    ['V-47', { [LOCK]: undefined }, ['V-47 lock-missing environments/dev/environment.yaml']],
    [
      'V-48, a tree that nobody has',
      { [LOCK]: (text) => text.replace(/gitTree: .*/, `gitTree: ${'a'.repeat(40)}`) },
      ['V-48 lock-content-mismatch environments/dev/environment.lock.yaml:10:14'],
    ],
    [
      'V-77',
      { [DEV]: edit('replicas: 1', 'replicas: 12') },
      ['V-77 config-assertion-failed capsules/web/capsule.yaml:47:9', 'V-77 config-assertion-failed capsules/web/capsule.yaml:47:9'],
    ],
    [
      'V-97, a policy that would not be asked',
      { [DEV]: (text) => `${text}  policies:\n    - ref: nobody\n` },
      ['V-97 reference-undeclared environments/dev/environment.yaml:32:12'],
    ],
  ])('is stuck by %s', async (_, changes, expected) => {
    expect(await run(changes)).toEqual(expected);
  });

  test.each([
    ['another environment', { [PROD]: edit('^1.0.0', 'newest') }],
    ['a new release that is not locked', release({ [NOTE]: edit('kind: ConfigMap\n', '') })],
    ['an object of a release that is not locked', release({ [NOTE]: (text) => `${text}dta: {}\n` })],
    ['a file that nobody reads', { 'environments/test.yaml': 'a: b\n' }],
  ])('goes on with a mistake in %s', async (_, changes) => {
    expect(await run(changes)).toBe('ready');
  });
});
