import type { Key } from 'openpgp';

import type { Parsed } from '#model/git-objects.ts';
import { readArmour } from './armour.ts';
import { type Packet, splitPackets, TAG } from './openpgp-packets.ts';

/** Bytes of one certificate, packets in it (third parties may have signed it), and keys beside its primary one. */
const LARGEST_CERTIFICATE = 1024 * 1024;
const PACKETS = 2000;
const SUBKEYS = 64;
/** Bytes and certificates of a keyring. */
export const LARGEST_KEYRING = 8 * 1024 * 1024;
const KEYRING_PACKETS = 50_000;
const CERTIFICATES = 500;

const ALLOWED: ReadonlySet<number> = new Set([
  TAG.publicKey,
  TAG.publicSubkey,
  TAG.userId,
  TAG.userAttribute,
  TAG.signature,
  TAG.trust,
  TAG.marker,
  TAG.padding,
]);
const REVOCATIONS: ReadonlySet<number> = new Set([0x20, 0x28, 0x30]);

/** The only certificate of an armoured text, ready for the library. */
export async function readCertificate(armoured: string): Promise<Parsed<Key>> {
  if (armoured.length > 2 * LARGEST_CERTIFICATE) return { ok: false, reason: 'it is larger than 1 MiB' };
  const blocks = readArmour(armoured, ['PGP PUBLIC KEY BLOCK'], 1);
  if (!blocks.ok) return blocks;
  const [block] = blocks.value;
  if (block === undefined) return { ok: false, reason: 'it is not an armoured OpenPGP public key' };
  const parts = splitCertificates(block.bytes, PACKETS);
  if (!parts.ok) return parts;
  const [only, more] = parts.value;
  if (only === undefined || more !== undefined) return { ok: false, reason: 'it holds more than one certificate' };
  return readBinary(only);
}

/** Every certificate of a keyring, armoured or binary, each in bytes of its own. */
export function splitKeyring(bytes: Uint8Array): Parsed<readonly Buffer[]> {
  if (bytes.byteLength > LARGEST_KEYRING) return { ok: false, reason: 'it is larger than 8 MiB' };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (((buffer[0] ?? 0) & 0x80) !== 0) return splitCertificates(buffer, KEYRING_PACKETS);
  const blocks = readArmour(buffer.toString('latin1'), ['PGP PUBLIC KEY BLOCK'], CERTIFICATES);
  if (!blocks.ok) return blocks;
  const found: Buffer[] = [];
  for (const block of blocks.value) {
    const parts = splitCertificates(block.bytes, KEYRING_PACKETS);
    if (!parts.ok) return parts;
    found.push(...parts.value);
  }
  return found.length === 0 ? { ok: false, reason: 'it holds no OpenPGP certificate' } : { ok: true, value: found };
}

export async function readBinary(bytes: Buffer): Promise<Parsed<Key>> {
  const { readKey } = await import('openpgp');
  try {
    return { ok: true, value: await readKey({ binaryKey: bytes }) };
  } catch {
    return { ok: false, reason: 'it cannot be read as an OpenPGP certificate' };
  }
}

function splitCertificates(bytes: Buffer, most: number): Parsed<readonly Buffer[]> {
  const packets = splitPackets(bytes, most);
  if (!packets.ok) return packets;
  const starts: number[] = [];
  for (const [index, packet] of packets.value.entries()) {
    if (packet.tag === TAG.secretKey || packet.tag === TAG.secretSubkey) return { ok: false, reason: 'it holds a secret key' };
    if (!ALLOWED.has(packet.tag)) return { ok: false, reason: `it holds a packet of type ${packet.tag}` };
    if (packet.tag === TAG.publicKey) starts.push(index);
  }
  if (starts[0] !== 0) return { ok: false, reason: 'it does not begin with a public key' };
  if (starts.length > CERTIFICATES) return { ok: false, reason: `it holds more than ${CERTIFICATES} certificates` };
  const found: Buffer[] = [];
  for (const [index, start] of starts.entries()) {
    const own = packets.value.slice(start, starts[index + 1]);
    const wrong = wrongWith(own);
    if (wrong !== undefined) return { ok: false, reason: wrong };
    found.push(bytes.subarray(own[0]?.start, own.at(-1)?.end));
  }
  return { ok: true, value: found };
}

function wrongWith(packets: readonly Packet[]): string | undefined {
  const size = (packets.at(-1)?.end ?? 0) - (packets[0]?.start ?? 0);
  if (size > LARGEST_CERTIFICATE) return 'a certificate is larger than 1 MiB';
  if (packets.length > PACKETS) return `a certificate has more than ${PACKETS} packets`;
  if (packets.filter((packet) => packet.tag === TAG.publicSubkey).length > SUBKEYS) return `a certificate has more than ${SUBKEYS} subkeys`;
  // The library skips signatures of versions that it does not know; a revocation must never be skipped.
  return packets.some(isUnreadRevocation) ? 'a certificate has a revocation of an unknown version' : undefined;
}

function isUnreadRevocation({ tag, body }: Packet): boolean {
  const [version = 0, second = 0, third = 0] = body;
  if (tag !== TAG.signature || version === 4 || version === 6) return false;
  return REVOCATIONS.has(version < 4 ? third : second);
}
