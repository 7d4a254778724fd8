import { createHash, sign, verify } from 'node:crypto';

import { readSshPublicKey, type SshPrivateKey, type SshPublicKey } from '#model/ssh-key.ts';
import { magnitudeOf, sshReader, sshString, sshUint32 } from '#model/ssh-wire.ts';

/** Why an SSH signature does not count. */
export type SignatureCode =
  | 'malformed-signature'
  | 'wrong-namespace'
  | 'weak-key'
  | 'unsupported-key'
  | 'weak-hash'
  | 'no-user-presence'
  | 'bad-signature';

export interface SshSignature {
  readonly publicKey: SshPublicKey;
  readonly hash: 'sha256' | 'sha512';
  readonly reserved: Buffer;
  readonly namespace: string;
  readonly algorithm: string;
  /** What stands behind the algorithm's name, unread. */
  readonly content: Buffer;
  /** The rest of a security key's signature. */
  readonly presence: { readonly flags: number; readonly counter: number } | undefined;
}

export type ReadSignature =
  | { readonly ok: true; readonly value: SshSignature }
  | { readonly ok: false; readonly code: SignatureCode; readonly reason: string };

const NAMESPACE = 'git';
const MAGIC = Buffer.from('SSHSIG');
const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
const ARMOUR = /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----$/;
const USER_PRESENT = 0x01;

/** Reads one armoured block of one namespace (OpenSSH's PROTOCOL.sshsig), with nothing before, after or behind it. */
export function parseSshSignature(armoured: string, expected: string = NAMESPACE): ReadSignature {
  const text = ARMOUR.exec(armoured)?.[1]?.replaceAll('\n', '');
  const bytes = Buffer.from(text ?? '', 'base64');
  if (text === undefined || bytes.toString('base64') !== text)
    return refusal('malformed-signature', 'the signature is not one armoured block');
  const reader = sshReader(bytes);
  const [magic, version] = [reader.take(MAGIC.length), reader.uint32()];
  const [keyBlob, namespace, reserved, hash, signature] = [
    reader.string(),
    reader.string(),
    reader.string(),
    reader.string(),
    reader.string(),
  ];
  if (magic?.equals(MAGIC) !== true || version !== 1 || keyBlob === undefined || reserved === undefined || signature === undefined) {
    return refusal('malformed-signature', 'the signature is not of version 1, or cut off');
  }
  if (!reader.isAtEnd()) return refusal('malformed-signature', 'the signature has bytes behind its end');
  if (namespace?.toString('utf8') !== expected)
    return refusal('wrong-namespace', `the signature was made for another purpose than ${expected}`);
  const algorithm = hash?.toString('latin1');
  if (algorithm !== 'sha256' && algorithm !== 'sha512') return refusal('weak-hash', 'the signature uses a hash that is not accepted');
  const key = readSshPublicKey(keyBlob);
  if (!key.ok)
    return refusal(key.code === 'malformed-key' ? 'malformed-signature' : key.code, `the signing key is not accepted: ${key.reason}`);
  return readContent(signature, { publicKey: key.value, hash: algorithm, reserved, namespace: expected });
}

/** Does the signature hold for exactly these bytes? Says nothing on whose key it is. */
export function verifySshSignature(signature: SshSignature, payload: Uint8Array): boolean {
  const { publicKey, presence } = signature;
  const message = signedBytes(signature, payload);
  if (presence === undefined) return verifyBytes(signature, message);
  const facts = Buffer.concat([Buffer.from([presence.flags]), sshUint32(presence.counter)]);
  return verifyBytes(signature, Buffer.concat([sha256(Buffer.from(publicKey.application ?? '')), facts, sha256(message)]));
}

/** An armoured block over the payload, hash sha512, as `ssh-keygen -Y sign` makes it. */
export function signWithSshKey(key: SshPrivateKey, payload: Uint8Array, namespace: string = NAMESPACE): string {
  const message = sshMessage(payload, namespace);
  return armourSshSignature(key.publicKey, Buffer.concat([sshString('ssh-ed25519'), sshString(sign(null, message, key.key))]), namespace);
}

