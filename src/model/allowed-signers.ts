import { placeInFile } from './problem.ts';
import { parseSshPublicKey, sshPublicKeyText } from './ssh-key.ts';
import type { AllowedSigner } from './verdict.ts';

export type ReadAllowedSigners =
  | { readonly ok: true; readonly value: readonly AllowedSigner[] }
  | { readonly ok: false; readonly line: number; readonly reason: string };

const LINE = /^("[^"]+"|\S+)\s+(?:(?<options>(?:[a-z-]+(?:="[^"]*")?)(?:,[a-z-]+(?:="[^"]*")?)*)\s+)?(?<key>(?:ssh|ecdsa|sk)-\S+\s+\S+)/;
const LARGEST = 1_048_576;

/**
 * The file that git reads as `gpg.ssh.allowedSignersFile` (ssh-keygen(1), ALLOWED SIGNERS): `principals [options] type base64 [comment]`.
 * A line that cannot be read refuses the whole file: half a list of who is trusted is no list.
 */
export function parseAllowedSigners(text: string, file: string): ReadAllowedSigners {
  if (text.length > LARGEST) return { ok: false, line: 1, reason: 'the file is larger than 1 MiB' };
  const signers: AllowedSigner[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const read = signerOf(line);
    if (typeof read === 'string') return { ok: false, line: index + 1, reason: read };
    if (read !== undefined) signers.push({ ...read, place: { ...placeInFile(file), line: index + 1 } });
  }
  return signers.length === 0 ? { ok: false, line: 1, reason: 'it names no key that may sign for git' } : { ok: true, value: signers };
}

/** Undefined for a key of another namespace than git's. */
function signerOf(line: string): Omit<AllowedSigner, 'place'> | string | undefined {
  const found = LINE.exec(line);
  const key = parseSshPublicKey(found?.groups?.['key'] ?? '');
  if (found === null) return 'it does not read `principals [options] type base64`';
  if (!key.ok) return key.reason;
  let [validFrom, validUntil]: readonly (string | undefined)[] = [undefined, undefined];
  for (const [, name = '', value] of (found.groups?.['options'] ?? '').matchAll(/([a-z-]+)(?:="([^"]*)")?/g)) {
    if (name === 'namespaces') {
      if (!isListed('git', value ?? '')) return undefined;
    } else if (name === 'valid-after') validFrom = timeText(value);
    else if (name === 'valid-before') validUntil = timeText(value);
    else if (name === 'cert-authority') return 'the option cert-authority is not supported: certificates never count here, name each key';
    else return `the option ${name} is not supported`;
    if (name.startsWith('valid-') && timeText(value) === undefined) return `${name} is not YYYYMMDD or YYYYMMDDHHMM[SS] in UTC (Z)`;
  }
  const name = (found[1] ?? '').replaceAll('"', '');
  return { name, credential: { kind: 'ssh-key', key: sshPublicKeyText(key.value) }, purposes: ['commit'], validFrom, validUntil };
}

/** Whether a pattern list of OpenSSH (`*`, `?`, and `!` before what is left out) has this text. */
function isListed(text: string, list: string): boolean {
  const patterns = list.split(',').map((item) => item.trim());
  const fits = (pattern: string): boolean =>
    new RegExp(
      `^${pattern
        .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    ).test(text);
  return (
    !patterns.some((item) => item.startsWith('!') && fits(item.slice(1))) && patterns.some((item) => !item.startsWith('!') && fits(item))
  );
}

/** Only times with `Z`, or whole days: a local time would mean another moment on another machine. */
function timeText(text: string | undefined): string | undefined {
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^(\d{4})(\d{2})(\d{2})(?:Z|(\d{2})(\d{2})(\d{2})?Z)?$/.exec(text ?? '') ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}
