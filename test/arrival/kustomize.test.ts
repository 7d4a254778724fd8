import { expect, test } from 'vitest';

import { object, planned, writtenBy } from './luggage.ts';

const BASE = { 'base/kustomization.yaml': 'resources:\n  - web.yaml\n', 'base/web.yaml': object('ConfigMap', 'web') };

function overlay(name: string, rest = ''): Readonly<Record<string, string>> {
  return { [`overlays/${name}/kustomization.yaml`]: `# ${name}\nnamespace: shop-${name}\nresources:\n  - ../../base\n${rest}` };
}

test('a base with overlays is one capsule and an environment for each overlay, in the order of its stages', async () => {
  const plan = await planned('kustomize', { ...BASE, ...overlay('prod'), ...overlay('dev'), ...overlay('staging') });

  const written = writtenBy(plan);
  expect(plan.arrival.leftOut).toEqual([]);
  expect(plan.problems).toEqual([]);
  expect(Object.keys(written)).toEqual([
    'capsules/shop/capsule.yaml',
    'capsules/shop/files/base/kustomization.yaml',
    'capsules/shop/files/base/web.yaml',
    'capsules/shop/files/overlays/dev/kustomization.yaml',
    'capsules/shop/files/overlays/prod/kustomization.yaml',
    'capsules/shop/files/overlays/staging/kustomization.yaml',
    'environments/dev/environment.yaml',
    'environments/prod/environment.yaml',
    'environments/project.yaml',
    'environments/staging/environment.yaml',
  ]);
  expect(written['capsules/shop/capsule.yaml']).toContain("path: 'files/{{config.overlay}}'");
  expect(written['environments/prod/environment.yaml']).toContain('namespace: shop-prod');
  expect(written['environments/prod/environment.yaml']).toContain('      config:\n        overlay: overlays/prod\n');
  expect(written['environments/prod/environment.yaml']).toContain('environments:\n        - staging\n');
  expect(written['environments/dev/environment.yaml']).toContain('updatePolicy: latest');
});

test('a kustomization alone is built in the environment that was wished for', async () => {
  const plan = await planned('kustomize', {
    'web/kustomization.yaml': 'resources: [web.yaml]\n',
    'web/web.yaml': object('ConfigMap', 'web'),
  });

  expect(writtenBy(plan)['capsules/web/capsule.yaml']).toContain('path: files\n');
  expect(writtenBy(plan)['environments/dev/environment.yaml']).toContain('    web:\n      version: ^1.0.0\n');
});

test('what would need the network, plugins or charts is named, and the overlays that cannot be built without it', async () => {
  const plan = await planned('kustomize', {
    ...BASE,
    ...overlay('dev'),
    ...overlay('remote', '  - https://example.com/app?ref=v1\n'),
    ...overlay('plugin', 'transformers:\n  - x.yaml\n'),
    ...overlay('outside', '  - ../../../other\n'),
  });

  expect(Object.keys(writtenBy(plan)).filter((path) => path.includes('environment.yaml'))).toEqual(['environments/dev/environment.yaml']);
  expect(plan.arrival.leftOut.map(({ file, line, what }) => `${file}:${line ?? '-'} ${what}`)).toEqual([
    'overlays/outside/kustomization.yaml:3 resources: "../../../other"',
    'overlays/outside/kustomization.yaml:- an overlay',
    'overlays/plugin/kustomization.yaml:5 transformers',
    'overlays/plugin/kustomization.yaml:- an overlay',
    'overlays/remote/kustomization.yaml:3 resources: "https://example.com/app?ref=v1"',
    'overlays/remote/kustomization.yaml:- an overlay',
  ]);
});

test('secrets stay behind; the rest of their files stays as it is', async () => {
  const secret = object('Secret', 'token', { body: 'stringData:\n  token: swordfish\n' });
  const generator = 'secretGenerator:\n  - name: login # who\n    literals:\n      - password=hunter2\n';

  const plan = await planned('kustomize', {
    'kustomization.yaml': `# all\nresources:\n  - web.yaml\n${generator}namePrefix: a-\n`,
    'web.yaml': `${object('ConfigMap', 'web')}---\n${secret}`,
  });

  expect(writtenBy(plan)['capsules/shop/files/kustomization.yaml']).toBe('# all\nresources:\n  - web.yaml\nnamePrefix: a-\n');
  expect(writtenBy(plan)['capsules/shop/files/web.yaml']).toBe(object('ConfigMap', 'web'));
  expect(plan.arrival.leftOut.map(({ what }) => what)).toEqual(['secretGenerator: "login"', 'Secret token']);
  expect(JSON.stringify(plan)).not.toMatch(/swordfish|hunter2/);
});

test('kustomizations that take each other in are a circle, and aliases without end are refused', async () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
    .split('')
    .map((key, at) => `${key}: &${key} [${`*${'abcdefgh'[at] ?? ''},`.repeat(9)}]\n`)
    .join('')}`;

  const plan = await planned('kustomize', {
    'a/kustomization.yaml': 'resources:\n  - ../b\n',
    'b/kustomization.yaml': 'resources:\n  - ../a\n',
    'bomb/kustomization.yaml': bomb,
  });

  expect(plan.arrival.leftOut.map(({ file, why }) => `${file} ${why}`)).toEqual([
    'bomb/kustomization.yaml has more than 200000 values (aliases counted)',
    'a/kustomization.yaml takes itself in, by a circle of resources',
    'b/kustomization.yaml takes itself in, by a circle of resources',
  ]);
});