/** The bytes that a key signs for a block over the payload. */
export function sshMessage(payload: Uint8Array, namespace: string = NAMESPACE): Buffer {
  return signedBytes({ hash: 'sha512', reserved: Buffer.alloc(0), namespace }, payload);
}

/** The block around a key's signature (algorithm and content, as an SSH agent answers it) over such bytes. */
export function armourSshSignature(publicKey: SshPublicKey, signature: Uint8Array, namespace: string = NAMESPACE): string {
  const parts = [
    MAGIC,
    sshUint32(1),
    sshString(publicKey.blob),
    sshString(namespace),
    sshString(''),
    sshString('sha512'),
    sshString(signature),
  ];
  const lines =
    Buffer.concat(parts)
      .toString('base64')
      .match(/.{1,70}/g) ?? [];
  return `${[BEGIN, ...lines, END].join('\n')}\n`;
}

function readContent(blob: Buffer, head: Pick<SshSignature, 'publicKey' | 'hash' | 'reserved' | 'namespace'>): ReadSignature {
  const reader = sshReader(blob);
  const algorithm = reader.string()?.toString('latin1') ?? '';
  const content = reader.string();
  const { type } = head.publicKey;
  if (type === 'ssh-rsa' && algorithm === 'ssh-rsa') return refusal('weak-hash', 'the signature uses SHA-1');
  const isExpected = type === 'ssh-rsa' ? algorithm === 'rsa-sha2-256' || algorithm === 'rsa-sha2-512' : algorithm === type;
  if (!isExpected || content === undefined) return refusal('malformed-signature', 'the signature is of another kind than its key');
  let presence: SshSignature['presence'];
  if (head.publicKey.application !== undefined) {
    const [flags, counter] = [reader.byte(), reader.uint32()];
    if (flags === undefined || counter === undefined) return refusal('malformed-signature', 'the signature is cut off');
    if ((flags & USER_PRESENT) === 0) return refusal('no-user-presence', 'nobody touched the security key that signed');
    presence = { flags, counter };
  }
  if (!reader.isAtEnd()) return refusal('malformed-signature', 'the signature has bytes behind its end');
  return { ok: true, value: { ...head, algorithm, content, presence } };
}

function signedBytes({ hash, reserved, namespace }: Pick<SshSignature, 'hash' | 'reserved' | 'namespace'>, payload: Uint8Array): Buffer {
  const digest = createHash(hash).update(payload).digest();
  return Buffer.concat([MAGIC, sshString(namespace), sshString(reserved), sshString(hash), sshString(digest)]);
}

function verifyBytes(signature: SshSignature, message: Buffer): boolean {
  const { key, curve } = signature.publicKey;
  if (curve !== undefined) {
    const pair = ecdsaPair(signature.content, curve.bytes);
    return pair !== undefined && verify(curve.hash, message, { key, dsaEncoding: 'ieee-p1363' }, pair);
  }
  switch (signature.algorithm) {
    case 'rsa-sha2-256':
      return verify('sha256', message, key, signature.content);
    case 'rsa-sha2-512':
      return verify('sha512', message, key, signature.content);
    default:
      return signature.content.length === 64 && verify(null, message, key, signature.content);
  }
}

/** The two mpints of an ECDSA signature, side by side at full width. */
function ecdsaPair(content: Buffer, width: number): Buffer | undefined {
  const reader = sshReader(content);
  const numbers = [reader.string(), reader.string()].map((mpint) => magnitudeOf(mpint ?? Buffer.alloc(0)));
  const padded = numbers.flatMap((number) =>
    number === undefined || number.length > width ? [] : [Buffer.concat([Buffer.alloc(width - number.length), number])],
  );
  return padded.length === 2 && reader.isAtEnd() ? Buffer.concat(padded) : undefined;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function refusal(code: SignatureCode, reason: string): ReadSignature {
  return { ok: false, code, reason };
}
