import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { sha256Of } from '#model/digest.ts';
import type { Kept } from '#ports/kept.ts';

const LONGEST = 6 * 1024 * 1024;
/** When there are more, all go: what is needed comes back by itself. */
const MOST = 50_000;
const NAME = /^[0-9a-f]{64}(-[0-9a-f]{64})?$/;

/** A file each, readable by its owner alone. Who reads it judges again what it says. */
export function filesIn(folder: string): Kept {
  let counted: Promise<void> | undefined;

  async function get(key: string): Promise<string | undefined> {
    if (!NAME.test(key)) return undefined;
    try {
      await using file = await open(join(folder, key), 'r');
      const { size } = await file.stat();
      if (size > LONGEST) return undefined;
      const [digest, text] = splitAt(await file.readFile('utf8'));
      return digest === sha256Of(text) ? text : undefined;
    } catch (error) {
      return ignored(error);
    }
  }

  async function put(key: string, text: string): Promise<void> {
    if (!NAME.test(key) || text.length > LONGEST) return;
    try {
      await (counted ??= makeRoom());
      const passing = join(folder, `.${key}.${process.pid}`);
      await using file = await open(passing, 'w', 0o600);
      await file.writeFile(`${sha256Of(text)}\n${text}`);
      await rename(passing, join(folder, key));
    } catch (error) {
      ignored(error);
    }
  }

  async function makeRoom(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const there = await readdir(folder);
    if (there.length > MOST) for (const name of there) await rm(join(folder, name), { force: true });
  }

  return { get, put };
}

/** A file that a power cut left half is found out by its first line. */
function splitAt(content: string): readonly [string, string] {
  const end = content.indexOf('\n');
  return [content.slice(0, Math.max(0, end)), content.slice(end + 1)];
}

/** Disks fill up and go away; what could not be kept is asked for again. Mistakes of this program are not hidden. */
function ignored(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error)) throw error;
  return undefined;
}
