import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { JsonObject } from '#model/json.ts';
import { jsonText, valueAt } from '#model/json.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import { nextInventory, planChanges } from '#plan/plan.ts';
import { bring, planFor } from '#test/contracts/target.contract.ts';
import { targetRendering } from '#test/plan/build-target.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { openClusterBench } from './cluster-bench.ts';
import type { ClusterBench } from './cluster-bench.ts';
import { configMap, said } from './cluster-objects.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-adoption-'));
let kubernetes: RunningKubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch);
});

afterAll(async () => {
  await kubernetes.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** How another tool brings an object, and what it leaves on it. */
interface Arrival {
  readonly tool: string;
  readonly metadata: JsonObject;
  readonly bring: (object: JsonObject) => Promise<unknown>;
}

const write = (args: readonly string[]) => (object: JsonObject) => kubernetes.kubectl([...args, '-f', '-'], JSON.stringify(object));
const update = (manager: string) => write(['create', `--field-manager=${manager}`]);
const apply = (manager: string) => write(['apply', '--server-side', `--field-manager=${manager}`]);

const ARRIVALS: readonly Arrival[] = [
  { tool: 'kubectl apply', metadata: {}, bring: write(['apply']) },
  { tool: 'kubectl apply --server-side', metadata: {}, bring: apply('kubectl') },
  {
    tool: 'Helm',
    metadata: {
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'acme' },
    },
    bring: update('helm'),
  },
  {
    tool: 'Argo CD',
    metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:/ConfigMap:acme/a' } },
    bring: apply('argocd-controller'),
  },
  {
    tool: 'Argo CD of older times',
    metadata: { labels: { 'argocd.argoproj.io/instance': 'shop' } },
    bring: update('argocd-controller'),
  },
  {
    tool: 'Flux (Kustomization)',
    metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' } },
    bring: apply('kustomize-controller'),
  },
  {
    tool: 'Flux (HelmRelease)',
    metadata: {
      labels: {
        'helm.toolkit.fluxcd.io/name': 'shop',
        'helm.toolkit.fluxcd.io/namespace': 'flux-system',
        'app.kubernetes.io/managed-by': 'Helm',
      },
      annotations: { 'meta.helm.sh/release-name': 'shop' },
    },
    bring: update('helm-controller'),
  },
];

function managersOf(object: JsonObject | undefined): readonly string[] {
  return (valueAt(object, '/metadata/managedFields') as readonly JsonObject[]).map(
    (entry) => `${jsonText(entry['manager'])} ${jsonText(entry['operation'])}`,
  );
}

async function adopt(bench: ClusterBench, { metadata, bring: arrive }: Arrival): Promise<void> {
  await arrive({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'acme', ...metadata },
    data: { old: 'x', both: 'theirs' },
  });
  const wanted = targetRendering([configMap('a', { data: { both: 'ours', fresh: 'y' } })]);
  expect((await planFor(bench.target, wanted)).problems.map(({ code }) => code)).toEqual(['foreign-object']);
  expect(said(await bring(bench.target, wanted, { adopt: [wanted.objects[0]?.key ?? never()] }))).toEqual(['adopt ConfigMap a done']);
  expect(said(await bring(bench.target, wanted))).toEqual(['keep ConfigMap a unchanged']);
}

function never(): never {
  throw new Error('there is one');
}

describe('an object that git adopts from another tool', () => {
  test.each(ARRIVALS)('$tool: becomes what git says and keeps no sign of it', async (arrival) => {
    const bench = await openClusterBench(kubernetes);

    await adopt(bench, arrival);

    const object = await bench.object('configmap', 'a');
    expect(valueAt(object, '/data')).toEqual({ both: 'ours', fresh: 'y' });
    expect(valueAt(object, '/metadata/labels')).toEqual({ 'capstan.dev/environment': 'dev', 'capstan.dev/target': 'local' });
    expect(Object.keys(valueAt(object, '/metadata/annotations') ?? {})).toEqual(['capstan.dev/applied']);
    expect(managersOf(object)).toEqual(['capstan Apply']);
    expect(said(await bring(bench.target, targetRendering([])))).toEqual(['prune ConfigMap a done']);
  });

  test('keeps the fields of those that are no such tool', async () => {
    const bench = await openClusterBench(kubernetes);
    const arrival = ARRIVALS[0] ?? never();
    await arrival.bring({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'acme' }, data: { old: 'x' } });
    await apply('controller')({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'acme' }, data: { theirs: 'z' } });
    const wanted = targetRendering([configMap('a', { data: { fresh: 'y' } })]);

    expect(said(await bring(bench.target, wanted, { adopt: [wanted.objects[0]?.key ?? never()] }))).toEqual(['adopt ConfigMap a done']);

    const object = await bench.object('configmap', 'a');
    expect(valueAt(object, '/data')).toEqual({ fresh: 'y', theirs: 'z' });
    expect(managersOf(object).toSorted()).toEqual(['capstan Apply', 'controller Apply']);
  });

  test('that changed after the look is left alone', async () => {
    const bench = await openClusterBench(kubernetes);
    const arrival = ARRIVALS[0] ?? never();
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'acme' }, data: { old: 'x' } };
    await arrival.bring(theirs);
    const wanted = targetRendering([configMap('a', { data: { fresh: 'y' } })]);
    const plan = await planFor(bench.target, wanted, { adopt: [wanted.objects[0]?.key ?? never()] });
    await arrival.bring({ ...theirs, data: { old: 'z' } });

    expect(said(await bench.target.apply(plan, nextInventory(plan)))).toEqual(['adopt ConfigMap a refused object-moved']);
    expect(valueAt(await bench.object('configmap', 'a'), '/data')).toEqual({ old: 'z' });
  });

  test('row 95: of another environment of an engine is foreign, whatever its marks and manager are', async () => {
    const bench = await openClusterBench(kubernetes);
    const wanted = targetRendering([configMap('a', { data: { one: '1' } })]);
    await bring(bench.target, wanted);
    const other = await bench.targets.open(toEnvironmentName('other'), toTargetName('local'), {
      driver: 'kubernetes',
      credentials: 'here',
      namespace: 'acme',
    });
    const theirs = targetRendering([configMap('a', { data: { two: '2' } })]);
    const observation = await other.observe(theirs.objects);

    const plan = planChanges({ rendering: theirs, observation, prune: true, adopt: [], selfHeal: true });

    expect(plan.problems.map(({ code }) => code)).toEqual(['foreign-object']);
    expect(valueAt(await bench.object('configmap', 'a'), '/data')).toEqual({ one: '1' });
  });
});
