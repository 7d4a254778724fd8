import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

import type { Parsed } from '#model/git-objects.ts';
import { magnitudeOf, type SshReader, sshReader, sshString, sshUint32 } from '#model/ssh-wire.ts';

const CURVES = {
  'ecdsa-sha2-nistp256': { curve: 'nistp256', jwk: 'P-256', bytes: 32, hash: 'sha256' },
  'ecdsa-sha2-nistp384': { curve: 'nistp384', jwk: 'P-384', bytes: 48, hash: 'sha384' },
  'ecdsa-sha2-nistp521': { curve: 'nistp521', jwk: 'P-521', bytes: 66, hash: 'sha512' },
  'sk-ecdsa-sha2-nistp256@openssh.com': { curve: 'nistp256', jwk: 'P-256', bytes: 32, hash: 'sha256' },
} as const;

const SMALLEST_RSA = 2048;
const LARGEST_RSA = 16_384;

/** A public key as OpenSSH writes it (PROTOCOL, PROTOCOL.u2f, RFC 4253, RFC 5656, RFC 8709). */
export interface SshPublicKey {
  readonly type: string;
  readonly blob: Buffer;
  readonly key: KeyObject;
  /** Bytes of a coordinate and the hash of its signatures; undefined for other keys than ECDSA. */
  readonly curve: { readonly bytes: number; readonly hash: string } | undefined;
  /** The application a security key is bound to; undefined for other keys. */
  readonly application: string | undefined;
}

/** A public key that can vouch, or the code and reason why it cannot (`weak-key`, `unsupported-key`, `malformed-key`). */
export type ReadKey =
  | { readonly ok: true; readonly value: SshPublicKey }
  | { readonly ok: false; readonly code: 'weak-key' | 'unsupported-key' | 'malformed-key'; readonly reason: string };

/** Reads `ssh-ed25519 AAAA...`, with or without a comment. */
export function parseSshPublicKey(text: string): ReadKey {
  const [type, base64] = text.trim().split(/\s+/);
  const blob = Buffer.from(base64 ?? '', 'base64');
  if (type === undefined || base64 === undefined || blob.toString('base64') !== base64)
    return malformed('it is not a type and base64 text');
  const read = readSshPublicKey(blob);
  if (read.ok && read.value.type !== type) return malformed('its type and its content differ');
  return read;
}

export function readSshPublicKey(blob: Buffer): ReadKey {
  const reader = sshReader(blob);
  const type = reader.string()?.toString('latin1') ?? '';
  switch (type) {
    case 'ssh-ed25519':
    case 'sk-ssh-ed25519@openssh.com':
      return readEd25519(blob, type, reader);
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return readEcdsa(blob, type, reader);
    case 'ssh-rsa':
      return readRsa(blob, reader);
    default:
      if (/-cert-v\d\d@openssh\.com$/.test(type))
        return { ok: false, code: 'unsupported-key', reason: 'certificates are not accepted; the key itself must be named' };
      return { ok: false, code: 'unsupported-key', reason: `keys of type ${JSON.stringify(type.slice(0, 60))} are not accepted` };
  }
}

/** `SHA256:` and unpadded base64, as ssh-keygen prints it. */
export function sshFingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** `ssh-ed25519 AAAA...` without a comment. */
export function sshPublicKeyText(key: SshPublicKey): string {
  return `${key.type} ${key.blob.toString('base64')}`;
}

function readEd25519(blob: Buffer, type: string, reader: SshReader): ReadKey {
  const point = reader.string();
  const application = type.startsWith('sk-') ? reader.string()?.toString('utf8') : undefined;
  if (point?.length !== 32 || !reader.isAtEnd() || (type.startsWith('sk-') && application === undefined)) return malformed('it is cut off');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') }, format: 'jwk' });
  return { ok: true, value: { type, blob, key, curve: undefined, application } };
}

function readEcdsa(blob: Buffer, type: keyof typeof CURVES, reader: SshReader): ReadKey {
  const curve = CURVES[type];
  const name = reader.string()?.toString('latin1');
  const point = reader.string();
  const application = type.startsWith('sk-') ? reader.string()?.toString('utf8') : undefined;
  if (name !== curve.curve || point?.length !== 1 + 2 * curve.bytes || point[0] !== 4 || !reader.isAtEnd()) {
    return malformed('it is not an uncompressed point of its curve');
  }
  if (type.startsWith('sk-') && application === undefined) return malformed('it is cut off');
  const [x, y] = [point.subarray(1, 1 + curve.bytes), point.subarray(1 + curve.bytes)].map((part) => part.toString('base64url'));
  const key = keyFromJwk({ kty: 'EC', crv: curve.jwk, x, y });
  return key === undefined ? malformed('it is not a point of its curve') : { ok: true, value: { type, blob, key, curve, application } };
}

