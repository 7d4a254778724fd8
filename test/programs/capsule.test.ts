import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { workbench, type Ended, type Workbench } from './capstan-program.ts';

let bench: Workbench;
let platform: string;
let around: string;

beforeAll(async () => {
  bench = await workbench();
  platform = await bench.platform();
  around = dirname(platform);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeFile(join(around, 'ci.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(join(around, 'ci.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
});

afterAll(() => bench.close());

/** Runs the program, and expects it to end so. */
async function capstan(code: number, ...args: readonly string[]): Promise<Ended> {
  const ended = await bench.capstan(platform, ...args);
  expect([args.join(' '), ended.code, ended.code === code ? '' : ended.err]).toEqual([args.join(' '), code, '']);
  return ended;
}

async function edited(path: string, from: string | RegExp, to: string): Promise<void> {
  const file = join(platform, path);
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(from);
  await writeFile(file, text.replace(from, to));
}

async function committed(message: string): Promise<void> {
  await bench.git(platform, 'add', '-A');
  await bench.git(platform, '-c', 'commit.gpgsign=false', 'commit', '-qm', message);
}

test('who may sign is said by the project, and a signature on the evidence branch is found', async () => {
  expect((await capstan(3, 'capsule', 'verify', 'hello')).out).toBe('hello@1.0.0 is not signed (unsigned)\n');
  const signed = await capstan(0, 'capsule', 'sign', 'hello', '--key', '../ci.pem');
  expect(signed.err).toContain('warning: no trust entry of the project that is for capsules names the key');
  expect((await capstan(3, 'capsule', 'verify', 'hello')).out).toBe('hello@1.0.0 is signed by nobody whose key is trusted (unknown-key)\n');
  await capstan(0, 'capsule', 'verify', 'hello', '--key', '../ci.pub');
  expect(await bench.git(platform, 'ls-tree', '-r', '--name-only', 'evidence')).toMatch(
    /^[0-9a-f]{2}\/[0-9a-f]{64}\/signature-[0-9A-Z]{26}\.sigstore\.json$/,
  );
});

test('a layout that is refused leaves nothing behind, and one that is good appears whole', async () => {
  const layout = join(around, 'layout');
  const digest = (await capstan(0, 'capsule', 'pack', 'hello', '--out', layout)).out.trim();
  const before = (await readdir(around)).sort();
  await writeFile(join(layout, 'blobs/sha256', digest.slice(7)), '{}');
  expect((await capstan(1, 'capsule', 'pull', layout, '--out', join(around, 'bad'))).err).toContain(
    'has other bytes than those of sha256:',
  );
  expect((await readdir(around)).sort()).toEqual(before);

  const archive = join(around, 'hello.tar');
  await capstan(0, 'capsule', 'pack', 'hello', '--out', archive);
  await capstan(0, 'capsule', 'pull', archive, '--out', join(around, 'good'));
  expect(await bench.run(platform, 'diff', '-r', join(around, 'good'), 'capsules/hello')).toBe('');
  expect((await readdir(around)).sort()).toEqual([...before, 'good', 'hello.tar'].sort());
  expect((await capstan(4, 'capsule', 'pull', archive, '--out', join(around, 'good'))).err).toContain('is there already');
});

test('a layout with a link in the place of a folder is not written to', async () => {
  const [layout, elsewhere] = [join(around, 'linked'), await bench.folder()];
  await capstan(0, 'capsule', 'pack', 'hello', '--out', layout);
  await bench.run(layout, 'mv', 'blobs/sha256', join(elsewhere, 'sha256'));
  await symlink(join(elsewhere, 'sha256'), join(layout, 'blobs/sha256'));
  const before = (await readdir(join(elsewhere, 'sha256'))).sort();
  expect((await capstan(1, 'capsule', 'sign', layout, '--key', '../ci.pem')).err).toContain('leads somewhere else');
  expect((await readdir(join(elsewhere, 'sha256'))).sort()).toEqual(before);
});

test('an old release is not pulled in the place of what runs, and no version with other content', async () => {
  const old = join(around, 'old.tar');
  await capstan(0, 'capsule', 'pack', 'hello', '--out', old);
  await edited('capsules/hello/capsule.yaml', 'version: 1.0.0', 'version: 1.1.0');
  await committed('Release hello 1.1.0');
  // What is locked stays if it may.
  await bench.run(platform, 'bash', '-c', 'rm environments/*/environment.lock.yaml');
  await capstan(0, 'lock', '--all');
  await committed('Lock versions');

  expect((await capstan(3, 'capsule', 'pull', old)).err).toMatch(
    /hello@1\.0\.0 is older than 1\.1\.0, which [a-z]+ locks.*\[older-than-locked\]/,
  );
  await capstan(0, 'capsule', 'pull', old, '--allow-older');
  expect((await capstan(0, 'capsule', 'pack', 'hello@1.0.0', '-o', 'json')).out).toContain('"version": "1.0.0"');

  const other = await bench.platform();
  await writeFile(join(other, 'capsules/hello/evil.txt'), 'evil');
  const forged = join(around, 'forged.tar');
  expect((await bench.capstan(other, 'capsule', 'pack', 'hello', '--out', forged)).err).toContain('is not released as it stands here');
  expect((await capstan(3, 'capsule', 'pull', forged, '--allow-older')).err).toMatch(
    /was released here with another content.*\[version-replayed\]/,
  );
});
