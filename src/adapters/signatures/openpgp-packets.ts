import type { Parsed } from '#model/git-objects.ts';

export const TAG = {
  signature: 2,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  compressed: 8,
  marker: 10,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
  padding: 21,
} as const;

export interface Packet {
  readonly tag: number;
  readonly body: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts bytes into packets (RFC 9580 section 4.2) without reading them, so that limits hold before a library sees anything: a compressed
 * packet is never opened. Partial and indeterminate lengths are refused: nothing that counts here needs them.
 */
export function splitPackets(bytes: Buffer, most: number): Parsed<readonly Packet[]> {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length;) {
    if (packets.length >= most) return { ok: false, reason: `it has more than ${most} packets` };
    const head = headOf(bytes, at);
    if (head === undefined) return { ok: false, reason: 'a packet has no length' };
    const end = head.body + head.length;
    if (end > bytes.length) return { ok: false, reason: 'a packet is cut off' };
    packets.push({ tag: head.tag, body: bytes.subarray(head.body, end), start: at, end });
    at = end;
  }
  return { ok: true, value: packets };
}

function headOf(bytes: Buffer, at: number): { readonly tag: number; readonly body: number; readonly length: number } | undefined {
  const first = bytes[at] ?? 0;
  if ((first & 0x80) === 0) return undefined;
  if ((first & 0x40) === 0) {
    const tag = (first >> 2) & 0x0f;
    const size = [1, 2, 4][first & 3];
    if (size === undefined || at + 1 + size > bytes.length) return undefined;
    return { tag, body: at + 1 + size, length: bytes.readUIntBE(at + 1, size) };
  }
  const tag = first & 0x3f;
  const [one, two] = [bytes[at + 1], bytes[at + 2]];
  if (one === undefined) return undefined;
  if (one < 192) return { tag, body: at + 2, length: one };
  if (one < 224) return two === undefined ? undefined : { tag, body: at + 3, length: ((one - 192) << 8) + two + 192 };
  if (one !== 255 || at + 6 > bytes.length) return undefined;
  return { tag, body: at + 6, length: bytes.readUInt32BE(at + 2) };
}
