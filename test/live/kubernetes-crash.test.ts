import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { valueAt } from '#model/json.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import { nextInventory } from '#plan/plan.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Target } from '#ports/target.ts';
import { bring, planFor } from '#test/contracts/target.contract.ts';
import { renderedObject, targetRendering } from '#test/plan/build-target.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { startStormProxy } from '#test/servers/storm-proxy.ts';
import type { StormProxy } from '#test/servers/storm-proxy.ts';
import { accessTo, openClusterBench, openTargets } from './cluster-bench.ts';
import { configMap, said } from './cluster-objects.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-crash-'));
let kubernetes: RunningKubernetes;
let proxy: StormProxy;

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch);
  proxy = await startStormProxy(kubernetes);
});

afterAll(async () => {
  await proxy.stop();
  await kubernetes.stop();
  rmSync(scratch, { recursive: true, force: true });
});

async function targetThrough(kubeconfig: string): Promise<Target> {
  const access = accessTo(kubernetes, { source: { kind: 'kubeconfig', file: kubeconfig, context: undefined, allowExec: false } });
  const targets = openTargets(kubernetes, { credentials: new Map([['here', access]]) });
  return targets.open(toEnvironmentName('dev'), toTargetName('local'), { driver: 'kubernetes', credentials: 'here', namespace: 'acme' });
}

describe('a process that dies in the middle of a run', () => {
  const before = targetRendering([renderedObject('a'), renderedObject('b'), renderedObject('e')]);
  const after = targetRendering(
    [
      renderedObject('a', { content: 'two' }),
      renderedObject('c'),
      configMap('d', { data: { fresh: 'y' } }),
      renderedObject('e', { instance: 'api' }),
    ],
    { web: 0, api: 0 },
  );
  const adopt = after.objects.filter(({ key }) => key.name === 'd').map(({ key }) => key);
  // Announcement, two for what is adopted, two other objects, one removal, inventory; the one that only moves costs none.
  const WRITES = 7;

  test.each(Array.from({ length: WRITES + 1 }, (_, writes) => writes))(
    'row 94: after %i writes leaves the next one to the same end',
    async (writes) => {
      const bench = await openClusterBench(kubernetes);
      await bring(bench.target, before);
      await kubernetes.kubectl(
        ['apply', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'd', namespace: 'acme' }, data: { old: 'x' } }),
      );
      const dying = await targetThrough(proxy.kubeconfig);
      const plan = await planFor(dying, after, { adopt });
      let done = 0;
      proxy.set({ status: 500, share: 1, hits: (method) => method !== 'GET' && (done += 1) > writes });
      const ended = await dying.apply(plan, nextInventory(plan)).then(
        (outcomes) => (outcomes.some(({ result }) => result === 'refused') ? 'refused' : 'done'),
        (error: unknown) => (isPortError(error) ? error.kind : 'other'),
      );
      proxy.set(undefined);
      expect(ended).toBe(writes >= WRITES ? 'done' : 'transient');
      const next = await targetThrough(kubernetes.kubeconfig);

      const again = await planFor(next, after, { adopt });
      await next.apply(again, nextInventory(again));

      expect([again.drifted, again.problems]).toEqual([[], []]);
      expect(said(await bring(await targetThrough(kubernetes.kubeconfig), after))).toEqual([
        'keep ConfigMap e unchanged',
        'keep ConfigMap a unchanged',
        'keep ConfigMap c unchanged',
        'keep ConfigMap d unchanged',
      ]);
      const data = await Promise.all(
        ['a', 'b', 'c', 'd', 'e'].map(async (name) => valueAt(await bench.object('configmap', name), '/data')),
      );
      expect(data).toEqual([{ content: 'two' }, undefined, { content: 'one' }, { fresh: 'y' }, { content: 'one' }]);
    },
  );
});

describe('an answer that is lost on its way', () => {
  const made = targetRendering([renderedObject('a'), renderedObject('b')]);

  test('has been carried out: the object that it made is ours', async () => {
    const bench = await openClusterBench(kubernetes);
    const target = await targetThrough(proxy.kubeconfig);
    proxy.loseAnswer((method, path) => method === 'PATCH' && path.includes('/configmaps/a?'));

    expect(said(await bring(target, made))).toEqual(['create ConfigMap a done', 'create ConfigMap b done']);
    expect(valueAt(await bench.object('configmap', 'a'), '/data')).toEqual({ content: 'one' });
    expect((await planFor(target, made)).steps.map((step) => step.action)).toEqual(['keep', 'keep']);
  });

  test('is not taken for ours where somebody else made the object just before', async () => {
    const bench = await openClusterBench(kubernetes);
    const target = await targetThrough(proxy.kubeconfig);
    const plan = await planFor(target, made);
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'acme' }, data: { other: 'x' } };
    await kubernetes.kubectl(['create', '-f', '-'], JSON.stringify(theirs));
    proxy.loseAnswer((method, path) => method === 'PATCH' && path.includes('/configmaps/a?'));

    expect(said(await target.apply(plan, nextInventory(plan)))).toEqual([
      'create ConfigMap a refused object-moved',
      'create ConfigMap b done',
    ]);
    expect(valueAt(await bench.object('configmap', 'a'), '/data')).toEqual({ other: 'x' });
  });
});

describe('a server that dies in the middle of a run', () => {
  test('gets the rest when it is back', async () => {
    const bench = await openClusterBench(kubernetes);
    const many = targetRendering(Array.from({ length: 400 }, (_, index) => renderedObject(`c${index}`)));
    const plan = await planFor(bench.target, many);
    const from = bench.targets.counts().requests;
    const applying = bench.target.apply(plan, nextInventory(plan)).then(
      (outcomes) =>
        outcomes.flatMap(({ key, result, problem }) => (result === 'done' ? [] : [`${key.name} ${result} ${problem?.message ?? ''}`])),
      (error: unknown) => [`refused ${isPortError(error) ? error.kind : 'other'}`],
    );
    while (bench.targets.counts().requests < from + 100) await new Promise((resolve) => setImmediate(resolve));
    await kubernetes.apiserver.stop('SIGKILL');
    await kubernetes.apiserver.start();

    // What the server was at when it died it answered with an error, or not at all.
    expect((await applying).filter((line) => !line.includes(' refused '))).toEqual([]);

    await bring(bench.target, many);
    const fresh = await targetThrough(kubernetes.kubeconfig);
    expect(said(await bring(fresh, many)).filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
    expect(said(await bring(bench.target, targetRendering([]))).filter((line) => !line.endsWith(' done'))).toEqual([]);
  }, 180_000);
});
