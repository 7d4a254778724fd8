import { sign } from 'node:crypto';

import type { SshPrivateKey, SshPublicKey } from '#model/ssh-key.ts';
import { magnitudeOf, sshReader } from '#model/ssh-wire.ts';

/** SubjectPublicKeyInfo of a key of OpenSSH. */
export function sshPublicKeyPem(publicKey: SshPublicKey): string {
  return publicKey.key.export({ format: 'pem', type: 'spki' }).toString();
}

/** Over bytes as they are: 64 bytes. */
export function signPlain({ key }: SshPrivateKey, bytes: Uint8Array): Uint8Array {
  return sign(null, bytes, key);
}

/**
 * What is inside a signature as SSH agents answer it (RFC 4253 section 6.6): ed25519 and RSA as they are, ECDSA as DER.
 * Undefined where it is none of this key.
 */
export function plainSignature(publicKey: SshPublicKey, blob: Uint8Array): Uint8Array | undefined {
  const reader = sshReader(blob);
  const algorithm = reader.string()?.toString('latin1');
  const content = reader.string();
  if (content === undefined || !reader.isAtEnd()) return undefined;
  if (publicKey.type === 'ssh-rsa') return algorithm === 'rsa-sha2-256' ? content : undefined;
  if (algorithm !== publicKey.type || publicKey.application !== undefined) return undefined;
  return publicKey.curve === undefined ? content : derOf(content);
}

/** SEQUENCE of two INTEGERs, from the two mpints: both count alike. */
function derOf(content: Buffer): Uint8Array | undefined {
  const reader = sshReader(content);
  const numbers = [reader.string(), reader.string()];
  if (!reader.isAtEnd()) return undefined;
  const parts: Buffer[] = [];
  for (const number of numbers) {
    if (number === undefined || magnitudeOf(number) === undefined) return undefined;
    parts.push(element(0x02, number));
  }
  return element(0x30, Buffer.concat(parts));
}

/** No ECDSA signature of a curve up to P-521 needs more than one byte of length beyond the short form. */
function element(tag: number, content: Buffer): Buffer {
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
