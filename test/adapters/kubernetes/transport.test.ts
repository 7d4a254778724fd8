import { getEventListeners } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';

import { afterEach, expect, it } from 'vitest';

import { openConnection } from '#adapters/kubernetes/connection.ts';
import { faultyServer, json, SHORT } from './faulty-server.ts';
import { APPLY, CREATE, endScenes, failure, GET, NAMED, scene } from './scene.ts';

afterEach(endScenes);

it('sends what it is asked for under its identity and gives back what the server says', async () => {
  const seen: unknown[] = [];
  const { api, server } = await scene((request, response, body) => {
    const { authorization, accept, 'content-type': type, 'user-agent': agent } = request.headers;
    seen.push([request.method, request.url, authorization, accept, type, agent, body]);
    json(response, 201, { kind: 'ConfigMap' }, { warning: ['299 - "field a is gone"', '299 - "say \\"b\\""'] });
  });
  const answer = await api.request(APPLY);
  for (const accept of ['x/y', 'z/z']) await api.request({ ...GET, accept });

  expect(answer).toEqual({ status: 201, body: { kind: 'ConfigMap' }, warnings: ['field a is gone', 'say "b"'] });
  expect(seen).toEqual([
    ['PATCH', APPLY.path, 'Bearer abc', 'application/json', 'application/apply-patch+yaml', 'capstan', '{"a":1}'],
    ['GET', GET.path, 'Bearer abc', 'x/y', undefined, 'capstan', ''],
    ['GET', GET.path, 'Bearer abc', 'z/z', undefined, 'capstan', ''],
  ]);
  expect(api.counts()).toEqual({ requests: 3, watches: 0, retries: 0 });
  expect(server.connections()).toBeLessThanOrEqual(2);
});

it('asks below the path of a server that is behind another', async () => {
  const urls: unknown[] = [];
  const { server } = await scene((request, response) => {
    urls.push(request.url);
    json(response, 200, {});
  });
  writeFileSync(server.kubeconfig, readFileSync(server.kubeconfig, 'utf8').replace(server.url, `${server.url}/k8s/c-1/`));
  const connection = await server.connect();
  await connection.api.request(GET);
  await connection.close();

  expect(urls).toEqual([`/k8s/c-1${GET.path}`]);
});

it('gives statuses as answers, whoever wrote them', async () => {
  const { api } = await scene((request, response) => {
    const status = Number(request.url?.slice(-3));
    if (status !== 502) return json(response, status, { kind: 'Status', message: 'no' });
    response.writeHead(502, { 'content-type': 'text/html' });
    response.end('<h1>Bad \u001b[31mGateway</h1>');
  });
  const statuses = await Promise.all(
    [403, 404, 409, 422, 500, 503, 502].map((status) => api.request({ method: 'GET', path: `/api/${status}` })),
  );

  expect(statuses.slice(0, -1)).toEqual(
    [403, 404, 409, 422, 500, 503].map((status) => ({ status, body: { kind: 'Status', message: 'no' }, warnings: [] })),
  );
  expect(statuses.at(-1)).toEqual({
    status: 502,
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 502, message: '<h1>Bad \\u001b[31mGateway</h1>' },
    warnings: [],
  });
});

it('row 90: outlasts a storm of refusals with every request done once, and sends fewer at a time', async () => {
  const storm: ServerResponse[] = [];
  let inFlight = 0;
  const peaks: number[] = [];
  const done: string[] = [];
  const { api } = await scene(
    (request, response) => {
      if (storm.length < 16) {
        storm.push(response);
        if (storm.length === 16) for (const refused of storm) json(refused, 429, { kind: 'Status' }, { 'retry-after': '0' });
        return;
      }
      inFlight++;
      peaks.push(inFlight);
      setImmediate(() => {
        inFlight--;
        done.push(request.url ?? '');
        json(response, 200, {});
      });
    },
    { concurrency: { start: 16, most: 32 } },
  );
  const paths = Array.from({ length: 100 }, (_, index) => `/api/${String(index).padStart(3, '0')}`);
  const answers = await Promise.all(paths.map((path) => api.request({ ...APPLY, path })));

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(done.toSorted()).toEqual(paths);
  expect(api.counts()).toEqual({ requests: 116, watches: 0, retries: 16 });
  expect(Math.max(...peaks.slice(0, 8))).toBeLessThanOrEqual(8);
});

it('repeats what the server asks to repeat, and what it does not ask is an answer', async () => {
  const asked: string[] = [];
  const { api } = await scene((request, response) => {
    asked.push(request.url ?? '');
    if (asked.length === 1) json(response, 503, { kind: 'Status' }, { 'retry-after': '0' });
    else json(response, request.url === '/api/b' ? 503 : 200, { kind: 'Status' });
  });

  expect((await api.request({ ...CREATE, path: '/api/a' })).status).toBe(200);
  expect((await api.request({ ...CREATE, path: '/api/b' })).status).toBe(503);
  expect(asked).toEqual(['/api/a', '/api/a', '/api/b']);
});

it('row 90: ends with words when a server asks to be asked later too often or for too long', async () => {
  const { api } = await scene((request, response) =>
    json(response, 429, {}, { 'retry-after': request.url === '/api/long' ? '3600' : '0' }),
  );

  expect(await failure(api.request(GET))).toBe(`transient ${NAMED} asked 8 times to be asked later (429): it is overloaded or not ready`);
  expect(await failure(api.request({ ...GET, path: '/api/long' }))).toBe(
    `transient ${NAMED} asked 1 times to be asked later (429): it is overloaded or not ready`,
  );
});

