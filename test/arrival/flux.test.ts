import { expect, test } from 'vitest';

import { object, planned, writtenBy } from './luggage.ts';

function kustomization(name: string, path: string, rest = ''): string {
  return `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
  namespace: flux-system
spec:
  interval: 1h0m0s
  path: ./${path}
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
${rest}`;
}

const SOURCE =
  'apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: flux-system\nspec:\n  url: https://github.com/acme/platform\n  interval: 1m\n';

test('clusters are environments, kustomizations instances with what they depend on', async () => {
  const overlay = 'resources:\n  - ../base\n';
  const plan = await planned('flux', {
    'clusters/prod/flux-system/source.yaml': `${SOURCE}---\n${kustomization('flux-system', 'clusters/prod')}`,
    'clusters/prod/apps.yaml': kustomization('apps', 'apps/prod', '  dependsOn:\n    - name: infra\n  targetNamespace: shop\n'),
    'clusters/prod/infra.yaml': kustomization('infra', 'infra').replace('1h0m0s', '10m'),
    'clusters/staging/apps.yaml': kustomization('apps', 'apps/staging', '  dependsOn:\n    - name: infra\n  targetNamespace: shop\n'),
    'clusters/staging/infra.yaml': kustomization('infra', 'infra', '  suspend: true\n'),
    'apps/base/kustomization.yaml': 'resources:\n  - web.yaml\n',
    'apps/base/web.yaml': object('ConfigMap', 'web'),
    'apps/prod/kustomization.yaml': `namespace: other\n${overlay}`,
    'apps/staging/kustomization.yaml': overlay,
    'infra/deep/cache.yaml': object('ConfigMap', 'cache', { namespace: 'shop' }),
  });

  const written = writtenBy(plan);
  expect(plan.problems).toEqual([]);
  expect(Object.keys(written).filter((path) => !path.includes('/files/'))).toEqual([
    'capsules/apps/capsule.yaml',
    'capsules/infra/capsule.yaml',
    'environments/prod/environment.yaml',
    'environments/project.yaml',
    'environments/staging/environment.yaml',
  ]);
  expect(written['capsules/infra/files/deep/cache.yaml']).toBe(object('ConfigMap', 'cache', { namespace: 'shop' }));
  expect(written['capsules/apps/capsule.yaml']).toContain('  dependencies:\n    infra:\n      capsule: infra\n      version: ^1.0.0\n');
  expect(written['environments/prod/environment.yaml']).toContain('  sync:\n    interval: 10m\n    prune: true\n');
  expect(written['environments/prod/environment.yaml']).toContain('environments:\n        - staging\n');
  expect(plan.arrival.leftOut.map(({ file, what }) => `${file} ${what}`)).toEqual([
    'clusters/prod/flux-system/source.yaml Kustomization flux-system',
    'clusters/prod/apps.yaml Kustomization apps: namespace shop',
    'clusters/staging/infra.yaml Kustomization infra: suspend true',
  ]);
});

test('a release of a chart that lies here is a Helm component; one from elsewhere is named', async () => {
  const release = (name: string, chart: string): string => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: ${name}
  namespace: shop
spec:
  interval: 5m
  chart:
    spec:
      chart: ${chart}
      version: 1.x
      sourceRef: { kind: ${chart.startsWith('.') ? 'GitRepository' : 'HelmRepository'}, name: all }
  values:
    replicas: 2
  install: { crds: Create }
`;
  const plan = await planned('flux', {
    'releases/web.yaml': release('web', './charts/web'),
    'releases/redis.yaml': release('redis', 'redis'),
    'releases/repo.yaml':
      'apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata:\n  name: all\nspec:\n  url: https://example.com\n',
    'charts/web/Chart.yaml': 'name: web\nversion: 1.0.0\n',
  });

  expect(writtenBy(plan)['environments/dev/config/web.yaml']).toBe('replicas: 2\n');
  expect(writtenBy(plan)['environments/dev/environment.yaml']).toContain('namespace: shop');
  expect(plan.arrival.leftOut.map(({ what }) => what)).toEqual(['HelmRelease redis', 'HelmRelease web: install', 'HelmRepository all']);
});
