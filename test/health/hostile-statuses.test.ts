import fc from 'fast-check';
import { expect, test } from 'vitest';

import { assess } from '#health/health.ts';
import { parseInstant, toInstant } from '#model/instant.ts';
import type { Json, JsonObject } from '#model/json.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { inventoryOf, observationOf, targetRendering } from '#test/plan/build-target.ts';
import { renderedKind } from './build-live.ts';

const KINDS = [
  'apps/v1 Deployment',
  'apps/v1 StatefulSet',
  'apps/v1 DaemonSet',
  'apps/v1 ReplicaSet',
  'v1 Pod',
  'batch/v1 Job',
  'v1 Service',
  'v1 PersistentVolumeClaim',
  'v1 Namespace',
  'policy/v1 PodDisruptionBudget',
  'autoscaling/v2 HorizontalPodAutoscaler',
  'apiextensions.k8s.io/v1 CustomResourceDefinition',
  'apiregistration.k8s.io/v1 APIService',
  'cert-manager.io/v1 Certificate',
  'argoproj.io/v1alpha1 Rollout',
  'argoproj.io/v1alpha1 Application',
  'argoproj.io/v1alpha1 Workflow',
  'kustomize.toolkit.fluxcd.io/v1 Kustomization',
  'source.toolkit.fluxcd.io/v1 HelmRepository',
  'serving.kserve.io/v1beta1 InferenceService',
  'gateway.networking.k8s.io/v1 Gateway',
  'gateway.networking.k8s.io/v1 HTTPRoute',
  'keda.sh/v1alpha1 ScaledObject',
  'cluster.x-k8s.io/v1beta1 Cluster',
  's3.aws.crossplane.io/v1 Bucket',
  'example.com/v1 Gadget',
];
const KEYS = `
  conditions type status reason message observedGeneration lastTransitionTime generation replicas phase availableReplicas updatedReplicas containerStatuses state
  waiting terminated exitCode restartCount ready listeners parents parentRef name health sync operationState modelStatus loadBalancer
  ingress deletionTimestamp finalizers annotations updateStrategy rollingUpdate partition suspend failed startTime __proto__ constructor prototype toString valueOf
`
  .trim()
  .split(/\s+/u);
const WORDS = [
  'True',
  'False',
  'Ready',
  'Available',
  'Progressing',
  'Synced',
  'Accepted',
  'Failed',
  'CrashLoopBackOff',
  'Pending',
  'Running',
];

/** JSON of which many names and words are ones that rules look for. */
const { json } = fc.letrec<{ json: Json; object: JsonObject }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom<Json>(...WORDS, null, true, '2026-11-21T20:00:00Z', -1, 0, 1, 2, Number.MAX_SAFE_INTEGER),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(tie('json'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.array(fc.tuple(fc.constantFrom(...KEYS), tie('json')), { maxLength: 8 }).map((pairs): JsonObject => Object.fromEntries(pairs)),
}));

interface Hostile {
  readonly metadata: Json;
  readonly spec: Json;
  readonly status: Json;
  readonly pods: readonly Json[];
}

function assessed(
  object: RenderedObject,
  { pods, ...parts }: Hostile,
  deadline = Number.MAX_SAFE_INTEGER,
): { readonly state: string; readonly reason: string } {
  const rendering = targetRendering([object], { web: 0 });
  const observation = observationOf(inventoryOf(rendering), [object]);
  const live = {
    uid: '1',
    appliedAt: toInstant(0),
    object: parts,
    pods: pods.filter((pod): pod is JsonObject => typeof pod === 'object' && pod !== null && !Array.isArray(pod)),
    changedBy: [],
  };
  const health = assess(
    rendering,
    { ...observation, objects: observation.objects.map((one) => ({ ...one, live })) },
    { now: parseInstant('2026-11-21T20:00:00Z') ?? toInstant(1), deadline },
  );
  return { state: health.state, reason: health.instances[0]?.reasons[0]?.reason ?? '' };
}

test('whatever a status is, it ends in a state and one short safe line', () => {
  const seen = new Set<string>();

  fc.assert(
    fc.property(fc.constantFrom(...KINDS), json, json, json, fc.array(json, { maxLength: 3 }), (kind, metadata, spec, status, pods) => {
      const deadline = pods.length > 1 ? 600_000 : undefined;
      const { state, reason } = assessed(renderedKind(kind), { metadata, spec, status, pods }, deadline);

      seen.add(state);
      expect(['healthy', 'progressing', 'degraded', 'unknown']).toContain(state);
      expect(reason.length).toBeLessThan(1300);
      expect(reason).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
    { numRuns: 1000, seed: 20_261_121 },
  );
  expect(seen.has('healthy') && seen.has('progressing') && seen.has('degraded')).toBe(true);
});

test('names that every object inherits are read as data', () => {
  const status: Json = JSON.parse(
    '{"__proto__":{"phase":"Failed"},"conditions":[{"type":"__proto__","status":"True"},{"type":{"toString":1},"status":"True"}]}',
  );

  for (const kind of KINDS) {
    const { state } = assessed(renderedKind(kind), { metadata: {}, spec: {}, status, pods: [] });
    expect(['healthy', 'progressing']).toContain(state);
  }
  expect(Object.hasOwn(Object.prototype, 'phase')).toBe(false);
  expect(assessed(renderedKind('v1 Pod'), { metadata: {}, spec: {}, status, pods: [] }).reason).toContain('waits for its controller');
});

test('a huge and a deep status cost little', () => {
  const many = Array.from({ length: 100_000 }, (_, index) => ({ type: `Type${index}`, status: 'False', message: 'x'.repeat(20) }));
  let deep: Json = 'end';
  for (let level = 0; level < 100_000; level += 1) deep = { conditions: [deep] };
  const pods = Array.from({ length: 5000 }, (_, index) => ({
    metadata: { name: `web-${index}` },
    status: { phase: 'Failed', message: 'y'.repeat(1000) },
  }));

  for (const kind of KINDS) {
    assessed(renderedKind(kind), {
      metadata: {},
      spec: { replicas: 3 },
      status: { conditions: many, listeners: many, parents: many },
      pods,
    });
    assessed(renderedKind(kind), { metadata: {}, spec: {}, status: deep, pods: [] });
  }
  const health = { current: "status.conditions.exists(c, c.type == 'Ready')", failed: 'status.phase == "Failed"' };
  const expressed = { ...renderedKind('example.com/v1 Gadget'), health };

  expect(assessed(expressed, { metadata: {}, spec: {}, status: deep, pods: [] }).state).toBe('progressing');
  expect(assessed(expressed, { metadata: {}, spec: {}, status: { conditions: many }, pods: [] }).state).toBe('progressing');
});
