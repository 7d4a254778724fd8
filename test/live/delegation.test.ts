import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { kubernetesTargets, type KubernetesTargets } from '#adapters/kubernetes/kubernetes.ts';
import { systemChance, systemTimers } from '#adapters/machine/machine.ts';
import { createLedgerReader } from '#loops/audit-branch.ts';
import type { ReconcileResult } from '#loops/reconcile.ts';
import type { Clock } from '#ports/machine.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { capsuleFiles, PROJECT_FILE } from '#test/stories/shop.ts';
import type { Files } from '#test/stories/shop.ts';
import { clusterWorld } from './cluster-world.ts';
import type { ClusterWorld } from './cluster-world.ts';

const SCRATCH = mkdtempSync(join(tmpdir(), 'capstan-delegation-'));
const REPOSITORY = 'https://git.example.com/acme/platform.git';
let cluster: RunningKubernetes;
let engine: ClusterWorld;
let targets: KubernetesTargets;

/** As the tools install theirs, without their schemas: Argo CD's has no status of its own. */
function definition(group: string, version: string, kind: string, hasStatus: boolean): string {
  const plural = kind === 'GitRepository' ? 'gitrepositories' : `${kind.toLowerCase()}s`;
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${plural}.${group}
spec:
  group: ${group}
  names: { kind: ${kind}, listKind: ${kind}List, plural: ${plural}, singular: ${kind.toLowerCase()} }
  scope: Namespaced
  versions:
    - name: ${version}
      served: true
      storage: true
      ${hasStatus ? 'subresources: { status: {} }' : ''}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: { type: object, x-kubernetes-preserve-unknown-fields: true }
            status: { type: object, x-kubernetes-preserve-unknown-fields: true }
`;
}

function environment(name: string, driver: string, version = '1.0.0'): Files {
  return {
    [`environments/${name}/environment.yaml`]: `apiVersion: capstan.dev/v1alpha1
kind: Environment
metadata:
  name: ${name}
spec:
  risk: low
  targets:
    eu:
      driver: ${driver}
      credentials: hub
      namespace: shop-${name}
      cluster: eu-1
      labels:
        ring: canary
    us:
      driver: ${driver}
      credentials: hub
      namespace: shop-${name}
      cluster: us-1
  capsules:
    web:
      version: ${version}
  promotion:
    from:
      environments: []
    merge: auto
  gates:
    - name: signed
      type: signature
  rollout:
    partitions:
      - name: canary
        selector:
          matchLabels:
            ring: canary
  sync:
    mode: delegate
    delegate:
      repository: ${REPOSITORY}
`,
  };
}

beforeAll(async () => {
  cluster = await startKubernetes(SCRATCH, { users: { capstan: [] } });
  const definitions = [
    definition('argoproj.io', 'v1alpha1', 'Application', false),
    definition('source.toolkit.fluxcd.io', 'v1', 'GitRepository', true),
    definition('kustomize.toolkit.fluxcd.io', 'v1', 'Kustomization', true),
  ];
  await cluster.kubectl(['apply', '-f', '-'], definitions.join('---\n'));
  await cluster.kubectl(['apply', '-f', 'docs/install/kubernetes/rbac-delegate.yaml']);
  for (const namespace of ['argocd', 'flux-system']) {
    await cluster.kubectl(['create', 'namespace', namespace]);
    // Nothing but what the installation grants.
    await cluster.kubectl(['create', 'rolebinding', 'capstan', '--clusterrole=capstan-delegate', '--user=capstan', '-n', namespace]);
  }
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  const open = (clock: Clock): KubernetesTargets =>
    kubernetesTargets({
      credentials: new Map([
        [
          'hub',
          {
            source: { kind: 'kubeconfig', file: cluster.user('capstan').kubeconfig, context: undefined, allowExec: false },
            environments: undefined,
            namespaces: undefined,
            clusterResources: [],
            impersonate: undefined,
          },
        ],
      ]),
      secrets: undefined,
      clock,
      timers: systemTimers,
      chance: systemChance,
    });
  engine = clusterWorld((clock) => {
    targets = open(clock);
    return targets;
  });
  await engine.push({
    'environments/project.yaml': PROJECT_FILE,
    ...environment('argo', 'delegate-argocd'),
    ...environment('flux', 'delegate-flux'),
    ...capsuleFiles('1.0.0'),
  });
}, 300_000);

afterAll(async () => {
  await engine?.close();
  await cluster?.stop();
  rmSync(SCRATCH, { recursive: true, force: true });
});

async function get(kind: string, name: string, path: string): Promise<string> {
  const namespace = kind === 'application' ? 'argocd' : 'flux-system';
  return cluster.kubectl(['get', kind, name, '-n', namespace, '-o', `jsonpath={${path}}`]);
}

/** What application-controller does with an Application. */
async function argocdSays(name: string, health: string): Promise<void> {
  const commit = await get('application', name, '.spec.source.targetRevision');
  const status = {
    health: { status: health },
    reconciledAt: new Date(Date.now() + 1000).toISOString(),
    sync: { comparedTo: { destination: {}, source: { repoURL: REPOSITORY, targetRevision: commit } }, revision: commit, status: 'Synced' },
  };
  await cluster.kubectl(['patch', 'application', name, '-n', 'argocd', '--type=merge', '-p', JSON.stringify({ status })]);
}

/** What kustomize-controller does with a Kustomization. */
async function fluxSays(name: string, ready: 'True' | 'False'): Promise<void> {
  const commit = await get('gitrepository', name, '.spec.ref.commit');
  const generation = Number(await get('kustomization', name, '.metadata.generation'));
  const revision = `rendered/flux@sha1:${commit}`;
  const message = ready === 'True' ? `Applied revision: ${revision}` : 'health check failed after 5m0s';
  const reason = ready === 'True' ? 'ReconciliationSucceeded' : 'HealthCheckFailed';
  const lastTransitionTime = new Date().toISOString();
  const status = {
    conditions: [{ type: 'Ready', status: ready, reason, message, lastTransitionTime, observedGeneration: generation }],
    lastAttemptedRevision: revision,
    ...(ready === 'True' ? { lastAppliedRevision: revision } : {}),
    observedGeneration: generation,
  };
  const patch = JSON.stringify({ status });
  await cluster.kubectl(['patch', 'kustomization', name, '-n', 'flux-system', '--subresource=status', '--type=merge', '-p', patch]);
}

function healths(result: ReconcileResult): readonly string[] {
  return result.receipts.map(({ target, health }) => `${target} ${health.state}`);
}

async function recorded(environment: string): Promise<readonly string[]> {
  const { repository } = engine.people;
  const { ledger, problems } = await createLedgerReader(repository).at(await repository.resolve('audit'));
  expect(problems).toEqual([]);
  return ['eu', 'us'].map((target) => {
    const web = ledger.instances.get(`${environment}/${target}`)?.get('web');
    return `${target} ${web?.version ?? '-'} ${web?.health ?? '-'}`;
  });
}

async function release(version: string): Promise<void> {
  const files = { ...capsuleFiles(version), ...environment('argo', 'delegate-argocd', version) };
  await engine.push(files, { message: `web ${version}` });
}

test('Argo CD gets one Application a target, in the order of the rollout, and its word is the health', async () => {
  const first = await engine.until('argo', (result) => result.receipts.length === 2);
  expect(healths(first)).toEqual(['eu progressing', 'us progressing']);
  const commit = await engine.people.repository.resolve('rendered/argo');
  expect(await get('application', 'capstan-argo.eu', '.spec.source.targetRevision')).toBe(commit);
  expect(await get('application', 'capstan-argo.eu', '.spec.destination')).toBe('{"name":"eu-1","namespace":"shop-argo"}');
  await expect(get('application', 'capstan-argo.us', '.metadata.name')).rejects.toThrow('not found');

  await argocdSays('capstan-argo.eu', 'Healthy');
  await engine.until('argo', (result) => healths(result)[0] === 'eu healthy');
  await argocdSays('capstan-argo.us', 'Healthy');
  expect(healths(await engine.until('argo', (result) => result.ending.kind === 'settled'))).toEqual(['eu healthy', 'us healthy']);
  expect(await recorded('argo')).toEqual(['eu 1.0.0 healthy', 'us 1.0.0 healthy']);
  expect(await cluster.kubectl(['get', 'configmap', '-n', 'argocd', '-o', 'name'])).toContain('configmap/capstan-argo.us-0');

  const before = targets.counts().requests;
  expect((await engine.run('argo')).ending).toEqual({ kind: 'settled' });
  expect(targets.counts().requests - before).toBe(0);
}, 120_000);

test('a bad version stops at the canary of Argo CD, and the mended one goes through', async () => {
  await release('1.1.0');
  await engine.until('argo', (result) => healths(result)[0] === 'eu progressing');
  const commit = await engine.people.repository.resolve('rendered/argo');
  expect(await get('application', 'capstan-argo.eu', '.spec.source.targetRevision')).toBe(commit);
  expect(await get('application', 'capstan-argo.us', '.spec.source.targetRevision')).not.toBe(commit);
  await argocdSays('capstan-argo.eu', 'Degraded');
  const stopped = await engine.until('argo', (result) => healths(result)[0] === 'eu degraded');
  expect(healths(stopped)).toEqual(['eu degraded', 'us healthy']);
  expect(await recorded('argo')).toEqual(['eu 1.1.0 degraded', 'us 1.0.0 healthy']);

  await release('1.2.0');
  await engine.until('argo', (result) => healths(result)[0] === 'eu progressing');
  await argocdSays('capstan-argo.eu', 'Healthy');
  await engine.until('argo', (result) => healths(result)[1] === 'us progressing');
  await argocdSays('capstan-argo.us', 'Healthy');
  // That it is better again is recorded a minute later.
  await engine.until('argo', (result) => healths(result).join(', ') === 'eu healthy, us healthy');
  expect((await recorded('argo')).map((line) => line.split(' ', 2).join(' '))).toEqual(['eu 1.2.0', 'us 1.2.0']);
}, 120_000);

test('what somebody changes of an Application is taken back', async () => {
  const before = await get('application', 'capstan-argo.us', '.spec.source.targetRevision');
  const patch = JSON.stringify({ spec: { source: { targetRevision: 'main' } } });
  await cluster.kubectl(['patch', 'application', 'capstan-argo.us', '-n', 'argocd', '--type=merge', '-p', patch]);
  await engine.until('argo', (result) => result.receipts.some((receipt) => receipt.driftDetected));
  expect(await get('application', 'capstan-argo.us', '.spec.source.targetRevision')).toBe(before);
}, 120_000);

test('Flux gets a source and a Kustomization a target, and its word is the health', async () => {
  await engine.until('flux', (result) => result.receipts.length === 2);
  const commit = await engine.people.repository.resolve('rendered/flux');
  expect(await get('gitrepository', 'capstan-flux.eu', '.spec.ref')).toBe(JSON.stringify({ branch: 'rendered/flux', commit }));
  await fluxSays('capstan-flux.eu', 'False');
  const failed = await engine.until('flux', (result) => healths(result)[0] === 'eu degraded');
  expect(failed.ending.kind === 'waiting' && failed.ending.reasons[0]).toBe(
    'Kustomization capstan-flux.eu is not ready: health check failed after 5m0s',
  );
  await fluxSays('capstan-flux.eu', 'True');
  await engine.until('flux', (result) => healths(result)[0] === 'eu healthy');
  await fluxSays('capstan-flux.us', 'True');
  await engine.until('flux', (result) => healths(result).join(', ') === 'eu healthy, us healthy');
  expect(await recorded('flux')).toContain('us 1.0.0 healthy');
}, 120_000);
