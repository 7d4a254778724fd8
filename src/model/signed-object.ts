import { commitHeaders } from '#model/git-commit.ts';

/** A commit or annotated tag as it stands in the object database. */
export interface SignedObject {
  readonly kind: 'commit' | 'tag';
  /** 40 hex digits. */
  readonly id: string;
  readonly raw: Uint8Array;
}

/** The signature that an object carries, not yet read. */
export interface EmbeddedSignature {
  readonly form: 'ssh' | 'openpgp' | 'x509';
  /** The armoured block, without a newline at its end. */
  readonly armoured: string;
  /** The exact bytes that were signed. */
  readonly payload: Uint8Array;
}

export type FoundSignature =
  | { readonly kind: 'signed'; readonly signature: EmbeddedSignature }
  | { readonly kind: 'unsigned' }
  /** Something that is meant as a signature and cannot count. */
  | {
      readonly kind: 'refused';
      readonly code: 'malformed-commit' | 'several-signatures' | 'unsupported-signature' | 'malformed-signature';
      readonly reason: string;
    };

/** Characters of an armoured block: a certificate chain with its log entry fits many times. */
export const LARGEST_SIGNATURE = 64 * 1024;

const BEGINNINGS = {
  '-----BEGIN SSH SIGNATURE-----': 'ssh',
  '-----BEGIN PGP SIGNATURE-----': 'openpgp',
  '-----BEGIN SIGNED MESSAGE-----': 'x509',
} as const;
const ENDS = {
  ssh: '-----END SSH SIGNATURE-----',
  openpgp: '-----END PGP SIGNATURE-----',
  x509: '-----END SIGNED MESSAGE-----',
} as const;

/** Finds the one signature of an object; replaced and grafted objects are never asked for, so these are the bytes that its id names. */
export function findSignature({ kind, raw }: Pick<SignedObject, 'kind' | 'raw'>): FoundSignature {
  return kind === 'commit' ? inCommit(raw) : inTag(raw);
}

/** Exactly one header whose name begins with `gpgsig`, and that is `gpgsig`; everything else was signed. */
function inCommit(raw: Uint8Array): FoundSignature {
  const headers = commitHeaders(raw);
  if (!headers.ok) return refused('malformed-commit', headers.reason);
  const signatures = headers.value.filter((header) => header.name.startsWith('gpgsig'));
  const [header] = signatures;
  if (header === undefined) return { kind: 'unsigned' };
  if (signatures.length > 1) return refused('several-signatures', 'it has more than one signature header');
  if (header.name !== 'gpgsig') return refused('unsupported-signature', `its signature stands in the header ${quoted(header.name)}`);
  return embedded(header.value, Buffer.concat([raw.subarray(0, header.start), raw.subarray(header.end)]));
}

/** The block at the end of a tag's message; a tag has no header for the signature of these bytes. */
function inTag(raw: Uint8Array): FoundSignature {
  const headers = commitHeaders(raw);
  if (!headers.ok) return refused('malformed-commit', headers.reason);
  if (headers.value.some((header) => header.name.startsWith('gpgsig')))
    return refused('several-signatures', 'it has a signature header, which speaks of other bytes than these');
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const message = (headers.value.at(-1)?.end ?? 0) + 1;
  const starts = [...Object.keys(BEGINNINGS), '-----BEGIN PGP MESSAGE-----'].flatMap((line) => linesAt(bytes, line, message));
  const [start] = starts;
  if (start === undefined) return { kind: 'unsigned' };
  if (starts.length > 1) return refused('several-signatures', 'it has more than one signature block');
  const block = bytes.subarray(start);
  if (block.length > LARGEST_SIGNATURE) return tooLarge();
  return embedded(block.toString('utf8').replace(/\n$/, ''), bytes.subarray(0, start));
}

/** Where a line begins with this text; two are as bad as more. */
function linesAt(bytes: Buffer, text: string, from: number): readonly number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(text, from); at >= 0 && found.length < 2; at = bytes.indexOf(text, at + 1))
    if (at === from || bytes[at - 1] === 0x0a) found.push(at);
  return found;
}

function embedded(armoured: string, payload: Uint8Array): FoundSignature {
  if (armoured.length > LARGEST_SIGNATURE) return tooLarge();
  const [first = ''] = armoured.split('\n', 1);
  const form = Object.hasOwn(BEGINNINGS, first) ? BEGINNINGS[first as keyof typeof BEGINNINGS] : undefined;
  if (form === undefined) return refused('unsupported-signature', 'its signature is neither SSH, OpenPGP nor X.509');
  const end = ENDS[form];
  if (!armoured.endsWith(`\n${end}`) || armoured.indexOf(end) !== armoured.length - end.length)
    return refused('malformed-signature', 'the signature is not one armoured block and nothing else');
  return { kind: 'signed', signature: { form, armoured, payload } };
}

function tooLarge(): FoundSignature {
  return refused('malformed-signature', `the signature is larger than ${LARGEST_SIGNATURE / 1024} KiB`);
}

function refused(code: Extract<FoundSignature, { kind: 'refused' }>['code'], reason: string): FoundSignature {
  return { kind: 'refused', code, reason };
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 60));
}
