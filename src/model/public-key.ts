import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

import { type Sha256, sha256Of } from '#model/digest.ts';
import type { Parsed } from '#model/git-objects.ts';

/** A key that may verify; `pem` is its SubjectPublicKeyInfo as OpenSSL writes it. */
export interface PublicKey {
  readonly pem: string;
  readonly spkiSha256: Sha256;
}

const ONE_KEY = /^\s*-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]{1,12000}-----END PUBLIC KEY-----\s*$/;
const ONE_CERTIFICATE = /^\s*-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]{1,32000}-----END CERTIFICATE-----\s*$/;
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];
const SMALLEST_RSA = 2048;
const LARGEST_RSA = 16_384;

/** Reads one key in PEM (RFC 7468, PUBLIC KEY): ECDSA over P-256, P-384 or P-521, ed25519, or RSA of at least 2048 bits. */
export function parsePublicKey(text: string): Parsed<PublicKey> {
  if (!ONE_KEY.test(text)) return { ok: false, reason: 'it is not one PUBLIC KEY in PEM' };
  const key = orNothing(() => createPublicKey({ key: text, format: 'pem' }));
  if (key === undefined) return { ok: false, reason: 'it is not a public key' };
  const weakness = weaknessOf(key);
  return weakness === undefined ? { ok: true, value: publicKeyOf(key) } : { ok: false, reason: weakness };
}

/** A key in the form that bundles name it by. */
export function publicKeyOf(key: KeyObject): PublicKey {
  const pem = key.export({ format: 'pem', type: 'spki' });
  return { pem: pem.toString(), spkiSha256: sha256Of(key.export({ format: 'der', type: 'spki' })) };
}

/** Reads one certificate in PEM that may sign others; answers it as OpenSSL writes it. */
export function parseRootCertificate(text: string): Parsed<string> {
  if (!ONE_CERTIFICATE.test(text)) return { ok: false, reason: 'it is not one CERTIFICATE in PEM' };
  const certificate = orNothing(() => new X509Certificate(text));
  if (certificate === undefined) return { ok: false, reason: 'it is not a certificate' };
  if (!certificate.ca) return { ok: false, reason: 'it is not the certificate of an authority (CA:TRUE)' };
  const weakness = weaknessOf(certificate.publicKey);
  return weakness === undefined ? { ok: true, value: certificate.toString() } : { ok: false, reason: weakness };
}

function weaknessOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  if (type === 'ed25519') return undefined;
  if (type === 'ec') return CURVES.includes(details?.namedCurve) ? undefined : 'its curve is not P-256, P-384 or P-521';
  if (type !== 'rsa') return 'keys of that type are not accepted';
  const bits = details?.modulusLength;
  if (bits === undefined || bits > LARGEST_RSA) return 'an RSA key of that length is not accepted';
  return bits < SMALLEST_RSA ? `an RSA key of ${bits} bits is too weak; ${SMALLEST_RSA} are needed` : undefined;
}

/** node:crypto throws for whatever is not what it was called. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
