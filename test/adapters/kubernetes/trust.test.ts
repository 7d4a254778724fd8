import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect as connectTcp } from 'node:net';
import { dirname, join } from 'node:path';

import { afterEach, expect, it } from 'vitest';

import { issue } from './certificates.ts';
import { json } from './faulty-server.ts';
import { CREATE, endScenes, failure, GET, NAMED, opened, scene } from './scene.ts';

afterEach(endScenes);

const CLAIMS = Buffer.from(JSON.stringify({ exp: Date.parse('2026-01-01T00:00:00Z') / 1000 })).toString('base64url');

it('reads the token again when it is refused, and names who was refused when that does not help', async () => {
  const accepted = new Set(['Bearer one']);
  const seen: unknown[] = [];
  const { api, server } = await scene(
    (request, response) => {
      const { authorization = '' } = request.headers;
      seen.push(authorization);
      if (accepted.has(authorization)) json(response, 200, {});
      else json(response, 401, { kind: 'Status' });
    },
    {},
    { user: { token: 'never-sent' } },
  );
  const token = join(dirname(server.kubeconfig), 'token');
  writeFileSync(token, 'one\n');
  writeFileSync(server.kubeconfig, readFileSync(server.kubeconfig, 'utf8').replace('"token":"never-sent"', '"tokenFile":"token"'));
  const connection = await server.connect();
  opened.push({ close: () => connection.close() });
  await connection.api.request(GET);
  accepted.clear();
  accepted.add('Bearer two');
  writeFileSync(token, 'two\n');
  const answers = await Promise.all([1, 2, 3].map(() => connection.api.request(CREATE)));
  accepted.clear();

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await failure(connection.api.request(GET))).toBe(
    `denied ${NAMED} does not accept user "capstan" of config (401): expired, revoked, or of another cluster. Renew it.`,
  );
  writeFileSync(token, `e30.${CLAIMS}.sig`);
  expect(await failure(connection.api.request(GET))).toBe(
    `denied ${NAMED} does not accept user "capstan" of config (401): its token expired at 2026-01-01T00:00:00.000Z. Renew it.`,
  );
  expect(seen.filter((text) => text === 'Bearer never-sent')).toEqual([]);
  expect(api.counts().requests).toBe(0);
});

it('names a clock that differs where credentials are refused', async () => {
  const { api } = await scene((_request, response) =>
    json(response, 401, {}, { date: new Date(Date.now() - 3 * 86_400_000).toUTCString() }),
  );

  expect(await failure(api.request(GET))).toBe(
    `denied ${NAMED} does not accept user "capstan" of config (401): expired, revoked, or of another cluster. Renew it. ` +
      "The clock of this machine is 72 h ahead of the server's: set the wrong one first.",
  );
});

const CA = issue({ name: 'cluster CA', isAuthority: true });
const OTHER_CA = issue({ name: 'other CA', isAuthority: true });

it('asks a server whose certificate the CA has signed', async () => {
  const certificate = issue({ name: 'apiserver', by: CA, addresses: ['127.0.0.1'] });
  const { api } = await scene((_request, response) => json(response, 200, {}), {}, { certificate, authority: CA.cert });

  expect((await api.request(GET)).status).toBe(200);
});

