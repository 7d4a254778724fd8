import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

import { afterEach, describe, expect, test } from 'vitest';

import { ociRegistry } from '#adapters/oci/oci.ts';
import { findImageSignatures } from '#loops/image-findings.ts';
import { verifyImage } from '#loops/verify-image.ts';
import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { OCI_IMAGE, OCI_INDEX } from '#model/oci-manifest.ts';
import { IMAGE_SIGNATURE } from '#model/signature-finding.ts';
import type { Bundles } from '#ports/bundles.ts';
import type { Registry } from '#ports/registry.ts';
import { pour, scriptedRegistry } from '#test/adapters/oci/scripted-registry.ts';
import type { Answer, Request, ScriptedRegistry } from '#test/adapters/oci/scripted-registry.ts';

const LIMITS = { total: 1_500, transfer: 1_500, idle: 1_000, headers: 1_000, connect: 1_000, wait: 1, longestWait: 50, tries: 3 };
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const DIGEST = digestOf('what was asked for');
const EMPTY = digestOf('{}');

const servers: ScriptedRegistry[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

function digestOf(content: string | Uint8Array): string {
  return `sha256:${sha256Of(content)}`;
}

async function serve(answer: (request: Request) => Answer): Promise<ScriptedRegistry> {
  const server = await scriptedRegistry(answer);
  servers.push(server);
  return server;
}

function client(more: Partial<Parameters<typeof ociRegistry>[0]> = {}): Registry {
  return ociRegistry({ dockerConfig: '/nonexistent', env: {}, allowHttp: new Set(), mirrors: new Map(), limits: LIMITS, ...more });
}

function at({ host }: ScriptedRegistry): { readonly registry: string; readonly name: string } {
  return { registry: host, name: 'acme/web' };
}

function manifestText(fields: object): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_IMAGE,
    config: { mediaType: 'x/y', digest: EMPTY, size: 2 },
    layers: [],
    ...fields,
  });
}

