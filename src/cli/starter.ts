import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const STARTER = fileURLToPath(new URL('./starter', import.meta.url));

export interface StarterFile {
  readonly path: string;
  readonly content: string;
}

/** The files of a small repository that works at once: three environments, one capsule, one policy, a workflow. */
export async function starterFiles(): Promise<readonly StarterFile[]> {
  const entries = await readdir(STARTER, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(
    paths.map(async (path) => ({
      path: path.slice(STARTER.length + 1).replace(/^gitignore$/, '.gitignore'),
      content: await readFile(path, 'utf8'),
    })),
  );
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
