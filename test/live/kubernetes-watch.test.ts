import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { apiPath } from '#adapters/kubernetes/api.ts';
import type { Api, ApiResource } from '#adapters/kubernetes/api.ts';
import { changedBy } from '#adapters/kubernetes/changed-by.ts';
import { openConnection } from '#adapters/kubernetes/connection.ts';
import type { Connection } from '#adapters/kubernetes/connection.ts';
import type { SeenChange } from '#adapters/kubernetes/held-objects.ts';
import { openView } from '#adapters/kubernetes/reflector.ts';
import type { View } from '#adapters/kubernetes/reflector.ts';
import { systemTimers } from '#adapters/machine/machine.ts';
import { jsonText } from '#model/json.ts';
import type { JsonObject } from '#model/json.ts';
import { startCuttingProxy } from '#test/servers/cutting-proxy.ts';
import type { CuttingProxy } from '#test/servers/cutting-proxy.ts';
import { startKubernetes, writeKubeconfig } from '#test/servers/kubernetes.ts';
import type { KubernetesUser, RunningKubernetes } from '#test/servers/kubernetes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-watch-'));
const CONFIG_MAPS: ApiResource = { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespaced: true, verbs: [] };
const LABELS = { 'capstan.dev/environment': 'prod', 'capstan.dev/target': 'main' };
const SELECTOR = 'capstan.dev/environment=prod,capstan.dev/target=main';
const WITHIN = { timeout: 120_000, interval: 50 };

let kubernetes: RunningKubernetes;
let engine: KubernetesUser;
let proxy: CuttingProxy;
/** Straight to the server, as who applies; and through the proxy, as who watches. */
let straight: Connection;
let watching: Connection;
let namespaces = 0;
const opened: View[] = [];

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch, { auditLog: true, users: { engine: ['system:masters'], hands: ['system:masters'] } });
  engine = kubernetes.user('engine');
  proxy = await startCuttingProxy(Number(new URL(kubernetes.url).port));
  const file = join(scratch, 'through-the-proxy');
  const { certificateFile } = kubernetes;
  writeKubeconfig(file, { url: `https://127.0.0.1:${proxy.port}`, certificateFile, name: engine.name, token: engine.token });
  straight = await openConnection({ source: { kind: 'kubeconfig', file: kubernetes.user('hands').kubeconfig } });
  watching = await openConnection({ source: { kind: 'kubeconfig', file } });
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((view) => view.stop()));
});

afterAll(async () => {
  await Promise.all([watching?.close(), straight?.close(), proxy?.stop()]);
  await kubernetes?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

interface Bench {
  readonly namespace: string;
  readonly view: View;
  readonly told: string[];
  /** Lines that watches brought, by type. */
  readonly lines: Readonly<Record<string, number>>;
  /** `resourceVersion` of each watch; `everything` for one that began so. */
  readonly from: readonly string[];
  /** What the server has in the namespace, and it is what the view holds. */
  readonly expectTruth: () => Promise<readonly string[]>;
}

interface BenchOptions {
  /** In place of the hour that a watch asks for. */
  readonly watchSeconds?: number;
}

async function newNamespace(): Promise<string> {
  const namespace = `watch-${(namespaces += 1)}`;
  await kubernetes.kubectl(['create', 'namespace', namespace]);
  return namespace;
}

async function open(namespace: string, { watchSeconds }: BenchOptions = {}): Promise<Bench> {
  const lines: Record<string, number> = {};
  const from: string[] = [];
  const told: string[] = [];
  await kubernetes.audit.forget();
  const api: Api = {
    ...watching.api,
    async *watch(path, signal, accepted) {
      from.push(new URLSearchParams(path.split('?')[1]).get('resourceVersion') ?? 'everything');
      const asked = watchSeconds === undefined ? path : path.replace(/timeoutSeconds=\d+/, `timeoutSeconds=${watchSeconds}`);
      for await (const line of watching.api.watch(asked, signal, accepted)) {
        const type = jsonText(line['type']);
        lines[type] = (lines[type] ?? 0) + 1;
        yield line;
      }
    },
  };
  const view = openView(api, CONFIG_MAPS, { namespace, labelSelector: SELECTOR, ignore: [], timers: systemTimers, chance: () => 0.5 });
  opened.push(view);
  view.onChange(
    ({ before, after }: SeenChange) =>
      void told.push(`${(after ?? before)?.key.name} ${after === undefined ? 'gone' : before === undefined ? 'new' : 'changed'}`),
  );
  await view.ready();
  const expectTruth = async (): Promise<readonly string[]> => {
    const truth = await inCluster(namespace);
    await expect.poll(() => held(view), WITHIN).toEqual(truth);
    expect(view.isCurrent()).toBe(true);
    return truth.map((each) => each.split('@')[0] ?? '');
  };
  return { namespace, view, told, lines, from, expectTruth };
}

function held(view: View): readonly string[] {
  return [...view.all()].map((seen) => `${seen.key.name}@${seen.resourceVersion}`).toSorted();
}

async function inCluster(namespace: string): Promise<readonly string[]> {
  const list = JSON.parse(await kubernetes.kubectl(['get', 'configmaps', '-n', namespace, '-l', SELECTOR, '-o', 'json'])) as {
    readonly items: readonly { readonly metadata: { readonly name: string; readonly resourceVersion: string } }[];
  };
  return list.items.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).toSorted();
}

async function apply(namespace: string, name: string, value: string, labels: JsonObject = LABELS): Promise<JsonObject> {
  const path = `${apiPath(CONFIG_MAPS, namespace, name)}?fieldManager=capstan&force=true`;
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels }, data: { value } });
  const answer = await straight.api.request({ method: 'PATCH', path, contentType: 'application/apply-patch+yaml', body });
  if (answer.status > 201) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}

