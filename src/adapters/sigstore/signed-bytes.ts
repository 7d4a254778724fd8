import { constants, createHash, publicDecrypt, verify } from 'node:crypto';

import { ed25519ph } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';

import type { HashName, SigningKey } from './public-key.ts';

/** What was signed: the bytes, or only their digest. */
export type Signed =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'digest'; readonly algorithm: HashName; readonly digest: Uint8Array };

/** `needs-bytes`, `needs-digest`: this key's signatures cannot be checked with what is at hand. */
export type SignatureCheck = 'valid' | 'invalid' | 'needs-bytes' | `needs-${HashName}`;

const CURVES = { p256, p384, p521 } as const;
/** DER of DigestInfo up to the digest, RFC 8017 section 9.2. */
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

export function digestOf(algorithm: HashName, bytes: Uint8Array): Buffer {
  return createHash(algorithm).update(bytes).digest();
}

/** Whether the key made the signature. Node verifies no signature over a given digest: for those the arithmetic is that of @noble/curves. */
export function checkSignature(signer: SigningKey, signed: Signed, signature: Uint8Array): SignatureCheck {
  try {
    return signed.kind === 'bytes' ? overBytes(signer, signed.bytes, signature) : overDigest(signer, signed, signature);
  } catch {
    return 'invalid';
  }
}

function overBytes({ key, scheme, spki }: SigningKey, bytes: Uint8Array, signature: Uint8Array): SignatureCheck {
  switch (scheme.kind) {
    case 'ecdsa':
    case 'rsa':
      return verdict(verify(scheme.hash, bytes, key, signature));
    case 'ed25519':
      // Logs that keep only digests made cosign sign the digest (RFC 8032 section 5.1, Ed25519ph); its domain cannot be mistaken for the other.
      return verdict(verify(null, bytes, key, signature) || ed25519ph.verify(signature, bytes, spki.subarray(-32), { zip215: false }));
  }
}

function overDigest(
  { key, scheme }: SigningKey,
  { algorithm, digest }: Extract<Signed, { kind: 'digest' }>,
  signature: Uint8Array,
): SignatureCheck {
  if (scheme.kind === 'ed25519') return 'needs-bytes';
  if (algorithm !== scheme.hash) return `needs-${scheme.hash}`;
  if (scheme.kind === 'rsa') {
    if (signature.length * 8 !== key.asymmetricKeyDetails?.modulusLength) return 'invalid';
    const opened = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return verdict(opened.equals(Buffer.concat([SHA256_INFO, digest])));
  }
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  // The lower half of `s` is a custom of Bitcoin; every other signer writes either half.
  return verdict(CURVES[scheme.curve].verify(signature, digest, point, { prehash: false, lowS: false, format: 'der' }));
}

function verdict(holds: boolean): SignatureCheck {
  return holds ? 'valid' : 'invalid';
}
