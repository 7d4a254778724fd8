import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { sha256Of, toSha256 } from '#model/digest.ts';
import type { Sha256 } from '#model/digest.ts';
import { codeOf, lstatIfThere } from './disk.ts';

/** Digests of files by path; a file whose stat did not move is not read again. */
export interface Digests {
  /** Undefined: nothing there. Anything but a regular file of bounded size has a digest that no file has. */
  of(path: string): Promise<Sha256 | undefined>;
  counts(): { readonly filesRead: number };
}

const LARGEST_FILE = 16n * 1024n * 1024n;
/** A stat this young may not show the next write: timestamps are coarser than writes are quick. */
const SETTLED_AFTER_MS = 100n;

export function fileDigests(): Digests {
  const known = new Map<string, { readonly stamp: string; readonly sha256: Sha256 }>();
  let filesRead = 0;

  async function digestOf(path: string): Promise<Sha256 | undefined> {
    const stat = await lstatIfThere(path);
    if (stat === undefined) {
      known.delete(path);
      return undefined;
    }
    if (!stat.isFile()) return strangeDigest(stat.isSymbolicLink() ? 'a symbolic link' : 'not a regular file');
    if (stat.size > LARGEST_FILE) return strangeDigest(`a file of ${stat.size} bytes`);
    const stamp = stampOf(stat);
    const cached = known.get(path);
    if (cached?.stamp === stamp) return cached.sha256;
    filesRead += 1;
    const sha256 = await readDigest(path);
    if (sha256 !== undefined && isSettled(stat)) known.set(path, { stamp, sha256 });
    else known.delete(path);
    return sha256;
  }

  return { of: digestOf, counts: () => ({ filesRead }) };
}

/** The digest of something that no rendering can want, so that it is never taken for what git says. */
export function strangeDigest(what: string): Sha256 {
  return sha256Of(`\0capstan: ${what}`);
}

function stampOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

function isSettled(stat: BigIntStats): boolean {
  const now = BigInt(Date.now());
  return stat.ctimeMs + SETTLED_AFTER_MS < now && stat.mtimeMs + SETTLED_AFTER_MS < now;
}

async function readDigest(path: string): Promise<Sha256 | undefined> {
  try {
    // No link is followed and no pipe waited for, whatever stands here since the look before.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await file.stat({ bigint: true });
      if (!stat.isFile()) return strangeDigest('not a regular file');
      const hash = createHash('sha256');
      let read = 0n;
      for await (const chunk of file.createReadStream({ autoClose: false })) {
        const bytes: unknown = chunk;
        if (!(bytes instanceof Uint8Array)) continue;
        read += BigInt(bytes.length);
        if (read > LARGEST_FILE) return strangeDigest('a file that grows');
        hash.update(bytes);
      }
      return toSha256(hash.digest('hex'));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'ELOOP') return strangeDigest('a symbolic link');
    throw error;
  }
}
