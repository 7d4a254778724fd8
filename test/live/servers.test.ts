import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { startCuttingProxy } from '#test/servers/cutting-proxy.ts';
import { startDenyingWebhook } from '#test/servers/denying-webhook.ts';
import { startKubernetes, writeKubeconfig } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { startStormProxy } from '#test/servers/storm-proxy.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-servers-'));
let kubernetes: RunningKubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch, {
    controllers: true,
    nodes: 2,
    auditLog: true,
    users: { kubectl: ['system:masters'], reader: [] },
  });
});

afterAll(async () => {
  await kubernetes.stop();
  rmSync(scratch, { recursive: true, force: true });
});

test('a Deployment becomes available on fake nodes, unless its image is one that cannot be pulled', async () => {
  await kubernetes.kubectl(['create', 'namespace', 'nodes']);

  await kubernetes.kubectl(['apply', '-n', 'nodes', '-f', '-'], JSON.stringify(list(deployment('good', 'registry.test/good:1'))));
  await kubernetes.kubectl(['apply', '-n', 'nodes', '-f', '-'], JSON.stringify(list(deployment('bad', 'unpullable/bad:1'), job())));

  await kubernetes.kubectl(['wait', '-n', 'nodes', 'deployment/good', '--for=condition=Available', '--timeout=60s']);
  await kubernetes.kubectl(['wait', '-n', 'nodes', 'job/task', '--for=condition=Complete', '--timeout=60s']);
  const waiting = '{.items[*].status.containerStatuses[*].state.waiting.reason}';
  await kubernetes.kubectl([
    'wait',
    '-n',
    'nodes',
    'pod',
    '-l',
    'app=bad',
    `--for=jsonpath=${waiting.replace('.items[*]', '')}=ImagePullBackOff`,
  ]);
  expect(await kubernetes.kubectl(['get', 'pod', '-n', 'nodes', '-l', 'app=bad', '-o', `jsonpath=${waiting}`])).toBe('ImagePullBackOff');
  await kubernetes.kubectl(['delete', 'namespace', 'nodes', '--timeout=60s']);
});

test('the audit log counts what each user asked, and only that', async () => {
  const { audit } = kubernetes;
  const names = ['a', 'b', 'c'];
  await audit.forget();

  const applied = JSON.stringify(list(...names.map(configMap)));
  await kubernetes.user('kubectl').kubectl(['apply', '--server-side', '--validate=ignore', '-f', '-'], applied);
  const denied = await kubernetes
    .user('reader')
    .kubectl(['get', 'secrets'])
    .catch((error: unknown) => String(error));

  expect(denied).toContain('secrets is forbidden');
  expect(await audit.counts('kubectl')).toMatchObject({ 'patch configmaps': 3 });
  expect((await audit.requests('reader')).filter(({ resource }) => resource === 'secrets')).toMatchObject([{ verb: 'list', code: 403 }]);
  const users = new Set((await audit.requests()).map(({ user }) => user));
  expect([...users].filter((name) => name.startsWith('system:kube-') || name === 'kwok')).toEqual([]);
  await audit.forget();
  expect(await audit.requests('kubectl')).toEqual([]);
});

test('the API server alone is killed and started again with what it held', async () => {
  await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(configMap('kept')));
  const pid = kubernetes.apiserver.pid();

  await kubernetes.apiserver.stop('SIGKILL');
  const gone = await kubernetes.kubectl(['get', 'configmaps']).catch((error: unknown) => String(error));
  await kubernetes.apiserver.start(['--goaway-chance=0.001']);

  expect(gone).toContain('refused');
  expect(kubernetes.apiserver.pid()).not.toBe(pid);
  expect(await kubernetes.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.metadata.name}'])).toBe('kept');
});

test('after a compaction neither the next page nor an old watch is to be had', async () => {
  await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(list(...['x', 'y', 'z'].map(configMap))));
  const all = '/api/v1/namespaces/default/configmaps';
  const page = JSON.parse(await kubernetes.kubectl(['get', '--raw', `${all}?limit=1`]));
  await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify({ ...configMap('x'), data: { name: 'changed' } }));

  await kubernetes.compact();
  await kubernetes.apiserver.stop('SIGKILL');
  await kubernetes.apiserver.start();

  const { metadata } = page;
  const next = kubernetes.kubectl(['get', '--raw', `${all}?limit=1&continue=${encodeURIComponent(metadata.continue)}`]);
  await expect(next).rejects.toThrow('The provided continue parameter is too old');
  const [watched] = await once(asking(`${kubernetes.url}${all}?watch=1&resourceVersion=${metadata.resourceVersion}`).end(), 'response');
  expect(JSON.parse(String((await once(watched, 'data'))[0]))).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
  watched.destroy();
});

