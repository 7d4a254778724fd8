import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { partData } from '#adapters/kubernetes/inventory-rows.ts';
import type { Row } from '#adapters/kubernetes/inventory-rows.ts';
import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import { toSecret } from '#model/secret.ts';
import { nextInventory } from '#plan/plan.ts';
import { PortError } from '#ports/port-error.ts';
import type { Target } from '#ports/target.ts';
import { bring, planFor } from '#test/contracts/target.contract.ts';
import { renderedObject, targetRendering } from '#test/plan/build-target.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { accessTo, openClusterBench, openTargets } from './cluster-bench.ts';
import type { ClusterBench } from './cluster-bench.ts';
import { configMap, rendered, said } from './cluster-objects.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-inventory-'));
const INVENTORY = 'capstan-dev-0';
let kubernetes: RunningKubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch);
});

afterAll(async () => {
  await kubernetes.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** A process that starts now and knows nothing but what the cluster says. */
async function freshTarget(): Promise<Target> {
  return openTargets(kubernetes).open(toEnvironmentName('dev'), toTargetName('local'), {
    driver: 'kubernetes',
    credentials: 'here',
    namespace: 'acme',
  });
}

async function inventoryData(bench: ClusterBench): Promise<JsonObject> {
  const data = valueAt(await bench.object('configmap', INVENTORY), '/data');
  return isJsonObject(data) ? data : {};
}

async function putBack(data: JsonObject): Promise<void> {
  await kubernetes.kubectl(['patch', 'configmap', INVENTORY, '-n', 'acme', '--type=merge', '-p', JSON.stringify({ data })]);
}

describe('a run that died before it wrote the inventory', () => {
  const one = targetRendering([renderedObject('a'), renderedObject('b')]);
  const two = targetRendering([renderedObject('a', { content: 'two' }), renderedObject('c')]);

  test('leaves what it changed, made and removed to the next one, which calls none of it drift', async () => {
    const bench = await openClusterBench(kubernetes);
    await bring(bench.target, one);
    const before = await inventoryData(bench);
    await bring(bench.target, two);
    await putBack(before);
    const next = await freshTarget();

    const plan = await planFor(next, two);

    expect(plan.drifted).toEqual([]);
    expect(plan.problems).toEqual([]);
    expect(said(await next.apply(plan, nextInventory(plan)))).toEqual(['update ConfigMap a done', 'update ConfigMap c done']);
    expect(said(await bring(await freshTarget(), two))).toEqual(['keep ConfigMap a unchanged', 'keep ConfigMap c unchanged']);
  });

  test('and what somebody changed after it is put right', async () => {
    const bench = await openClusterBench(kubernetes);
    await bring(bench.target, one);
    const before = await inventoryData(bench);
    await bring(bench.target, two);
    await putBack(before);
    await bench.put(two.objects[0]?.path ?? '', renderedObject('a', { content: 'edited' }).text);
    const next = await freshTarget();

    await bring(next, two);

    expect(valueAt(await bench.object('configmap', 'a'), '/data')).toEqual({ content: 'two' });
  });

  test('a revert in git right after it brings back what git says', async () => {
    const bench = await openClusterBench(kubernetes);
    await bring(bench.target, one);
    const before = await inventoryData(bench);
    await bring(bench.target, two);
    await putBack(before);

    await bring(await freshTarget(), one);

    expect(valueAt(await bench.object('configmap', 'a'), '/data')).toEqual({ content: 'one' });
    expect(valueAt(await bench.object('configmap', 'b'), '/data')).toEqual({ content: 'one' });
  });
});

describe('an inventory that cannot be believed', () => {
  const row: Row = {
    key: { group: '', kind: 'ConfigMap', namespace: 'acme', name: 'theirs' },
    path: 'web/core_v1_configmap_acme_theirs.yaml',
    sha256: sha256Of('x'),
    pending: false,
    uid: '1',
    owned: sha256Of('y'),
    version: 'v1',
  };
  const part = { environment: 'dev', target: 'local', parts: 1, sequence: 9, rendering: sha256Of('r'), rows: [row] };
  const wrong: readonly (readonly [string, JsonObject, string])[] = [
    ['edited by hand', { ...partData(part), rows: '[]' }, 'its rows were edited'],
    ['without rows', { formatVersion: '1' }, 'it names no environment and target'],
    ['of a later version', { ...partData(part), formatVersion: '7' }, 'its formatVersion is "7"'],
    ['with a row twice', partData({ ...part, rows: [row, row] }), 'is named twice'],
    ['of another environment', partData({ ...part, environment: 'prod' }), 'belongs to target "local" of environment "prod"'],
    ['with a row that is none', { ...partData(part), rows: '{}', rowsSha256: sha256Of('{}') }, 'row 1 is none'],
  ];

  test.each(wrong)('%s: nothing is done, and the words say why', async (_, data, why) => {
    const bench = await openClusterBench(kubernetes);
    await bring(bench.target, targetRendering([renderedObject('a')]));
    const patch = JSON.stringify([{ op: 'replace', path: '/data', value: data }]);
    await kubernetes.kubectl(['patch', 'configmap', INVENTORY, '-n', 'acme', '--type=json', '-p', patch]);

    const failure = await bring(await freshTarget(), targetRendering([])).then(
      () => undefined,
      (error: unknown) => error,
    );

    expect(failure).toBeInstanceOf(PortError);
    expect(String(failure)).toContain(why);
    expect(await bench.object('configmap', 'a')).toBeDefined();
  });

  test('that names an object of somebody else does not have it removed', async () => {
    const bench = await openClusterBench(kubernetes);
    await bring(bench.target, targetRendering([renderedObject('a')]));
    await kubernetes.kubectl(['create', '-f', '-'], JSON.stringify(configMap('theirs', { data: {} }).object));
    const uid = jsonText(valueAt(await bench.object('configmap', 'theirs'), '/metadata/uid'));
    await putBack(partData({ ...part, rows: [{ ...row, uid }] }));

    const outcomes = await bring(await freshTarget(), targetRendering([]));

    expect(said(outcomes)).toEqual(['prune ConfigMap theirs refused object-moved']);
    expect(await bench.object('configmap', 'theirs')).toBeDefined();
  });

  test('that another process wrote since the look is read again, and what it did is not done twice', async () => {
    const bench = await openClusterBench(kubernetes);
    const wanted = targetRendering([renderedObject('a')]);
    const plan = await planFor(bench.target, wanted);
    await bench.seen(async () => bring(await freshTarget(), wanted));

    expect(said(await bench.target.apply(plan, nextInventory(plan)))).toEqual(['create ConfigMap a done']);
    expect(said(await bring(bench.target, wanted))).toEqual(['keep ConfigMap a unchanged']);
    expect(said(await bring(await freshTarget(), wanted))).toEqual(['keep ConfigMap a unchanged']);
  });
});

describe('an inventory of many parts', () => {
  test('is two writes for each two thousand objects, and one for one that changes', async () => {
    const bench = await openClusterBench(kubernetes);
    const many = Array.from({ length: 4000 }, (_, index) => renderedObject(`c${String(index).padStart(4, '0')}`));
    const plan = await planFor(bench.target, targetRendering(many));

    expect(await bench.requests(() => bench.target.apply(plan, nextInventory(plan)))).toBe(4004);
    const next = targetRendering(many.map((object, index) => (index === 3333 ? renderedObject('c3333', { content: 'two' }) : object)));
    const change = await planFor(bench.target, next);
    expect(await bench.requests(() => bench.target.apply(change, nextInventory(change)))).toBe(2);
    const again = await freshTarget();
    const observation = await again.observe(next.objects);
    expect(observation.inventory?.objects).toHaveLength(4000);
    expect(observation.inventory?.rendering).toBe(next.digest);
    // A part that is gone is a loss: what it named is found by its marks, and nothing is pruned before that is written down.
    await kubernetes.kubectl(['delete', 'configmap', 'capstan-dev-1', '-n', 'acme']);
    const lost = await (await freshTarget()).observe([]);
    expect([lost.complete, lost.objects.length, lost.inventory?.objects.length]).toEqual([false, 4000, 4000]);
  }, 180_000);
});

describe('a lost inventory', () => {
  test('is made again from objects of all kinds, and only then something is pruned', async () => {
    const bench = await openClusterBench(kubernetes);
    const secret = rendered({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'acme' }, stringData: { a: 'b' } });
    const account = rendered({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'left', namespace: 'acme' } });
    await bring(bench.target, targetRendering([renderedObject('a'), secret, account]));
    await kubernetes.kubectl(['delete', 'configmap', INVENTORY, '-n', 'acme']);
    const left = targetRendering([renderedObject('a')]);

    const first = await bring(await freshTarget(), left);
    const second = await bring(await freshTarget(), left);

    expect(said(first).toSorted()).toEqual(['keep Secret s unchanged', 'keep ServiceAccount left unchanged', 'update ConfigMap a done']);
    expect(said(second).toSorted()).toEqual(['keep ConfigMap a unchanged', 'prune Secret s done', 'prune ServiceAccount left done']);
    expect(said(await bring(await freshTarget(), left))).toEqual(['keep ConfigMap a unchanged']);
  });
});

