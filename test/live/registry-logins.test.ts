import { execFileSync } from 'node:child_process';
import { sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { inspect } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ociRegistry } from '#adapters/oci/oci.ts';
import type { Registry } from '#ports/registry.ts';
import { pushImage } from '#test/contracts/registry.contract.ts';
import { startRegistry } from '#test/servers/registry.ts';
import type { RunningRegistry } from '#test/servers/registry.ts';
import { freePorts } from '#test/servers/server-process.ts';

const CANARY = 'canary-4be1';
/** bcrypt of the canary. */
const HASH = '$2b$05$abcdefghijklmnopqrstuuaapa.irWFpu5eg7Z37tbsj6L.S8Ps.u';
const scratch = mkdtempSync(join(tmpdir(), 'capstan-logins-'));
const [keyFile, certificateFile] = [join(scratch, 'tls.key'), join(scratch, 'tls.crt')];
const running: RunningRegistry[] = [];

beforeAll(() => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,DNS:registry.acme.test,IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certificateFile, '-days', '30', ...subject], { stdio: 'pipe' });
  writeFileSync(join(scratch, 'htpasswd'), `ada:${HASH}\n`);
});
afterAll(async () => {
  for (const registry of running) await registry.end();
  rmSync(scratch, { recursive: true });
});

const basic = (): object => ({ htpasswd: { realm: 'acme', path: join(scratch, 'htpasswd') } });
const tls = (): object => ({ certificate: certificateFile, key: keyFile });

async function start(more: Parameters<typeof startRegistry>[2]): Promise<RunningRegistry> {
  const registry = await startRegistry('docker', scratch, more);
  running.push(registry);
  return registry;
}

function loggedIn(host: string, password: string | undefined): Registry {
  const folder = mkdtempSync(join(scratch, 'docker-'));
  const auths = password === undefined ? {} : { [host]: { auth: Buffer.from(`ada:${password}`).toString('base64') } };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
  return ociRegistry({ dockerConfig: folder, env: {}, allowHttp: new Set(), mirrors: new Map() });
}

async function refusalOf(run: Promise<unknown>): Promise<unknown> {
  return run.then(
    () => 'it was not refused',
    (error: unknown) => error,
  );
}

describe('a registry with passwords', () => {
  test('takes and gives with the right one, and refuses without it, in words without it', async () => {
    const { host } = await start({ auth: basic() });
    const repository = { registry: host, name: 'acme/web' };

    const image = await pushImage(loggedIn(host, CANARY), repository, 'web', 'v1');

    expect(await loggedIn(host, CANARY).resolveTag(repository, 'v1')).toEqual(image);
    for (const password of [undefined, `${CANARY}x`]) {
      const error = await refusalOf(loggedIn(host, password).resolveTag(repository, 'v1'));

      expect(error).toMatchObject({ name: 'PortError', kind: 'denied' });
      expect(inspect(error, { depth: 10 })).not.toContain(CANARY);
    }
  });

  test('gives to the login that a helper of docker has', async () => {
    const { host } = await start({ auth: basic() });
    const bin = join(scratch, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(
      join(bin, 'docker-credential-acme'),
      `#!/bin/sh\nread host; [ "$host" = "${host}" ] && printf '{"Username":"ada","Secret":"${CANARY}"}'\n`,
    );
    chmodSync(join(bin, 'docker-credential-acme'), 0o755);
    const folder = mkdtempSync(join(scratch, 'docker-'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ credHelpers: { [host]: 'acme' } }));
    const registry = ociRegistry({ dockerConfig: folder, env: { PATH: bin }, allowHttp: new Set(), mirrors: new Map() });

    const image = await pushImage(registry, { registry: host, name: 'acme/web' }, 'by helper', 'v2');

    expect(await registry.resolveTag({ registry: host, name: 'acme/web' }, 'v2')).toEqual(image);
  });
});