test('the cutting proxy delays, cuts and refuses', async () => {
  const proxy = await startCuttingProxy(Number(new URL(kubernetes.url).port));
  try {
    const url = `https://127.0.0.1:${proxy.port}`;
    expect((await versionOf(url)).status).toBe(200);
    proxy.delay(300);
    // A handshake and an answer: two waits at least.
    expect((await versionOf(url)).ms).toBeGreaterThan(600);
    proxy.delay(0);

    const watch = asking(`${url}/api/v1/namespaces/default/configmaps?watch=1`);
    const [answer] = await once(watch.end(), 'response');
    const cut = once(answer.resume(), 'error');
    expect(proxy.cut()).toBeGreaterThanOrEqual(1);
    expect(String(await cut)).toContain('aborted');

    proxy.refuse(true);
    await expect(versionOf(url)).rejects.toThrow('ECONNRESET');
    proxy.refuse(false);
    expect((await versionOf(url)).status).toBe(200);
    expect(proxy.taken()).toBe(4);

    const file = join(scratch, 'kubeconfig-through-cuts');
    writeKubeconfig(file, { url, certificateFile: kubernetes.certificateFile, name: 'tester', token: kubernetes.token });
    proxy.cutEvery(20);
    const again = asking(`${url}/api/v1/namespaces/default/configmaps?watch=1`).end();
    await expect(once(again, 'response').then(([watched]) => once(watched.resume(), 'end'))).rejects.toThrow(/ECONNRESET|aborted|hang up/);
    proxy.cutEvery(0);
    expect((await versionOf(url)).status).toBe(200);
  } finally {
    await proxy.stop();
  }
});

test('the storm proxy answers a share of the requests with a wait, and passes watches on', async () => {
  const proxy = await startStormProxy(kubernetes, kubernetes.user('kubectl'));
  try {
    const ask = async (): Promise<readonly number[]> => {
      const statuses: number[] = [];
      for (let asked = 0; asked < 10; asked += 1) statuses.push((await versionOf(proxy.url)).status);
      return statuses;
    };
    proxy.set({ status: 429, share: 0.3, retryAfter: 1 });
    expect((await ask()).filter((status) => status === 429)).toHaveLength(3);
    proxy.set({ status: 503, share: 1, hits: (method) => method === 'PATCH' });
    expect(await ask()).toEqual(Array.from({ length: 10 }, () => 200));
    proxy.set(undefined);
    expect(proxy.counts()).toEqual({ refused: 3, passed: 17 });

    const watch = asking(`${proxy.url}/api/v1/namespaces/default/configmaps?watch=1&fieldSelector=metadata.name=seen`);
    const [answer] = await once(watch.end(), 'response');
    await kubernetes.kubectl(['apply', '-f', '-'], JSON.stringify(configMap('seen')));
    const [event] = await once(answer, 'data');
    watch.destroy();
    expect(JSON.parse(String(event))).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'seen' } } });
  } finally {
    await proxy.stop();
  }
});

test('the admission webhook denies the one object', async () => {
  await kubernetes.kubectl(['create', 'namespace', 'judged']);
  const denied = { resource: 'configmaps', namespace: 'judged', name: 'b', message: 'not on my watch' };
  const webhook = await startDenyingWebhook(kubernetes, denied);
  try {
    const input = JSON.stringify(list(...['a', 'b', 'c'].map(configMap)));
    const apply = (): Promise<string> =>
      kubernetes.kubectl(['apply', '-n', 'judged', '--server-side', '-f', '-'], input).catch((error: unknown) => String(error));
    expect(await apply()).toContain('admission webhook "denies.capstan.test" denied the request: not on my watch');
    expect(webhook.counts()).toEqual({ asked: 3, denied: 1 });
    expect(await kubernetes.kubectl(['get', 'configmaps', '-n', 'judged', '-o', 'name'])).toMatch(/^configmap\/a\nconfigmap\/c\n/);
    webhook.deny(undefined);
    expect(await apply()).toContain('configmap/b serverside-applied');
  } finally {
    await webhook.stop();
  }
});

function list(...items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', items };
}

function configMap(name: string): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { name } };
}

function deployment(name: string, image: string): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name, image }] } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { selector: { matchLabels: labels }, template } };
}

function job(): object {
  const spec = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'task', image: 'registry.test/task:1' }] } } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'task' }, spec };
}

/** A request of its own connection. Its errors are seen where somebody waits for it, and are no error after that. */
function asking(url: string): ClientRequest {
  const headers = { authorization: `Bearer ${kubernetes.token}` };
  return request(url, { ca: kubernetes.certificateAuthority, headers, agent: false }).on('error', () => {});
}

async function versionOf(url: string): Promise<{ readonly status: number; readonly ms: number }> {
  const began = performance.now();
  const [answer] = await once(asking(`${url}/version`).end(), 'response');
  await once(answer.resume(), 'end');
  return { status: answer.statusCode, ms: performance.now() - began };
}