describe('what may be written', () => {
  test('is bounded by the credentials before anything is sent', async () => {
    const bench = await openClusterBench(kubernetes);
    const outside = rendered({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'kube-system' }, data: {} });
    const role = rendered({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'all' }, rules: [] });

    const outcomes = await bring(bench.target, targetRendering([outside, role]));

    expect(said(outcomes).toSorted()).toEqual([
      'create ClusterRole all failed outside-credentials',
      'create ConfigMap a failed outside-credentials',
    ]);
    expect(outcomes.map((outcome) => outcome.problem?.message ?? '').toSorted()).toEqual([
      'core/ConfigMap/kube-system/a was not written: credentials here do not allow namespace "kube-system"',
      'rbac.authorization.k8s.io/ClusterRole/-/all was not written: credentials here do not allow ClusterRole outside of namespaces',
    ]);
  });

  test('is nothing for another environment, or for credentials that are not there', async () => {
    const credentials = new Map([['here', accessTo(kubernetes, { environments: ['prod'] })]]);
    const targets = openTargets(kubernetes, { credentials });
    const open = (name: string) =>
      targets.open(toEnvironmentName('dev'), toTargetName('local'), { driver: 'kubernetes', credentials: name, namespace: 'acme' });

    await expect(open('here')).rejects.toMatchObject({ kind: 'denied' });
    await expect(open('nowhere')).rejects.toMatchObject({ kind: 'denied' });
    expect(targets.counts().requests).toBe(0);
  });
});

