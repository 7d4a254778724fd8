import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { valueAt } from '#model/json.ts';
import type { JsonObject } from '#model/json.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import { DEFAULT_TARGET_SYNC } from '#model/plan.ts';
import { nextInventory } from '#plan/plan.ts';
import { bring, planFor } from '#test/contracts/target.contract.ts';
import { renderedObject, targetRendering } from '#test/plan/build-target.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { accessTo, openClusterBench, openTargets } from './cluster-bench.ts';
import { configMap, deployment, rendered, said } from './cluster-objects.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-sync-'));
let kubernetes: RunningKubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch, { controllers: true });
});

afterAll(async () => {
  await kubernetes.stop();
  rmSync(scratch, { recursive: true, force: true });
});

describe('what is asked of a server', () => {
  test('is one request an object and two for the inventory, one and one for a change, and nothing where nothing changed', async () => {
    const bench = await openClusterBench(kubernetes);
    const many = Array.from({ length: 300 }, (_, index) => renderedObject(`c${index}`));
    const first = await planFor(bench.target, targetRendering(many));

    expect(await bench.requests(() => bench.target.apply(first, nextInventory(first)))).toBe(302);
    expect(await bench.requests(() => bench.target.observe(many))).toBe(0);

    const next = targetRendering(many.map((object, index) => (index === 7 ? renderedObject('c7', { content: 'two' }) : object)));
    const plan = await planFor(bench.target, next);
    expect(await bench.requests(() => bench.target.apply(plan, nextInventory(plan)))).toBe(2);
    expect(await bench.requests(() => bench.target.observe(next.objects))).toBe(0);
    expect(said(await bring(bench.target, next)).every((line) => line.endsWith('unchanged'))).toBe(true);
  });

  test('is no more in a process that starts anew than its views and the inventory', async () => {
    const bench = await openClusterBench(kubernetes);
    const some = targetRendering([renderedObject('a'), renderedObject('b')]);
    await bring(bench.target, some);
    const fresh = openTargets(kubernetes);
    const declaration = { driver: 'kubernetes', credentials: 'here', namespace: 'acme' };
    const target = await fresh.open(toEnvironmentName('dev'), toTargetName('local'), declaration);

    expect(said(await bring(target, some))).toEqual(['keep ConfigMap a unchanged', 'keep ConfigMap b unchanged']);
    expect(fresh.counts().requests).toBeLessThan(6);
  });
});

