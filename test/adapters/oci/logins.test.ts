import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { ociRegistry } from '#adapters/oci/oci.ts';
import { sha256Of } from '#model/digest.ts';
import { scriptedRegistry } from '#test/adapters/oci/scripted-registry.ts';
import type { Answer, Request, ScriptedRegistry } from '#test/adapters/oci/scripted-registry.ts';

const CANARY = 'canary-4be1';
const LIMITS = { total: 2_000, transfer: 2_000, idle: 1_000, headers: 1_000, connect: 1_000, wait: 1, longestWait: 20, tries: 2 };
const BLOB = 'what is behind the login';
const DIGEST = `sha256:${sha256Of(BLOB)}`;

let folder: string;
const servers: ScriptedRegistry[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-logins-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await rm(folder, { recursive: true });
});

async function serve(answer: (request: Request) => Answer): Promise<ScriptedRegistry> {
  const server = await scriptedRegistry(answer);
  servers.push(server);
  return server;
}

/** Asks for a login in these words, and gives the blob to whoever has the right one. */
async function guarded(
  challenge: string | ((host: string) => string),
  isRight: (authorization: string) => boolean,
  others: (request: Request) => Answer = () => undefined,
): Promise<ScriptedRegistry> {
  let host = '';
  const server = await serve((request) => {
    if (!request.path.startsWith('/v2/')) return others(request);
    if (request.authorization !== undefined && isRight(request.authorization)) return { status: 200, body: BLOB };
    return { status: 401, headers: { 'www-authenticate': typeof challenge === 'string' ? challenge : challenge(host) } };
  });
  ({ host } = server);
  return server;
}

async function configured(config: object | string): Promise<void> {
  await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
}

async function helper(name: string, script: string): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, `docker-credential-${name}`), 0o755);
}

