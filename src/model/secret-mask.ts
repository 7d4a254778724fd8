import type { Secret } from './secret.ts';

/** Puts `[secret]` in the place of every form of the secrets it knows. For words of others: our own never have a secret in them. */
export type Mask = (text: string) => string;

const MASK = '[secret]';
/** A shorter text would mask ordinary words. */
const SHORTEST = 6;
/** Letters of base64 that a whole number of bytes makes: fewer prove nothing. */
const SHORTEST_ENCODED = 8;

export const NO_MASK: Mask = (text) => text;

export function maskOf(secrets: readonly Secret[]): Mask {
  const needles = secretForms(secrets);
  if (needles.length === 0) return NO_MASK;
  return (text) => {
    let out = text;
    for (const needle of needles) if (out.includes(needle)) out = out.replaceAll(needle, MASK);
    return out;
  };
}

/** Every form in which a secret may come back, longest first so that no rest of one remains. */
export function secretForms(secrets: readonly Secret[]): readonly string[] {
  const forms = secrets.flatMap((secret) => formsOf(secret.reveal()));
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

function formsOf(text: string): readonly string[] {
  if (text.length < SHORTEST) return [];
  const bytes = Buffer.from(text, 'utf8');
  const json = JSON.stringify(text).slice(1, -1);
  const hex = bytes.toString('hex');
  return [
    text,
    ...(text.includes('\n') ? text.split(/\r?\n/).filter((line) => line.length >= 16 && !line.startsWith('-----')) : []),
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(text),
    encodeURI(text),
    new URLSearchParams({ a: text }).toString().slice(2),
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    hex,
    hex.toUpperCase(),
    [...bytes].join(','),
    [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    ...[0, 1, 2].flatMap((offset) => [innerBase64(bytes, offset, 'base64'), innerBase64(bytes, offset, 'base64url')]),
  ].filter((form) => form.length >= SHORTEST);
}

/** What of the encoding of a longer text, `user:password` for one, these bytes alone decide when so many others stand before them. */
function innerBase64(bytes: Buffer, offset: number, encoding: 'base64' | 'base64url'): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString(encoding)
    .replaceAll('=', '');
  const inner = encoded.slice(offset === 0 ? 0 : offset + 1, Math.floor(((offset + bytes.byteLength) * 8) / 6));
  return inner.length < SHORTEST_ENCODED ? '' : inner;
}
