import { afterEach, expect, it } from 'vitest';

import { openDiscovery } from '#adapters/kubernetes/discovery.ts';
import { json } from './faulty-server.ts';
import { endScenes, failure, scene } from './scene.ts';

afterEach(endScenes);

const aggregated = (name: string, versions: readonly object[]): object => ({ metadata: { name }, versions });
const version = (name: string, kinds: Readonly<Record<string, string>>, rest: object = {}): object => ({
  version: name,
  ...rest,
  resources: Object.entries(kinds).map(([resource, kind]) => ({
    resource,
    scope: kind === 'Namespace' ? 'Cluster' : 'Namespaced',
    verbs: ['get', 'patch'],
    responseKind: { group: '', version: '', kind },
    subresources: [{ subresource: 'status', responseKind: { kind } }],
  })),
});
const listOf = (...items: readonly object[]): object => ({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items });
const CORE = listOf(aggregated('', [version('v1', { namespaces: 'Namespace', pods: 'Pod' })]));
const resource = (group: string, of: string, kind: string, name: string): object => ({
  group,
  version: of,
  kind,
  resource: name,
  namespaced: kind !== 'Namespace',
  verbs: ['get', 'patch'],
});

it('learns all kinds in two requests, whoever asks first, and takes the preferred version where none is named', async () => {
  const apis = listOf(
    aggregated('apps', [version('v1', { deployments: 'Deployment' })]),
    aggregated('autoscaling', [version('v2', { hpas: 'HPA' }), version('v1', { hpas: 'HPA' })]),
  );
  const { connection, api } = await scene((request, response) => json(response, 200, request.url === '/api' ? CORE : apis));
  const { discovery } = connection;
  const found = await Promise.all([
    discovery.resource('', 'Namespace', undefined),
    discovery.resource('apps', 'Deployment', 'v1'),
    discovery.resource('autoscaling', 'HPA', undefined),
    discovery.resource('autoscaling', 'HPA', 'v1'),
    discovery.resource('autoscaling', 'HPA', 'v3'),
    discovery.resource('', 'Status', undefined),
  ]);

  expect(found).toEqual([
    resource('', 'v1', 'Namespace', 'namespaces'),
    resource('apps', 'v1', 'Deployment', 'deployments'),
    resource('autoscaling', 'v2', 'HPA', 'hpas'),
    resource('autoscaling', 'v1', 'HPA', 'hpas'),
    undefined,
    undefined,
  ]);
  expect(api.counts().requests).toBe(2);
});

it('looks for a missing kind again, but only after a while, and forgets what turned out to be gone', async () => {
  let kinds: Readonly<Record<string, string>> = {};
  const { api } = await scene((request, response) => {
    if (request.url?.startsWith('/apis/') === true)
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
    else json(response, 200, request.url === '/api' ? CORE : listOf(aggregated('acme.example', [version('v1', kinds)])));
  });
  let now = 0;
  const discovery = openDiscovery(api, () => now);
  const widget = (): Promise<unknown> => discovery.resource('acme.example', 'Widget', undefined);
  const seen = [await widget()];
  kinds = { widgets: 'Widget' };
  seen.push(await widget());
  now = 2_000;
  seen.push(...(await Promise.all([widget(), widget()])));
  kinds = {};
  seen.push(await widget());
  discovery.forget();
  seen.push(await widget());
  const there = resource('acme.example', 'v1', 'Widget', 'widgets');

  expect(seen).toEqual([undefined, undefined, there, there, there, undefined]);
  expect(api.counts().requests).toBe(6);
});

it('forgets its kinds when the server has no such path any more', async () => {
  const { connection, api } = await scene((request, response) => {
    if (request.url?.startsWith('/api/') === true)
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
    else json(response, 200, request.url === '/api' ? CORE : listOf());
  });
  await connection.discovery.resource('', 'Pod', undefined);
  const gone = await api.request({ method: 'GET', path: '/api/v1/namespaces/a/pods/b' });
  await connection.discovery.resource('', 'Pod', undefined);

  expect([gone.status, gone.body['message']]).toEqual([404, '404 page not found']);
  expect(api.counts().requests).toBe(5);
});

it('row 88: does not say that a kind is missing while nobody answers for its group', async () => {
  const stale = aggregated('metrics.k8s.io', [{ version: 'v1beta1', freshness: 'Stale' }]);
  const { connection } = await scene((request, response) => json(response, 200, request.url === '/api' ? CORE : listOf(stale)));

  expect(await failure(connection.discovery.resource('metrics.k8s.io', 'PodMetrics', undefined))).toBe(
    'transient the server does not know the kinds of metrics.k8s.io now: the API service behind it does not answer',
  );
  expect(await connection.discovery.resource('', 'Pod', undefined)).toEqual(resource('', 'v1', 'Pod', 'pods'));
});

const PLAIN: Readonly<Record<string, object>> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': {
    kind: 'APIGroupList',
    groups: [
      { name: 'autoscaling', versions: [{ version: 'v1' }, { version: 'v2' }], preferredVersion: { version: 'v2' } },
      { name: 'metrics.k8s.io', versions: [{ version: 'v1beta1' }], preferredVersion: { version: 'v1beta1' } },
    ],
  },
  '/api/v1': {
    kind: 'APIResourceList',
    resources: [
      { name: 'namespaces', kind: 'Namespace', namespaced: false, verbs: ['get', 'patch'] },
      { name: 'namespaces/status', kind: 'Namespace', namespaced: false, verbs: ['get'] },
    ],
  },
  '/apis/autoscaling/v1': {
    kind: 'APIResourceList',
    resources: [{ name: 'hpas', kind: 'HPA', namespaced: true, verbs: ['get', 'patch'] }],
  },
  '/apis/autoscaling/v2': {
    kind: 'APIResourceList',
    resources: [{ name: 'hpas', kind: 'HPA', namespaced: true, verbs: ['get', 'patch'] }],
  },
};

it('learns kinds from a server that only tells them one group at a time', async () => {
  const { connection } = await scene((request, response) => {
    const found = PLAIN[request.url ?? ''];
    json(response, found === undefined ? 503 : 200, found ?? { kind: 'Status', message: 'no endpoints' });
  });
  const { discovery } = connection;

  expect(await discovery.resource('', 'Namespace', undefined)).toEqual(resource('', 'v1', 'Namespace', 'namespaces'));
  expect(await discovery.resource('autoscaling', 'HPA', undefined)).toEqual(resource('autoscaling', 'v2', 'HPA', 'hpas'));
  expect(await discovery.resource('autoscaling', 'HPA', 'v1')).toEqual(resource('autoscaling', 'v1', 'HPA', 'hpas'));
  expect(await failure(discovery.resource('metrics.k8s.io', 'PodMetrics', undefined))).toBe(
    'transient the server does not know the kinds of metrics.k8s.io now: the server does not tell its kinds: GET /apis/metrics.k8s.io/v1beta1 was answered 503 no endpoints',
  );
});

it('says when it may not learn kinds', async () => {
  const { connection } = await scene((_request, response) => json(response, 403, { kind: 'Status', message: 'forbidden: User "anna"' }));

  // Both are asked at once; either is answered first.
  expect(await failure(connection.discovery.resource('', 'Pod', undefined))).toMatch(
    /^denied the server does not tell its kinds: GET \/apis? was answered 403 forbidden: User "anna"$/,
  );
});
