import { access, appendFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { ArrivedFile } from '#model/arrival.ts';
import { compareText } from '#model/problem.ts';
import { PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { importSource, sourceOf } from './init-import.ts';
import type { ImportedSource } from './init-import.ts';
import { importDocument, importText } from './init-report.ts';
import { outputFormat, printDocument, printProblems } from './output.ts';
import type { Powers, Terminal } from './powers.ts';
import { starterFiles, surroundings } from './starter.ts';

export async function init({ words, options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const source = sourceOf(options, words, terminal);
  const [target, ...others] = source?.words ?? words;
  if (others.length > 0) throw new UsageError(`one directory to write to, please: ${others.join(' ')} is too many`);
  const root = resolve(terminal.cwd, target ?? '.');
  const imported = source === undefined ? undefined : await importSource(source, terminal);
  if (imported !== undefined && imported.problems.length > 0) {
    printProblems(terminal, imported.problems);
    return EXIT.failed;
  }
  if (imported !== undefined && imported.environments.length === 0) {
    terminal.say(importText(imported));
    throw new PortError('invalid', `nothing in ${imported.source.root} could come along; nothing was written`);
  }
  const files = imported === undefined ? await starterFiles() : [...imported.files, ...(await surroundings())];
  const { fresh, kept } = await sorted(root, files);
  const dryRun = options.dryRun === true;
  const isEmpty = await isEmptyFolder(root);
  if (!dryRun) {
    await writeAll(root, fresh);
    if (isEmpty) await trustOwnEngine(root, powers, terminal);
  }
  const written = fresh.map((file) => file.path);
  if (format === 'json') printDocument(terminal, 'InitReport', importDocument({ written, kept, dryRun, imported }));
  else terminal.out(written.map((path) => `${path}\n`).join(''));
  if (imported !== undefined) terminal.say(importText(imported));
  if (dryRun) return EXIT.ok;
  if (isEmpty) await powers.initRepository(root, terminal);
  terminal.say(isEmpty ? newText(root, imported) : existingText(kept));
  return EXIT.ok;
}

function newText(root: string, imported: ImportedSource | undefined): string {
  const first = imported?.environments[0] ?? 'dev';
  return `${root} is a repository with two commits: declarations, then locks. Its engine's key is .capstan/engine_ed25519 (not in git).\nTry there: capstan validate; capstan reconcile ${first}; capstan status\n`;
}

function existingText(kept: readonly string[]): string {
  const left =
    kept.length === 0
      ? ''
      : `Left as they are: ${kept.slice(0, 12).join(', ')}${kept.length > 12 ? ` and ${kept.length - 12} more` : ''}\n`;
  return `${left}The files stand in an existing folder. What remains:\n  git add . && git commit -m 'Declare the platform'\n  capstan lock --all\n  git add environments && git commit -m 'Lock versions'\n`;
}

/** Nothing is overwritten: what the folder has is kept where that is harmless, and refuses everything where it is not. */
async function sorted(
  root: string,
  files: readonly ArrivedFile[],
): Promise<{ readonly fresh: readonly ArrivedFile[]; readonly kept: readonly string[] }> {
  const fresh: ArrivedFile[] = [];
  const kept: string[] = [];
  const taken: string[] = [];
  for (const file of files) {
    if (!(await exists(join(root, file.path)))) fresh.push(file);
    else (file.ifAbsent ? kept : taken).push(file.path);
  }
  if (taken.length > 0)
    throw new PortError(
      'invalid',
      `${root} has ${taken.slice(0, 3).join(', ')}${taken.length > 3 ? ` and ${taken.length - 3} more` : ''} already; nothing was written`,
    );
  return { fresh: fresh.sort((a, b) => compareText(a.path, b.path)), kept };
}

/** A new repository has an engine of its own, whose key it trusts from the first commit on. */
async function trustOwnEngine(root: string, powers: Powers, terminal: Terminal): Promise<void> {
  const { publicKey } = await powers.openSigner({ repo: root, config: undefined }, terminal);
  const entry = `  trust:\n    - name: engine\n      sshKey: '${publicKey}'\n      for:\n        - engine\n`;
  await appendFile(join(root, 'environments/project.yaml'), entry);
}

async function writeAll(root: string, files: readonly ArrivedFile[]): Promise<void> {
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
