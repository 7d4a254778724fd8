import { access, appendFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';
import type { Powers, Terminal } from './powers.ts';
import { starterFiles } from './starter.ts';
import type { StarterFile } from './starter.ts';

export async function init({ words, options, powers, terminal }: Invocation): Promise<number> {
  const root = resolve(terminal.cwd, words[0] ?? '.');
  const files = await starterFiles();
  const taken = (await Promise.all(files.map(async (file) => ((await exists(join(root, file.path))) ? [file.path] : [])))).flat();
  if (taken.length > 0)
    throw new PortError(
      'invalid',
      `${root} has ${taken.slice(0, 3).join(', ')}${taken.length > 3 ? ` and ${taken.length - 3} more` : ''} already; nothing was written`,
    );
  if (options.dryRun === true) {
    terminal.out(files.map((file) => `${file.path}\n`).join(''));
    return EXIT.ok;
  }
  const isEmpty = await isEmptyFolder(root);
  await writeAll(root, files);
  if (isEmpty) await trustOwnEngine(root, powers, terminal);
  terminal.out(files.map((file) => `${file.path}\n`).join(''));
  if (isEmpty) {
    await powers.initRepository(root, terminal);
    terminal.say(
      `${root} is a repository with two commits: declarations, then locks. Its engine's key is .capstan/engine_ed25519 (not in git).\nTry there: capstan validate; capstan reconcile dev; capstan status\n`,
    );
    return EXIT.ok;
  }
  terminal.say(
    "The files stand in an existing folder. What remains:\n  git add environments capsules policies && git commit -m 'Declare the platform'\n  capstan lock --all\n  git add environments && git commit -m 'Lock versions'\n",
  );
  return EXIT.ok;
}

/** A new repository has an engine of its own, whose key it trusts from the first commit on. */
async function trustOwnEngine(root: string, powers: Powers, terminal: Terminal): Promise<void> {
  const { publicKey } = await powers.openSigner({ repo: root, config: undefined }, terminal);
  const entry = `  trust:\n    - name: engine\n      sshKey: '${publicKey}'\n      for:\n        - engine\n`;
  await appendFile(join(root, 'environments/project.yaml'), entry);
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
