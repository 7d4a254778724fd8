import { toBlobId, toCommitId, toTreeId } from '#model/digest.ts';
import type { Parsed, TreeEntry } from '#model/git-objects.ts';

/** HFS+ ignores these in names, so `.g\u200cit` is `.git` there. */
const IGNORED_BY_HFS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
const NOT_A_NAME = /^(\.{0,2}|\.git[ .]*(:.*)?|git~1[ .]*(:.*)?)$/i;

/** False for what must not stand in a tree: empty, `.`, `..`, anything with a separator, and every spelling of `.git`. */
export function isTreeName(name: string): boolean {
  if (name.includes('/') || name.includes('\0')) return false;
  if (NOT_A_NAME.test(name)) return false;
  return !NOT_A_NAME.test(name.replace(IGNORED_BY_HFS, ''));
}

/**
 * Reads a tree object. Refused: unknown modes, unsafe names, duplicates (a file and a folder of one name included), wrong order.
 * Bytes of names that are not UTF-8 become lone surrogates U+DC80..U+DCFF, which `encodeTree` turns back.
 */
export function parseTree(raw: Uint8Array, maximumEntries: number): Parsed<readonly TreeEntry[]> {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const entries: TreeEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  let previous: Buffer | undefined;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const nul = bytes.indexOf(0, at);
    if (space < 0 || nul < space || nul + 21 > bytes.length) return { ok: false, reason: 'it is cut off' };
    const name = nameOf(bytes.subarray(space + 1, nul));
    const shown = JSON.stringify(name.slice(0, 80));
    if (!isTreeName(name)) return { ok: false, reason: `it has the unsafe name ${shown}` };
    if (names.has(name)) return { ok: false, reason: `it has the name ${shown} twice` };
    names.add(name);
    if (names.size > maximumEntries) return { ok: false, reason: `it has more than ${maximumEntries} entries` };
    const entry = entryOf(bytes.toString('latin1', at, space), name, bytes.toString('hex', nul + 1, nul + 21));
    if (entry === undefined) return { ok: false, reason: `${shown} has a mode that git does not write` };
    const key = sortKey(bytes.subarray(space + 1, nul), entry.kind === 'tree');
    if (previous !== undefined && Buffer.compare(previous, key) >= 0) return { ok: false, reason: `${shown} is out of order` };
    previous = key;
    entries.push(entry);
    at = nul + 21;
  }
  return { ok: true, value: entries };
}

/** The bytes of a tree with these entries, in git's order. */
export function encodeTree(entries: readonly TreeEntry[]): Uint8Array {
  const rows = entries.map((entry) => {
    const name = bytesOf(entry.name);
    return { key: sortKey(name, entry.kind === 'tree'), bytes: [Buffer.from(`${entry.mode} `), name, NUL, Buffer.from(entry.id, 'hex')] };
  });
  rows.sort((a, b) => Buffer.compare(a.key, b.key));
  return Buffer.concat(rows.flatMap((row) => row.bytes));
}

const NUL = Buffer.from([0]);

function sortKey(name: Buffer, folder: boolean): Buffer {
  return folder ? Buffer.concat([name, Buffer.from('/')]) : name;
}

function entryOf(mode: string, name: string, id: string): TreeEntry | undefined {
  switch (mode) {
    case '100644':
    case '100755':
    case '120000':
      return { kind: 'blob', name, mode, id: toBlobId(id) };
    case '40000':
      return { kind: 'tree', name, mode, id: toTreeId(id) };
    case '160000':
      return { kind: 'submodule', name, mode, id: toCommitId(id) };
    default:
      return undefined;
  }
}

function nameOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd') || Buffer.from(text, 'utf8').equals(bytes)) return text;
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join('');
}

function bytesOf(name: string): Buffer {
  if (!/[\udc80-\udcff]/.test(name) || name.isWellFormed()) return Buffer.from(name, 'utf8');
  return Buffer.from(Array.from({ length: name.length }, (_, index) => name.charCodeAt(index) & 0xff));
}
