import { expect, test } from 'vitest';

import { toCommitId } from '#model/digest.ts';
import { type Delegation, renderDelegation } from '#render/render.ts';
import { renderedObject, targetRendering } from '#test/plan/build-target.ts';

const COMMIT = toCommitId('0123456789abcdef0123456789abcdef01234567');
const RENDERING = targetRendering([renderedObject('note')]);
const ARGOCD: Delegation = {
  tool: 'argocd',
  namespace: 'argocd',
  project: 'default',
  repository: 'https://git.example.com/acme/platform.git',
  secretRef: undefined,
  cluster: undefined,
  prune: true,
  selfHeal: true,
  interval: 300_000,
  timeout: undefined,
  retryInterval: undefined,
  attempts: undefined,
  wait: true,
  ignore: [],
};
const FLUX: Delegation = { ...ARGOCD, tool: 'flux', namespace: 'flux-system' };

function texts(delegation: Delegation): Readonly<Record<string, string>> {
  return Object.fromEntries(renderDelegation(RENDERING, delegation, COMMIT).objects.map(({ path, text }) => [path, text]));
}

test('Argo CD gets an Application of exactly the commit, in sync by itself', () => {
  expect(texts(ARGOCD)).toEqual({
    'delegate/argoproj.io_v1alpha1_application_argocd_capstan-dev.local.yaml': `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: capstan-dev.local
  namespace: argocd
spec:
  destination:
    namespace: acme
    server: https://kubernetes.default.svc
  project: default
  source:
    directory:
      recurse: true
    path: local
    repoURL: https://git.example.com/acme/platform.git
    targetRevision: "0123456789abcdef0123456789abcdef01234567"
  syncPolicy:
    automated:
      prune: true
      selfHeal: true
    retry:
      backoff:
        duration: "30s"
        factor: 2
        maxDuration: 5m
      limit: 5
    syncOptions:
    - ServerSideApply=true
`,
  });
});

test('another cluster, another project, no pruning, reported drift and ignored fields are told to Argo CD', () => {
  const ignore = [{ group: 'apps', kind: 'Deployment', name: undefined, paths: ['/spec/replicas'] }];
  const [text] = Object.values(texts({ ...ARGOCD, cluster: 'eu-1', project: 'shop', prune: false, selfHeal: false, ignore }));
  expect(text).toContain(`  destination:
    name: eu-1
    namespace: acme
  ignoreDifferences:
  - group: apps
    jsonPointers:
    - /spec/replicas
    kind: Deployment
  project: shop
`);
  expect(text).toContain('    automated:\n      prune: false\n      selfHeal: false\n');
  expect(text).toContain('    - RespectIgnoreDifferences=true\n');
});

test('Flux gets a source of exactly the commit, and a Kustomization that waits for health', () => {
  expect(texts({ ...FLUX, secretRef: 'platform-git', cluster: 'eu-1' })).toEqual({
    'delegate/kustomize.toolkit.fluxcd.io_v1_kustomization_flux-system_capstan-dev.local.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: capstan-dev.local
  namespace: flux-system
spec:
  deletionPolicy: Orphan
  interval: 5m
  kubeConfig:
    secretRef:
      name: eu-1
  path: "./local"
  prune: true
  sourceRef:
    kind: GitRepository
    name: capstan-dev.local
  wait: true
`,
    'delegate/source.toolkit.fluxcd.io_v1_gitrepository_flux-system_capstan-dev.local.yaml': `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: capstan-dev.local
  namespace: flux-system
spec:
  interval: 60m
  ref:
    branch: rendered/dev
    commit: "0123456789abcdef0123456789abcdef01234567"
  secretRef:
    name: platform-git
  url: https://git.example.com/acme/platform.git
`,
  });
});

test('what the environment says of time is told to each in its own words', () => {
  const times = { timeout: 600_000, retryInterval: 90_000, attempts: 10 };
  expect(Object.values(texts({ ...ARGOCD, ...times }))[0]).toContain(`    retry:
      backoff:
        duration: "90s"
        factor: 2
        maxDuration: 5m
      limit: 10
`);
  const [kustomization = ''] = Object.values(texts({ ...FLUX, ...times, wait: false }));
  expect(['retryInterval: "90s"', 'timeout: 10m', 'wait: false'].filter((line) => !kustomization.includes(`  ${line}\n`))).toEqual([]);
});

test('it stands for the rendering that it brings', () => {
  const made = renderDelegation(RENDERING, FLUX, COMMIT);
  expect([made.digest, made.target.environment, made.target.name]).toEqual([RENDERING.digest, 'dev', 'local']);
});
