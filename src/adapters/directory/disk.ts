import { link, lstat, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises';

/** Everything that changes the disk. A seam: tests stop the world at every call of it. */
export interface Disk {
  /** A new file with these bytes, on disk when this resolves; fails if it is there. */
  writeNew(path: string, content: string): Promise<void>;
  /** Replaces `to` in one step. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; fails if `to` is there. */
  link(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** Names in this directory survive power loss once this resolves. */
  syncDirectory(path: string): Promise<void>;
}

export const machineDisk: Disk = {
  async writeNew(path, content) {
    const file = await open(path, 'wx', 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  link,
  remove: unlink,
  async makeDirectory(path) {
    await mkdir(path, { mode: 0o755 });
  },
  removeDirectory: rmdir,
  async syncDirectory(path) {
    const directory = await open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};

export async function lstatIfThere(path: string) {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
