import { describe, expect, test } from 'vitest';

import { importKey } from '#model/imports.ts';
import { toCapsuleName } from '#model/names.ts';
import type { ImportedRelease } from '#model/resolution.ts';
import { commitOf, environment, pin as locked, resolvedLines, world, type Shelf } from './worlds.ts';

const pin = (version: string) => ({ url: 'https://git.example/p.git', commit: commitOf(`redis@${version}`), path: 'redis' });
const imports = (version: string) => ({ imports: { redis: pin(version) } });
const needs = { dependencies: { cache: { capsule: 'redis', version: '^7.0.0' } } };

/** A world in which versions of redis are imports of which this is known. */
function importing(shelf: Shelf, known: Readonly<Record<string, ImportedRelease['kind']>>) {
  const where = world({ redis: { '7.2.5': {}, '7.4.0': {} }, ...shelf });
  const found = Object.entries(known).map(([version, kind]): [string, ImportedRelease] => [
    importKey(pin(version)),
    kind === 'here' ? { kind, capsule: toCapsuleName('redis'), version } : kind === 'refused' ? { kind, reason: 'no' } : { kind },
  ]);
  return { ...where, index: { ...where.index, imports: new Map(found) } };
}

const BOTH = { '7.2.5': 'here', '7.4.0': 'here' } as const;
const WEB = { web: { version: '*' } };
const MISSING = 'which this clone does not have';

test('the pinned version is taken, not the newest that somebody else imports', () => {
  const shelf = importing({ web: { '1.0.0': { ...imports('7.2.5'), ...needs } } }, BOTH);

  expect(resolvedLines(shelf, environment('dev', WEB))).toEqual(['redis redis@7.2.5 wave 0 by web', 'web web@1.0.0 wave 1 by environment']);
});

test('two pins of one shared capsule do not go together, one outside of the range does not either', () => {
  const web = { '1.0.0': { ...imports('7.2.5'), ...needs } };
  const two = importing({ web, shop: { '1.0.0': { ...imports('7.4.0'), ...needs } } }, BOTH);
  const outside = importing(
    { web: { '1.0.0': { ...imports('7.2.5'), dependencies: { cache: { capsule: 'redis', version: '^7.4.0' } } } } },
    BOTH,
  );

  expect(resolvedLines(two, environment('dev', { ...WEB, shop: { version: '*' } }))).toEqual([
    expect.stringMatching(/^V-20: no version of redis satisfies all of:/),
  ]);
  expect(resolvedLines(outside, environment('dev', WEB))).toEqual([expect.stringMatching(/^V-20: no version of redis satisfies all of:/)]);
});

describe('V-17: an import that is not here', () => {
  test.each<[string, Shelf[string][string]]>([
    ['V-17: of a dependency', needs],
    ['V-17: of what is extended', { extends: { capsule: 'redis', version: '^7.0.0' } }],
    ['V-17: of a child', { type: 'bundle', instances: { cache: { capsule: 'redis', version: '^7.0.0' } } }],
  ])('%s', (_, spec) => {
    const line = (known: 'missing' | 'refused') =>
      resolvedLines(importing({ web: { '1.0.0': { ...imports('7.2.5'), ...spec } } }, { '7.2.5': known }), environment('dev', WEB));
    const from = `V-17: web imports redis from https://git.example/p.git at ${commitOf('redis@7.2.5').slice(0, 12)}`;

    expect(line('missing')).toEqual([`${from}, ${MISSING}`]);
    expect(line('refused')).toEqual([`${from}, which is refused: no`]);
  });

  test('is told without what its address must not hold', () => {
    const pin = { ...imports('7.2.5').imports.redis, url: 'https://eve:hunter2@git.example/p.git?token=abc' };
    const shelf = importing({ web: { '1.0.0': { imports: { redis: pin }, ...needs } } }, { '7.2.5': 'missing' });
    expect(resolvedLines(shelf, environment('dev', WEB))).toEqual([
      `V-17: web imports redis from https://git.example/p.git at ${commitOf('redis@7.2.5').slice(0, 12)}, ${MISSING}`,
    ]);
  });

  test('nothing else is chosen meanwhile: no older version, and no going without what is optional', () => {
    const older = importing({ web: { '1.0.0': {}, '1.1.0': { ...imports('7.2.5'), ...needs } } }, { '7.2.5': 'missing' });
    const optional = { dependencies: { cache: { capsule: 'redis', version: '^7.0.0', optional: true } } };
    const without = importing({ web: { '1.0.0': { ...imports('7.2.5'), ...optional } } }, { '7.2.5': 'missing' });

    expect(resolvedLines(older, environment('dev', WEB))).toEqual([expect.stringContaining(MISSING)]);
    expect(resolvedLines(without, environment('dev', WEB))).toEqual([expect.stringContaining(MISSING)]);
  });

  test('what is locked does not ask for what only a newer version imports', () => {
    const shelf = importing({ web: { '1.0.0': {}, '1.1.0': { ...imports('7.2.5'), ...needs } } }, { '7.2.5': 'missing' });

    expect(resolvedLines(shelf, environment('dev', WEB), { locked: [locked('web', '1.0.0')] })).toEqual([
      'web web@1.0.0 wave 0 by environment',
    ]);
  });
});

describe('near misses', () => {
  test('V-17: what is extended and a child are taken as they are pinned', () => {
    const child = importing(
      { web: { '1.0.0': { ...imports('7.2.5'), type: 'bundle', instances: { cache: { capsule: 'redis', version: '^7.0.0' } } } } },
      BOTH,
    );
    const parent = importing({ web: { '1.0.0': { ...imports('7.2.5'), extends: { capsule: 'redis', version: '^7.0.0' } } } }, BOTH);

    expect(resolvedLines(child, environment('dev', WEB))).toContainEqual(expect.stringContaining('redis@7.2.5'));
    expect(resolvedLines(parent, environment('dev', WEB))).toContainEqual(expect.stringContaining('redis@7.2.5'));
  });
});