describe('objects that others have a hand in', () => {
  test('row 86: a field of another manager is a conflict with its name', async () => {
    const bench = await openClusterBench(kubernetes);
    await bring(bench.target, targetRendering([configMap('a', { data: { one: '1' } })]));
    await kubernetes.kubectl(
      ['apply', '--server-side', '--field-manager=somebody', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'acme' }, data: { two: 'theirs' } }),
    );

    const [outcome] = await bring(bench.target, targetRendering([configMap('a', { data: { one: '1', two: 'ours' } })]));

    expect(outcome?.result).toBe('failed');
    expect(outcome?.problem).toMatchObject({
      code: 'field-conflict',
      message: 'core/ConfigMap/acme/a was not written: "somebody" holds .data.two',
    });
  });

  test('what was ours is taken back from whoever took it, with one request', async () => {
    const bench = await openClusterBench(kubernetes);
    const [a, both] = [renderedObject('a'), targetRendering([deployment(2), renderedObject('a')])];
    await bring(bench.target, both);
    await bench.put(a.path, renderedObject('a', { content: 'edited' }).text);
    const plan = await planFor(bench.target, both);

    expect(plan.drifted).toEqual([a.key]);
    const requests = await bench.requests(async () => {
      expect(said(await bench.target.apply(plan, nextInventory(plan))).toSorted()).toEqual([
        'keep Deployment web unchanged',
        'update ConfigMap a done',
      ]);
    });
    expect(requests).toBe(1);
    expect(await bench.read(a.path)).toBe(a.text);
    await bench.seen(() => kubernetes.kubectl(['scale', 'deployment', 'web', '-n', 'acme', '--replicas=5']));
    expect(said(await bring(bench.target, both)).toSorted()).toEqual(['keep ConfigMap a unchanged', 'update Deployment web done']);
    expect(valueAt(await bench.object('deployment', 'web'), '/spec/replicas')).toBe(2);
    expect(said(await bring(bench.target, both)).every((line) => line.endsWith('unchanged'))).toBe(true);
  });

  test('row 92: an object that is removed, or made anew by somebody, after the look is left alone', async () => {
    const bench = await openClusterBench(kubernetes);
    const names = ['a', 'b'];
    await bring(bench.target, targetRendering(names.map((name) => renderedObject(name))));
    const next = targetRendering(names.map((name) => renderedObject(name, { content: 'two' })));
    const plan = await planFor(bench.target, next);
    await kubernetes.kubectl(['delete', 'configmaps', ...names, '-n', 'acme']);
    await kubernetes.kubectl(['create', '-f', '-'], JSON.stringify(renderedObject('b', { content: 'theirs' }).object));

    expect(said(await bench.target.apply(plan, nextInventory(plan)))).toEqual([
      'update ConfigMap a refused object-moved',
      'update ConfigMap b refused object-moved',
    ]);
    expect(await bench.object('configmap', 'a')).toBeUndefined();
    expect(valueAt(await bench.object('configmap', 'b'), '/data')).toEqual({ content: 'theirs' });
    const again = await planFor(bench.target, next);
    expect([again.drifted, again.problems.map(({ code }) => code)]).toEqual([[renderedObject('a').key], ['foreign-object']]);
    expect(said(await bring(bench.target, targetRendering([])))).toEqual([]);
    expect(valueAt(await bench.object('configmap', 'b'), '/data')).toEqual({ content: 'theirs' });
  });

  test('an object whose labels somebody took away is found and gets them back', async () => {
    const bench = await openClusterBench(kubernetes);
    const wanted = targetRendering([renderedObject('a')]);
    await bring(bench.target, wanted);
    await bench.seen(() => kubernetes.kubectl(['label', 'configmap', 'a', '-n', 'acme', 'capstan.dev/target-']));

    expect(said(await bring(bench.target, wanted))).toEqual(['update ConfigMap a done']);
    expect(valueAt(await bench.object('configmap', 'a'), '/metadata/labels/capstan.dev~1target')).toBe('local');
    await bench.seen(() => kubernetes.kubectl(['label', 'configmap', 'a', '-n', 'acme', 'capstan.dev/target-']));
    expect(said(await bring(bench.target, targetRendering([])))).toEqual(['prune ConfigMap a done']);
    expect(await bench.object('configmap', 'a')).toBeUndefined();
  });

  test('an object of somebody that appeared with the very same fields is let go again', async () => {
    const bench = await openClusterBench(kubernetes);
    const a = renderedObject('a');
    const plan = await planFor(bench.target, targetRendering([a]));
    await bench.put(a.path, a.text);

    const outcomes = await bench.target.apply(plan, nextInventory(plan));

    expect(said(outcomes)).toEqual(['create ConfigMap a refused object-moved']);
    const left = await bench.object('configmap', 'a');
    expect(valueAt(left, '/metadata/labels')).toBeUndefined();
    expect(JSON.stringify(valueAt(left, '/metadata/managedFields'))).not.toContain('"manager":"capstan"');
  });

  test('fields that others may set are given at creation and left to them afterwards', async () => {
    const sync = { ...DEFAULT_TARGET_SYNC, ignore: [{ group: 'apps', kind: 'Deployment', name: undefined, paths: ['/spec/replicas'] }] };
    const bench = await openClusterBench(kubernetes, { declaration: { sync } });
    await bring(bench.target, targetRendering([deployment(2)]));
    expect(valueAt(await bench.object('deployment', 'web'), '/spec/replicas')).toBe(2);

    // Nobody has set it yet: it stays what it was.
    expect(said(await bring(bench.target, targetRendering([deployment(7)])))).toEqual(['update Deployment web done']);
    expect(valueAt(await bench.object('deployment', 'web'), '/spec/replicas')).toBe(2);
    await kubernetes.kubectl(['scale', 'deployment', 'web', '-n', 'acme', '--replicas=5']);
    expect(said(await bring(bench.target, targetRendering([deployment(7)])))).toEqual(['keep Deployment web unchanged']);
    expect(said(await bring(bench.target, targetRendering([deployment(3)])))).toEqual(['update Deployment web done']);
    expect(valueAt(await bench.object('deployment', 'web'), '/spec/replicas')).toBe(5);
  });
});

