import { expect, test } from 'vitest';

import { peopleOf } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, STAGING } from '#test/stories/shop.ts';
import { freshLocks } from '#test/stories/stories.ts';
import { asking, capsuleWith, fileOf, heldIn, requestsIn, runningShop } from './composition-shop.ts';

const EXCLUDES_WEB = '  conflicts:\n    - capsule: web\n      version: ">=1.1.0"\n';

test('a release that conflicts with what runs is not promoted, and the reason is told', async () => {
  const shop = await runningShop([DEV]);
  await shop.push({ ...capsuleWith('1.0.0', EXCLUDES_WEB, 'old'), ...asking(DEV, '    old:\n      version: ^1.0.0\n') });
  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): old → 1.0.0']);

  await shop.push(capsuleFiles('1.1.0'));

  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): old → 1.0.0']);
  expect(await heldIn(shop, 'dev')).toEqual(['old@1.0.0 conflicts with web@1.1.0 in environment dev']);
  expect(fileOf(shop.outside, 'dev/one', 'deployment_shop-dev_web')).toContain('app.kubernetes.io/version: "1.0.0"');
});

const REDIS = `  provides:
    cache:
      protocol: redis
      port: http
      outputs:
        url: redis://{{name}}.{{namespace}}.svc:8080
  config:
    schema:
      type: object
      additionalProperties: false
      properties:
        size:
          type: string
          default: small
        eviction:
          type: string
          default: none
`;
const SIZE = '      env:\n        SIZE:\n          config: size\n        EVICTION:\n          config: eviction\n';
const NEEDS_CACHE = `  dependencies:
    cache:
      type: cache
      version: ^7.0.0
      requires:
        protocol: redis
`;
const WIRED = '      env:\n        CACHE_URL:\n          dependency: cache\n          output: url\n';

test('an abstract dependency becomes the capsule of its recipe: version, outputs and configuration', async () => {
  const recipes =
    '  recipes:\n    cache:\n      capsule: redis\n      version: 7.2.0\n      config:\n        size: large\n        eviction: lru\n';
  const shop = await runningShop([DEV], {
    ...capsuleWith('7.2.0', SIZE + REDIS, 'redis'),
    ...asking(DEV, '', `${recipes}`),
    'environments/dev/config/redis.yaml': 'size: huge\n',
  });
  await shop.push(capsuleWith('7.3.0', SIZE + REDIS, 'redis'));
  await shop.push(capsuleWith('1.1.0', WIRED + NEEDS_CACHE));

  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): redis → 7.2.0, web 1.0.0 → 1.1.0']);
  expect(fileOf(shop.outside, 'dev/one', 'deployment_shop-dev_web')).toContain('value: redis://redis.shop-dev.svc:8080');
  const redis = fileOf(shop.outside, 'dev/one', 'deployment_shop-dev_redis');
  expect(redis).toContain('app.kubernetes.io/version: "7.2.0"');
  expect(redis).toMatch(/name: SIZE\n\s+value: huge/);
  expect(redis).toMatch(/name: EVICTION\n\s+value: lru/);
});

const needs = (range: string): string => `  compatibility:\n    upgradesFrom: "${range}"\n`;

test('a release that needs another one first comes after it, by itself', async () => {
  const shop = await runningShop([DEV]);
  await peopleOf(shop.outside).push(capsuleFiles('1.2.0'), { message: 'web 1.2.0' });
  await shop.push(capsuleWith('1.3.0', needs('>=1.2.0')), 'web 1.3.0');

  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): web 1.0.0 → 1.2.0', 'merged promote(dev): web 1.2.0 → 1.3.0']);
});

test('an environment below goes through the version that it skipped, not past it', async () => {
  const shop = await runningShop([DEV, { ...STAGING, merge: 'manual' }]);
  await shop.push(capsuleFiles('1.2.0'), 'web 1.2.0');
  await shop.push(capsuleWith('1.3.0', needs('>=1.2.0')), 'web 1.3.0');

  expect(requestsIn(shop.outside).filter((request) => request.includes('staging'))).toEqual(['open promote(staging): web 1.0.0 → 1.2.0']);
  expect(await heldIn(shop, 'staging')).toEqual([
    'web 1.3.0: staging runs web 1.0.0; 1.3.0 can be upgraded to only from >=1.2.0; promote 1.2.0 first or add a migration',
  ]);
});

test('a release that nothing leads to stays out, with the reason', async () => {
  const shop = await runningShop([DEV]);
  await shop.push(capsuleWith('1.3.0', needs('>=1.2.0')), 'web 1.3.0');

  expect(requestsIn(shop.outside)).toEqual([]);
  expect(await heldIn(shop, 'dev')).toEqual([
    'web 1.3.0: dev runs web 1.0.0; 1.3.0 can be upgraded to only from >=1.2.0; no released version leads there; add a migration',
  ]);
});

test('a lock that a person moves past a needed version is stuck', async () => {
  const shop = await runningShop([DEV]);
  await peopleOf(shop.outside).push(capsuleWith('1.3.0', needs('>=1.2.0')), { message: 'web 1.3.0' });
  const path = 'environments/dev/environment.lock.yaml';
  await peopleOf(shop.outside).push({}, { message: 'without', remove: [path] });
  await shop.push(await freshLocks(shop.outside), 'by hand');

  expect(shop.engine.endings.get('reconcile/dev')).toMatchObject({
    kind: 'stuck',
    problems: [{ code: 'upgrade-path-missing', rule: 'V-23' }],
  });
  expect(fileOf(shop.outside, 'dev/one', 'deployment_shop-dev_web')).toContain('app.kubernetes.io/version: "1.0.0"');
});

test('a retired release is no candidate', async () => {
  const shop = await runningShop([DEV]);
  await peopleOf(shop.outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
  await shop.push(capsuleWith('1.2.0', '  lifecycle: retired\n'), 'web 1.2.0');

  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): web 1.0.0 → 1.1.0']);
});