describe('a dry run', () => {
  test('row 103: tells the fields that would change, what would be refused, and no value of a Secret', async () => {
    const bench = await openClusterBench(kubernetes);
    const secret = (password: string) =>
      rendered({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'acme' }, stringData: { password } });
    await bring(bench.target, targetRendering([configMap('a', { data: { one: '1' } }), secret('first-canary')]));
    const wrong = configMap('w', { dta: { one: '1' } });
    const next = targetRendering([configMap('a', { data: { one: '2' } }), configMap('n', {}), secret('second-canary'), wrong]);
    const plan = await planFor(bench.target, next);

    const preview = await bench.target.preview?.(plan);

    const told = Object.fromEntries(
      [...(preview ?? [])].map(([path, { fields, problem }]) => [/_([a-z])\.yaml$/.exec(path)?.[1], { fields, code: problem?.code }]),
    );
    expect(told).toMatchObject({
      a: { fields: [{ path: '/data/one', before: '1', after: '2' }], code: undefined },
      n: { fields: [], code: undefined },
      w: { fields: [], code: 'object-rejected' },
    });
    expect(told['s']?.fields).toEqual([{ path: '/data/password', before: '[secret]', after: '[secret]' }]);
    expect(JSON.stringify(told)).not.toMatch(/canary|Y2FuYXJ5/);
    expect(valueAt(await bench.object('configmap', 'a'), '/data')).toEqual({ one: '1' });
    expect(await bench.object('configmap', 'n')).toBeUndefined();
  });
});

describe('a Secret that is sealed in git', () => {
  const text = rendered({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'acme' },
    stringData: { password: 'sealed: opened where it is applied' },
  });
  const sealed = { ...text, sealed: { format: 'sops', type: 'yaml', text: 'encrypted', keys: { password: 'password' } } as const };

  test('row 103: is opened where it is applied, and its value is nowhere else', async () => {
    const bench = await openClusterBench(kubernetes, {
      secrets: { open: () => Promise.resolve(new Map([['password', toSecret('canary-value')]])) },
    });

    const outcomes = await bring(bench.target, targetRendering([sealed]));

    expect(said(outcomes)).toEqual(['create Secret s done']);
    expect(valueAt(await bench.object('secret', 's'), '/data/password')).toBe(Buffer.from('canary-value').toString('base64'));
    expect(said(await bring(bench.target, targetRendering([sealed])))).toEqual(['keep Secret s unchanged']);
    const patch = JSON.stringify({ stringData: { password: 'theirs' } });
    await bench.seen(() => kubernetes.kubectl(['patch', 'secret', 's', '-n', 'acme', '--type=merge', '-p', patch]));
    expect(said(await bring(bench.target, targetRendering([sealed])))).toEqual(['update Secret s done']);
    expect(valueAt(await bench.object('secret', 's'), '/data/password')).toBe(Buffer.from('canary-value').toString('base64'));
    const traces = JSON.stringify([outcomes, await bench.target.observe([sealed]), await bench.object('configmap', INVENTORY)]);
    expect(traces).not.toMatch(/canary|Y2FuYXJ5/);
  });

  test('is a problem with its name where it cannot be opened', async () => {
    const bench = await openClusterBench(kubernetes);

    expect(said(await bring(bench.target, targetRendering([sealed])))).toEqual(['create Secret s failed secret-not-opened']);
  });
});
