import { join } from 'node:path';

import { expect, test } from 'vitest';

import { filesBelow, golden } from '#test/golden/golden.ts';
import { changed, GARDEN, seen, validated, withLocks } from '#test/loops/garden.ts';
import { renderedDev } from '#test/loops/rendered-dev.ts';
import { newOutside } from '#test/stories/outside.ts';

/** `test/golden/<name>/repository` in commits, with its locks. */
async function planted(name: string) {
  const files = filesBelow(join(import.meta.dirname, name, 'repository'));
  const project = { 'environments/project.yaml': GARDEN['environments/project.yaml'] ?? '' };
  return withLocks(await changed({ outside: newOutside(), files: {}, head: undefined }, { ...project, ...files }));
}

const LOCKED = {
  'compose-extends': [
    'greeter 1.0.0 by environment',
    'greeter.team-web 1.4.0 by greeter',
    'greeter.team-web.base-web 2.1.0 by greeter.team-web',
  ],
  'compose-bundle': [
    'shop 1.2.0 by environment',
    'shop.cache 7.2.5 by shop, shop.front',
    'shop.front 3.0.0 by shop',
    'shop.front.sessions 7.2.5 by shop.front',
  ],
} as const;

test.each(['compose-extends', 'compose-bundle'] as const)('%s: declared, locked and rendered', async (name) => {
  const garden = await planted(name);
  expect(seen(await validated(garden))).toEqual([]);
  const { prepared, target } = await renderedDev(garden);
  expect(prepared.pins.map(({ instance, version, requestedBy }) => `${instance} ${version} by ${requestedBy.join(', ')}`)).toEqual(
    LOCKED[name],
  );
  const { actual, expected } = golden(name, target);
  expect(actual).toEqual(expected);
});