function readRsa(blob: Buffer, reader: SshReader): ReadKey {
  const exponent = magnitudeOf(reader.string() ?? Buffer.alloc(0));
  const modulus = magnitudeOf(reader.string() ?? Buffer.alloc(0));
  if (exponent === undefined || modulus === undefined || !reader.isAtEnd()) return malformed('it is cut off');
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < SMALLEST_RSA)
    return { ok: false, code: 'weak-key', reason: `an RSA key of ${bits} bits is too weak; ${SMALLEST_RSA} are needed` };
  if (bits > LARGEST_RSA) return { ok: false, code: 'unsupported-key', reason: `an RSA key of ${bits} bits is not accepted` };
  const isWeak = exponent.length > 8 || exponent.equals(Buffer.from([1])) || ((exponent.at(-1) ?? 0) & 1) === 0;
  if (isWeak) return { ok: false, code: 'weak-key', reason: 'its RSA exponent is not acceptable' };
  const key = keyFromJwk({ kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') });
  return key === undefined
    ? malformed('it is not an RSA key')
    : { ok: true, value: { type: 'ssh-rsa', blob, key, curve: undefined, application: undefined } };
}

function keyFromJwk(jwk: Record<string, string | undefined>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch (error) {
    // node:crypto's word for "these numbers are no key".
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function malformed(reason: string): ReadKey {
  return { ok: false, code: 'malformed-key', reason };
}

/** An unencrypted ed25519 private key. */
export interface SshPrivateKey {
  readonly publicKey: SshPublicKey;
  readonly key: KeyObject;
}

const PRIVATE_MAGIC = 'openssh-key-v1\0';
const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----';
const END = '-----END OPENSSH PRIVATE KEY-----';

/** The file `ssh-keygen -t ed25519 -N ''` writes (PROTOCOL.key), from 32 secret bytes; `check` is any number below 2^32. */
export function encodeSshPrivateKey(seed: Uint8Array, comment: string, check: number): string {
  const { publicKey } = privateKeyOf(seed);
  const point = publicKey.blob.subarray(-32);
  const secret = Buffer.concat([seed, point]);
  const body = [sshUint32(check), sshUint32(check), sshString('ssh-ed25519'), sshString(point), sshString(secret), sshString(comment)];
  const length = body.reduce((total, part) => total + part.length, 0);
  const padding = Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, index) => index + 1));
  const head = [Buffer.from(PRIVATE_MAGIC), sshString('none'), sshString('none'), sshString(''), sshUint32(1), sshString(publicKey.blob)];
  const bytes = Buffer.concat([...head, sshString(Buffer.concat([...body, padding]))]);
  return `${BEGIN}\n${(bytes.toString('base64').match(/.{1,70}/g) ?? []).join('\n')}\n${END}\n`;
}

/** Reads such a file. Encrypted keys and other types than ed25519 are refused with the reason. */
export function parseSshPrivateKey(text: string): Parsed<SshPrivateKey> {
  const match = /^-----BEGIN OPENSSH PRIVATE KEY-----\n([A-Za-z0-9+/=\n]+)\n-----END OPENSSH PRIVATE KEY-----\n?$/.exec(
    text.replaceAll('\r\n', '\n'),
  );
  if (match === null) return { ok: false, reason: 'it is not a private key in the format of OpenSSH' };
  const reader = sshReader(Buffer.from(match[1] ?? '', 'base64'));
  if (reader.take(PRIVATE_MAGIC.length)?.toString('latin1') !== PRIVATE_MAGIC) return { ok: false, reason: 'it is of another version' };
  const cipher = reader.string()?.toString('latin1');
  if (cipher !== 'none') return { ok: false, reason: 'it is encrypted; a key without a passphrase is needed' };
  reader.string();
  reader.string();
  const count = reader.uint32();
  const publicBlob = reader.string();
  const body = sshReader(reader.string() ?? Buffer.alloc(0));
  const checks = [body.uint32(), body.uint32()];
  if (count !== 1 || publicBlob === undefined || checks[0] === undefined || checks[0] !== checks[1])
    return { ok: false, reason: 'it is damaged' };
  if (body.string()?.toString('latin1') !== 'ssh-ed25519') return { ok: false, reason: 'it is not an ed25519 key' };
  body.string();
  const secret = body.string();
  if (secret?.length !== 64) return { ok: false, reason: 'it is damaged' };
  const made = privateKeyOf(secret.subarray(0, 32));
  return made.publicKey.blob.equals(publicBlob) ? { ok: true, value: made } : { ok: false, reason: 'its public and private halves differ' };
}

const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

function privateKeyOf(seed: Uint8Array): SshPrivateKey {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
  const point = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  const read = readSshPublicKey(Buffer.concat([sshString('ssh-ed25519'), sshString(point)]));
  if (!read.ok) throw new Error(`an ed25519 key must have a public half: ${read.reason}`);
  return { publicKey: read.value, key };
}
