import { randomUUID } from 'node:crypto';
import { chmod, lstat, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';

import { compareText } from '#model/problem.ts';
import { DECLARATION_LIMITS } from '#model/yaml-text.ts';
import { PortError } from '#ports/port-error.ts';
import type { Terminal } from './powers.ts';

export interface FoundFile {
  /** Absolute. */
  readonly at: string;
  /** As people see it: from where they are. */
  readonly shown: string;
  /** Named by them, not found in a folder. */
  readonly isNamed: boolean;
}

const MOST = 100_000;
/** Folders in which declarations are kept; nothing else of a repository is looked at unless it is named. */
const FOLDERS = ['environments', 'capsules', 'policies'];

/** The YAML files under some paths, or under the folders of declarations. No link is followed. */
export async function filesUnder(words: readonly string[], terminal: Terminal): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = [];
  if (words.length === 0) for (const folder of FOLDERS) await collect(found, resolve(terminal.cwd, folder), terminal);
  for (const word of words) {
    const at = resolve(terminal.cwd, word);
    const info = await lstat(at).catch(() => undefined);
    if (info === undefined) throw new PortError('missing', `${word} is not there`);
    if (info.isDirectory()) await collect(found, at, terminal);
    else found.push({ at, shown: shownFrom(terminal, at), isNamed: true });
  }
  return found.sort((a, b) => compareText(a.shown, b.shown));
}

async function collect(found: FoundFile[], folder: string, terminal: Terminal): Promise<void> {
  terminal.signal.throwIfAborted();
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const at = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') await collect(found, at, terminal);
    else if (entry.isFile() && /\.ya?ml$/.test(entry.name)) found.push({ at, shown: shownFrom(terminal, at), isNamed: false });
    if (found.length > MOST) throw new PortError('invalid', `more than ${MOST} files; name fewer`);
  }
}

function shownFrom(terminal: Terminal, at: string): string {
  return relative(terminal.cwd, at).split(sep).join('/');
}

/** Undefined for what is no regular file; `too-long` for what no declaration may be. */
export async function readRegular(at: string): Promise<Uint8Array | 'too-long' | undefined> {
  const facts = await lstat(at);
  if (!facts.isFile()) return undefined;
  return facts.size > DECLARATION_LIMITS.bytes ? 'too-long' : readFile(at);
}

/** The whole file or nothing of it, with the mode that it had. */
export async function replaceFile(at: string, text: string): Promise<void> {
  const { mode } = await lstat(at);
  const temporary = `${at}.${randomUUID()}`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await chmod(temporary, mode & 0o777);
    await rename(temporary, at);
  } finally {
    await rm(temporary, { force: true });
  }
}
