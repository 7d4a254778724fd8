import { expect, test } from 'vitest';

import type { CommitId } from '#model/digest.ts';
import { branchRef } from '#model/names.ts';
import { memoryDisk, memoryRepository } from '#test/contracts/memory-repository.ts';
import { portsOf, startEngine } from '#test/stories/engine.ts';
import { peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, STAGING, type Files } from '#test/stories/shop.ts';
import { capsuleWith, fileOf, heldIn, requestsIn, runningShop } from './composition-shop.ts';

const URL = 'https://git.example/platform.git';

/** Another repository with one commit of these files. */
async function elsewhere(outside: Outside, files: Files): Promise<CommitId> {
  const disk = memoryDisk();
  const repository = memoryRepository(disk);
  const author = { name: 'Eve', email: 'eve@example.org', at: outside.now, zone: '+0000' };
  const changes = Object.entries(files).map(([path, text]) => ({
    kind: 'file' as const,
    path: `platform/${path}`,
    content: Buffer.from(text),
  }));
  const commit = await repository.writeCommit({ base: undefined, changes, parents: [], author, message: 'platform\n' }, undefined);
  outside.elsewhere.set(URL, disk);
  return commit;
}

function importing(commit: CommitId, version = '1.1.0'): Files {
  const pin = `      url: ${URL}\n      commit: ${commit}\n      path: platform/capsules/redis\n`;
  return capsuleWith(version, `  imports:\n    redis:\n${pin}  dependencies:\n    cache:\n      capsule: redis\n      version: ^7.0.0\n`);
}

test('a capsule of another repository is fetched, promoted from environment to environment with its own commit, and runs', async () => {
  const shop = await runningShop([DEV, STAGING]);
  const commit = await elsewhere(shop.outside, capsuleFiles('7.2.5', 'redis'));
  await shop.push(importing(commit), 'web 1.1.0');

  expect(requestsIn(shop.outside)).toEqual([
    'merged promote(dev): redis → 7.2.5, web 1.0.0 → 1.1.0',
    'open promote(staging): redis → 7.2.5, web 1.0.0 → 1.1.0',
  ]);
  expect(fileOf(shop.outside, 'dev/one', 'deployment_shop-dev_redis')).toContain('capstan.dev/version: "7.2.5"');
  const main = (await shop.engine.world.repository.refs()).get(branchRef('main'));
  if (main === undefined) throw new Error('there is a main');
  const { state } = await shop.engine.world.reading.declarations(await shop.engine.world.reading.at(main));
  expect(state.environments[0]?.lock?.value.capsules['redis']).toMatchObject({ version: '7.2.5', commit, requestedBy: ['web'] });

  shop.outside.now = (shop.outside.now + 11 * 60_000) as Outside['now'];
  await shop.engine.tick();
  expect(requestsIn(shop.outside)[1]).toMatch(/^merged /);

  // Nothing is asked of the other repository again, even where nothing is remembered.
  shop.outside.elsewhere.clear();
  const fresh = startEngine(portsOf(shop.outside));
  await fresh.start();
  expect([fresh.endings.get('reconcile/dev'), fresh.endings.get('reconcile/staging')]).toEqual([{ kind: 'settled' }, { kind: 'settled' }]);
});

test('while it cannot be fetched nothing moves and nothing leaves, and what is missing is said', async () => {
  const shop = await runningShop([DEV]);
  const commit = await elsewhere(shop.outside, capsuleFiles('7.2.5', 'redis'));
  const there = shop.outside.elsewhere.get(URL);
  shop.outside.elsewhere.clear();
  await shop.push(importing(commit), 'web 1.1.0');

  expect(requestsIn(shop.outside)).toEqual([]);
  expect(await heldIn(shop, 'dev')).toEqual([`web imports redis from ${URL} at ${commit.slice(0, 12)}, which this clone does not have`]);

  if (there !== undefined) shop.outside.elsewhere.set(URL, there);
  await shop.engine.wake({ kind: 'promote', environment: 'dev' as never });
  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): redis → 7.2.5, web 1.0.0 → 1.1.0']);

  // The mirror is lost, and the other repository with it: what runs stays as it is.
  shop.outside.elsewhere.clear();
  const lost = { ...shop.outside, mirror: memoryDisk() };
  const fresh = startEngine(portsOf(lost));
  await fresh.start();
  expect(fresh.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck', problems: [{ code: 'import-missing' }] });
  expect(requestsIn(shop.outside)).toHaveLength(1);
  expect(fileOf(shop.outside, 'dev/one', 'deployment_shop-dev_redis')).toContain('capstan.dev/version: "7.2.5"');
});

test('who signs the release vouches for what it pins: an unsigned one brings nothing in', async () => {
  const shop = await runningShop([DEV]);
  const commit = await elsewhere(shop.outside, capsuleFiles('7.2.5', 'redis'));
  await peopleOf(shop.outside).push(importing(commit), { by: 'nobody' });
  await shop.engine.wake({ kind: 'look' });
  const view = await shop.engine.world.history.upTo((await shop.engine.world.repository.resolve('main')) ?? commit);
  const redis = view.index.releases.get('redis' as never)?.get('7.2.5');

  expect(redis?.commit).toBe(commit);
  expect(redis === undefined ? undefined : view.trust.ofRelease(redis).kind).toBe('unsigned');
  expect(requestsIn(shop.outside)).toEqual([]);
});

test('imports of an import are fetched, too', async () => {
  const shop = await runningShop([DEV]);
  const base = await elsewhere(shop.outside, {
    'capsules/disk/capsule.yaml': capsuleFiles('3.0.0', 'disk')['capsules/disk/capsule.yaml'] ?? '',
  });
  const other = shop.outside.elsewhere.get(URL);
  const pin = `  imports:\n    disk:\n      url: https://git.example/disk.git\n      commit: ${base}\n      path: platform/capsules/disk\n`;
  const commit = await elsewhere(
    shop.outside,
    capsuleWith('7.2.5', `${pin}  dependencies:\n    disk:\n      capsule: disk\n      version: ^3.0.0\n`, 'redis'),
  );
  if (other !== undefined) shop.outside.elsewhere.set('https://git.example/disk.git', other);
  await shop.push(importing(commit), 'web 1.1.0');

  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): disk → 3.0.0, redis → 7.2.5, web 1.0.0 → 1.1.0']);
});

test('an import of an import is no version of a capsule of this repository', async () => {
  const shop = await runningShop([DEV]);
  const evil = await elsewhere(shop.outside, capsuleFiles('1.9.0', 'web'));
  const other = shop.outside.elsewhere.get(URL);
  const pin = `  imports:\n    web:\n      url: https://git.example/evil.git\n      commit: ${evil}\n      path: platform/capsules/web\n`;
  const commit = await elsewhere(shop.outside, capsuleWith('7.2.5', pin, 'redis'));
  if (other !== undefined) shop.outside.elsewhere.set('https://git.example/evil.git', other);
  await shop.push(importing(commit), 'web 1.1.0');

  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): redis → 7.2.5, web 1.0.0 → 1.1.0']);
  const view = await shop.engine.world.history.upTo((await shop.engine.world.repository.resolve('main')) ?? commit);
  expect([...(view.index.releases.get('web' as never)?.keys() ?? [])]).toEqual(['1.0.0', '1.1.0']);
});
