import { constants } from 'node:fs';
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { readTar, writeTar } from '#model/tar.ts';
import { isPortError, PortError } from '#ports/port-error.ts';

/** Where the files of a layout lie. Paths are made here or hold nothing but hex digits. */
export interface LayoutFiles {
  /** Undefined: not there. At most `limit` bytes; a larger file is `invalid`. */
  read(path: string, limit: number): Promise<Uint8Array | undefined>;
  /** Whole or not at all. */
  write(path: string, bytes: Uint8Array): Promise<void>;
}

export const LARGEST_ARCHIVE = 256 * 1024 * 1024;
const MOST_FILES = 20_000;

/** A folder; links in it are not followed. */
export function layoutFolder(root: string): LayoutFiles {
  return {
    async read(path, limit) {
      try {
        await using file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
        const { size } = await file.stat();
        if (size > limit) throw new PortError('invalid', `${path} has ${size} bytes; at most ${limit} are read`);
        const bytes = Buffer.alloc(size);
        let at = 0;
        while (at < size) {
          const { bytesRead } = await file.read(bytes, at, size - at, at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
        return bytes.subarray(0, at);
      } catch (error) {
        if (isPortError(error)) throw error;
        if (isAbsence(error)) return undefined;
        throw new PortError('invalid', `${join(root, path)} cannot be read`, error);
      }
    },
    async write(path, bytes) {
      const place = join(root, path);
      const beside = `${place}.part-${process.pid}`;
      try {
        await mkdir(dirname(place), { recursive: true });
        // A layout of somebody else may have a link in the place of a folder.
        if ((await realpath(dirname(place))) !== join(await realpath(root), dirname(path)))
          throw new PortError('invalid', `${dirname(path)} of the layout leads somewhere else`);
        const file = await open(beside, 'w', 0o644);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(beside, place);
      } catch (error) {
        await rm(beside, { force: true });
        if (isPortError(error)) throw error;
        throw new PortError('invalid', `${place} cannot be written`, error);
      }
    },
  };
}

export interface LayoutArchive extends LayoutFiles {
  /** The archive as it is now: equal files give equal bytes. */
  bytes(): Uint8Array;
}

/** An archive, in memory; `bytes` is what was read, undefined for a new one. Only archives packed here are read. */
export function layoutArchive(bytes: Uint8Array | undefined): LayoutArchive {
  const files = new Map<string, Uint8Array>();
  if (bytes !== undefined) {
    const read = readTar(bytes, { files: MOST_FILES, bytes: LARGEST_ARCHIVE });
    if (!read.ok) throw new PortError('invalid', `the archive is refused: ${read.reason}`);
    for (const file of read.value) files.set(file.path, file.bytes);
  }
  return {
    async read(path, limit) {
      const found = files.get(path);
      if (found !== undefined && found.byteLength > limit)
        throw new PortError('invalid', `${path} has ${found.byteLength} bytes; at most ${limit} are read`);
      return found;
    },
    async write(path, content) {
      files.set(path, content);
    },
    bytes: () => writeTar([...files].map(([path, content]) => ({ path, mode: '100644', bytes: content }))),
  };
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