it('repeats over a new connection what may be sent twice, and nothing else', async () => {
  const seen: string[] = [];
  const { api } = await scene((request, response) => {
    seen.push(request.method ?? '');
    if (request.url === GET.path && seen.length % 2 === 0) json(response, 200, {});
    else if (request.method === 'DELETE' && seen.length % 2 === 0) json(response, 200, {});
    else request.socket.destroy();
    return response;
  });
  for (const request of [GET, APPLY]) expect((await api.request(request)).status).toBe(200);
  expect((await api.request({ ...GET, method: 'DELETE', body: '{}' })).status).toBe(200);

  expect(await failure(api.request(CREATE))).toBe(`transient ${NAMED} cannot be reached: the connection was cut`);
  expect(await failure(api.request({ ...APPLY, path: '/api/x', contentType: 'application/merge-patch+json' }))).toBe(
    `transient ${NAMED} cannot be reached: the connection was cut`,
  );
  expect(seen).toEqual(['GET', 'GET', 'PATCH', 'PATCH', 'DELETE', 'DELETE', 'POST', 'PATCH']);
});

it('waits for a server that was there before, and ends soon where there never was one', async () => {
  const { api, server } = await scene((_request, response) => json(response, 200, {}), { tries: 100_000 });
  await api.request(GET);
  await server.stop();
  const waiting = [api.request(CREATE), api.request(APPLY)];
  await expect.poll(() => api.counts().retries).toBeGreaterThan(3);
  const again = await faultyServer((_request, response) => json(response, 201, {}), { port: server.port });
  const never = await openConnection({ source: { kind: 'kubeconfig', file: again.kubeconfig }, limits: SHORT });

  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([201, 201]);
  await again.stop();
  expect(await failure(never.api.request(GET))).toBe(`transient ${NAMED} cannot be reached: nothing listens there`);
  await never.close();
});

it('says what is no answer of an API server', async () => {
  const { api } = await scene(
    (request, response) => {
      const { url = '' } = request;
      if (url === '/api/large') response.end(`"${'x'.repeat(5000)}"`);
      if (url === '/api/garbage') response.end('{"a":');
      if (url === '/api/list') response.end('[1]');
      if (url === '/api/login') response.writeHead(302, { location: 'https://login.example/?a=\u00ffb' }).end('{}');
    },
    { answer: 4000 },
  );
  const said = await Promise.all(
    ['large', 'garbage', 'list', 'login'].map((name) => failure(api.request({ method: 'GET', path: `/api/${name}` }))),
  );

  expect(said).toEqual([
    `invalid ${NAMED} answered GET /api/large with more than 4000 bytes`,
    `invalid ${NAMED} answered GET /api/garbage (200) with what is no JSON object: {"a":. Is it the address of an API server?`,
    `invalid ${NAMED} answered GET /api/list (200) with what is no JSON object: [1]. Is it the address of an API server?`,
    `invalid ${NAMED} answered GET /api/login (302) with a redirect to https://login.example/?a=\u00ffb. Is it the address of an API server?`,
  ]);
});

it('ends when no answer comes, or only half of one', async () => {
  const { api } = await scene(
    (request, response) => {
      if (request.url === '/api/half') response.writeHead(200, { 'content-length': '100' }).write('{');
    },
    { headers: 50, body: 50 },
  );

  expect(await failure(api.request(GET))).toBe(`transient ${NAMED} cannot be reached: no answer came in time`);
  expect(await failure(api.request({ method: 'GET', path: '/api/half' }))).toBe(
    `transient ${NAMED} cannot be reached: the answer stopped in the middle`,
  );
});

it('lets go when it is told to: in the queue, on the way and between two tries', async () => {
  const held: ServerResponse[] = [];
  let arrived = (): void => undefined;
  const { api } = await scene(
    (request, response) => {
      if (request.url === '/api/later') json(response, 429, {}, { 'retry-after': '4' });
      else held.push(response);
      arrived();
    },
    { concurrency: { start: 1, most: 1 } },
  );
  const reason = new Error('enough');
  const first = new AbortController();
  const second = new AbortController();
  const third = new AbortController();
  const onTheWay = new Promise<void>((resolve) => (arrived = resolve));
  const failures = [failure(api.request(GET, first.signal)), failure(api.request(GET, second.signal))];
  await onTheWay;
  second.abort(reason);
  first.abort(reason);
  const refused = new Promise<void>((resolve) => (arrived = resolve));
  const between = failure(api.request({ method: 'GET', path: '/api/later' }, third.signal));
  await refused;
  third.abort(reason);

  expect(await Promise.all(failures)).toEqual(['Error: enough', 'Error: enough']);
  expect(await between).toMatch(/^(Error: enough|AbortError)/);
  expect(await failure(api.request(GET, AbortSignal.abort(reason)))).toBe('Error: enough');
  expect(held.length).toBe(1);
});

it('listens once to a signal that many requests wait for', async () => {
  const { api } = await scene((_request, response) => json(response, 200, {}));
  const { signal } = new AbortController();
  const asked = Array.from({ length: 100 }, () => api.request(GET, signal));
  await Promise.race(asked);

  expect(getEventListeners(signal, 'abort').length).toBe(1);
  expect((await Promise.all(asked)).length).toBe(100);
});
