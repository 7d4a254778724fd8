import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { PortError } from '#ports/port-error.ts';

const MEBIBYTE = 1024 * 1024;
/** Reports and plans of thousands of objects are far below. */
export const LARGEST_DOCUMENT = 32 * MEBIBYTE;

/** A regular file within a limit, or why not. What grows while it is read is cut off, and a pipe in its place is not waited for. */
export async function readBounded(path: string, limit: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new PortError('missing', `${path} cannot be read`, error);
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new PortError('invalid', `${path} is no regular file`);
    if (facts.size > limit) throw new PortError('invalid', `${path} is larger than ${limit / MEBIBYTE} MiB`);
    const bytes = Buffer.alloc(facts.size);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await file.close();
  }
}
