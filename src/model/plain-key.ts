import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

import type { Parsed } from '#model/git-objects.ts';
import { publicKeyOf } from '#model/public-key.ts';
import { parseSshPrivateKey } from '#model/ssh-key.ts';
import { sshPublicKeyPem } from '#model/ssh-plain.ts';

/** A private key at hand, for envelopes and bundles. */
export interface KeyAtHand {
  readonly publicKeyPem: string;
  /** ed25519: 64 bytes; ECDSA: DER, hash of the curve's size; RSA: PKCS#1 v1.5 with SHA-256. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

const HASHES: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'sha256'],
  ['secp384r1', 'sha384'],
  ['secp521r1', 'sha512'],
]);

/** Reads an unencrypted private key: PEM (PKCS#8, SEC 1, PKCS#1), or OpenSSH's format with ed25519. */
export function parsePrivateKey(text: string): Parsed<KeyAtHand> {
  if (text.includes('BEGIN OPENSSH PRIVATE KEY')) {
    const read = parseSshPrivateKey(text);
    if (!read.ok) return { ok: false, reason: read.reason };
    const { key, publicKey } = read.value;
    return { ok: true, value: { publicKeyPem: sshPublicKeyPem(publicKey), sign: (bytes) => sign(null, bytes, key) } };
  }
  if (/BEGIN ENCRYPTED/.test(text))
    return { ok: false, reason: 'it is encrypted; decrypt it where it is used, or use a key without a pass phrase' };
  const key = read(text);
  if (key === undefined) return { ok: false, reason: 'it is no private key in PEM' };
  const hash = hashOf(key);
  if (hash === undefined) return { ok: false, reason: 'keys of that type are not used: ed25519, ECDSA over P-256, P-384 or P-521, or RSA' };
  const { pem } = publicKeyOf(key.publicKey);
  return { ok: true, value: { publicKeyPem: pem, sign: (bytes) => sign(hash.name, bytes, key.privateKey) } };
}

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function read(text: string): Pair | undefined {
  try {
    const privateKey = createPrivateKey({ key: text, format: 'pem' });
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function hashOf({ privateKey }: Pair): { readonly name: string | null } | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = privateKey;
  if (type === 'ed25519') return { name: null };
  if (type === 'rsa') return { name: 'sha256' };
  const name = type === 'ec' ? HASHES.get(details?.namedCurve ?? '') : undefined;
  return name === undefined ? undefined : { name };
}
