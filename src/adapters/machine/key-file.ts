import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { encodeSshPrivateKey, parseSshPrivateKey, sshPublicKeyText } from '#model/ssh-key.ts';
import { signPlain, sshPublicKeyPem } from '#model/ssh-plain.ts';
import { signWithSshKey } from '#model/ssh-signature.ts';
import type { Signer } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import type { SignerName } from './raw-key.ts';

const NOT_WRITABLE: ReadonlySet<string> = new Set(['EEXIST', 'EACCES', 'EPERM', 'EROFS']);

/** Reads the key at `path`, or makes one where there is none (ed25519, mode 0600, its `.pub` beside it). */
export async function openFileSigner(path: string, who: SignerName): Promise<Signer> {
  const text = (await readKey(path)) ?? (await makeKey(path, who.email));
  const parsed = parseSshPrivateKey(text);
  if (!parsed.ok) throw new PortError('invalid', `the signing key ${path} cannot be used: ${parsed.reason}`);
  const key = parsed.value;
  const publicKey = sshPublicKeyText(key.publicKey);
  await writeFile(`${path}.pub`, `${publicKey} ${who.email}\n`, { flag: 'wx' }).catch(ignoreNotWritable);
  return {
    publicKey,
    name: who.name,
    email: who.email,
    sign: async (payload, namespace) => signWithSshKey(key, payload, namespace),
    plainKey: async () => ({ publicKeyPem: sshPublicKeyPem(key.publicKey), sign: async (bytes) => signPlain(key, bytes) }),
  };
}

async function readKey(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(ignoreMissing);
  if (facts === undefined) return undefined;
  // Of root and read by our group: how systems hand a secret to a service that is nobody in particular.
  const others = facts.uid === 0 && process.getuid?.() !== 0 ? 0o037 : 0o077;
  if ((facts.mode & others) !== 0) throw new PortError('denied', `the signing key ${path} can be read by others; run: chmod 600 ${path}`);
  return await readFile(path, 'utf8');
}

/** Written whole beside its place and linked there: of two processes that start at once, one makes the key and both read it. */
async function makeKey(path: string, comment: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  try {
    const text = encodeSshPrivateKey(randomBytes(32), comment, randomBytes(4).readUInt32BE());
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx', flush: true });
    await link(temporary, path).catch(ignoreExisting);
  } finally {
    await rm(temporary, { force: true });
  }
  return await readFile(path, 'utf8');
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

/** A mounted secret has a folder of its own that nobody writes to. */
function ignoreNotWritable(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && NOT_WRITABLE.has(String(error.code)))) throw error;
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}
