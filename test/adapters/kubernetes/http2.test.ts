import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { constants, createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, expect, it } from 'vitest';

import type { Connection } from '#adapters/kubernetes/connection.ts';
import { openConnection } from '#adapters/kubernetes/connection.ts';
import type { TransportLimits } from '#adapters/kubernetes/transport-limits.ts';
import { issue } from './certificates.ts';
import { SHORT } from './faulty-server.ts';
import { APPLY, CREATE, endScenes, failure, GET, opened } from './scene.ts';

afterEach(endScenes);

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

interface Scene {
  readonly api: Connection['api'];
  readonly sessions: readonly ServerHttp2Session[];
}

const AUTHORITY = issue({ name: 'cluster CA', isAuthority: true });
const CERTIFICATE = issue({ name: 'apiserver', by: AUTHORITY, addresses: ['127.0.0.1'] });
const NAMED = 'cluster "eu" of config (https://HOST)';

/** A server that speaks HTTP/2 as an API server does. */
async function scene(answer: Answer, limits: Partial<TransportLimits> = {}): Promise<Scene> {
  const server = createSecureServer({ cert: CERTIFICATE.cert, key: CERTIFICATE.key });
  const sessions: ServerHttp2Session[] = [];
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    answer(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const scratch = mkdtempSync(join(tmpdir(), 'capstan-http2-'));
  opened.push({
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      rmSync(scratch, { recursive: true });
    },
  });
  const file = join(scratch, 'config');
  writeFileSync(join(scratch, 'ca.crt'), AUTHORITY.cert);
  const cluster = { server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, 'certificate-authority': 'ca.crt' };
  const config = {
    clusters: [{ name: 'eu', cluster }],
    users: [{ name: 'capstan', user: { token: 'abc' } }],
    contexts: [{ name: 'prod', context: { cluster: 'eu', user: 'capstan' } }],
    'current-context': 'prod',
  };
  writeFileSync(file, JSON.stringify(config));
  const connection = await openConnection({ source: { kind: 'kubeconfig', file }, limits: { ...SHORT, ...limits } });
  opened.push({ close: () => connection.close() });
  return { api: connection.api, sessions };
}

function json(stream: ServerHttp2Stream, status: number, body: object, headers: Readonly<Record<string, string | string[]>> = {}): void {
  stream.respond({ ':status': status, 'content-type': 'application/json', ...headers });
  stream.end(JSON.stringify(body));
}

it('asks all at once over one connection, with what the server says beside its answers', async () => {
  const seen: unknown[] = [];
  const { api, sessions } = await scene((stream, headers) => {
    seen.push([headers[':method'], headers.authorization, headers['content-type']]);
    json(stream, 200, { kind: 'ConfigMap' }, { warning: ['299 - "a, \\"b\\""', '299 - "c"'] });
  });
  const answers = await Promise.all(Array.from({ length: 50 }, () => api.request(APPLY)));

  expect(answers).toEqual(Array.from({ length: 50 }, () => ({ status: 200, body: { kind: 'ConfigMap' }, warnings: ['a, "b"', 'c'] })));
  expect(new Set(seen.map((request) => JSON.stringify(request)))).toEqual(
    new Set(['["PATCH","Bearer abc","application/apply-patch+yaml"]']),
  );
  expect(sessions.length).toBe(1);
});

it('repeats over a new connection what was on its way when one was cut, if it may be sent twice', async () => {
  const held: ServerHttp2Stream[] = [];
  const { api, sessions } = await scene((stream) => {
    if (held.length >= 10) return json(stream, 200, {});
    held.push(stream);
    if (held.length === 10) stream.session?.destroy();
  });
  const asked = [...Array.from({ length: 9 }, () => api.request(APPLY)), api.request(CREATE)];
  const ends = await Promise.all(asked.map((request) => failure(request)));

  expect(ends).toEqual([...Array.from({ length: 9 }, () => 'no failure'), `transient ${NAMED} cannot be reached: the connection was cut`]);
  expect(sessions.length).toBe(2);
});

it('repeats one request that the server gave up, and leaves the others alone', async () => {
  let given = 0;
  const { api, sessions } = await scene((stream, headers) => {
    if (headers[':path'] === GET.path && given++ < 2) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else json(stream, 200, {});
  });
  const answers = await Promise.all([api.request(GET), api.request({ ...GET, path: '/api' })]);

  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(api.counts()).toEqual({ requests: 4, watches: 0, retries: 2 });
  expect(sessions.length).toBe(1);
});

it('moves on without a failure when the server retires its connections', async () => {
  let answered = 0;
  const { api, sessions } = await scene((stream) => {
    json(stream, 200, {});
    if (++answered % 20 === 0) stream.session?.goaway();
  });
  const answers = await Promise.all(Array.from({ length: 100 }, () => api.request(APPLY)));

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(sessions.length).toBeGreaterThan(1);
});

it('ends when no answer comes, and lets go when it is told to', async () => {
  const { api } = await scene(() => undefined, { headers: 50 });
  const stop = new AbortController();
  const told = failure(api.request(GET, stop.signal));
  stop.abort(new Error('enough'));

  expect(await told).toBe('Error: enough');
  expect(await failure(api.request(APPLY))).toBe(`transient ${NAMED} cannot be reached: no answer came in time`);
});

it('row 98: does not read more of an answer than it may', async () => {
  const large = { ...GET, path: '/api/large' };
  const { api } = await scene((stream, headers) => json(stream, 200, { text: headers[':path'] === large.path ? 'x'.repeat(50_000) : '' }), {
    answer: 4000,
  });

  expect(await failure(api.request(large))).toBe(`invalid ${NAMED} answered GET /api/large with more than 4000 bytes`);
  expect((await api.request(GET)).status).toBe(200);
});

it('does not repeat for ever what the server gives up each time', async () => {
  const { api } = await scene((stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));

  expect(await failure(api.request(APPLY))).toBe(`transient ${NAMED} cannot be reached: the server gave the request up`);
  expect(api.counts()).toEqual({ requests: 5, watches: 0, retries: 4 });
});

it('lets what is on its way end when it is closed, and sends nothing afterwards', async () => {
  let arrived = (): void => undefined;
  const there = new Promise<void>((resolve) => (arrived = resolve));
  const held: ServerHttp2Stream[] = [];
  const { api } = await scene((stream) => {
    held.push(stream);
    arrived();
  });
  const asked = api.request(APPLY);
  await there;
  const closing = api.close();
  for (const stream of held) json(stream, 200, {});

  expect((await asked).status).toBe(200);
  await closing;
  expect(await failure(api.request(GET))).toBe(`transient the connection to ${NAMED} has been closed`);
});