describe('objects of one kind in two versions', () => {
  test('are as they should be once they are written, for whoever looks', async () => {
    const bench = await openClusterBench(kubernetes);
    const autoscaler = (version: string, name: string, spec: JsonObject) =>
      rendered({
        apiVersion: `autoscaling/${version}`,
        kind: 'HorizontalPodAutoscaler',
        metadata: { name, namespace: 'acme' },
        spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3, ...spec },
      });
    const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } };
    const both = targetRendering([
      autoscaler('v2', 'new', { metrics: [cpu] }),
      autoscaler('v1', 'old', { targetCPUUtilizationPercentage: 50 }),
    ]);

    expect(said(await bring(bench.target, both)).every((line) => line.endsWith(' done'))).toBe(true);
    expect(said(await bring(bench.target, both)).every((line) => line.endsWith(' unchanged'))).toBe(true);
    const fresh = await openTargets(kubernetes).open(toEnvironmentName('dev'), toTargetName('local'), {
      driver: 'kubernetes',
      credentials: 'here',
      namespace: 'acme',
    });
    expect((await planFor(fresh, both)).drifted).toEqual([]);
    expect(said(await bring(fresh, both)).every((line) => line.endsWith(' unchanged'))).toBe(true);
    await bring(fresh, targetRendering([]));
  });

  test('are no drift when all of them move to another version', async () => {
    const bench = await openClusterBench(kubernetes);
    const budget = (name: string, extra: JsonObject, version = 'v1') =>
      rendered({
        apiVersion: `autoscaling/${version}`,
        kind: 'HorizontalPodAutoscaler',
        metadata: { name, namespace: 'acme' },
        spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3, ...extra },
      });
    await bring(bench.target, targetRendering([budget('a', { targetCPUUtilizationPercentage: 50 })]));
    const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } };
    const next = targetRendering([budget('a', { metrics: [cpu] }, 'v2')]);

    const plan = await planFor(bench.target, next);

    expect(plan.drifted).toEqual([]);
    expect(said(await bench.target.apply(plan, nextInventory(plan)))).toEqual(['create HorizontalPodAutoscaler a done']);
    expect(said(await bring(bench.target, next))).toEqual(['keep HorizontalPodAutoscaler a unchanged']);
    expect(valueAt(await bench.object('hpa', 'a'), '/spec/metrics/0/resource/target/averageUtilization')).toBe(50);
    await bring(bench.target, targetRendering([]));
  });
});

describe('objects that cannot be changed in place', () => {
  test('row 93: are named with the field, and made again only where git says so', async () => {
    const bench = await openClusterBench(kubernetes);
    await bring(bench.target, targetRendering([deployment(1)]));
    const before = valueAt(await bench.object('deployment', 'web'), '/metadata/uid');

    const [refused] = await bring(bench.target, targetRendering([deployment(1, 'other')]));
    expect(refused?.result).toBe('failed');
    expect(refused?.problem?.code).toBe('immutable-field');
    expect(refused?.problem?.message).toMatch(/^apps\/Deployment\/acme\/web cannot be changed in place \(spec\.selector\)/);
    expect(valueAt(await bench.object('deployment', 'web'), '/metadata/uid')).toBe(before);

    const again = targetRendering([deployment(1, 'other', { 'capstan.dev/recreate': 'true' })]);
    expect(said(await bring(bench.target, again))).toEqual(['update Deployment web done']);
    expect(valueAt(await bench.object('deployment', 'web'), '/metadata/uid')).not.toBe(before);
    expect(said(await bring(bench.target, again))).toEqual(['keep Deployment web unchanged']);
  });
});

describe('a namespace and a kind that come with what needs them', () => {
  const namespace = rendered({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fresh' } });
  const inside = rendered({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'fresh' }, data: {} });
  const definition = rendered({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
          },
        },
      ],
    },
  });
  const widget = rendered({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'fresh' }, spec: { size: 1 } });

  test('are there before it, in one run, and go after it', async () => {
    const targets = openTargets(kubernetes, {
      credentials: new Map([['here', accessTo(kubernetes, { clusterResources: ['*'], namespaces: ['*'] })]]),
    });
    const target = await targets.open(toEnvironmentName('dev'), toTargetName('local'), {
      driver: 'kubernetes',
      credentials: 'here',
      namespace: 'fresh',
    });
    const whole = targetRendering([namespace, inside, definition, widget]);

    const outcomes = await bring(target, whole);
    expect(said(outcomes).toSorted()).toEqual([
      'create ConfigMap a done',
      'create CustomResourceDefinition widgets.example.com done',
      'create Namespace fresh done',
      'create Widget w done',
    ]);
    expect(said(await bring(target, whole)).every((line) => line.endsWith('unchanged'))).toBe(true);

    const removed = said(await bring(target, targetRendering([namespace])));
    expect(removed.filter((line) => line.startsWith('prune')).toSorted()).toEqual([
      'prune ConfigMap a done',
      'prune CustomResourceDefinition widgets.example.com done',
      'prune Widget w done',
    ]);
    expect(said(await bring(target, targetRendering([])))).toContain('prune Namespace fresh done');
    await kubernetes.kubectl(['wait', '--for=delete', 'crd/widgets.example.com', '--timeout=60s']);
    await kubernetes.kubectl(['wait', '--for=delete', 'namespace/fresh', '--timeout=60s']);
    expect(await target.observe([])).toMatchObject({ inventory: undefined, objects: [], complete: true });
    expect(said(await bring(target, whole)).filter((line) => !line.endsWith(' done'))).toEqual([]);
    expect(said(await bring(target, whole)).every((line) => line.endsWith('unchanged'))).toBe(true);
  });
});

