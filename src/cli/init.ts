import { access, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { starterFiles } from './starter.ts';
import type { StarterFile } from './starter.ts';

export async function init({ words, options, powers, terminal }: Invocation): Promise<number> {
  const root = resolve(terminal.cwd, words[0] ?? '.');
  const files = await starterFiles();
  const taken = (await Promise.all(files.map(async (file) => ((await exists(join(root, file.path))) ? [file.path] : [])))).flat();
  if (taken.length > 0) throw new UsageError(`${root} has ${taken.join(', ')} already; nothing was written`);
  if (options.dryRun === true) {
    terminal.out(files.map((file) => `${file.path}\n`).join(''));
    return EXIT.ok;
  }
  const isEmpty = await isEmptyFolder(root);
  await writeAll(root, files);
  terminal.out(files.map((file) => `${file.path}\n`).join(''));
  if (isEmpty) {
    await powers.initRepository(root, terminal);
    terminal.err(
      `${root} is a repository with two commits: declarations, then locks. Try: capstan validate && capstan reconcile dev && capstan status\n`,
    );
    return EXIT.ok;
  }
  terminal.err(
    "The files stand in an existing folder. What remains:\n  git add environments capsules policies && git commit -m 'Declare the platform'\n  capstan lock --all\n  git add environments && git commit -m 'Lock versions'\n",
  );
  return EXIT.ok;
}

async function writeAll(root: string, files: readonly StarterFile[]): Promise<void> {
  for (const file of files) {
    const path = join(root, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.content, { flag: 'wx' });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function isEmptyFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return true;
  return found.isDirectory() && (await readdir(path)).length === 0;
}
