import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { kubernetesTargets } from '#adapters/kubernetes/kubernetes.ts';
import { systemChance, systemTimers } from '#adapters/machine/machine.ts';
import type { ReconcileResult } from '#loops/reconcile.ts';
import { startCuttingProxy } from '#test/servers/cutting-proxy.ts';
import { startDenyingWebhook } from '#test/servers/denying-webhook.ts';
import { startKubernetes, writeKubeconfig } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { startStormProxy } from '#test/servers/storm-proxy.ts';
import { PROJECT_FILE } from '#test/stories/shop.ts';
import type { Files } from '#test/stories/shop.ts';
import { accessTo } from './cluster-bench.ts';
import { clusterWorld } from './cluster-world.ts';
import type { ClusterWorld } from './cluster-world.ts';

const SCRATCH = mkdtempSync(join(tmpdir(), 'capstan-faults-'));
const FOREIGN = 5_000;
let cluster: RunningKubernetes;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  cluster = await startKubernetes(mkdtempSync(join(SCRATCH, 'one')), { controllers: true });
}, 300_000);

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(SCRATCH, { recursive: true, force: true });
});

/** An engine of one environment `live` whose one target is a new namespace, reached through `kubeconfig`. */
async function engineOn(namespace: string, kubeconfig = cluster.kubeconfig): Promise<ClusterWorld> {
  await cluster.kubectl(['create', 'namespace', namespace]);
  const engine = openEngine(kubeconfig);
  await engine.push({ 'environments/project.yaml': PROJECT_FILE, 'environments/live/environment.yaml': environment(namespace) });
  return engine;
}

function openEngine(file: string): ClusterWorld {
  const source = { kind: 'kubeconfig', file, context: undefined, allowExec: false } as const;
  const credentials = new Map([['here', accessTo(cluster, { source })]]);
  const engine = clusterWorld((clock) =>
    kubernetesTargets({ credentials, secrets: undefined, clock, timers: systemTimers, chance: systemChance }),
  );
  closing.push(() => engine.close());
  return engine;
}

function environment(namespace: string, capsules = '{}'): string {
  return `apiVersion: capstan.dev/v1alpha1
kind: Environment
metadata:
  name: live
spec:
  risk: low
  targets:
    here:
      driver: kubernetes
      credentials: here
      namespace: ${namespace}
  capsules: ${capsules}
  promotion:
    from:
      environments: []
    merge: auto
  gates:
    - name: signed
      type: signature
`;
}

/** A capsule of `count` ConfigMaps `many-<n>` that say `word`. */
function many(
  namespace: string,
  { count, word, version }: { readonly count: number; readonly word: string; readonly version: string },
): Files {
  const texts = Array.from(
    { length: count },
    (_, at) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: many-${at}\ndata:\n  word: ${word}\n`,
  );
  return {
    'environments/live/environment.yaml': environment(namespace, "\n    many:\n      version: '>=1.0.0'"),
    'capsules/many/capsule.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: many
  version: ${version}
  title: Many
  description: Many small objects.
spec:
  type: configuration
  components:
    all:
      kind: Manifests
      source:
        path: objects
`,
    'capsules/many/objects/all.yaml': texts.join('---\n'),
  };
}

/** Name and word of the ConfigMaps of a namespace that carry our label. */
async function words(namespace: string): Promise<readonly string[]> {
  const text = await cluster.kubectl(['get', 'configmaps', '-n', namespace, '-l', 'capstan.dev/environment=live', '-o', 'json']);
  const { items } = JSON.parse(text) as { readonly items: readonly { metadata: { name: string }; data: Record<string, string> }[] };
  return items.flatMap(({ metadata, data }) => (metadata.name.startsWith('many-') ? [`${metadata.name} ${data['word']}`] : [])).toSorted();
}

function expected(count: number, word: string): readonly string[] {
  return Array.from({ length: count }, (_, at) => `many-${at} ${word}`).toSorted();
}

function isSettled({ ending }: ReconcileResult): boolean {
  return ending.kind === 'settled';
}

async function proxied(): Promise<{ readonly proxy: Awaited<ReturnType<typeof startCuttingProxy>>; readonly kubeconfig: string }> {
  const proxy = await startCuttingProxy(Number(new URL(cluster.url).port));
  closing.push(() => proxy.stop());
  const kubeconfig = join(SCRATCH, `through-${proxy.port}`);
  const { certificateFile, token } = cluster;
  writeKubeconfig(kubeconfig, { url: `https://127.0.0.1:${proxy.port}`, certificateFile, name: 'tester', token });
  return { proxy, kubeconfig };
}

