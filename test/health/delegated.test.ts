import { expect, test } from 'vitest';

import { assessDelegated } from '#health/health.ts';
import { toCommitId } from '#model/digest.ts';
import { parseInstant } from '#model/instant.ts';
import type { JsonObject } from '#model/json.ts';
import type { Observation } from '#model/plan.ts';
import { type Delegation, renderDelegation } from '#render/render.ts';
import { inventoryOf, observationOf, renderedObject, targetRendering } from '#test/plan/build-target.ts';
import { condition, liveOf } from './build-live.ts';

const COMMIT = toCommitId('4f8c2d1b9a7e6f5d4c3b2a190817263544536271');
const BEFORE = toCommitId('a1b2c3d4e5f60718293a4b5c6d7e8f9012345678');
const RENDERING = targetRendering([renderedObject('note'), renderedObject('shop', { instance: 'shop' })], { web: 0, shop: 1 });
const APPLIED = parseInstant('2026-01-05T09:00:00Z');
const DELEGATION: Delegation = {
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

type Statuses = Readonly<Record<string, { readonly status?: JsonObject; readonly spec?: JsonObject } | undefined>>;

/** State and reason of the whole, as the tool's objects say it by kind. */
function judged(tool: Delegation['tool'], seen: Statuses): string {
  const delegated = renderDelegation(RENDERING, { ...DELEGATION, tool }, COMMIT);
  const there = delegated.objects.filter((object) => object.key.kind in seen);
  const base = observationOf(inventoryOf(delegated), there, { reportsHealth: true });
  const kinds = new Map(delegated.objects.map((object) => [object.path, object.key.kind]));
  const objects: Observation['objects'] = base.objects.map((object) => {
    const found = seen[kinds.get(object.path) ?? ''];
    return { ...object, live: liveOf({ ...found, ...(APPLIED === undefined ? {} : { appliedAt: APPLIED }) }) };
  });
  const health = assessDelegated({ rendering: RENDERING, delegated }, { ...base, objects }, COMMIT);
  expect(health.instances.map(({ instance, state }) => [instance, state])).toEqual([
    ['shop', health.state],
    ['web', health.state],
  ]);
  return [health.state, ...health.instances.flatMap(({ reasons }) => reasons.map(({ key, reason }) => `${key.kind} ${reason}`))].join(': ');
}

interface ArgoStatus {
  readonly revision?: string;
  readonly asked?: string;
  readonly sync?: string;
  readonly health?: JsonObject;
  readonly operation?: JsonObject;
  readonly more?: JsonObject;
}

/** As application-controller 2.13 and 3.1 write it, with what nobody reads left in. */
function application({
  revision = COMMIT,
  asked = revision,
  sync = 'Synced',
  health = { status: 'Healthy' },
  operation,
  more,
}: ArgoStatus) {
  return {
    Application: {
      status: {
        controllerNamespace: 'argocd',
        health: { lastTransitionTime: '2026-01-05T09:01:12Z', ...health },
        history: [{ deployedAt: '2026-01-05T09:01:05Z', id: 0, revision, source: { path: 'local', repoURL: DELEGATION.repository } }],
        ...(operation === undefined ? {} : { operationState: operation }),
        reconciledAt: '2026-01-05T09:01:12Z',
        resourceHealthSource: 'appTree',
        resources: [{ group: '', kind: 'ConfigMap', name: 'note', namespace: 'acme', status: 'Synced', version: 'v1' }],
        sourceType: 'Directory',
        summary: {},
        sync: {
          comparedTo: {
            destination: { namespace: 'acme', server: 'https://kubernetes.default.svc' },
            source: { directory: { recurse: true }, path: 'local', repoURL: DELEGATION.repository, targetRevision: asked },
          },
          revision,
          status: sync,
        },
        ...more,
      },
    },
  };
}

function operation(phase: string, revision: string, message: string): JsonObject {
  return {
    finishedAt: '2026-01-05T09:01:05Z',
    message,
    operation: { initiatedBy: { automated: true }, sync: { prune: true, revision, syncOptions: ['ServerSideApply=true'] } },
    phase,
    startedAt: '2026-01-05T09:01:04Z',
    syncResult: { revision, source: { path: 'local', repoURL: DELEGATION.repository } },
  };
}

const SUCCEEDED = operation('Succeeded', COMMIT, 'successfully synced (all tasks run)');

test.each<[string, ArgoStatus, string]>([
  ['synced and healthy at the commit', { operation: SUCCEEDED }, 'healthy'],
  [
    'healthy at an older commit says nothing of this one',
    { revision: BEFORE, operation: operation('Succeeded', BEFORE, 'successfully synced') },
    'progressing: Application has not looked at commit 4f8c2d1b9a7e yet',
  ],
  [
    'degraded at an older commit says nothing of this one either',
    { revision: BEFORE, health: { status: 'Degraded' } },
    'progressing: Application has not looked at commit 4f8c2d1b9a7e yet',
  ],
  ['out of sync: its turn comes', { sync: 'OutOfSync' }, 'progressing: Application is not in sync with its commit yet'],
  [
    'being synced',
    { sync: 'OutOfSync', operation: operation('Running', COMMIT, 'waiting for healthy state of apps/Deployment/web') },
    'progressing: Application is being synced: waiting for healthy state of apps/Deployment/web',
  ],
  [
    'a failed sync of the commit',
    {
      sync: 'OutOfSync',
      operation: operation('Failed', COMMIT, 'one or more objects failed to apply, reason: namespaces "acme" not found'),
    },
    'degraded: Application its sync failed: one or more objects failed to apply, reason: namespaces "acme" not found',
  ],
  ['a failed sync of an older commit, where this one needed none', { operation: operation('Failed', BEFORE, 'failed') }, 'healthy'],
  [
    'what it deploys is degraded',
    {
      operation: SUCCEEDED,
      health: { status: 'Degraded' },
      more: {
        resources: [
          { kind: 'ConfigMap', name: 'note', status: 'Synced' },
          {
            kind: 'Deployment',
            name: 'web',
            status: 'Synced',
            health: { status: 'Degraded', message: 'Deployment "web" exceeded its progress deadline' },
          },
        ],
      },
    },
    'degraded: Application what it deploys is degraded: Deployment web (Deployment "web" exceeded its progress deadline)',
  ],
  ['on its way', { health: { status: 'Progressing' } }, 'progressing: Application what it deploys is on its way'],
  ['missing', { health: { status: 'Missing' } }, 'progressing: Application what it deploys is on its way'],
  ['suspended', { health: { status: 'Suspended' } }, 'progressing: Application what it deploys is suspended'],
  ['nobody knows', { health: { status: 'Unknown' } }, 'unknown: Application nobody knows how what it deploys is'],
  [
    'Healthy beside a comparison that failed is not healthy',
    {
      revision: '',
      asked: COMMIT,
      sync: 'Unknown',
      more: {
        conditions: [
          {
            lastTransitionTime: '2026-01-05T09:01:12Z',
            message:
              'Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = local: app path does not exist',
            type: 'ComparisonError',
          },
        ],
      },
    },
    'degraded: Application cannot be synced: Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = local: app path does not exist',
  ],
])('Argo CD: %s', (_, status, said) => {
  expect(judged('argocd', application(status))).toBe(said);
});

test('Argo CD: a condition from before the last change says nothing', () => {
  const more = { reconciledAt: '2026-01-05T08:59:00Z', conditions: [{ type: 'ComparisonError', message: 'old' }] };
  expect(judged('argocd', application({ revision: BEFORE, asked: COMMIT, more }))).toBe(
    'progressing: Application has not looked at commit 4f8c2d1b9a7e yet',
  );
});

test('without a status the tool has not looked', () => {
  expect(judged('argocd', { Application: {} })).toBe('progressing: Application has not looked at commit 4f8c2d1b9a7e yet');
  expect(judged('flux', { Kustomization: {}, GitRepository: {} })).toBe(
    'progressing: Kustomization has not looked at commit 4f8c2d1b9a7e yet',
  );
});

test('without its objects the tool cannot look', () => {
  expect(judged('argocd', {})).toBe('degraded: Application is missing: it was removed outside git');
});

const revision = (commit: string): string => `rendered/dev@sha1:${commit}`;
const READY = condition('Ready', 'True', 'ReconciliationSucceeded', `Applied revision: ${revision(COMMIT)}`);
const FETCHED: JsonObject = {
  artifact: { digest: 'sha256:9c1b', revision: revision(COMMIT), path: 'gitrepository/flux-system/x.tar.gz' },
  conditions: [condition('Ready', 'True', 'Succeeded', `stored artifact for revision '${revision(COMMIT)}'`)],
  observedGeneration: 1,
};

/** As kustomize-controller 1.6 writes it. */
function kustomization(last: { readonly applied?: string; readonly attempted?: string }, ...conditions: readonly JsonObject[]) {
  return {
    status: {
      conditions: [...conditions],
      ...(last.applied === undefined ? {} : { lastAppliedRevision: revision(last.applied) }),
      ...(last.attempted === undefined ? {} : { lastAttemptedRevision: revision(last.attempted) }),
      inventory: { entries: [{ id: 'acme_note__ConfigMap', v: 'v1' }] },
      observedGeneration: 1,
    },
  };
}

test.each<[string, Statuses, string]>([
  [
    'applied and well',
    { Kustomization: kustomization({ applied: COMMIT, attempted: COMMIT }, READY), GitRepository: { status: FETCHED } },
    'healthy',
  ],
  [
    'ready at an older commit says nothing of this one',
    { Kustomization: kustomization({ applied: BEFORE, attempted: BEFORE }, READY), GitRepository: { status: FETCHED } },
    'progressing: Kustomization has not looked at commit 4f8c2d1b9a7e yet',
  ],
  [
    'waiting for health',
    {
      Kustomization: kustomization(
        { applied: BEFORE, attempted: COMMIT },
        condition('Reconciling', 'True', 'Progressing', 'Running health checks for revision with a timeout of 4m30s'),
        condition('Ready', 'Unknown', 'Progressing', 'Running health checks'),
      ),
      GitRepository: { status: FETCHED },
    },
    'progressing: Kustomization is being reconciled: Running health checks for revision with a timeout of 4m30s',
  ],
  [
    'its health checks failed',
    {
      Kustomization: kustomization(
        { applied: BEFORE, attempted: COMMIT },
        condition('Reconciling', 'True', 'ProgressingWithRetry', 'Health checks failed after 5m0s'),
        condition(
          'Ready',
          'False',
          'HealthCheckFailed',
          "health check failed after 5m0s: timeout waiting for: [Deployment/acme/web status: 'InProgress']",
        ),
      ),
      GitRepository: { status: FETCHED },
    },
    "degraded: Kustomization is not ready: health check failed after 5m0s: timeout waiting for: [Deployment/acme/web status: 'InProgress']",
  ],
  [
    'its source cannot be fetched',
    {
      Kustomization: kustomization({ applied: BEFORE, attempted: BEFORE }, READY),
      GitRepository: {
        status: {
          conditions: [
            condition('Ready', 'False', 'GitOperationFailed', 'failed to checkout and determine revision: authentication required'),
          ],
          observedGeneration: 1,
        },
      },
    },
    'degraded: Kustomization its source is not ready: failed to checkout and determine revision: authentication required',
  ],
  [
    'suspended by hand before it came to this commit',
    {
      Kustomization: { ...kustomization({ applied: BEFORE, attempted: BEFORE }, READY), spec: { suspend: true } },
      GitRepository: { status: FETCHED },
    },
    'progressing: Kustomization is suspended',
  ],
])('Flux: %s', (_, seen, said) => {
  expect(judged('flux', seen)).toBe(said);
});
