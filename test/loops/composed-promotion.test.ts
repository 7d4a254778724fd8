import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import type { Outside } from '#test/stories/outside.ts';
import { goOnPolling } from '#test/stories/polled.ts';
import { capsuleFiles, DEV, STAGING, type Files } from '#test/stories/shop.ts';
import { asking, capsuleWith, fileOf, requestsIn, runningShop, type Running } from './composition-shop.ts';

const MINUTE = 60_000;

async function passes({ outside, engine }: Running, minutes: number): Promise<void> {
  outside.now = (outside.now + minutes * MINUTE) as Outside['now'];
  await goOnPolling(engine);
}

/** A capsule that is only extended. */
function base(name: string, version: string, spec: string): Files {
  return {
    [`capsules/${name}/capsule.yaml`]: `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: ${name}
  version: ${version}
spec:
  type: library
${spec}`,
  };
}

function level(value: string): string {
  return `  components:
    web:
      kind: Deployment
      env:
        LEVEL:
          value: ${value}
`;
}

const EXTENDS_MID = '  extends:\n    capsule: mid\n    version: ^1.0.0\n';
const EXTENDS_BASE = '  extends:\n    capsule: base\n    version: ^1.0.0\n';

test('a chain of extends is locked, rendered and promoted; a parent moves on its own', async () => {
  const shop = await runningShop([DEV, STAGING]);
  await shop.push({ ...base('base', '1.0.0', level('info')), ...base('mid', '1.0.0', EXTENDS_BASE), ...capsuleWith('1.1.0', EXTENDS_MID) });
  await passes(shop, 11);
  expect(requestsIn(shop.outside)).toEqual([
    'merged promote(dev): web 1.0.0 → 1.1.0, web.mid → 1.0.0, web.mid.base → 1.0.0',
    'merged promote(staging): web 1.0.0 → 1.1.0, web.mid → 1.0.0, web.mid.base → 1.0.0',
  ]);
  expect(fileOf(shop.outside, 'staging/one', 'deployment')).toContain('- name: LEVEL\n          value: info\n');

  await shop.push(base('base', '1.1.0', level('debug')));
  expect(requestsIn(shop.outside).slice(2)).toEqual([
    'merged promote(dev): web.mid.base 1.0.0 → 1.1.0',
    'open promote(staging): web.mid.base 1.0.0 → 1.1.0',
  ]);
  expect(fileOf(shop.outside, 'dev/one', 'deployment')).toContain('- name: LEVEL\n          value: debug\n');
  expect(fileOf(shop.outside, 'staging/one', 'deployment')).toContain('- name: LEVEL\n          value: info\n');
  await passes(shop, 11);

  expect(requestsIn(shop.outside).at(-1)).toBe('merged promote(staging): web.mid.base 1.0.0 → 1.1.0');
  expect(fileOf(shop.outside, 'staging/one', 'deployment')).toContain('- name: LEVEL\n          value: debug\n');
});

test('a parent that makes its child sick stays where it is', async () => {
  const shop = await runningShop([DEV, STAGING]);
  await shop.push({ ...base('base', '1.0.0', level('info')), ...capsuleWith('1.1.0', EXTENDS_BASE) });
  await passes(shop, 11);
  await shop.push(base('base', '1.1.0', level('debug')));
  for (const name of ['dev/one', 'dev/two']) {
    const target = shop.outside.targets.get(name);
    for (const [path, text] of target?.files ?? [])
      target?.reports.set(path, { path, state: 'degraded', reason: 'crashes', sha256: sha256Of(text) });
  }
  await shop.engine.drift();

  await passes(shop, 60);

  expect(requestsIn(shop.outside).slice(2)).toEqual([
    'merged promote(dev): web.base 1.0.0 → 1.1.0',
    'closed promote(staging): web.base 1.0.0 → 1.1.0',
  ]);
  expect(fileOf(shop.outside, 'staging/one', 'deployment')).toContain('- name: LEVEL\n          value: info\n');
});

test('a bundle is promoted with its children, and a child on its own', async () => {
  const shop = await runningShop([DEV, STAGING]);
  const bundle = base(
    'pair',
    '1.0.0',
    '  instances:\n    left:\n      capsule: page\n      version: ^1.0.0\n    right:\n      capsule: page\n      version: ^1.0.0\n',
  );
  const wanted = '    pair:\n      version: ^1.0.0\n';
  await shop.push({ ...bundle, ...capsuleFiles('1.0.0', 'page'), ...asking(DEV, wanted), ...asking(STAGING, wanted) });
  await passes(shop, 11);
  expect(requestsIn(shop.outside)).toEqual([
    'merged promote(dev): pair → 1.0.0, pair.left → 1.0.0, pair.right → 1.0.0',
    'merged promote(staging): pair → 1.0.0, pair.left → 1.0.0, pair.right → 1.0.0',
  ]);
  expect(fileOf(shop.outside, 'staging/one', 'deployment_shop-staging_pair-left')).toContain('name: pair-left');

  await shop.push(capsuleFiles('1.1.0', 'page'));
  await passes(shop, 11);

  expect(requestsIn(shop.outside).slice(2).sort()).toEqual([
    'merged promote(dev): pair.left 1.0.0 → 1.1.0',
    'merged promote(dev): pair.right 1.0.0 → 1.1.0',
    'merged promote(staging): pair.left 1.0.0 → 1.1.0',
    'merged promote(staging): pair.right 1.0.0 → 1.1.0',
  ]);
});
