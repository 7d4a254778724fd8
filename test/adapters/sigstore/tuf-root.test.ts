import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { initializeTUFRepo, tufHandlers } from '@tufjs/repo-mock';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import { trustedRootByTuf } from '#adapters/sigstore/tuf-root.ts';
import { authorities, jsonBytes } from '#test/sigstore-authorities.ts';

let folder: string;
let server: Server | undefined;
let asked: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-tuf-'));
  asked = [];
});

afterEach(async () => {
  vi.useRealTimers();
  await close();
  await rm(folder, { recursive: true });
});

async function close(): Promise<void> {
  const running = server;
  server = undefined;
  running?.closeAllConnections();
  await new Promise<void>((done) => (running === undefined ? done() : running.close(() => done())));
}

/** A mirror with one target; `bend` changes what it answers. Its root.json stands in the folder. */
async function mirror(content: string, bend: (path: string, body: string) => string | undefined = (_path, body) => body) {
  const repository = initializeTUFRepo([{ name: 'trusted_root.json', content }]);
  const handlers = new Map(
    tufHandlers(repository, { metadataPathPrefix: '', targetPathPrefix: '/targets' }).map(({ path, fn }) => [path, fn]),
  );
  server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = handlers.get(path)?.();
    const body = answer === undefined ? undefined : bend(path, String(answer.response));
    response.statusCode = body === undefined ? 404 : (answer?.statusCode ?? 404);
    response.end(body ?? '');
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const rootFile = join(folder, 'root.json');
  await writeFile(rootFile, JSON.stringify(repository.rootMeta.toJSON()));
  return { mirror: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, rootFile, cache: join(folder, 'cache') };
}

async function trustedRoot(): Promise<string> {
  return jsonBytes((await authorities()).root).toString();
}

test('a trusted root comes from a mirror, and is one', async () => {
  const content = await trustedRoot();

  const bytes = await trustedRootByTuf(await mirror(content));

  expect(Buffer.from(bytes).toString()).toBe(content);
  expect(sigstoreBundles().readRoot(bytes)).toMatchObject({ ok: true });
});

test('what is in the cache is used without asking anybody, also when the mirror is away', async () => {
  const source = await mirror(await trustedRoot());
  const first = await trustedRootByTuf(source);
  const before = asked.length;

  expect(await trustedRootByTuf(source)).toEqual(first);
  expect(asked).toHaveLength(before);
  await close();
  expect(await trustedRootByTuf(source)).toEqual(first);
});

test('a target that is not what was signed is refused, served or in the cache', async () => {
  const content = await trustedRoot();
  const bent = await mirror(content, (path, body) => (path.startsWith('/targets/') ? body.replace('log.acme', 'log.evil') : body));
  await expect(trustedRootByTuf(bent)).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('not what was signed') });
  await close();

  const source = { ...(await mirror(content)), cache: join(folder, 'second') };
  await trustedRootByTuf(source);
  const cached = (await readdir(source.cache, { recursive: true })).find((path) => path.endsWith('trusted_root.json')) ?? '';
  await writeFile(join(source.cache, cached), content.replace('log.acme', 'log.evil'));

  expect(Buffer.from(await trustedRootByTuf(source)).toString()).toBe(content);
});

test('metadata of another root is refused', async () => {
  const first = await mirror(await trustedRoot());
  await close();
  const second = await mirror(await trustedRoot());
  await writeFile(join(folder, 'other.json'), JSON.stringify(initializeTUFRepo([]).rootMeta.toJSON()));

  await expect(trustedRootByTuf({ ...second, rootFile: join(folder, 'other.json') })).rejects.toMatchObject({
    kind: expect.stringMatching(/invalid|transient/),
  });
  expect(first.cache).toBe(second.cache);
});

test('another root.json does not go on with the cache of the first', async () => {
  const source = await mirror(await trustedRoot());
  await trustedRootByTuf(source);
  await writeFile(source.rootFile, JSON.stringify(initializeTUFRepo([]).rootMeta.toJSON()));

  await expect(trustedRootByTuf(source)).rejects.toThrow('TUF mirror');
});

test('metadata that has expired is said to have', async () => {
  const source = await mirror(await trustedRoot());
  await trustedRootByTuf(source);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 365 * 86_400_000 });

  await expect(trustedRootByTuf(source)).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('has expired') });
});

test('a mirror that is away is worth another try, one without the file is not', async () => {
  const source = await mirror(await trustedRoot());
  await close();
  await expect(trustedRootByTuf(source)).rejects.toMatchObject({ kind: 'transient' });
  await expect(trustedRootByTuf({ ...source, rootFile: join(folder, 'absent.json') })).rejects.toMatchObject({ kind: 'missing' });
});
