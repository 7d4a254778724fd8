import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { PortError } from '#ports/port-error.ts';

/** A folder of this process alone, gone when `use` is done. */
export async function inScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'capstan-tool-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Regular files only: what is a link in git was read as a link and is none here. */
export async function writeBelow(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [path, content] of files) {
    if (!isPlain(path)) throw new PortError('invalid', `not a path of a file: ${JSON.stringify(path.slice(0, 200))}`);
    const place = join(folder, path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, content, { flag: 'wx', mode: 0o600 });
  }
}

function isPlain(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0') && !part.includes('\\'));
}

/**
 * All that a program gets of this machine: no variables, no home, no programs beside itself, and a proxy at which nobody listens, so that
 * what it would fetch fails at once.
 */
export function bareEnvironment(folder: string): Readonly<Record<string, string>> {
  const nowhere = 'http://127.0.0.1:0';
  return {
    HOME: join(folder, 'home'),
    TMPDIR: folder,
    PATH: '/nonexistent',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    ALL_PROXY: nowhere,
    GOMEMLIMIT: '512MiB',
  };
}
