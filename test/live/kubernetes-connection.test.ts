import { createPrivateKey, sign } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { apiPath } from '#adapters/kubernetes/api.ts';
import type { ApiRequest } from '#adapters/kubernetes/api.ts';
import type { Connection, ConnectionOptions } from '#adapters/kubernetes/connection.ts';
import { openConnection } from '#adapters/kubernetes/connection.ts';
import { isPortError } from '#ports/port-error.ts';
import { issue } from '#test/adapters/kubernetes/certificates.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';

let server: RunningKubernetes;
const scratch = mkdtempSync(join(tmpdir(), 'capstan-connection-'));
const CLIENT_CA = issue({ name: 'client CA', isAuthority: true });
const opened: Connection[] = [];

beforeAll(async () => {
  mkdirSync(join(scratch, 'server'));
  writeFileSync(join(scratch, 'client-ca.crt'), CLIENT_CA.cert);
  server = await startKubernetes(join(scratch, 'server'), {
    users: { engine: ['system:authenticated'], 'system:serviceaccount:default:gitops': ['system:serviceaccounts'] },
    apiserverFlags: [`--client-ca-file=${join(scratch, 'client-ca.crt')}`],
  });
});

afterEach(async () => {
  for (const connection of opened.splice(0)) await connection.close();
});

