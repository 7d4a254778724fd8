import { expect, test } from 'vitest';

import { capsuleFiles, DEV } from '#test/stories/shop.ts';
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