function pull(host: string, env: Readonly<Record<string, string>> = {}): Promise<Uint8Array> {
  const registry = ociRegistry({
    dockerConfig: undefined,
    env: { DOCKER_CONFIG: folder, PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, ...env },
    allowHttp: new Set(),
    mirrors: new Map(),
    limits: LIMITS,
  });
  return registry.blob({ registry: host, name: 'acme/web' }, DIGEST, 1000);
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

const auth = Buffer.from(`ada:${CANARY}`).toString('base64');
const isAda = (authorization: string): boolean => authorization === basic('ada', CANARY);

describe('logins of docker', () => {
  test.each([
    ['auth', (host: string) => ({ auths: { [host]: { auth } } })],
    ['a scheme before the host', (host: string) => ({ auths: { [`https://${host}`]: { auth } } })],
    ['an older path behind it', (host: string) => ({ auths: { [`https://${host}/v1/`]: { auth } } })],
    ['user and password', (host: string) => ({ auths: { [host]: { username: 'ada', password: CANARY } } })],
  ])('are found as %s, and sent only when they are asked for', async (_name, config) => {
    const server = await guarded('Basic realm="x"', isAda);
    await configured(config(server.host));

    const bytes = await pull(server.host);

    expect(Buffer.from(bytes).toString()).toBe(BLOB);
    expect(server.requests.map(({ authorization }) => authorization)).toEqual([undefined, basic('ada', CANARY)]);
  });

  test('come from the program that is named for the registry, before all else', async () => {
    const server = await guarded('Basic realm="x"', isAda);
    await helper('acme', `read host; printf '{"ServerURL":"%s","Username":"ada","Secret":"${CANARY}"}' "$host"`);
    await configured({
      credHelpers: { [server.host]: 'acme' },
      auths: { [server.host]: { auth: Buffer.from('eve:x').toString('base64') } },
      credsStore: 'gone',
    });

    expect(Buffer.from(await pull(server.host)).toString()).toBe(BLOB);
  });

  test('come from the store for all registries, which may know none', async () => {
    const server = await guarded('Basic realm="x"', isAda);
    await helper(
      'store',
      `read host; [ "$host" = "${server.host}" ] && printf '{"Username":"ada","Secret":"${CANARY}"}' || { echo "credentials not found in native keychain"; exit 1; }`,
    );
    await configured({ credsStore: 'store' });
    const other = await guarded('Basic realm="x"', isAda);

    expect(Buffer.from(await pull(server.host)).toString()).toBe(BLOB);
    await expect(pull(other.host)).rejects.toMatchObject({ kind: 'denied' });
  });

  test.each([
    ['a helper that is not there', 'absent', 'denied'],
    ['a helper whose name leads elsewhere', '../../evil', 'invalid'],
    ['a helper that fails', 'fails', 'denied'],
    ['a helper that prints something else', 'babbles', 'denied'],
    ['a helper that never stops printing', 'endless', 'denied'],
  ])('%s is an error, never an anonymous try', async (_name, name, kind) => {
    const server = await guarded('Basic realm="x"', isAda);
    await helper('fails', `echo ${CANARY} >&2; echo ${CANARY}; exit 3`);
    await helper('babbles', `echo ${CANARY}`);
    await helper('endless', 'while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done');
    await configured({ credHelpers: { [server.host]: name } });

    const error: unknown = await pull(server.host).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ name: 'PortError', kind });
    expect(inspect(error, { depth: 10 })).not.toContain(CANARY);
  });

  test('a helper is found only in folders that are named from the root, and sees nothing of our own settings', async () => {
    const server = await guarded('Basic realm="x"', isAda);
    await helper('acme', `read host; printf '{"Username":"ada","Secret":"%s"}' "\${CAPSTAN_FORGE_TOKEN:-${CANARY}}"`);
    await configured({ credHelpers: { [server.host]: 'acme' } });

    expect(Buffer.from(await pull(server.host, { CAPSTAN_FORGE_TOKEN: 'not yours' })).toString()).toBe(BLOB);
    await expect(pull(server.host, { PATH: '.:bin' })).rejects.toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('not on PATH'),
    });
  });

  test('a configuration that cannot be read is an error without its contents', async () => {
    const server = await guarded('Basic realm="x"', isAda);
    for (const config of [
      `{"auths": "${CANARY}"`,
      `["${CANARY}"]`,
      { auths: { [server.host]: { auth: Buffer.from(CANARY).toString('base64') } } },
    ]) {
      await configured(config);

      const error: unknown = await pull(server.host).catch((thrown: unknown) => thrown);

      expect(error).toMatchObject({ name: 'PortError', kind: 'invalid' });
      expect(inspect(error, { depth: 10 })).not.toContain(CANARY);
    }
  });
});

