import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import type { LeftOut, Luggage } from '#model/arrival.ts';
import { compareText } from '#model/problem.ts';
import { PortError } from '#ports/port-error.ts';

const LIMITS = { files: 20_000, depth: 40, fileBytes: 4 * 1024 * 1024, bytes: 256 * 1024 * 1024 } as const;
/** Folders of programs; nobody keeps what they apply in them. */
const PASSED_OVER: ReadonlySet<string> = new Set(['node_modules', 'vendor']);

interface Packing {
  readonly root: string;
  readonly files: Map<string, Uint8Array>;
  readonly unread: LeftOut[];
  readonly signal: AbortSignal;
  bytes: number;
}

/** Reads a folder into memory. No link is followed; hidden folders and what is too large are left out and named. */
export async function packLuggage(root: string, signal: AbortSignal): Promise<Luggage> {
  const info = await lstat(root).catch(() => undefined);
  if (info === undefined) throw new PortError('missing', `${root} is not there`);
  if (!info.isDirectory()) throw new PortError('invalid', `${root} is not a folder`);
  const packing: Packing = { root, files: new Map(), unread: [], signal, bytes: 0 };
  await pack(packing, '', 0);
  return { name: basename(root) || 'platform', files: packing.files, unread: packing.unread };
}

async function pack(packing: Packing, folder: string, depth: number): Promise<void> {
  packing.signal.throwIfAborted();
  const entries = await readdir(join(packing.root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => compareText(a.name, b.name))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const why = refusal(entry, depth);
    if (why !== undefined) {
      if (entry.name !== '.git')
        packing.unread.push({ file: path, line: undefined, what: entry.isDirectory() ? 'a folder' : 'a file', why });
    } else if (entry.isDirectory()) await pack(packing, path, depth + 1);
    else await packFile(packing, path);
  }
}

function refusal(
  entry: { readonly name: string; isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean },
  depth: number,
): string | undefined {
  if (entry.isSymbolicLink()) return 'is a symbolic link, which is never followed: put the file itself there';
  if (entry.isDirectory()) {
    if (entry.name.startsWith('.')) return 'is hidden: not looked at';
    if (PASSED_OVER.has(entry.name)) return 'is a folder of a package manager: not looked at';
    return depth >= LIMITS.depth ? `is deeper than ${LIMITS.depth} folders` : undefined;
  }
  if (!entry.isFile()) return 'is no regular file';
  return /[\p{Cc}\p{Cf}\\]/u.test(entry.name) ? 'has control characters or a backslash in its name' : undefined;
}

async function packFile(packing: Packing, path: string): Promise<void> {
  const at = join(packing.root, path);
  const { size } = await lstat(at);
  if (size > LIMITS.fileBytes) {
    packing.unread.push({ file: path, line: undefined, what: 'a file', why: `is larger than ${LIMITS.fileBytes} bytes` });
    return;
  }
  packing.bytes += size;
  if (packing.files.size >= LIMITS.files || packing.bytes > LIMITS.bytes) {
    throw new PortError(
      'invalid',
      `${packing.root} has more than ${LIMITS.files} files or ${LIMITS.bytes} bytes; name the folder that holds what is applied`,
    );
  }
  packing.files.set(path, await readFile(at));
}
