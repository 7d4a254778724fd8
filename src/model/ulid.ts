import { createHash } from 'node:crypto';

import type { Instant } from '#model/instant.ts';

/** Crockford's base 32, as the ULID specification (ulid/spec) has it. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 26;
const CONTENT_BITS = 80n;

/** The ULID of a content at a time: who writes the same content down again gives it the same name. 48 bits of time, 80 of its sha256. */
export function ulidOf(content: string | Uint8Array, at: Instant): string {
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 20);
  let rest = (BigInt(Math.max(0, Math.trunc(at))) << CONTENT_BITS) | BigInt(`0x${digest}`);
  let text = '';
  for (let place = 0; place < LENGTH; place += 1) {
    text = `${DIGITS[Number(rest & 31n)] ?? ''}${text}`;
    rest >>= 5n;
  }
  return text;
}