describe('tokens', () => {
  const bearer = (host: string): string => `Bearer realm="http://${host}/token",service="acme",scope="repository:everything:*"`;
  const hasToken = (authorization: string): boolean => authorization === 'Bearer t0ken';
  const sells = ({ path, authorization }: Request): Answer =>
    path.startsWith('/token')
      ? { status: 200, body: JSON.stringify(authorization === basic('ada', CANARY) ? { token: 't0ken' } : { token: 'worthless' }) }
      : undefined;

  test('are bought with the login for exactly what is needed, once', async () => {
    const server = await guarded(bearer, hasToken, sells);
    await configured({ auths: { [server.host]: { auth } } });
    const registry = ociRegistry({ dockerConfig: folder, env: {}, allowHttp: new Set(), mirrors: new Map(), limits: LIMITS });

    for (let times = 0; times < 3; times++) await registry.blob({ registry: server.host, name: 'acme/web' }, DIGEST, 1000);

    const [, bought] = server.requests;
    expect(bought?.path).toBe('/token?service=acme&scope=repository%3Aacme%2Fweb%3Apull');
    expect(server.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(1);
    expect(server.requests.filter(({ path }) => path.startsWith('/v2/')).map(({ authorization }) => authorization)).toEqual([
      undefined,
      'Bearer t0ken',
      'Bearer t0ken',
      'Bearer t0ken',
    ]);
  });

  test('are bought without a login, where there is none', async () => {
    const server = await guarded(bearer, hasToken, ({ path, authorization }) =>
      path.startsWith('/token') && authorization === undefined ? { status: 200, body: '{"access_token":"t0ken"}' } : undefined,
    );

    expect(Buffer.from(await pull(server.host)).toString()).toBe(BLOB);
  });

  test('are bought with a refresh token, which goes by POST', async () => {
    const server = await guarded(bearer, hasToken, ({ path, method, body }) =>
      path === '/token' && method === 'POST' && body.includes(`refresh_token=${CANARY}`) && body.includes('grant_type=refresh_token')
        ? { status: 200, body: '{"access_token":"t0ken"}' }
        : undefined,
    );
    await configured({ auths: { [server.host]: { identitytoken: CANARY } } });

    expect(Buffer.from(await pull(server.host)).toString()).toBe(BLOB);
  });

  test('row 67: a registry that sends for tokens to another place without TLS gets nothing, and neither does that place', async () => {
    const thief = await serve(() => ({ status: 200, body: '{"token":"t0ken"}' }));
    const server = await guarded(`Bearer realm="http://${thief.host}/token",service="acme"`, hasToken);
    await configured({ auths: { [server.host]: { auth } } });

    await expect(pull(server.host)).rejects.toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('neither https nor the registry itself'),
    });
    expect(thief.requests).toEqual([]);
  });

  test('row 67: a token server that redirects is refused', async () => {
    const thief = await serve(() => ({ status: 200, body: '{"token":"t0ken"}' }));
    const server = await guarded(bearer, hasToken, () => ({ status: 307, headers: { location: `http://${thief.host}/token` } }));
    await configured({ auths: { [server.host]: { auth } } });

    await expect(pull(server.host)).rejects.toMatchObject({ kind: 'denied' });
    expect(thief.requests).toEqual([]);
  });

  test.each([
    ['no token', '{}'],
    ['no JSON', CANARY],
    ['a token with a line break', JSON.stringify({ token: `a\r\nx-evil: ${CANARY}` })],
    ['one of 100 KB', JSON.stringify({ token: 'a'.repeat(100_000) })],
  ])('row 67: a token server that answers with %s is refused', async (_name, body) => {
    const server = await guarded(bearer, hasToken, () => ({ status: 200, body }));

    const error: unknown = await pull(server.host).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ name: 'PortError', kind: 'invalid' });
    expect(inspect(error, { depth: 10 })).not.toContain(CANARY);
  });
});