function indexText(manifests: readonly object[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

function entry(text: string): object {
  return { mediaType: OCI_IMAGE, digest: digestOf(text), size: 1, artifactType: BUNDLE };
}

function json(body: string, mediaType = OCI_INDEX): Answer {
  return { status: 200, headers: { 'content-type': mediaType }, body };
}

/** Takes whatever it is given for signed by nobody. */
const NOBODY: Bundles = {
  verify: () => ({ kind: 'refused', code: 'unknown-key', reason: 'nobody' }),
  sign: () => Promise.reject(new Error('not here')),
  keyDigest: () => undefined,
  readRoot: () => ({ ok: true }),
} as unknown as Bundles;

const CLOCK = { now: () => toInstant(0) };
const QUESTION = {
  digest: DIGEST,
  credentials: [{ kind: 'public-key', pem: 'x' }],
  trustedRoot: undefined,
  isLegacyAllowed: false,
} as const;
const ASKED = { predicateType: IMAGE_SIGNATURE, annotations: new Map(), repository: undefined };

describe('too much', () => {
  test('row 66: of 10,000 referrers on a page as many are taken as the limit says, and the cut is told', async () => {
    const many = indexText(Array.from({ length: 10_000 }, (_, index) => entry(`junk ${index}`)));
    const server = await serve(({ path }) => (path.includes('/referrers/') ? json(many) : undefined));

    const listed = await client().referrers(at(server), DIGEST);

    expect(listed.descriptors).toHaveLength(1024);
    expect(listed.isCut).toBe(true);
  });

  test('row 66: of 10,000 junk signatures 64 are looked at, and the image is refused for the limit', async () => {
    const bundle = '{}';
    const manifest = (path: string): string =>
      manifestText({ artifactType: BUNDLE, layers: [{ mediaType: BUNDLE, digest: digestOf(bundle), size: 2 }], annotations: { n: path } });
    const names = new Map(Array.from({ length: 10_000 }, (_, index) => [digestOf(manifest(String(index))), String(index)]));
    const list = indexText([...names.keys()].map((digest) => ({ mediaType: OCI_IMAGE, digest, size: 1, artifactType: BUNDLE })));
    const server = await serve(({ path }) => {
      if (path.includes('/referrers/')) return json(list);
      if (path.includes('/blobs/')) return { status: 200, body: bundle };
      const name = names.get(path.split('/').at(-1) ?? '');
      return name === undefined ? undefined : json(manifest(name), OCI_IMAGE);
    });
    const question = { ...QUESTION, repository: at(server) };

    const found = await findImageSignatures({ registry: client(), bundles: NOBODY, clock: CLOCK }, question);

    expect(found.findings).toHaveLength(64);
    expect(found.isCut).toBe(true);
    expect(server.requests.filter(({ path }) => path.includes('/manifests/'))).toHaveLength(64);
  });

  test('row 66: pages that lead back to themselves, or never end, end at a limit', async () => {
    let page = 0;
    const loop = await serve(() => ({
      ...(json(indexText([entry('a')])) as object),
      status: 200,
      headers: { 'content-type': OCI_INDEX, link: `</v2/acme/web/referrers/${DIGEST}?n=1>; rel="next"` },
    }));
    const endless = await serve(() => ({
      status: 200,
      headers: { 'content-type': OCI_INDEX, link: `</v2/acme/web/referrers/${DIGEST}?page=${++page}>; rel="next"` },
      body: indexText([entry(`a${page}`)]),
    }));

    const [looped, unending] = [await client().referrers(at(loop), DIGEST), await client().referrers(at(endless), DIGEST)];

    expect([looped.isCut, looped.descriptors.length, loop.requests.length]).toEqual([true, 1, 2]);
    expect([unending.isCut, unending.descriptors.length, endless.requests.length]).toEqual([true, 16, 16]);
  });

  test('row 66: a next page of another list, or of another host, is refused', async () => {
    for (const link of ['</v2/other/referrers/x>; rel="next"', '<https://evil.example/v2/other>; rel="next"']) {
      const server = await serve(() => ({ status: 200, headers: { 'content-type': OCI_INDEX, link }, body: indexText([]) }));

      await expect(client().referrers(at(server), DIGEST)).rejects.toMatchObject({ name: 'PortError', kind: 'invalid' });
      expect(server.requests).toHaveLength(1);
    }
  });

  test('row 66: a bundle of 1 GB that is announced is not read', async () => {
    let taken = 0;
    const server = await serve(() => (response) => {
      response.writeHead(200, { 'content-length': String(1024 ** 3) });
      pour(response, (bytes) => (taken += bytes));
    });

    await expect(client().blob(at(server), DIGEST, 1024 * 1024)).rejects.toMatchObject({
      name: 'PortError',
      kind: 'invalid',
      message: expect.stringContaining('more than 1048576 bytes'),
    });
    await delay(50);
    expect(taken).toBeLessThan(16 * 1024 * 1024);
  });

  test('row 66: a bundle whose manifest says 1 GB is not even asked for', async () => {
    const manifest = manifestText({ artifactType: BUNDLE, layers: [{ mediaType: BUNDLE, digest: DIGEST, size: 1024 ** 3 }] });
    const server = await serve(({ path }) => {
      if (path.includes('/referrers/'))
        return json(indexText([{ mediaType: OCI_IMAGE, digest: digestOf(manifest), size: 1, artifactType: BUNDLE }]));
      return path.includes('/manifests/') ? json(manifest, OCI_IMAGE) : undefined;
    });

    const found = await findImageSignatures({ registry: client(), bundles: NOBODY, clock: CLOCK }, { ...QUESTION, repository: at(server) });

    expect(found.findings).toEqual([
      { kind: 'refused', code: 'malformed-bundle', reason: 'a bundle of 1073741824 bytes is larger than 1048576' },
    ]);
    expect(server.requests.some(({ path }) => path.includes('/blobs/'))).toBe(false);
  });

  test('row 66: a body without end is cut off at its limit, in a manifest, a list and a blob', async () => {
    let taken = 0;
    const server = await serve(() => (response) => {
      response.writeHead(200, { 'content-type': OCI_INDEX });
      pour(response, (bytes) => (taken += bytes));
    });
    const registry = client();
    for (const call of [
      () => registry.blob(at(server), DIGEST, 1024 * 1024),
      () => registry.manifest(at(server), DIGEST),
      () => registry.referrers(at(server), DIGEST),
      () => registry.resolveTag(at(server), 'v1'),
    ])
      await expect(call()).rejects.toMatchObject({ name: 'PortError', kind: 'invalid' });

    await delay(50);
    expect(taken).toBeLessThan(64 * 1024 * 1024);
  });

  test('a list of lists nests no further, and a document that nests is none', async () => {
    const deep = `{"schemaVersion":2,"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const wide = indexText(Array.from({ length: 17_000 }, () => entry('a')));
    for (const body of [deep, wide]) {
      const server = await serve(() => json(body));

      await expect(client().manifest(at(server), digestOf(body))).rejects.toMatchObject({ name: 'PortError', kind: 'invalid' });
    }
  });
});

describe('something else', () => {
  test('row 67: other bytes than asked for are refused, as manifest and as blob', async () => {
    const server = await serve(({ path }) =>
      path.includes('/blobs/') ? { status: 200, body: 'other' } : json(manifestText({}), OCI_IMAGE),
    );

    await expect(client().manifest(at(server), DIGEST)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('with other bytes'),
    });
    await expect(client().blob(at(server), DIGEST, 100)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('with other bytes'),
    });
  });

  test('row 67: a tag whose bytes are not the digest that the registry says is refused', async () => {
    const server = await serve(() => ({
      status: 200,
      headers: { 'content-type': OCI_IMAGE, 'docker-content-digest': DIGEST },
      body: manifestText({}),
    }));

    await expect(client().resolveTag(at(server), 'v1')).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('a manifest under another content type, or one that reads as two things, is refused', async () => {
    const both = JSON.stringify({ ...JSON.parse(manifestText({})), manifests: [], mediaType: undefined });
    for (const [type, body] of [
      ['text/html', manifestText({})],
      ['application/json', manifestText({})],
      [OCI_INDEX, manifestText({})],
      [OCI_IMAGE, both],
      [OCI_IMAGE, manifestText({ subject: { digest: 'sha256:x' } })],
      ['application/vnd.docker.distribution.manifest.v1+prettyjws', manifestText({ mediaType: undefined })],
    ] as const) {
      const server = await serve(() => json(body, type));

      await expect(client().manifest(at(server), digestOf(body))).rejects.toMatchObject({ name: 'PortError', kind: 'invalid' });
    }
  });
});

describe('too slow, or not there', () => {
  test('row 67: a registry that is down is no registry without signatures', async () => {
    const server = await serve(() => undefined);
    const repository = at(server);
    await server.close();
    servers.splice(0);

    const verdict = await verifyImage({ registry: client(), bundles: NOBODY, clock: CLOCK }, { ...QUESTION, repository }, ASKED);

    expect(verdict).toEqual({
      kind: 'refused',
      code: 'could-not-look',
      sentence: `the registry ${repository.registry} refused the connection`,
    });
  });

  test('row 67: a list of signatures that cannot be had is no empty list', async () => {
    const body = manifestText({});
    for (const status of [401, 403, 500, 503]) {
      const server = await serve(({ path }) => (path.includes('/referrers/') ? { status } : json(body, OCI_IMAGE)));
      const question = { ...QUESTION, digest: digestOf(body), repository: at(server) };

      expect(await verifyImage({ registry: client(), bundles: NOBODY, clock: CLOCK }, question, ASKED)).toMatchObject({
        kind: 'refused',
        code: 'could-not-look',
      });
    }
  });

  test('row 67: a truncated answer, a silent one, and one byte at a time end as could-not-look', async () => {
    const answers: readonly ((response: Parameters<Extract<Answer, (...args: never[]) => void>>[0]) => void)[] = [
      (response) => {
        response.writeHead(200, { 'content-type': OCI_IMAGE, 'content-length': '100' });
        response.write('x'.repeat(50), () => response.destroy());
      },
      (response) => {
        response.writeHead(200, { 'content-type': OCI_IMAGE });
        response.write('x');
      },
      () => undefined,
      (response) => {
        response.writeHead(200, { 'content-type': OCI_IMAGE });
        const drip = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(drip));
      },
    ];
    for (const answer of answers) {
      const server = await serve(() => answer);
      const began = performance.now();

      const verdict = await verifyImage(
        { registry: client(), bundles: NOBODY, clock: CLOCK },
        { ...QUESTION, repository: at(server) },
        ASKED,
      );

      expect(verdict).toMatchObject({ kind: 'refused', code: 'could-not-look' });
      expect(performance.now() - began).toBeLessThan(6_000);
    }
  });

  test('row 67: after a signature that came too slowly the registry is not asked for the next', async () => {
    const body = manifestText({});
    const list = indexText(['a', 'b', 'c'].map(entry));
    const server = await serve(({ path }) => {
      if (path.endsWith(digestOf(body))) return path.includes('/referrers/') ? json(list) : json(body, OCI_IMAGE);
      return path.includes('/referrers/') ? json(list) : () => undefined;
    });
    const question = { ...QUESTION, digest: digestOf(body), repository: at(server) };

    expect(await verifyImage({ registry: client(), bundles: NOBODY, clock: CLOCK }, question, ASKED)).toMatchObject({
      code: 'could-not-look',
    });
    expect(new Set(server.requests.map(({ path }) => path)).size).toBe(3);
  });

  test('row 67: 429 and 5xx are asked again a few times, 4xx never, and a long wait is not waited', async () => {
    let times = 0;
    const body = manifestText({});
    const patient = await serve(() => (++times < 3 ? { status: times === 1 ? 429 : 503 } : json(body, OCI_IMAGE)));
    const broken = await serve(() => ({ status: 500 }));
    const busy = await serve(() => ({ status: 429, headers: { 'retry-after': '3600' } }));
    const strange = await serve(() => ({ status: 418, body: '{"errors":[{"code":"TEAPOT","message":"secret"}]}' }));

    expect((await client().manifest(at(patient), digestOf(body))).descriptor.digest).toBe(digestOf(body));
    await expect(client().manifest(at(broken), DIGEST)).rejects.toMatchObject({ kind: 'transient' });
    await expect(client().manifest(at(busy), DIGEST)).rejects.toMatchObject({ kind: 'transient' });
    await expect(client().manifest(at(strange), DIGEST)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.not.stringContaining('secret'),
    });
    expect([patient, broken, busy, strange].map(({ requests }) => requests.length)).toEqual([3, 3, 1, 1]);
  });
});

describe('led elsewhere', () => {
  test('row 67: redirections end', async () => {
    const server = await serve(({ path }) => ({ status: 307, headers: { location: `${path}x` } }));

    await expect(client().blob(at(server), DIGEST, 100)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('redirects more than 5 times'),
    });
    expect(server.requests).toHaveLength(6);
  });

  test('row 67: nobody is led to where clouds keep their credentials, nor to a place without an address', async () => {
    for (const location of ['http://169.254.169.254/latest/', 'file:///etc/passwd', 'http://[fe80::1]/', 'ftp://a.example/']) {
      const server = await serve(() => ({ status: 302, headers: { location } }));

      await expect(client().blob(at(server), DIGEST, 100)).rejects.toMatchObject({ kind: 'invalid' });
    }
  });
});

describe('a tag that moves', () => {
  test('row 72: what was resolved once stays what it was, and a verification reads no tag', async () => {
    const [first, second] = [manifestText({}), manifestText({ annotations: { now: 'another' } })];
    let tagged = first;
    const server = await serve(({ path }) => {
      if (path.endsWith('/manifests/v1')) return json(tagged, OCI_IMAGE);
      if (path.endsWith(`/manifests/${digestOf(first)}`)) return json(first, OCI_IMAGE);
      return path.includes('/referrers/') ? json(indexText([])) : undefined;
    });
    const registry = client();

    const resolved = await registry.resolveTag(at(server), 'v1');
    tagged = second;
    const before = server.requests.length;
    const verdict = await verifyImage(
      { registry, bundles: NOBODY, clock: CLOCK },
      { ...QUESTION, digest: resolved?.digest ?? '', repository: at(server) },
      ASKED,
    );
    const pulled = await registry.manifest(at(server), resolved?.digest ?? '');

    expect(verdict).toMatchObject({ kind: 'refused', code: 'unsigned' });
    expect(Buffer.from(pulled.bytes).toString()).toBe(first);
    expect(server.requests.slice(before).filter(({ path }) => path.endsWith('/manifests/v1'))).toEqual([]);
    expect(inspect(await registry.resolveTag(at(server), 'v1'))).toContain(digestOf(second));
  });
});
