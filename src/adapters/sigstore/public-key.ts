import { createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { sha256Of } from '#model/digest.ts';
import type { Sha256 } from '#model/digest.ts';

export type HashName = 'sha256' | 'sha384' | 'sha512';

/** A key that may sign: the hash follows the curve; ed25519 signs the bytes themselves. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly spki: Buffer;
  readonly spkiSha256: Sha256;
  readonly scheme:
    | { readonly kind: 'ecdsa'; readonly curve: 'p256' | 'p384' | 'p521'; readonly hash: HashName }
    | { readonly kind: 'rsa'; readonly hash: 'sha256' }
    | { readonly kind: 'ed25519' };
}

const CURVES: ReadonlyMap<string, SigningKey['scheme']> = new Map([
  ['prime256v1', { kind: 'ecdsa', curve: 'p256', hash: 'sha256' }],
  ['secp384r1', { kind: 'ecdsa', curve: 'p384', hash: 'sha384' }],
  ['secp521r1', { kind: 'ecdsa', curve: 'p521', hash: 'sha512' }],
]);
const RSA_BITS = { least: 2048, most: 8192 };
const LONGEST_PEM = 16 * 1024;
const ONE_PEM = /^\s*-----BEGIN (PUBLIC KEY|CERTIFICATE)-----[A-Za-z0-9+/=\s]+-----END \1-----\s*$/;

/** One PEM block of a public key of a kind that counts; undefined for everything else, private keys included. */
export function readPublicKey(pem: string): SigningKey | undefined {
  return namedIn(pem)?.kind === 'key' ? usable(() => createPublicKey(pem)) : undefined;
}

export function signingKeyOf(key: KeyObject): SigningKey | undefined {
  return usable(() => key);
}

function usable(make: () => KeyObject): SigningKey | undefined {
  try {
    const key = make();
    const scheme = schemeOf(key);
    if (scheme === undefined) return undefined;
    const spki = key.export({ type: 'spki', format: 'der' });
    return { key, spki, spkiSha256: sha256Of(spki), scheme };
  } catch {
    return undefined;
  }
}

function schemeOf(key: KeyObject): SigningKey['scheme'] | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { namedCurve, modulusLength = 0 } = {} } = key;
  if (type === 'ed25519') return { kind: 'ed25519' };
  if (type === 'rsa')
    return modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most ? { kind: 'rsa', hash: 'sha256' } : undefined;
  return type === 'ec' && namedCurve !== undefined ? CURVES.get(namedCurve) : undefined;
}

/** Whom a PEM text names: a key by its SubjectPublicKeyInfo, a certificate by all of it (DER). Exactly one block. */
export function namedIn(pem: string): { readonly kind: 'key' | 'certificate'; readonly der: Buffer } | undefined {
  if (pem.length > LONGEST_PEM) return undefined;
  const [, label] = ONE_PEM.exec(pem) ?? [];
  try {
    if (label === 'CERTIFICATE') return { kind: 'certificate', der: new X509Certificate(pem).raw };
    if (label === 'PUBLIC KEY') return { kind: 'key', der: createPublicKey(pem).export({ type: 'spki', format: 'der' }) };
    return undefined;
  } catch {
    return undefined;
  }
}
