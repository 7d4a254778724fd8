import { findSignature } from '#model/signed-object.ts';

/** Namespace of the second signature of a rotation: it can never be taken for a commit's own. */
export const ROTATION_NAMESPACE = 'rotation@capstan.dev';

const TRAILER = 'Signed-Also-By';
const LINE = /\nSigned-Also-By: ([A-Za-z0-9+/]+={0,2})\n$/;

/** A commit message with the second signature as its last line; `message` ends with a trailer and a newline. */
export function withSecondSignature(message: string, armoured: string): string {
  return `${message}${TRAILER}: ${armoured.replaceAll(/-----[A-Z ]+-----|\s/g, '')}\n`;
}

export type SecondSignature =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** `payload` is the commit without its signature header and without that line: what the second key signed. */
  | { readonly kind: 'present'; readonly armoured: string; readonly payload: Uint8Array };

/** Finds the second signature of a raw commit: one line, the last of the message. */
export function secondSignature(raw: Uint8Array): SecondSignature {
  const found = findSignature({ kind: 'commit', raw });
  if (found.kind !== 'signed') return { kind: 'absent' };
  const bytes = Buffer.from(found.signature.payload);
  // Bytes beyond ASCII stay one to one, so that offsets are those of the bytes.
  const text = bytes.toString('latin1');
  const lines = text.split('\n').filter((line) => line.toLowerCase().startsWith(`${TRAILER.toLowerCase()}:`));
  if (lines.length === 0) return { kind: 'absent' };
  if (lines.length > 1) return { kind: 'malformed', reason: `it has ${lines.length} trailers ${TRAILER}` };
  const match = LINE.exec(text);
  const [, base64 = ''] = match ?? [];
  if (match === null || Buffer.from(base64, 'base64').toString('base64') !== base64)
    return { kind: 'malformed', reason: `${TRAILER} is not the last line of its message, or not base64` };
  const wrapped = base64.match(/.{1,70}/g) ?? [];
  const armoured = ['-----BEGIN SSH SIGNATURE-----', ...wrapped, '-----END SSH SIGNATURE-----'].join('\n');
  return { kind: 'present', armoured, payload: bytes.subarray(0, match.index + 1) };
}
