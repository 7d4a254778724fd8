import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { PortError } from '#ports/port-error.ts';
import { gitChildren } from './children.ts';
import { MIRROR_SECTION } from './remote.ts';

/** Where a repository lies. */
export interface Place {
  /** Objects and refs. */
  readonly directory: string;
  /** HEAD; another folder than `directory` in a linked work tree. */
  readonly head: string;
  readonly isBare: boolean;
  /** Made by us to follow a remote. */
  readonly isMirror: boolean;
}

const STALE_LOCK_MS = 60_000;

/** The git directory at `path` (a work tree, a linked one, or bare); never one further up. Undefined when nothing is there. */
export async function findRepository(path: string): Promise<Place | undefined> {
  const at = resolve(path);
  const inside = join(at, '.git');
  const pointer = await readFile(inside, 'utf8').catch(() => undefined);
  const named = /^gitdir: (.+)\n?$/.exec(pointer ?? '')?.[1];
  const isBare = named === undefined && !(await isDirectory(inside));
  const head = named !== undefined ? resolve(at, named) : isBare ? at : inside;
  const common = await readFile(join(head, 'commondir'), 'utf8').catch(() => undefined);
  const directory = common === undefined ? head : resolve(head, common.trim());
  if (!(await isDirectory(join(directory, 'objects')))) {
    if (!isBare || (await isEmpty(at))) return undefined;
    throw new PortError('invalid', `${at} is neither a git repository nor an empty folder`);
  }
  const configuration = await readFile(join(directory, 'config'), 'utf8').catch(() => '');
  return { directory, head, isBare, isMirror: configuration.includes(MIRROR_SECTION.split('\n')[0] ?? '') };
}

/** Makes an empty bare repository; nobody sees it half made. */
export async function createRepository(command: string, path: string, isMirror: boolean): Promise<Place> {
  const directory = resolve(path);
  const making = `${directory}.making-${randomUUID()}`;
  await mkdir(dirname(directory), { recursive: true });
  try {
    await gitChildren(command, making).run(['init', '--bare', '--quiet', '--template='], { doing: 'making a repository' });
    if (isMirror) await appendFile(join(making, 'config'), MIRROR_SECTION);
    await rename(making, directory);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return { directory, head: directory, isBare: true, isMirror };
}

/** Puts an empty mirror in the place of a damaged one; `fill` runs before anybody sees it. */
export async function replaceMirror(command: string, place: Place, fill: (directory: string) => Promise<void>): Promise<void> {
  const fresh = `${place.directory}.fresh-${randomUUID()}`;
  const old = join(dirname(place.directory), `.${basename(place.directory)}.damaged-${randomUUID()}`);
  try {
    await createRepository(command, fresh, true);
    await fill(fresh);
    await rename(place.directory, old);
    await rename(fresh, place.directory);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

/** Removes lock files that a killed process left long ago; says whether there were any. */
export async function removeStaleLocks(directory: string): Promise<boolean> {
  const names = await readdir(directory);
  const below = (await readdir(join(directory, 'refs'), { recursive: true })).map((name) => join('refs', name));
  let removed = false;
  for (const name of [...names, ...below].filter((text) => text.endsWith('.lock'))) {
    const file = join(directory, name);
    const facts = await stat(file).catch(() => undefined);
    if (facts === undefined || Date.now() - facts.mtimeMs < STALE_LOCK_MS) continue;
    await rm(file, { force: true });
    removed = true;
  }
  return removed;
}

export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

async function isEmpty(path: string): Promise<boolean> {
  const names = await readdir(path).catch(() => []);
  return names.length === 0;
}