describe('a login is for one place', () => {
  test('row 67: a registry that asks for a login again and again gets it once', async () => {
    for (const challenge of ['Basic realm="x"', (host: string) => `Bearer realm="http://${host}/token"`] as const) {
      const server = await guarded(
        challenge,
        () => false,
        () => ({ status: 200, body: '{"token":"t0ken"}' }),
      );
      await configured({ auths: { [server.host]: { auth } } });

      const error: unknown = await pull(server.host).catch((thrown: unknown) => thrown);

      expect(error).toMatchObject({ name: 'PortError', kind: 'denied' });
      expect(inspect(error, { depth: 10 })).not.toContain(CANARY);
      expect(server.requests.filter(({ path }) => path.startsWith('/v2/'))).toHaveLength(2);
    }
  });

  test('row 67: a redirection to another host carries no login, also not on the way back', async () => {
    const known: { registry?: string } = {};
    const storage = await serve(({ path }) =>
      path === '/blob' ? { status: 200, body: BLOB } : { status: 303, headers: { location: `http://${known.registry}/v2/acme/web/back` } },
    );
    const server = await serve(({ path, authorization }) => {
      if (path.endsWith('/back')) return { status: 200, body: BLOB };
      if (authorization === undefined) return { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
      return { status: 303, headers: { location: `http://${storage.host}/${path.includes(DIGEST) ? 'blob' : 'elsewhere'}` } };
    });
    known.registry = server.host;
    await configured({ auths: { [server.host]: { auth }, [storage.host]: { auth } } });

    const bytes = await pull(server.host);
    const registry = ociRegistry({ dockerConfig: folder, env: {}, allowHttp: new Set(), mirrors: new Map(), limits: LIMITS });
    await registry.manifest({ registry: server.host, name: 'acme/web' }, `sha256:${'0'.repeat(64)}`).catch(() => undefined);

    expect(Buffer.from(bytes).toString()).toBe(BLOB);
    expect(storage.requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
    expect(server.requests.filter(({ path }) => path.endsWith('/back')).map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('storage that refuses the question whether it has a blob gets no login, and the blob is sent', async () => {
    const storage = await serve(() => ({ status: 403 }));
    const taken: string[] = [];
    const server = await serve(({ method, path, authorization, body }) => {
      if (authorization === undefined) return { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
      if (method === 'HEAD') return { status: 307, headers: { location: `http://${storage.host}/signed-for-reading` } };
      if (method === 'POST') return { status: 202, headers: { location: '/v2/acme/web/blobs/uploads/7?state=x' } };
      taken.push(`${method} ${path} ${body}`);
      return { status: 201 };
    });
    await configured({ auths: { [server.host]: { auth } } });
    const registry = ociRegistry({ dockerConfig: folder, env: {}, allowHttp: new Set(), mirrors: new Map(), limits: LIMITS });

    await registry.pushBlob({ registry: server.host, name: 'acme/web' }, Buffer.from(BLOB));

    expect(taken).toEqual([`PUT /v2/acme/web/blobs/uploads/7?state=x&digest=${encodeURIComponent(DIGEST)} ${BLOB}`]);
    expect(storage.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('row 67: a foreign host that asks for a login or a token itself is told nothing', async () => {
    const thief = await serve(() => ({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="x"' },
    }));
    const server = await guarded('Basic realm="x"', isAda);
    const leading = await serve(({ authorization }) =>
      authorization === undefined
        ? { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
        : { status: 307, headers: { location: `http://${thief.host}/` } },
    );
    await configured({ auths: { [server.host]: { auth }, [leading.host]: { auth } } });

    await expect(pull(leading.host)).rejects.toMatchObject({ kind: 'denied' });
    expect(thief.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('another registry does not get it, not even another port of the same host', async () => {
    const [one, other] = [await guarded('Basic realm="x"', isAda), await guarded('Basic realm="x"', isAda)];
    await configured({ auths: { [one.host]: { auth } } });

    await expect(pull(other.host)).rejects.toMatchObject({ kind: 'denied' });
    expect(other.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('a registry that is not on this machine is not spoken to without TLS, unless somebody allowed it', async () => {
    const server = await serve(() => ({ status: 200, body: BLOB }));
    const named = server.host.replace('127.0.0.1', 'localhost.localdomain');
    const strict = ociRegistry({ dockerConfig: folder, env: {}, allowHttp: new Set(), mirrors: new Map(), limits: LIMITS });

    await expect(strict.blob({ registry: named, name: 'acme/web' }, DIGEST, 1000)).rejects.toMatchObject({ kind: 'transient' });
    expect(server.requests).toEqual([]);
  });
});

describe('mirrors', () => {
  const from = (mirrors: ReadonlyMap<string, { readonly at: readonly string[]; readonly isOnly: boolean }>) =>
    ociRegistry({ dockerConfig: folder, env: {}, allowHttp: new Set(), mirrors, limits: LIMITS }).blob(
      { registry: 'registry.invalid', name: 'acme/web' },
      DIGEST,
      1000,
    );

  test('are asked first, in their order, with their path, and what they have is checked like all else', async () => {
    const liar = await serve(() => ({ status: 200, body: 'other' }));
    const empty = await serve(() => undefined);
    const good = await serve(({ path }) => (path === `/v2/docker/acme/web/blobs/${DIGEST}` ? { status: 200, body: BLOB } : undefined));

    const bytes = await from(new Map([['registry.invalid', { at: [liar.host, empty.host, `${good.host}/docker`], isOnly: false }]]));

    expect(Buffer.from(bytes).toString()).toBe(BLOB);
    expect([liar, empty, good].map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  test('that have nothing lead to the registry itself, unless they are the only ones', async () => {
    const empty = await serve(() => undefined);

    await expect(from(new Map([['registry.invalid', { at: [empty.host], isOnly: false }]]))).rejects.toMatchObject({ kind: 'transient' });
    await expect(from(new Map([['registry.invalid', { at: [empty.host], isOnly: true }]]))).rejects.toMatchObject({ kind: 'missing' });
  });
});
