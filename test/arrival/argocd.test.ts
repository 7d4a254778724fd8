import { expect, test } from 'vitest';

import { object, planned, writtenBy } from './luggage.ts';

function application(name: string, path: string, rest = ''): string {
  return `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  namespace: argocd
spec:
  project: default
  source:
    repoURL: https://github.com/acme/platform
    path: ${path}
    targetRevision: HEAD
  destination:
    server: https://kubernetes.default.svc
    namespace: shop
${rest}`;
}

const OVERLAYS = {
  'web/base/kustomization.yaml': 'resources:\n  - web.yaml\n',
  'web/base/web.yaml': object('ConfigMap', 'web'),
  'web/overlays/dev/kustomization.yaml': 'resources:\n  - ../../base\n',
  'web/overlays/prod/kustomization.yaml': 'resources:\n  - ../../base\n',
};

test('applications become instances of environments; folders, overlays and charts become capsules', async () => {
  const plan = await planned('argocd', {
    ...OVERLAYS,
    'argo/web-dev.yaml': application(
      'web-dev',
      'web/overlays/dev',
      '  syncPolicy:\n    automated:\n      prune: true\n      selfHeal: true\n',
    ),
    'argo/web-prod.yaml': application('web-prod', 'web/overlays/prod', '  syncPolicy:\n    automated: {}\n'),
    'argo/cache.yaml': application('cache-prod', 'cache', '  syncPolicy:\n    automated: {}\n'),
    'argo/chart.yaml': application('chart-prod', 'chart', '  syncPolicy:\n    automated: {}\n').replace(
      '    targetRevision: HEAD\n',
      '    helm:\n      valueFiles: [values-prod.yaml]\n      parameters:\n        - { name: image.tag, value: "2" }\n',
    ),
    'cache/cache.yaml': object('ConfigMap', 'cache'),
    'chart/Chart.yaml': 'name: chart\nversion: 1.0.0\n',
    'chart/values-prod.yaml': 'image:\n  repository: r\n  tag: a\n',
  });

  const written = writtenBy(plan);
  expect(plan.arrival.leftOut).toEqual([]);
  expect(plan.problems).toEqual([]);
  expect(written['environments/prod/environment.yaml']).toContain(`  capsules:
    cache:
      version: ^1.0.0
      updatePolicy: latest
    chart:
      version: ^1.0.0
      updatePolicy: latest
    web:
      version: ^1.0.0
      updatePolicy: latest
      config:
        overlay: overlays/prod
`);
  expect(written['environments/prod/environment.yaml']).toContain('namespace: shop\n');
  expect(written['environments/prod/environment.yaml']).toContain('  sync:\n    interval: 1m\n    prune: false\n    selfHeal: false\n');
  expect(written['environments/dev/environment.yaml']).toContain('  sync:\n    interval: 1m\n    prune: true\n    selfHeal: true\n');
  expect(written['environments/prod/config/chart.yaml']).toBe('image:\n  repository: r\n  tag: 2\n');
  expect(written['capsules/cache/files/cache.yaml']).toBe(object('ConfigMap', 'cache'));
});

test('sets are expanded over lists and folders', async () => {
  const set = (generators: string): string => `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: all
spec:
  generators:
${generators}
  template:
    metadata:
      name: '{{name}}'
    spec:
      source:
        path: '{{path}}'
      destination:
        namespace: shop
      syncPolicy:
        automated: {}
`;
  const files = {
    'apps/a/a.yaml': object('ConfigMap', 'a'),
    'apps/b/b.yaml': object('ConfigMap', 'b'),
    'apps/c/c.yaml': object('ConfigMap', 'c'),
  };

  const listed = await planned('argocd', {
    ...files,
    'set.yaml': set('    - list:\n        elements:\n          - { name: a-dev, path: apps/a }\n    - clusters: {}'),
  });
  const found = await planned('argocd', {
    ...files,
    'set.yaml': set(
      '    - git:\n        directories:\n          - path: apps/*\n          - path: apps/b\n            exclude: true',
    ).replace('{{name}}', '{{path.basename}}'),
  });

  expect(writtenBy(listed)['environments/dev/environment.yaml']).toContain('  capsules:\n    a:\n      version');
  expect(listed.arrival.leftOut.map(({ what }) => what)).toEqual(['ApplicationSet all: generator clusters']);
  expect(Object.keys(writtenBy(found)).filter((path) => path.includes('/files/'))).toEqual([
    'capsules/a/files/a.yaml',
    'capsules/c/files/c.yaml',
  ]);
});

test('what has nothing here that does the same is named', async () => {
  const plan = await planned('argocd', {
    'cache/cache.yaml': object('ConfigMap', 'cache'),
    'argo/all.yaml': [
      application(
        'cache-dev',
        'cache',
        '  syncPolicy:\n    syncOptions: [CreateNamespace=true]\n    retry: { limit: 5 }\n  ignoreDifferences:\n    - kind: Deployment\n      jsonPointers: [/spec/replicas]\n',
      ),
      application('elsewhere', 'gone'),
      application('chart', '.').replace('    path: .\n', '    chart: redis\n'),
      'apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata:\n  name: team\n',
    ].join('---\n'),
  });

  expect(plan.arrival.leftOut.map(({ line, what }) => `${line ?? '-'} ${what}`)).toEqual([
    '52 AppProject team',
    '1 Application cache-dev: ignoreDifferences',
    '1 Application cache-dev: syncPolicy',
    '1 Application cache-dev: syncOptions "CreateNamespace=true"',
    '1 Application cache-dev: syncPolicy.retry',
    '22 Application elsewhere',
    '37 Application chart',
  ]);
});

test.each([
  ['eu-1', ['Application chart: destination.name "eu-1" is a cluster: the environment is prod, whose target is a directory']],
  ['prod', []],
  ['in-cluster', []],
])('a cluster %s that did not name the environment is named', async (cluster, expected) => {
  const plan = await planned('argocd', {
    'argo/chart.yaml': application('chart', 'chart', '  syncPolicy:\n    automated: {}\n')
      .replace('    targetRevision: HEAD\n', '    helm:\n      valueFiles: [values-prod.yaml]\n')
      .replace('    server: https://kubernetes.default.svc\n', `    name: ${cluster}\n`),
    'chart/Chart.yaml': 'name: chart\nversion: 1.0.0\n',
    'chart/values-prod.yaml': 'a: 1\n',
  });

  expect(plan.arrival.leftOut.map(({ what, why }) => `${what} ${why.split(';')[0]}`)).toEqual(expected);
});