async function remove(namespace: string, name: string): Promise<void> {
  await straight.api.request({ method: 'DELETE', path: apiPath(CONFIG_MAPS, namespace, name) });
}

async function etcd(path: string, body: object): Promise<{ readonly header: { readonly revision: string } }> {
  const response = await fetch(`${kubernetes.etcd}${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as { readonly header: { readonly revision: string } };
}

/** Nothing from before can be told any more: neither by etcd nor by the memory of the server. */
async function forgetThePast(): Promise<void> {
  const { header } = await etcd('/v3/maintenance/status', {});
  await etcd('/v3/kv/compaction', { revision: header.revision, physical: true });
  await kubernetes.apiserver.stop('SIGKILL');
  await kubernetes.apiserver.start();
}

test('one request sees everything of ours and nothing of five thousand foreign objects', async () => {
  const namespace = await newNamespace();
  const names = Array.from({ length: 5_000 }, (_, index) => `foreign-${index}`);
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) await apply(namespace, name, 'theirs', { team: 'other' });
    }),
  );
  await Promise.all(['a', 'b', 'c'].map((name) => apply(namespace, name, '1')));

  const { view, told, lines, expectTruth } = await open(namespace);
  await apply(namespace, 'foreign-1', 'changed', { team: 'other' });
  await apply(namespace, 'foreign-2', 'made ours');
  await apply(namespace, 'c', '1', { ...LABELS, 'capstan.dev/target': 'elsewhere' });
  await apply(namespace, 'a', '2');

  expect(await expectTruth()).toEqual(['a', 'b', 'foreign-2']);
  expect([...view.all()].every(({ owned }) => owned !== undefined)).toBe(true);
  expect(told).toEqual(['foreign-2 new', 'c gone', 'a changed']);
  // The server sends a bookmark of its own now and then.
  expect({ ...lines, BOOKMARK: Math.min(1, lines['BOOKMARK'] ?? 0) }).toEqual({ ADDED: 4, BOOKMARK: 1, DELETED: 1, MODIFIED: 1 });
  expect(await kubernetes.audit.counts('engine')).toEqual({ 'watch configmaps': 1 });
});

test('what kubectl changed is told once each, and what does not matter is not', async () => {
  const namespace = await newNamespace();
  const before = await apply(namespace, 'settings', '1');
  const { view, told, expectTruth } = await open(namespace);
  const owned = view.note(before)?.owned;
  const kubectl = (...args: readonly string[]): Promise<string> => kubernetes.kubectl([...args, '-n', namespace]);

  await kubectl('annotate', 'configmap', 'settings', 'note=harmless');
  await expectTruth();
  const afterNote = view.get(namespace, 'settings')?.owned;
  await kubectl('patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"value":"2"}}');
  await expectTruth();
  const changed = view.get(namespace, 'settings');
  const done = view.writing();
  view.note(await apply(namespace, 'settings', '1'));
  await expectTruth();
  done();
  const restored = view.get(namespace, 'settings')?.owned;
  await kubectl('delete', 'configmap', 'settings');
  await expectTruth();

  expect(afterNote).toBe(owned);
  expect(changed?.owned).not.toBe(owned);
  expect(changed && changedBy(changed, before)).toEqual(['kubectl-patch']);
  expect(restored).toBe(owned);
  expect(told).toEqual(['settings changed', 'settings gone']);
});

test('a watch that ends goes on from the last bookmark, quietly and with nothing read again', async () => {
  const namespace = await newNamespace();
  await apply(namespace, 'a', '1');
  const { view, told, from, lines, expectTruth } = await open(namespace, { watchSeconds: 4 });
  await apply(namespace, 'foreign', '1', {});
  const wasCurrent: boolean[] = [];
  const looking = setInterval(() => wasCurrent.push(view.isCurrent()), 10);

  await expect.poll(() => from.length, WITHIN).toBe(3);
  clearInterval(looking);
  await apply(namespace, 'a', '2');
  await expectTruth();

  const [first, second, third] = from;
  expect(first).toBe('everything');
  expect(Number(second)).toBeGreaterThan(Number(view.get(namespace, 'a')?.resourceVersion) - 10);
  expect(Number(third)).toBeGreaterThanOrEqual(Number(second));
  expect(lines).toMatchObject({ ADDED: 1, MODIFIED: 1 });
  expect(told).toEqual(['a changed']);
  expect(wasCurrent.length).toBeGreaterThan(10);
  expect(wasCurrent.every(Boolean)).toBe(true);
  expect(await kubernetes.audit.counts('engine')).toEqual({ 'watch configmaps': from.length });
});

test('sixty cuts lose nothing and read nothing again', async () => {
  const namespace = await newNamespace();
  const { view, told, from, lines, expectTruth } = await open(namespace);

  proxy.cutEvery(150);
  for (let turn = 0; turn < 60; turn += 1) {
    await apply(namespace, `c-${turn}`, '1');
    await apply(namespace, `c-${turn % 10}`, `${turn}`);
    if (turn >= 20) await remove(namespace, `c-${turn - 10}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await view.ready().catch(() => undefined);
  }
  proxy.cutEvery(0);
  await view.ready();
  const truth = await expectTruth();

  expect(truth).toHaveLength(20);
  expect(from.length).toBeGreaterThan(30);
  expect(from.filter((each) => each === 'everything')).toHaveLength(1);
  expect(told.filter((each) => each.endsWith('new'))).toHaveLength(60);
  expect(told.filter((each) => each.endsWith('gone'))).toHaveLength(40);
  expect(lines['ADDED']).toBe(60);
  expect(lines['DELETED']).toBe(40);
  expect(await kubernetes.audit.counts('engine')).toEqual({ 'watch configmaps': expect.any(Number) });
});

