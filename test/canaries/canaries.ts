import { createHash } from 'node:crypto';

/** Texts that stand where secrets stand, each another, so that a leak names its source. */
export type Canaries = ReadonlyMap<string, string>;

export interface Leak {
  readonly canary: string;
  readonly form: string;
  /** Where it was found, with some of what stands around it; the canary itself is left out. */
  readonly where: string;
  readonly around: string;
}

/** As secrets are: unguessable, and with letters that URLs, JSON, XML and shells write in another way. `plain` has none of these. */
export function canaryText(name: string, kind: 'rich' | 'plain'): string {
  const random = createHash('sha256').update(`canary of ${name}`).digest('hex');
  return kind === 'plain' ? `Kn${random.slice(0, 30)}` : `Kn${random.slice(0, 12)}/+"${random.slice(12, 20)}&=%${random.slice(20, 26)}`;
}

/** Every form in which a text is looked for. */
export function formsOf(text: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(text, 'utf8');
  const forms: [string, string][] = [
    ['plain', text],
    ['URL', encodeURIComponent(text)],
    ['form', new URLSearchParams({ a: text }).toString().slice(2)],
    ['JSON', JSON.stringify(text).slice(1, -1)],
    ['JSON in JSON', JSON.stringify(JSON.stringify(text)).slice(3, -3)],
    ['XML', text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')],
    ['hex', bytes.toString('hex')],
    ['HEX', bytes.toString('hex').toUpperCase()],
    ['bytes in decimal', [...bytes].join(',')],
    ['bytes in JSON lines', [...bytes].join(', ')],
    ['bytes as Buffer prints', [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')],
    ['reversed', text.split('').toReversed().join('')],
    ['rot13', text.replaceAll(/[a-z]/gi, rotated)],
    ...[0, 1, 2].flatMap((offset): [string, string][] => [
      [`base64 at ${offset}`, innerBase64(bytes, offset, 'base64')],
      [`base64url at ${offset}`, innerBase64(bytes, offset, 'base64url')],
      [`base64 of base64 at ${offset}`, innerBase64(Buffer.from(innerBase64(bytes, 0, 'base64')), offset, 'base64')],
    ]),
  ];
  return new Map(forms.filter(([, form]) => form.length >= 8));
}

function rotated(letter: string): string {
  const base = letter <= 'Z' ? 65 : 97;
  return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
}

/** What of the encoding depends on these bytes alone, when so many others come before them. */
function innerBase64(bytes: Buffer, offset: number, encoding: 'base64' | 'base64url'): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString(encoding)
    .replaceAll('=', '');
  const first = offset === 0 ? 0 : offset + 1;
  const last = Math.floor(((offset + bytes.byteLength) * 8) / 6);
  return encoded.slice(first, last);
}

/** Half of a secret is one as well: a cut, or a line that was broken, hides nothing. */
function halves(text: string): readonly [string, string][] {
  const middle = Math.floor(text.length / 2);
  return text.length < 24
    ? []
    : [
        ['first half', text.slice(0, middle)],
        ['second half', text.slice(middle)],
      ];
}

export interface Searcher {
  (where: string, output: string | Uint8Array): readonly Leak[];
}

export function searcherOf(canaries: Canaries): Searcher {
  const needles = [...canaries].flatMap(([canary, text]) =>
    [...formsOf(text), ...halves(text)].map(([form, needle]) => ({ canary, form, needle: Buffer.from(needle, 'utf8') })),
  );
  return (where, output) => {
    const bytes =
      typeof output === 'string' ? Buffer.from(output, 'utf8') : Buffer.from(output.buffer, output.byteOffset, output.byteLength);
    return needles.flatMap(({ canary, form, needle }) => {
      const at = bytes.indexOf(needle);
      if (at < 0) return [];
      const around = `${bytes.toString('latin1', Math.max(0, at - 160), at)}<${canary}>${bytes.toString('latin1', at + needle.length, at + needle.length + 60)}`;
      return [{ canary, form, where, around: around.replaceAll(/[^\x20-\x7e]/g, '.') }];
    });
  };
}

/** One line each, for the message of a test. */
export function told(leaks: readonly Leak[]): readonly string[] {
  return [...new Set(leaks.map(({ canary, form, where, around }) => `${where}: ${canary} (${form}): ${around}`))];
}