afterAll(async () => {
  await server?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

async function connect(file: string, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const connection = await openConnection({ source: { kind: 'kubeconfig', file }, ...options });
  opened.push(connection);
  return connection;
}

/** A kubeconfig of this server with another user or cluster. */
function kubeconfig(user: object, cluster: object = {}): string {
  const file = join(scratch, 'config');
  const config = {
    clusters: [{ name: 'eu', cluster: { server: server.url, 'certificate-authority': server.certificateFile, ...cluster } }],
    users: [{ name: 'capstan', user }],
    contexts: [{ name: 'prod', context: { cluster: 'eu', user: 'capstan' } }],
    'current-context': 'prod',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function failure(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return 'no failure';
  } catch (error) {
    if (!isPortError(error)) throw error;
    return `${error.kind} ${error.message.replaceAll(`${scratch}/`, '').replaceAll(server.url, 'URL')}`;
  }
}

const PODS: ApiRequest = { method: 'GET', path: '/api/v1/namespaces/default/pods' };
const EU = 'cluster "eu" of config (URL)';

function applyConfigMap(name: string, data: Readonly<Record<string, string>>): ApiRequest {
  return {
    method: 'PATCH',
    path: `/api/v1/namespaces/default/configmaps/${name}?fieldManager=capstan&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }),
  };
}

/** Who the server says that we are. */
async function whoAmI({ api }: Connection): Promise<unknown> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await api.request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: JSON.stringify(review),
  });
  const { username, groups } = Object(Object(answer.body['status'])['userInfo']);
  return answer.status === 201 ? [username, groups] : answer;
}

it('applies an object of a kind that discovery knows, and sees it in a watch', async () => {
  const { api, discovery } = await connect(server.kubeconfig);
  const configMap = await discovery.resource('', 'ConfigMap', undefined);
  if (configMap === undefined) throw new Error('no ConfigMap');
  const applied = await api.request(applyConfigMap('first', { a: 'ü€😀' }));
  const events: unknown[] = [];
  const path = `${apiPath(configMap, 'default')}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dfirst`;
  for await (const event of api.watch(path, new AbortController().signal, () => events.push('opened'))) {
    events.push(event);
    break;
  }

  expect(applied.status).toBe(201);
  expect(configMap).toEqual({
    group: '',
    version: 'v1',
    kind: 'ConfigMap',
    resource: 'configmaps',
    namespaced: true,
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  });
  expect(events).toMatchObject(['opened', { type: 'ADDED', object: { kind: 'ConfigMap', data: { a: 'ü€😀' } } }]);
  expect(await discovery.serverVersion()).toMatch(/^v1\.35\./);
  expect(api.counts()).toEqual({ requests: 4, watches: 1, retries: 0 });
});

it('applies and reads back what is nearly as large as an object may be, several at once', async () => {
  const { api } = await connect(server.kubeconfig);
  const text = 'ü€'.repeat(200_000);
  const names = ['large-1', 'large-2', 'large-3', 'large-4'];
  const applied = await Promise.all(names.map((name) => api.request(applyConfigMap(name, { text }))));
  const read = await api.request({ method: 'GET', path: '/api/v1/namespaces/default/configmaps/large-4' });
  const tooLarge = await api.request(applyConfigMap('too-large', { text: 'x'.repeat(4_000_000) }));

  expect(applied.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  expect(Object(read.body['data'])['text'] === text).toBe(true);
  expect(tooLarge).toMatchObject({ status: 413, body: { code: 413, reason: 'RequestEntityTooLarge' } });
});

it('row 88: finds a kind that was defined after it looked for it, and hears that one is gone', async () => {
  const { api, discovery } = await connect(server.kubeconfig);
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.acme.example' },
    spec: {
      group: 'acme.example',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  };
  const widget = (): Promise<unknown> => discovery.resource('acme.example', 'Widget', undefined);
  const before = await widget();
  await server.kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(definition));
  await expect.poll(widget, { timeout: 20_000 }).toMatchObject({ resource: 'widgets', version: 'v1', namespaced: true });
  await server.kubectl(['delete', 'crd', 'widgets.acme.example']);
  const list: ApiRequest = { method: 'GET', path: '/apis/acme.example/v1/widgets' };
  await expect.poll(async () => (await api.request(list)).status, { timeout: 20_000 }).toBe(404);

  expect(before).toBe(undefined);
  await expect.poll(widget, { timeout: 20_000 }).toBe(undefined);
});

it('comes in with a client certificate, and what its user may not do is an answer', async () => {
  const berta = issue({ name: 'berta', by: CLIENT_CA, organizations: ['ops'] });
  writeFileSync(join(scratch, 'berta.crt'), berta.cert);
  writeFileSync(join(scratch, 'berta.key'), berta.key);
  const connection = await connect(kubeconfig({ 'client-certificate': 'berta.crt', 'client-key': 'berta.key' }));

  expect(await whoAmI(connection)).toEqual(['berta', ['ops', 'system:authenticated']]);
  expect(await connection.api.request(PODS)).toMatchObject({
    status: 403,
    body: { message: 'pods is forbidden: User "berta" cannot list resource "pods" in API group "" in the namespace "default"' },
  });
});

it('names the user whose certificate another authority has signed', async () => {
  const stranger = issue({ name: 'berta', by: issue({ name: 'client CA', isAuthority: true }) });
  const user = { 'client-certificate-data': btoa(stranger.cert), 'client-key-data': btoa(stranger.key) };

  expect(await failure((await connect(kubeconfig(user))).api.request(PODS))).toBe(
    `denied ${EU} does not accept user "capstan" of config (401): expired, revoked, or of another cluster. Renew it.`,
  );
});

it('names a token that has expired, and uses the one that takes its place', async () => {
  const key = createPrivateKey(readFileSync(join(scratch, 'server', 'service-accounts.pem')));
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Date.parse('2026-01-01T00:00:00Z') / 1000;
  const issuer = 'https://kubernetes.default.svc';
  const signed = `${part({ alg: 'ES256' })}.${part({ iss: issuer, aud: [issuer], sub: 'system:serviceaccount:default:gitops', exp, iat: exp - 600 })}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  writeFileSync(join(scratch, 'token'), `${signed}.${signature}`);
  const { api } = await connect(kubeconfig({ tokenFile: 'token' }));

  expect(await failure(api.request(PODS))).toBe(
    `denied ${EU} does not accept user "capstan" of config (401): its token expired at 2026-01-01T00:00:00.000Z. Renew it.`,
  );
  writeFileSync(join(scratch, 'token'), `${server.token}\n`);
  expect((await api.request(PODS)).status).toBe(200);
});

it('asks as the service account that a target names, with the groups that the server gives it', async () => {
  await server.kubectl(['create', 'serviceaccount', 'gitops']);
  const role = ['create', 'clusterrole', 'as-gitops', '--verb=impersonate', '--resource=serviceaccounts', '--resource-name=gitops'];
  await server.kubectl(role);
  await server.kubectl(['create', 'rolebinding', 'as-gitops', '--clusterrole=as-gitops', '--user=engine']);
  const engine = server.user('engine').kubeconfig;
  const gitops = await connect(engine, { impersonate: 'system:serviceaccount:default:gitops' });
  const other = await connect(engine, { impersonate: 'system:serviceaccount:default:other' });

  await expect
    .poll(() => whoAmI(gitops))
    .toEqual([
      'system:serviceaccount:default:gitops',
      ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    ]);
  expect(await other.api.request(PODS)).toMatchObject({ status: 403, body: { reason: 'Forbidden' } });
});

it('comes in as the service account of a pod', async () => {
  const folder = join(scratch, 'service-account');
  mkdirSync(folder);
  copyFileSync(server.certificateFile, join(folder, 'ca.crt'));
  writeFileSync(
    join(folder, 'token'),
    await server.kubectl(['create', 'token', 'default', '--duration=10m']).catch(async () => {
      await server.kubectl(['create', 'serviceaccount', 'default']);
      return server.kubectl(['create', 'token', 'default', '--duration=10m']);
    }),
  );
  const { hostname, port } = new URL(server.url);
  const before = { ...process.env };
  Object.assign(process.env, { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port });
  try {
    const connection = await openConnection({ source: { kind: 'in-cluster', folder } });
    opened.push(connection);

    expect(await whoAmI(connection)).toMatchObject([
      'system:serviceaccount:default:default',
      expect.arrayContaining(['system:serviceaccounts']),
    ]);
  } finally {
    process.env = before;
  }
});

it('row 90: follows a priority level that rejects what is too much: all is applied, and nothing is refused in the end', async () => {
  const level = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'narrow' },
    spec: {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 1, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
    },
  };
  const flow = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: 'narrow' },
    spec: {
      matchingPrecedence: 2,
      priorityLevelConfiguration: { name: 'narrow' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'engine' } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
        },
      ],
    },
  };
  await server.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [level, flow] }));
  await server.kubectl(['create', 'clusterrolebinding', 'engine', '--clusterrole=cluster-admin', '--user=engine']);
  const { api } = await connect(server.user('engine').kubeconfig, { limits: { concurrency: { start: 32, most: 32 } } });
  const statuses = new Set<number>();
  let round = 0;
  // The server takes the new level into account when it has seen it.
  do {
    const named = Array.from({ length: 100 }, (_, index) => `narrow-${index}`);
    const answers = await Promise.all(named.map((name) => api.request(applyConfigMap(name, { round: String(round) }))));
    for (const { status } of answers) statuses.add(status === 201 ? 200 : status);
    round++;
  } while (api.counts().retries === 0 && round < 20);
  await server.kubectl(['delete', 'flowschema,prioritylevelconfiguration', 'narrow']);

  expect(statuses).toEqual(new Set([200]));
  expect(api.counts().retries).toBeGreaterThan(0);
});