describe('a registry with TLS', () => {
  test('is not believed while nobody trusts its certificate, and then it is, also on this machine', async () => {
    const { host } = await start({ auth: basic(), tls: tls() });
    const repository = { registry: host, name: 'acme/secure' };

    const before = await refusalOf(loggedIn(host, CANARY).resolveTag(repository, 'v1'));
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificateFile, 'utf8')]);
    const image = await pushImage(loggedIn(host, CANARY), repository, 'secure', 'v1');

    expect(before).toMatchObject({
      kind: 'transient',
      message: `the registry ${host} shows a certificate that is not trusted here (DEPTH_ZERO_SELF_SIGNED_CERT); NODE_EXTRA_CA_CERTS names more authorities`,
    });
    expect(await loggedIn(host, CANARY).resolveTag(repository, 'v1')).toEqual(image);
  });

  test('sells tokens by another server, which has TLS, too', async () => {
    const [port = 0] = await freePorts(1);
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificateFile, 'utf8')]);
    const asked: string[] = [];
    const sold: string[] = [];
    const seller = createServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, (request, response) => {
      const url = new URL(request.url ?? '', 'https://localhost');
      asked.push(url.searchParams.getAll('scope').join(' '));
      const isAda = request.headers.authorization === `Basic ${Buffer.from(`ada:${CANARY}`).toString('base64')}`;
      const token = tokenFor(isAda ? (url.searchParams.get('scope') ?? '') : '');
      sold.push(token);
      response.end(JSON.stringify({ token }));
    }).listen(port, '127.0.0.1');
    await once(seller, 'listening');
    try {
      const auth = {
        token: { realm: `https://localhost:${port}/token`, service: 'acme', issuer: 'acme', rootcertbundle: certificateFile },
      };
      const { host } = await start({ auth, tls: tls() });
      const repository = { registry: host, name: 'acme/sold' };

      const image = await pushImage(loggedIn(host, CANARY), repository, 'sold', 'v1');

      expect(await loggedIn(host, CANARY).resolveTag(repository, 'v1')).toEqual(image);
      expect(await refusalOf(loggedIn(host, undefined).resolveTag(repository, 'v1'))).toMatchObject({ kind: 'denied' });
      expect(asked).toEqual(['repository:acme/sold:pull,push', 'repository:acme/sold:pull', 'repository:acme/sold:pull']);
      expect(sold).toHaveLength(3);
    } finally {
      seller.closeAllConnections();
      seller.close();
    }
  });
});

describe('a proxy', () => {
  test('makes a tunnel to the registry and sees no more than its name; this machine is reached without it', async () => {
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificateFile, 'utf8')]);
    const { host } = await start({ auth: basic(), tls: tls() });
    const seen: string[] = [];
    const proxy = createProxy().listen(0, '127.0.0.1');
    proxy.on('connect', (request, client) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim());
      const upstream = connect(Number(host.split(':')[1]), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      upstream.pipe(client).pipe(upstream);
      for (const end of [upstream, client]) end.on('error', () => upstream.destroy());
    });
    await once(proxy, 'listening');
    try {
      const folder = mkdtempSync(join(scratch, 'docker-'));
      const auth = Buffer.from(`ada:${CANARY}`).toString('base64');
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { 'registry.acme.test': { auth }, [host]: { auth } } }));
      const env = { HTTPS_PROXY: `http://127.0.0.1:${Object(proxy.address()).port}` };
      const registry = ociRegistry({ dockerConfig: folder, env, allowHttp: new Set(), mirrors: new Map() });

      const image = await pushImage(registry, { registry: 'registry.acme.test', name: 'acme/far' }, 'far', 'v1');
      const tunnels = new Set(seen);
      const near = await registry.resolveTag({ registry: host, name: 'acme/far' }, 'v1');

      expect(near).toEqual(image);
      expect([...tunnels]).toEqual(['CONNECT registry.acme.test:443']);
      expect(new Set(seen)).toEqual(tunnels);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});

/** What docker-registry takes for a token: signed by a certificate of its bundle. */
function tokenFor(scope: string): string {
  const [, name = '', actions = ''] = /^repository:([^:]+):(.+)$/.exec(scope) ?? [];
  const access = name === '' ? [] : [{ type: 'repository', name, actions: actions.split(',') }];
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'acme', sub: 'ada', aud: 'acme', exp: now + 300, nbf: now - 60, iat: now, jti: String(now), access };
  const x5c = [new X509Certificate(readFileSync(certificateFile)).raw.toString('base64')];
  const [head, body] = [{ typ: 'JWT', alg: 'ES256', x5c }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key: readFileSync(keyFile, 'utf8'), dsaEncoding: 'ieee-p1363' });
  return `${head}.${body}.${signature.toString('base64url')}`;
}
