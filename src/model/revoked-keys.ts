import { createHash } from 'node:crypto';

import type { Parsed } from '#model/git-objects.ts';
import { sshFingerprint } from '#model/ssh-key.ts';
import { sshReader } from '#model/ssh-wire.ts';

/** Fingerprints of what no longer counts: `SHA256:...` and `SHA1:...` of SSH keys, upper- and lower-case hex of all others. */
export type RevokedKeys = ReadonlySet<string>;

const LARGEST = 8 * 1024 * 1024;
const MOST = 100_000;
const KRL_MAGIC = Buffer.from('SSHKRL\n\0');
const SECTION = { certificates: 1, explicitKey: 2, fingerprintSha1: 3, signature: 4, fingerprintSha256: 5, extension: 255 } as const;
const HEX = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;
const SSH_KEY = /^(?:ssh|ecdsa|sk)-\S+\s+([A-Za-z0-9+/]+={0,2})(?:\s|$)/;

/**
 * A file as git takes it in `gpg.ssh.revocationFile`: an OpenSSH key revocation list (PROTOCOL.krl), or lines with public keys; beside those,
 * lines with fingerprints: `SHA256:...` of SSH keys, hex of OpenPGP keys and of X.509 certificates (sha256). What cannot be read refuses the
 * whole file: a key that should be in it may be what was not read.
 */
export function parseRevokedKeys(bytes: Uint8Array): Parsed<RevokedKeys> {
  if (bytes.byteLength > LARGEST) return { ok: false, reason: 'it is larger than 8 MiB' };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.subarray(0, KRL_MAGIC.length).equals(KRL_MAGIC) ? krl(buffer) : lines(buffer.toString('utf8'));
}

/** Every name that a revocation list may use for an SSH key. */
export function namesOfSshKey(blob: Uint8Array): readonly string[] {
  return [sshFingerprint(blob), sha1Name(createHash('sha1').update(blob).digest())];
}

function lines(text: string): Parsed<RevokedKeys> {
  const found = new Set<string>();
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const blob = SSH_KEY.exec(line)?.[1];
    const [word = ''] = line.split(/\s/, 1);
    if (blob !== undefined) found.add(sshFingerprint(Buffer.from(blob, 'base64')));
    else if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(word)) found.add(word);
    else if (HEX.test(word)) found.add(word.toUpperCase()).add(word.toLowerCase());
    else return { ok: false, reason: `line ${index + 1} is neither a public key nor a fingerprint` };
    if (found.size > MOST) return tooMany();
  }
  return { ok: true, value: found };
}

/** Sections about certificates are passed over: certificates never count here. */
function krl(bytes: Buffer): Parsed<RevokedKeys> {
  const reader = sshReader(bytes.subarray(KRL_MAGIC.length));
  const version = reader.uint32();
  // Number, date and flags of 64 bits each, a reserved text, a comment.
  const head = [reader.take(24), reader.string(), reader.string()];
  if (version !== 1 || head.includes(undefined)) return { ok: false, reason: 'it is a key revocation list of another version, or cut off' };
  const found = new Set<string>();
  while (!reader.isAtEnd()) {
    const [type, section] = [reader.byte(), reader.string()];
    if (type === undefined || section === undefined) return { ok: false, reason: 'the key revocation list is cut off' };
    const wrong = takeSection(type, section, found);
    if (wrong !== undefined) return { ok: false, reason: wrong };
    if (found.size > MOST) return tooMany();
  }
  return { ok: true, value: found };
}

function takeSection(type: number, section: Buffer, found: Set<string>): string | undefined {
  switch (type) {
    case SECTION.certificates:
      return undefined;
    case SECTION.explicitKey:
    case SECTION.fingerprintSha1:
    case SECTION.fingerprintSha256: {
      const reader = sshReader(section);
      while (!reader.isAtEnd()) {
        const content = reader.string();
        if (content === undefined) return 'a section of the key revocation list is cut off';
        found.add(nameIn(type, content));
      }
      return undefined;
    }
    case SECTION.signature:
      return 'signed key revocation lists are not supported';
    case SECTION.extension: {
      const reader = sshReader(section);
      const [name, isCritical] = [reader.string(), reader.byte()];
      return name !== undefined && isCritical === 0 ? undefined : 'the key revocation list has a critical extension that is not known';
    }
    default:
      return `the key revocation list has a section of the unknown type ${type}`;
  }
}

function nameIn(type: number, content: Buffer): string {
  if (type === SECTION.explicitKey) return sshFingerprint(content);
  return type === SECTION.fingerprintSha1 ? sha1Name(content) : `SHA256:${content.toString('base64').replace(/=+$/, '')}`;
}

function sha1Name(digest: Buffer): string {
  return `SHA1:${digest.toString('base64').replace(/=+$/, '')}`;
}

function tooMany(): Parsed<RevokedKeys> {
  return { ok: false, reason: `it names more than ${MOST} keys` };
}
