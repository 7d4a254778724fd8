import type { Parsed } from '#model/git-objects.ts';
import { isTreeName } from '#model/git-tree.ts';
import { visibleText } from '#model/quoted.ts';

/** A regular file of an archive; what git knows of it, and nothing else. */
export interface TarFile {
  /** Relative, with `/` between names. */
  readonly path: string;
  readonly mode: '100644' | '100755';
  readonly bytes: Uint8Array;
}

export interface TarLimits {
  readonly files: number;
  /** Of the whole archive. */
  readonly bytes: number;
}

const BLOCK = 512;
const NAME_BYTES = 100;
const LONGEST_PATH = 1024;
/** What a careless reader could take for more than a name. */
const PROTOTYPE_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const TYPES: ReadonlyMap<string, string> = new Map([
  ['1', 'a hard link'],
  ['2', 'a symbolic link'],
  ['3', 'a device'],
  ['4', 'a device'],
  ['5', 'a folder of its own'],
  ['6', 'a pipe'],
  ['S', 'a sparse file'],
  ['g', 'a global header'],
]);

/**
 * The one archive of these files: POSIX ustar, sorted bytewise by path, owner 0, time 0, modes 0644 and 0755, no folders, two empty blocks
 * at the end. A path that is longer than 100 bytes or not ASCII stands in a pax header that holds nothing else.
 */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const rows = files.map((file) => ({ file, key: Buffer.from(file.path, 'utf8') })).sort((a, b) => Buffer.compare(a.key, b.key));
  return Buffer.concat([...rows.flatMap(({ file }) => entryOf(file)), Buffer.alloc(2 * BLOCK)]);
}

/**
 * Reads an archive as `writeTar` writes it, and refuses every other: links, devices, folders, unsafe names, files out of order or twice,
 * bytes after the end. What is read packs to the same bytes again, so nothing in it can mean something else to another reader.
 */
export function readTar(archive: Uint8Array, limits: TarLimits): Parsed<readonly TarFile[]> {
  if (archive.byteLength > limits.bytes) return no(`it has ${archive.byteLength} bytes; at most ${limits.bytes} are read`);
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const files: TarFile[] = [];
  let at = 0;
  let long: string | undefined;
  while (at + BLOCK <= bytes.length && bytes[at] !== 0) {
    const header = bytes.subarray(at, at + BLOCK);
    const size = octal(header, 124, 12);
    if (size === undefined || at + BLOCK + size > bytes.length) return no('it is cut off, or a size in it is no number');
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = header.toString('latin1', 156, 157);
    const shown = visibleText(text(header, 0, NAME_BYTES), 80);
    if (type === 'x' && long === undefined) {
      long = longPath(content);
      if (long === undefined) return no(`${shown} has a header that says more than a path`);
      continue;
    }
    if (type !== '0') return no(`${shown} is ${TYPES.get(type) ?? 'no regular file'}`);
    const path = long ?? text(header, 0, NAME_BYTES);
    long = undefined;
    const wrong = unsafe(path);
    if (wrong !== undefined) return no(`${visibleText(path, 80)} ${wrong}`);
    files.push({ path, mode: octal(header, 100, 8) === 0o755 ? '100755' : '100644', bytes: content });
    if (files.length > limits.files) return no(`it has more than ${limits.files} files`);
  }
  const twice = clash(files);
  if (twice !== undefined) return no(`${visibleText(twice, 80)} stands in it twice, or so that a file system cannot tell it from another`);
  const isOurs = Buffer.compare(bytes, writeTar(files)) === 0;
  return isOurs ? { ok: true, value: files } : no('it is not packed as capstan packs: order, owner, time, mode or padding differ');
}

