import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

export type TextFile = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'unreadable'; readonly why: string };

/** A file of credentials as text. Links are followed: that is how a kubelet replaces tokens. */
export async function readTextFile(path: string, limit: number): Promise<TextFile> {
  try {
    // Without O_NONBLOCK a pipe in the file's place would be waited for without end.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) return unreadable('it is not a regular file');
      const buffer = Buffer.alloc(limit + 1);
      let filled = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
        filled += bytesRead;
        if (bytesRead === 0 || filled > limit) break;
      }
      if (filled > limit) return unreadable(`it is larger than ${limit} bytes`);
      return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, filled)) };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof TypeError) return unreadable('it is not UTF-8');
    const why = WORDS[codeOf(error)];
    if (why === undefined) throw error;
    return unreadable(why);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it does not exist',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a directory',
  ELOOP: 'its symbolic links lead in a circle',
  ENXIO: 'it is not a regular file',
  ENAMETOOLONG: 'its name is too long',
};

function unreadable(why: string): TextFile {
  return { kind: 'unreadable', why };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
