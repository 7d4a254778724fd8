import { beforeAll, expect, test } from 'vitest';

import { planLock } from '#loops/lock.ts';
import { renderAt } from '#loops/rendered-difference.ts';
import { changed, edit, type Garden, plantedGarden, seen, worldOf } from './garden.ts';
import { DEV, library, LOCK } from './rule-changes.ts';

const CART = 'capsules/cart/capsule.yaml';
const ASKED = edit('    web:\n', '    cart:\n      version: ^1.0.0\n    web:\n');

let garden: Garden;

beforeAll(async () => {
  garden = await plantedGarden();
});

/** What stops `lock`, and what stops `render`. */
async function stopped(change: Parameters<typeof changed>[1]): Promise<readonly (readonly string[])[]> {
  const now = await changed(garden, { [DEV]: ASKED, [LOCK]: undefined, ...change });
  const world = await worldOf(now);
  const declarations = await world.reading.declarations(await world.reading.at(now.head));
  const dev = declarations.state.environments.find(({ name }) => name === 'dev');
  if (dev === undefined) throw new Error('there is a dev');
  const results = [await planLock(world, declarations, dev), (await renderAt(world, declarations, 'dev'))?.result];
  return results.map((result) => (result?.ok === false ? seen(result.problems) : []));
}

test('a capsule that cannot be parsed says so itself, to lock as to render', async () => {
  const told = ['V-01 yaml-feature capsules/cart/capsule.yaml:4:9'];
  expect(await stopped({ [CART]: library('cart').replace('name: cart', 'name: &x cart') })).toEqual([told, told]);
});

test('a folder that is no capsule is a missing capsule', async () => {
  const told = ['V-17 unknown-capsule environments/dev/environment.yaml:20:5'];
  expect(await stopped({ 'capsules/cart/capsule.yml': library('cart') })).toEqual([told, told]);
});

test('a capsule that nobody wrote is missing, whatever else cannot be read', async () => {
  const told = ['V-17 unknown-capsule environments/dev/environment.yaml:20:5'];
  expect(await stopped({ 'capsules/card/capsule.yaml': 'a: [\n' })).toEqual([told, told]);
});