/** Why no archive may carry this path (a clause after its name); undefined where it may. */
export function unsafe(path: string): string | undefined {
  if (Buffer.byteLength(path) > LONGEST_PATH) return `is longer than ${LONGEST_PATH} bytes`;
  if (!path.isWellFormed()) return 'is not UTF-8';
  if (/\p{Cc}/u.test(path)) return 'has a line break or control character in its name';
  const names = path.split('/');
  if (!names.every(isTreeName)) return 'leaves the folder, or is no name that git keeps';
  return names.some((name) => PROTOTYPE_NAMES.has(name)) ? 'has a name that programs mistake for a property' : undefined;
}

/** A path that is there already: as a file, as a folder of another, or in another spelling that differs in case or accents alone. */
function clash(files: readonly TarFile[]): string | undefined {
  const taken = new Map<string, { readonly spelling: string; readonly kind: 'file' | 'folder' }>();
  for (const { path } of files) {
    for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
      const spelling = end < 0 ? path : path.slice(0, end);
      const kind = end < 0 ? 'file' : 'folder';
      const folded = spelling.normalize('NFC').toLowerCase();
      const known = taken.get(folded);
      if (known !== undefined && (kind === 'file' || known.kind === 'file' || known.spelling !== spelling)) return path;
      taken.set(folded, { spelling, kind });
      if (end < 0) break;
    }
  }
  return undefined;
}

function no(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

function entryOf({ path, mode, bytes }: TarFile): readonly Buffer[] {
  const plain = Buffer.byteLength(path) <= NAME_BYTES && /^[\x20-\x7e]+$/.test(path);
  const permissions = mode === '100755' ? 0o755 : 0o644;
  if (plain) return [headerOf({ name: path, permissions, size: bytes.byteLength, type: '0' }), ...padded(bytes)];
  const record = paxRecord(path);
  const name = Buffer.from(path.replaceAll(/[^\x20-\x7e]/g, '_')).toString('latin1', 0, NAME_BYTES);
  return [
    headerOf({ name: 'PaxHeader', permissions: 0o644, size: record.byteLength, type: 'x' }),
    ...padded(record),
    headerOf({ name, permissions, size: bytes.byteLength, type: '0' }),
    ...padded(bytes),
  ];
}

interface Header {
  readonly name: string;
  readonly permissions: number;
  readonly size: number;
  readonly type: '0' | 'x';
}

function headerOf({ name, permissions, size, type }: Header): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'latin1');
  header.write(`${digits(permissions, 7)}\0${digits(0, 7)}\0${digits(0, 7)}\0${digits(size, 11)}\0${digits(0, 11)}\0`, 100, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(`${type}`, 156, 'latin1');
  header.write('ustar\0' + '00', 257, 'latin1');
  header.write(`${digits(0, 7)}\0${digits(0, 7)}\0`, 329, 'latin1');
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${digits(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

function digits(value: number, width: number): string {
  return value.toString(8).padStart(width, '0');
}

function padded(bytes: Uint8Array): readonly Buffer[] {
  return [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), Buffer.alloc((BLOCK - (bytes.byteLength % BLOCK)) % BLOCK)];
}

/** `<length> path=<path>\n`; the length counts its own digits. */
function paxRecord(path: string): Buffer {
  const rest = Buffer.byteLength(` path=${path}\n`);
  const first = rest + String(rest).length;
  const length = rest + String(first).length;
  return Buffer.from(`${length} path=${path}\n`, 'utf8');
}

function longPath(record: Buffer): string | undefined {
  if (record.byteLength > 2 * LONGEST_PATH) return undefined;
  const [, path] = /^\d{1,5} path=([^\n]*)\n$/.exec(record.toString('utf8')) ?? [];
  return path === undefined || Buffer.compare(paxRecord(path), record) !== 0 ? undefined : path;
}

function octal(header: Buffer, at: number, width: number): number | undefined {
  const written = header.toString('latin1', at, at + width - 1);
  return /^[0-7]+$/.test(written) ? Number.parseInt(written, 8) : undefined;
}

/** Up to the first NUL; bytes that are no ASCII are taken one by one, and then do not pack to the same again. */
function text(header: Buffer, at: number, width: number): string {
  const field = header.subarray(at, at + width);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? width : end);
}