describe('whatever happens to the API server, the end is the same', () => {
  test('killed in the middle of an apply, and started again', async () => {
    const engine = await engineOn('killed');
    await engine.push(many('killed', { count: 300, word: 'one', version: '1.0.0' }));
    const running = engine.until('live', isSettled);
    while ((await words('killed').catch(() => [])).length < 20);

    await cluster.apiserver.stop('SIGKILL');
    await cluster.apiserver.start();
    const { receipts } = await running;

    expect(await words('killed')).toEqual(expected(300, 'one'));
    expect(receipts.map((receipt) => receipt.driftDetected)).toEqual([false]);
  }, 300_000);

  test('storms of 429 and 503', async () => {
    const storm = await startStormProxy(cluster);
    closing.push(() => storm.stop());
    const engine = await engineOn('storm', storm.kubeconfig);
    await engine.push(many('storm', { count: 100, word: 'one', version: '1.0.0' }));
    storm.set({ status: 429, share: 0.3, retryAfter: 0 });
    await engine.until('live', isSettled);

    storm.set({ status: 503, share: 0.3, retryAfter: 0 });
    await engine.push(many('storm', { count: 90, word: 'two', version: '1.1.0' }));
    await engine.until('live', isSettled);

    expect(await words('storm')).toEqual(expected(90, 'two'));
    expect(storm.counts().refused).toBeGreaterThan(50);
  }, 300_000);

  test('row 87: an admission webhook denies one object of fifty: it is named, and nothing is pruned meanwhile', async () => {
    const engine = await engineOn('denied');
    await engine.push(many('denied', { count: 50, word: 'one', version: '1.0.0' }));
    await engine.until('live', isSettled);
    const webhook = await startDenyingWebhook(cluster, {
      resource: 'configmaps',
      namespace: 'denied',
      name: 'many-7',
      message: 'not today',
    });
    closing.push(() => webhook.stop());
    await engine.push(many('denied', { count: 49, word: 'two', version: '1.1.0' }));

    const { ending } = await engine.run('live');
    const meanwhile = await words('denied');
    webhook.deny(undefined);
    await engine.run('live');
    await engine.until('live', isSettled);

    expect(ending).toMatchObject({ kind: 'stuck', problems: [{ place: { file: 'capsules/many/objects/all.yaml' } }] });
    expect(JSON.stringify(ending)).toMatch(/many-7.*not today/);
    expect(meanwhile).toEqual([...expected(49, 'two').filter((one) => !one.startsWith('many-7 ')), 'many-49 one', 'many-7 one'].toSorted());
    expect(await words('denied')).toEqual(expected(49, 'two'));
  }, 300_000);

  test('answers that come three seconds late', async () => {
    const { proxy, kubeconfig } = await proxied();
    const engine = await engineOn('late', kubeconfig);
    await engine.push(many('late', { count: 20, word: 'one', version: '1.0.0' }));
    proxy.delay(3_000);

    await engine.until('live', isSettled);

    expect(await words('late')).toEqual(expected(20, 'one'));
  }, 300_000);

  test('connections that are cut again and again', async () => {
    const { proxy, kubeconfig } = await proxied();
    const engine = await engineOn('cut', kubeconfig);
    await engine.push(many('cut', { count: 60, word: 'one', version: '1.0.0' }));
    proxy.cutEvery(1_000);

    await engine.until('live', isSettled);
    await cluster.kubectl(['delete', 'configmap', 'many-3', '-n', 'cut']);
    await engine.until('live', ({ receipts }) => receipts.some((receipt) => receipt.driftDetected));
    proxy.cutEvery(0);
    await engine.until('live', isSettled);

    expect(await words('cut')).toEqual(expected(60, 'one'));
  }, 300_000);

  test('five thousand objects of others in the namespace, of which none is touched', async () => {
    const engine = await engineOn('crowded');
    for (let from = 0; from < FOREIGN; from += 500) {
      const items = Array.from({ length: 500 }, (_, at) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `theirs-${from + at}`, namespace: 'crowded' },
        data: { word: 'theirs' },
      }));
      await cluster.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    }
    await engine.push(many('crowded', { count: 30, word: 'one', version: '1.0.0' }));
    await engine.until('live', isSettled);
    await engine.push(many('crowded', { count: 25, word: 'one', version: '1.1.0' }));
    await engine.until('live', isSettled);

    expect(await words('crowded')).toEqual(expected(25, 'one'));
    const left = (await cluster.kubectl(['get', 'configmaps', '-n', 'crowded', '-o', 'name'])).split('\n');
    expect(left.filter((name) => name.includes('theirs-'))).toHaveLength(FOREIGN);
  }, 300_000);

  test('row 98: an object of nearly a megabyte, and one that is too large', async () => {
    const engine = await engineOn('large');
    const large = (bytes: number): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: many-0\ndata:\n  word: ${'x'.repeat(bytes)}\n`;
    await engine.push({ ...many('large', { count: 0, word: '', version: '1.0.0' }), 'capsules/many/objects/all.yaml': large(1_000_000) });
    await engine.until('live', isSettled);
    await engine.push({
      ...many('large', { count: 0, word: '', version: '1.1.0' }),
      'capsules/many/objects/all.yaml': large(1_000_000).replace('data:', `data:\n  more: ${'y'.repeat(60_000)}`),
    });

    const { ending } = await engine.run('live');

    expect((await words('large')).map((text) => text.length)).toEqual([1_000_007]);
    expect(JSON.stringify(ending)).toMatch(/many-0.*the limit is 1 MiB/);
  }, 300_000);

  test('a token that is taken back is named, and the next one goes on', async () => {
    const kubeconfig = join(SCRATCH, 'with-token-file');
    const tokenFile = join(SCRATCH, 'token');
    await cluster.kubectl(['create', 'clusterrolebinding', 'engine', '--clusterrole=cluster-admin', '--serviceaccount=default:engine']);
    writeFileSync(tokenFile, await newToken());
    writeFileSync(kubeconfig, JSON.stringify(withTokenFile(tokenFile)));
    const engine = await engineOn('token', kubeconfig);
    await engine.push(many('token', { count: 10, word: 'one', version: '1.0.0' }));
    await engine.until('live', isSettled);
    await cluster.kubectl(['delete', 'serviceaccount', 'engine']);
    // The server remembers for some seconds whom it let in.
    while (await isLetIn(readFileSync(tokenFile, 'utf8')));
    await engine.push(many('token', { count: 10, word: 'two', version: '1.1.0' }));

    const { ending } = await engine.run('live');
    const meanwhile = await words('token');
    writeFileSync(tokenFile, await newToken());
    await engine.run('live');
    await engine.until('live', isSettled);

    expect(JSON.stringify(ending)).toMatch(/does not accept user/);
    expect(meanwhile).toEqual(expected(10, 'one'));
    expect(await words('token')).toEqual(expected(10, 'two'));
  }, 300_000);

  test('an engine that dies in the middle of an apply leaves the next one no drift', async () => {
    const { proxy, kubeconfig } = await proxied();
    const first = await engineOn('dead', kubeconfig);
    await first.push(many('dead', { count: 200, word: 'one', version: '1.0.0' }));
    await first.until('live', isSettled);
    await first.push(many('dead', { count: 190, word: 'two', version: '1.1.0' }));
    const dying = first.run('live').catch(() => undefined);
    while (!(await words('dead')).some((text) => text.endsWith(' two')));
    proxy.refuse(true);
    const { ending } = (await dying) ?? {};

    const second = openEngine(cluster.kubeconfig);
    await second.push({ 'environments/project.yaml': PROJECT_FILE, ...many('dead', { count: 190, word: 'two', version: '1.1.0' }) });
    const { receipts } = await second.until('live', isSettled);

    expect(ending?.kind).toBe('retry');
    expect(receipts.map((receipt) => receipt.driftDetected)).toEqual([false]);
    expect(await words('dead')).toEqual(expected(190, 'two'));
  }, 300_000);
});

async function newToken(): Promise<string> {
  await cluster.kubectl(['create', 'serviceaccount', 'engine']);
  return (await cluster.kubectl(['create', 'token', 'engine'])).trim();
}

async function isLetIn(token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    get(`${cluster.url}/api/v1/namespaces/default`, { headers, ca: cluster.certificateAuthority }, (response) => {
      response.resume();
      resolve(response.statusCode !== 401);
    }).on('error', reject);
  });
}

function withTokenFile(tokenFile: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: cluster.url, 'certificate-authority': cluster.certificateFile } }],
    users: [{ name: 'tester', user: { tokenFile } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'tester' } }],
    'current-context': 'test',
  };
}