test('an API server that is killed and started again is caught up with', async () => {
  const namespace = await newNamespace();
  await apply(namespace, 'a', '1');
  await apply(namespace, 'b', '1');
  const { view, told, expectTruth } = await open(namespace);

  await kubernetes.apiserver.stop('SIGKILL');
  await expect.poll(() => view.isCurrent(), WITHIN).toBe(false);
  await kubernetes.apiserver.start();
  await remove(namespace, 'a');
  await apply(namespace, 'c', '1');

  await expect.poll(() => view.isCurrent(), WITHIN).toBe(true);
  expect(await expectTruth()).toEqual(['b', 'c']);
  expect(told.toSorted()).toEqual(['a gone', 'c new']);
});

test('row 91: after etcd compacted what was missed, everything is read anew and what went away is told', async () => {
  const namespace = await newNamespace();
  await Promise.all(['a', 'b', 'c'].map((name) => apply(namespace, name, '1')));
  const { view, told, from, expectTruth } = await open(namespace);

  proxy.refuse(true);
  await expect.poll(() => view.isCurrent(), WITHIN).toBe(false);
  await remove(namespace, 'a');
  await apply(namespace, 'b', '2');
  await apply(namespace, 'd', '1');
  await forgetThePast();
  proxy.refuse(false);
  await view.ready().catch(() => undefined);

  await expect.poll(() => view.isCurrent(), WITHIN).toBe(true);
  expect(await expectTruth()).toEqual(['b', 'c', 'd']);
  expect(told).toEqual(['b changed', 'd new', 'a gone']);
  expect(from.filter((each) => each === 'everything')).toHaveLength(2);
});

test('a server that does not begin watches with everything is read in pages', async () => {
  const namespace = await newNamespace();
  const names = Array.from({ length: 510 }, (_, index) => `c-${index}`);
  await Promise.all(names.map((name) => apply(namespace, name, '1')));
  await kubernetes.apiserver.stop('SIGTERM');
  await kubernetes.apiserver.start(['--feature-gates=WatchList=false']);

  const { told, from, expectTruth } = await open(namespace);
  await apply(namespace, 'c-0', '2');

  expect(await expectTruth()).toHaveLength(510);
  expect(told).toEqual(['c-0 changed']);
  expect(from).toEqual(['everything', expect.stringMatching(/^[0-9]+$/)]);
  expect(await kubernetes.audit.counts('engine')).toEqual({ 'list configmaps': 2, 'watch configmaps': 2 });
});