it('applies all of 200 objects while the API server is killed and comes back', async () => {
  const { api } = await connect(server.kubeconfig);
  const watching = failure(
    (async () => {
      for await (const event of api.watch('/api/v1/namespaces/kube-system/pods?watch=true', new AbortController().signal))
        expect(event).toBe(undefined);
    })(),
  );
  const names = Array.from({ length: 200 }, (_, index) => `restart-${index}`);
  let answered = 0;
  let restarted: Promise<void> | undefined;
  const answers = names.map(async (name) => {
    const answer = await api.request(applyConfigMap(name, { a: name }));
    answered++;
    if (answered === 50) restarted = server.apiserver.stop('SIGKILL').then(() => server.apiserver.start());
    return answer.status;
  });
  const statuses = new Set(await Promise.all(answers));
  await restarted;
  const { items } = JSON.parse(await server.kubectl(['get', 'configmaps', '-o', 'json']));
  const there = (items as readonly { readonly metadata: { readonly name: string } }[]).map(({ metadata }) => metadata.name);

  expect(statuses.has(201)).toBe(true);
  expect([...statuses].every((status) => status === 200 || status === 201)).toBe(true);
  expect(there.filter((name) => name.startsWith('restart-')).toSorted()).toEqual(names.toSorted());
  expect(api.counts().retries).toBeGreaterThan(0);
  expect(await watching).toBe(`transient cluster "test" of server/kubeconfig (URL) cannot be reached: the connection was cut`);
});

it('names a CA that was rotated, and goes on when the new one is put in its place', async () => {
  const authority = join(scratch, 'ca.crt');
  copyFileSync(server.certificateFile, authority);
  const { api } = await connect(kubeconfig({ token: server.token }, { 'certificate-authority': 'ca.crt' }));
  const before = (await api.request(PODS)).status;
  await server.apiserver.stop('SIGKILL');
  server.apiserver.forgetCertificate();
  await server.apiserver.start();
  const between = await failure(api.request(PODS));
  copyFileSync(server.certificateFile, authority);

  expect(before).toBe(200);
  expect(between.replace(/CN=\S+@\d+/, 'CN=X')).toBe(
    `denied ${EU}: the server's certificate (its issuer: CN=X) is signed by another CA than ca.crt. Was the CA rotated? Put the new one there, if it is the right server.`,
  );
  expect((await api.request(PODS)).status).toBe(200);
});

it('ends soon, in words, where no server is', async () => {
  const { port } = new URL(server.url);
  const closed = await connect(kubeconfig({ token: 'a' }, { server: `https://127.0.0.1:${Number(port) === 1 ? 2 : 1}` }));
  const nameless = await connect(kubeconfig({ token: 'a' }, { server: 'https://nowhere.invalid' }));

  expect(await failure(closed.api.request(PODS))).toBe(
    'transient cluster "eu" of config (https://127.0.0.1:1) cannot be reached: nothing listens there',
  );
  expect(await failure(nameless.api.request(PODS))).toMatch(
    /^transient cluster "eu" of config \(https:\/\/nowhere\.invalid\) cannot be reached: the name of the host (is not known|could not be looked up)$/,
  );
});