describe('removal', () => {
  test('keeps what an annotation protects, and says so', async () => {
    const bench = await openClusterBench(kubernetes);
    await bring(bench.target, targetRendering([configMap('a', {}, { annotations: { 'capstan.dev/prune': 'false' } })]));

    expect(said(await bring(bench.target, targetRendering([])))).toEqual(['prune ConfigMap a unchanged prune-protected']);
    expect(await bench.object('configmap', 'a')).toBeDefined();
    await bench.seen(() => kubernetes.kubectl(['annotate', 'configmap', 'a', '-n', 'acme', 'capstan.dev/prune-']));
    expect(said(await bring(bench.target, targetRendering([])))).toEqual(['prune ConfigMap a done']);
  });

  test('row 89: that a finalizer holds is not waited for, and named when it takes too long', async () => {
    let now = Date.now();
    const clock = { now: () => now as never };
    const bench = await openClusterBench(kubernetes, { clock });
    await bring(bench.target, targetRendering([configMap('a', {}, { finalizers: ['example.com/never'] })]));

    expect(said(await bring(bench.target, targetRendering([])))).toEqual(['prune ConfigMap a done']);
    expect(said(await bring(bench.target, targetRendering([])))).toEqual(['prune ConfigMap a unchanged']);
    now += 10 * 60_000;
    const [late] = await bring(bench.target, targetRendering([]));
    expect(late?.problem?.code).toBe('deletion-blocked');
    expect(late?.problem?.message).toMatch(
      /^core\/ConfigMap\/acme\/a is being removed since 20.*Z, and finalizer example\.com\/never has not let it go$/,
    );
    await bench.seen(() =>
      kubernetes.kubectl(['patch', 'configmap', 'a', '-n', 'acme', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']),
    );
    expect(said(await bring(bench.target, targetRendering([])))).toEqual([]);
  });

  test('is waited for by the environment where it says so, and by no run', async () => {
    const sync = { ...DEFAULT_TARGET_SYNC, deletionPolicy: 'WaitForTermination' } as const;
    const bench = await openClusterBench(kubernetes, { declaration: { sync } });
    const held = configMap('a', {}, { finalizers: ['example.com/slow'] });
    await bring(bench.target, targetRendering([held, deployment(1)]));

    expect(said(await bring(bench.target, targetRendering([]))).toSorted()).toEqual([
      'prune ConfigMap a done deletion-pending',
      'prune Deployment web done deletion-pending',
    ]);
    await kubernetes.kubectl(['wait', '--for=delete', 'deployment/web', '-n', 'acme', '--timeout=60s']);
    const [waiting] = (await bring(bench.target, targetRendering([]))).filter(({ key }) => key.kind === 'ConfigMap');
    expect(waiting).toMatchObject({ result: 'unchanged', problem: { severity: 'warning', code: 'deletion-pending' } });
    expect(waiting?.problem?.message).toMatch(/^core\/ConfigMap\/acme\/a is being removed \(example\.com\/slow/);
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    await bench.seen(() => kubernetes.kubectl(['patch', 'configmap', 'a', '-n', 'acme', '--type=merge', '-p', patch]));
    expect(said(await bring(bench.target, targetRendering([])))).toEqual([]);
  });

  test('leaves objects where the environment says so, without our marks', async () => {
    const bench = await openClusterBench(kubernetes, { declaration: { sync: { ...DEFAULT_TARGET_SYNC, deletionPolicy: 'Orphan' } } });
    await bring(bench.target, targetRendering([renderedObject('a')]));

    expect(said(await bring(bench.target, targetRendering([])))).toEqual(['prune ConfigMap a done']);
    const left = await bench.object('configmap', 'a');
    expect(valueAt(left, '/data')).toEqual({ content: 'one' });
    expect([valueAt(left, '/metadata/labels'), valueAt(left, '/metadata/annotations')]).toEqual([undefined, undefined]);
  });
});