it.each([
  [
    'signed by another authority',
    { by: OTHER_CA, addresses: ['127.0.0.1'] },
    "the server's certificate (its issuer: CN=other CA) is signed by another CA than ca.crt. Was the CA rotated? Put the new one there, if it is the right server.",
  ],
  [
    'that has expired',
    { by: CA, addresses: ['127.0.0.1'], to: '2026-01-01T00:00:00Z' },
    "the server's certificate has expired (valid from 2020-01-01T00:00:00.000Z to 2026-01-01T00:00:00.000Z). Renew it.",
  ],
  [
    'of the future',
    { by: CA, addresses: ['127.0.0.1'], from: '2048-01-01T00:00:00Z' },
    "the server's certificate is not valid yet (valid from 2048-01-01T00:00:00.000Z to 2049-01-01T00:00:00.000Z). Wait, or set the clocks.",
  ],
  [
    'for another host',
    { by: CA, hosts: ['api.example'] },
    "the server's certificate is for DNS:api.example and not for 127.0.0.1. Correct server, or set tls-server-name to a name of the certificate.",
  ],
])('gives no credentials to a server with a certificate %s, and says so', async (_name, wanted, words) => {
  const credentials: unknown[] = [];
  const certificate = issue({ name: 'apiserver', ...wanted });
  const { api } = await scene(
    (request, response) => {
      credentials.push(request.headers.authorization);
      json(response, 200, {});
    },
    {},
    { certificate, authority: CA.cert },
  );

  expect(await failure(api.request(GET))).toBe(`denied cluster "eu" of config (https://HOST): ${words}`);
  expect(await failure(api.request(GET))).toBe(`denied cluster "eu" of config (https://HOST): ${words}`);
  expect(credentials.filter((text) => text !== undefined)).toEqual([]);
});

it('names the clock of this machine where a certificate is out of time only by it', async () => {
  const certificate = issue({ name: 'apiserver', by: CA, addresses: ['127.0.0.1'], to: '2026-01-01T00:00:00Z' });
  const yesterday = new Date(Date.now() - 86_400_000).toUTCString();
  const { api } = await scene(
    (_request, response) => json(response, 200, {}, { date: yesterday }),
    {},
    { certificate, authority: CA.cert },
  );

  expect(await failure(api.request(GET))).toMatch(
    /Renew it\. The clock of this machine is 24 h ahead of the server's: set the wrong one first\.$/,
  );
});

it('says so where nobody speaks TLS', async () => {
  const { server } = await scene((_request, response) => json(response, 200, {}));
  writeFileSync(server.kubeconfig, readFileSync(server.kubeconfig, 'utf8').replace('http://', 'https://'));
  const connection = await server.connect();
  opened.push(connection);

  expect(await failure(connection.api.request(GET))).toBe(
    'transient cluster "eu" of config (https://HOST) cannot be reached: what listens there does not speak TLS; is it the right port?',
  );
});

it('uses a CA that was replaced on disk, without a restart', async () => {
  const certificate = issue({ name: 'apiserver', by: OTHER_CA, addresses: ['127.0.0.1'] });
  const { api, server } = await scene((_request, response) => json(response, 200, {}), {}, { certificate, authority: CA.cert });
  const before = await failure(api.request(GET));
  writeFileSync(join(dirname(server.kubeconfig), 'ca.crt'), OTHER_CA.cert);

  expect(before).toMatch(/^denied/);
  expect((await api.request(GET)).status).toBe(200);
});

it('goes through the proxy that the cluster names, with TLS to the server itself', async () => {
  const tunnels: unknown[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    tunnels.push([request.url, request.headers['proxy-authorization']]);
    const [host = '', port] = request.url?.split(':') ?? [];
    const through = connectTcp(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      through.pipe(socket).pipe(through);
    });
    through.on('error', () => socket.destroy());
    socket.on('error', () => through.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const proxyPort = (proxy.address() as AddressInfo).port;
  opened.push({ close: async () => void (await once(proxy.close(), 'close')) });
  const certificate = issue({ name: 'apiserver', by: CA, addresses: ['127.0.0.1'] });
  const cluster = { 'proxy-url': `http://me:geheim@127.0.0.1:${proxyPort}` };
  const { api, server } = await scene((_request, response) => json(response, 200, {}), {}, { certificate, authority: CA.cert, cluster });

  expect((await api.request(GET)).status).toBe(200);
  expect(tunnels).toEqual([[`127.0.0.1:${server.port}`, `Basic ${Buffer.from('me:geheim').toString('base64')}`]]);
});
