import { open } from 'node:fs/promises';

/** What a file holds, at most so many bytes of it and one more, so that the reader sees that there is more. Throws where it cannot be read. */
export async function readBeginning(path: string, most: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(most + 1), 0, most + 1, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
