import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Powers, Terminal } from '#cli/powers.ts';
import { privateKeyAt } from '#cli/private-key.ts';
import { toSecret } from '#model/secret.ts';
import { NO_POWERS } from '#test/no-powers.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const SEALED = '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neyJ9\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n';
/** Opens what it is given with one pass phrase. */
const POWERS: Powers = {
  ...NO_POWERS,
  openCosignKey: async (text, password) => {
    expect([text, password.reveal()]).toEqual([SEALED, 'open sesame']);
    return toSecret(PEM);
  },
};
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-private-key-'));
  await writeFile(join(folder, 'plain.pem'), PEM);
  await writeFile(join(folder, 'cosign.key'), SEALED);
  await writeFile(join(folder, 'cosign.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
});
afterAll(() => rm(folder, { recursive: true }));

function terminal(env: Terminal['env']): Terminal {
  const silent = (): void => undefined;
  const { signal } = new AbortController();
  return { out: silent, err: silent, say: silent, isVerbose: false, env, cwd: folder, isTerminal: false, signal };
}

test('a key of cosign is opened with COSIGN_PASSWORD, and signs as a plain one does', async () => {
  const plain = await privateKeyAt('plain.pem', { powers: NO_POWERS, terminal: terminal({}) });
  const opened = await privateKeyAt('cosign.key', { powers: POWERS, terminal: terminal({ COSIGN_PASSWORD: 'open sesame' }) });

  expect(opened.publicKeyPem).toBe(plain.publicKeyPem);
  expect(verify(null, Buffer.from('x'), publicKey, opened.sign(Buffer.from('x')))).toBe(true);
});

test('without the pass phrase, or with a public key, it is said what is missing', async () => {
  const asked = (path: string) => privateKeyAt(path, { powers: POWERS, terminal: terminal({}) });

  await expect(asked('cosign.key')).rejects.toThrow('set COSIGN_PASSWORD');
  await expect(asked('cosign.pub')).rejects.toThrow('no private key');
  await expect(asked('absent.pem')).rejects.toThrow('cannot be read');
});
