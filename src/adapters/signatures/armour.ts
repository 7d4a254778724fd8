import type { Parsed } from '#model/git-objects.ts';

export type ArmourLabel = 'PGP SIGNATURE' | 'PGP PUBLIC KEY BLOCK' | 'SIGNED MESSAGE' | 'CERTIFICATE';

interface Block {
  readonly label: ArmourLabel;
  readonly bytes: Buffer;
}

const HEADER = /^[A-Za-z]{1,20}: .{0,200}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const HEADERS = 8;

/**
 * Reads text that is nothing but armoured blocks (RFC 9580 section 6, RFC 7468): header lines, base64, an optional checksum that must fit.
 * Blank lines between blocks are fine; anything else before, between or after them is refused. At most `most` blocks.
 */
export function readArmour(text: string, labels: readonly ArmourLabel[], most: number): Parsed<readonly Block[]> {
  const lines = text.split('\n').map((line) => line.replace(/[ \t\r]+$/, ''));
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    if (lines[at] === '') continue;
    const label = labels.find((one) => lines[at] === `-----BEGIN ${one}-----`);
    if (label === undefined) return { ok: false, reason: 'it has text outside its armoured blocks' };
    if (blocks.length >= most) return { ok: false, reason: `it has more than ${most} armoured block${most === 1 ? '' : 's'}` };
    const end = lines.indexOf(`-----END ${label}-----`, at);
    if (end < 0) return { ok: false, reason: 'an armoured block has no end' };
    const bytes = blockBytes(lines.slice(at + 1, end), label);
    if (bytes === undefined) return { ok: false, reason: 'an armoured block is damaged' };
    blocks.push({ label, bytes });
    at = end;
  }
  return { ok: true, value: blocks };
}

function blockBytes(lines: readonly string[], label: ArmourLabel): Buffer | undefined {
  const isOpenpgp = label.startsWith('PGP');
  const blank = isOpenpgp ? lines.indexOf('') : -1;
  if (isOpenpgp && (blank < 0 || blank > HEADERS || !lines.slice(0, blank).every((line) => HEADER.test(line)))) return undefined;
  const body = lines.slice(blank + 1);
  const last = body.at(-1) ?? '';
  const checksum = isOpenpgp && /^=[A-Za-z0-9+/]{4}$/.test(last) ? last.slice(1) : undefined;
  const text = (checksum === undefined ? body : body.slice(0, -1)).join('');
  const bytes = Buffer.from(text, 'base64');
  if (text === '' || !BASE64.test(text) || bytes.toString('base64') !== text) return undefined;
  return checksum === undefined || checksum === crc24(bytes) ? bytes : undefined;
}

/** RFC 9580 section 6.1. */
function crc24(bytes: Uint8Array): string {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x800000 ? ((crc << 1) ^ 0x864cfb) & 0xffffff : crc << 1;
  }
  return Buffer.from([(crc >> 16) & 0xff, (crc >> 8) & 0xff, crc & 0xff]).toString('base64');
}
