import { expect, test } from 'vitest';

import { resolveEnvironment } from '#resolve/resolve.ts';
import { environment, pin, resolvedLines, world } from './worlds.ts';

const LEGACY = { conflicts: [{ capsule: 'legacy', version: '*' }] };
const BOTH = { greeter: { version: '*' }, legacy: { version: '*' } };

test('V-21: two requested capsules that exclude each other, with who asked for them', () => {
  const answer = resolveEnvironment({
    environment: environment('prod', BOTH),
    ...world({ greeter: { '1.4.2': LEGACY }, legacy: { '1.0.0': {} } }),
    locked: [],
    move: new Map(),
  });

  expect(answer).toEqual({
    kind: 'unresolvable',
    problems: [
      {
        code: 'capsule-conflict',
        rule: 'V-21',
        severity: 'error',
        phase: 'resolve',
        message: 'greeter@1.4.2 conflicts with legacy@1.0.0 in environment prod',
        remedy: 'Take one of the two out of environment prod, or ask for versions that go together.',
        place: { file: 'environments/prod/environment.yaml', line: 1, column: 1, pointer: '/spec/capsules/legacy' },
        related: [
          { file: 'environments/prod/environment.yaml', line: undefined, note: 'greeter@1.4.2 is asked for by the environment' },
          { file: 'environments/prod/environment.yaml', line: undefined, note: 'legacy@1.0.0 is asked for by the environment' },
          { file: 'capsules/greeter/capsule.yaml', line: undefined, note: 'spec.conflicts[0] of greeter@1.4.2 says so' },
        ],
      },
    ],
  });
});

test('V-21: it does not matter which of the two says so, nor which is decided first', () => {
  const shelf = world({ greeter: { '1.4.2': {} }, legacy: { '1.0.0': { conflicts: [{ capsule: 'greeter', version: '^1.0.0' }] } } });

  expect(resolvedLines(shelf, environment('dev', BOTH))).toEqual(['V-21: legacy@1.0.0 conflicts with greeter@1.4.2 in environment dev']);
});

test('V-21: a prerelease is a version like any other', () => {
  const shelf = world({ greeter: { '1.4.2': LEGACY }, legacy: { '2.0.0-rc.1': {} } });
  const wanted = { ...BOTH, legacy: { version: '2.0.0-rc.1' } };

  expect(resolvedLines(shelf, environment('dev', wanted))).toEqual([
    'V-21: greeter@1.4.2 conflicts with legacy@2.0.0-rc.1 in environment dev',
  ]);
});

test('V-21: other versions than those that a conflict names go together', () => {
  const shelf = world({
    greeter: { '1.4.2': { conflicts: [{ capsule: 'legacy', version: '<2.0.0' }] } },
    legacy: { '1.0.0': {}, '2.0.0': {} },
  });

  expect(resolvedLines(shelf, environment('dev', BOTH))).toEqual([
    'greeter greeter@1.4.2 wave 0 by environment',
    'legacy legacy@2.0.0 wave 0 by environment',
  ]);
});

test('an older version without the conflict is taken, whichever of the two has one', () => {
  const older = world({ greeter: { '1.4.1': {}, '1.4.2': LEGACY }, legacy: { '1.0.0': {} } });
  const newer = world({
    greeter: { '1.4.2': {} },
    legacy: { '1.0.0': {}, '1.1.0': { conflicts: [{ capsule: 'greeter', version: '*' }] } },
  });

  expect(resolvedLines(older, environment('dev', BOTH))).toEqual([
    'greeter greeter@1.4.1 wave 0 by environment',
    'legacy legacy@1.0.0 wave 0 by environment',
  ]);
  expect(resolvedLines(newer, environment('dev', BOTH))).toEqual([
    'greeter greeter@1.4.2 wave 0 by environment',
    'legacy legacy@1.0.0 wave 0 by environment',
  ]);
});

test('an optional dependency that conflicts is skipped with a note', () => {
  const shelf = world({
    greeter: { '1.4.2': { dependencies: { old: { capsule: 'legacy', version: '*', optional: true } } } },
    legacy: { '1.0.0': { conflicts: [{ capsule: 'other', version: '*' }] } },
    other: { '1.0.0': {} },
  });
  const wanted = { greeter: { version: '*' }, other: { version: '*' } };
  const answer = resolveEnvironment({ environment: environment('dev', wanted), ...shelf, locked: [], move: new Map() });
  const { resolution } = answer.kind === 'resolved' ? answer : { resolution: undefined };

  expect(resolution?.instances.map((one) => [one.pin.instance, Object.fromEntries(one.capabilities)])).toEqual([
    ['greeter', { old: false }],
    ['other', {}],
  ]);
  expect(resolution?.notes).toEqual([
    'greeter goes without its optional dependency "old": legacy@1.0.0 conflicts with other@1.0.0 in environment dev',
  ]);
});

test('two instances of a capsule that excludes itself cannot stand side by side, one can', () => {
  const shelf = world({ greeter: { '1.4.2': { conflicts: [{ capsule: 'greeter', version: '*' }] } } });
  const two = { blue: { capsule: 'greeter', version: '*' }, green: { capsule: 'greeter', version: '*' } };

  expect(resolvedLines(shelf, environment('dev', two))).toEqual([
    'V-21: blue (greeter@1.4.2) conflicts with green (greeter@1.4.2) in environment dev',
  ]);
  expect(resolvedLines(shelf, environment('dev', { greeter: { version: '*' } }))).toEqual(['greeter greeter@1.4.2 wave 0 by environment']);
});

test('what is locked gives way to nothing: the newcomer that conflicts takes another version', () => {
  const shelf = world({ greeter: { '1.4.2': {} }, zoo: { '1.0.0': {}, '1.1.0': { conflicts: [{ capsule: 'greeter', version: '*' }] } } });
  const wanted = { greeter: { version: '*' }, zoo: { version: '*' } };

  expect(resolvedLines(shelf, environment('dev', wanted), { locked: [pin('greeter', '1.4.2')] })).toEqual([
    'greeter greeter@1.4.2 wave 0 by environment',
    'zoo zoo@1.0.0 wave 0 by environment',
  ]);
});
