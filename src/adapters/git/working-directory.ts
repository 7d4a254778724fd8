import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readFile, readlink, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';

import { toBlobId, toTreeId } from '#model/digest.ts';
import type { BlobId, TreeId } from '#model/digest.ts';
import { objectIdOf } from '#model/git-objects.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import { encodeTree } from '#model/git-tree.ts';
import { PortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';
import type { WorkingDirectory } from '#ports/working-directory.ts';
import { gitChildren } from './children.ts';
import { findRepository } from './place.ts';

/** Folders that hold declarations; nothing else of a checkout is looked at. */
const MANAGED = ['environments', 'capsules', 'policies', '.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];
const FILE_BYTES = 32 * 1024 * 1024;
const FILES = 200_000;
const AT_ONCE = 64;
/** A file changed so shortly before it was read may change again and keep its times: clocks of file systems are coarse. */
const RACY_MS = 100;

interface Found {
  readonly path: string;
  readonly mode: '100644' | '100755' | '120000';
  readonly id: BlobId;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: Map<string, Found>;
}

/** The checkout at `root`: undefined where there is none (a bare repository). */
export async function gitWorkingDirectory(root: string, command = 'git'): Promise<WorkingDirectory | undefined> {
  const place = await findRepository(root);
  if (place === undefined || place.isBare) return undefined;
  const children = gitChildren(command, place.head);

  const memory: Memory = { known: new Map(), reads: 0 };

  async function snapshot(): Promise<{ tree: TreeId; reader: ObjectReader }> {
    const listed = await children.run(
      [`--work-tree=${root}`, '-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...MANAGED],
      { doing: 'listing the working directory' },
    );
    const paths = [...new Set(listed.stdout.split('\0').filter((path) => path !== ''))].sort();
    if (paths.length > FILES) throw new PortError('invalid', `the working directory has more than ${FILES} declared files`);
    const found: Found[] = [];
    const links = linkedFolders(root);
    for (let start = 0; start < paths.length; start += AT_ONCE) {
      const slice = await Promise.all(
        paths.slice(start, start + AT_ONCE).map(async (path) => ((await links(path)) ? undefined : look(memory, root, path))),
      );
      for (const item of slice) if (item !== undefined) found.push(item);
    }
    return snapshotOf(root, found);
  }

  return { snapshot, write: (files) => writeAll(root, files), counts: () => ({ reads: memory.reads }) };
}

/**
 * Whether a folder on the way to a path is a link. The index may still have the files that lay there before: what the link leads to is not part
 * of the repository. Each folder is looked at once.
 */
function linkedFolders(root: string): (path: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  function isLinked(folder: string): Promise<boolean> {
    if (folder === '.' || folder === '/') return Promise.resolve(false);
    const before = known.get(folder);
    if (before !== undefined) return before;
    const looking = isLinked(dirname(folder)).then(async (above) => above || (await isLink(join(root, folder))));
    known.set(folder, looking);
    return looking;
  }
  return (path) => isLinked(dirname(path));
}

async function isLink(at: string): Promise<boolean> {
  return (await lstat(at).catch(() => undefined))?.isSymbolicLink() === true;
}

/** What files were at the last look, by their times, size and place. */
interface Memory {
  readonly known: Map<string, { readonly stamp: string; readonly id: BlobId }>;
  reads: number;
}

/** A path that git lists but that is gone, or is no file, does not stand in the snapshot. */
async function look(memory: Memory, root: string, path: string): Promise<Found | undefined> {
  const at = join(root, path);
  const info = await lstat(at).catch(() => undefined);
  if (info?.isSymbolicLink() === true) return { path, mode: '120000', id: idOf(Buffer.from(await readlink(at))) };
  if (info?.isFile() !== true) return undefined;
  if (info.size > FILE_BYTES) throw new PortError('invalid', `${path} has ${info.size} bytes; the limit is ${FILE_BYTES}`);
  const mode = (info.mode & 0o100) === 0 ? '100644' : '100755';
  const stamp = `${info.ino} ${info.size} ${info.mtimeMs} ${info.ctimeMs}`;
  const known = memory.known.get(path);
  if (known?.stamp === stamp) return { path, mode, id: known.id };
  const isRacy = Date.now() - info.ctimeMs < RACY_MS;
  memory.reads += 1;
  const id = idOf(await readFile(at));
  if (isRacy) memory.known.delete(path);
  else memory.known.set(path, { stamp, id });
  return { path, mode, id };
}

function idOf(content: Uint8Array): BlobId {
  return toBlobId(objectIdOf('blob', content));
}

function snapshotOf(root: string, found: readonly Found[]): { tree: TreeId; reader: ObjectReader } {
  const top: Folder = { folders: new Map(), files: new Map() };
  for (const item of found) {
    const names = item.path.split('/');
    let folder = top;
    for (const name of names.slice(0, -1)) {
      const next = folder.folders.get(name) ?? { folders: new Map(), files: new Map() };
      folder.folders.set(name, next);
      folder = next;
    }
    folder.files.set(names.at(-1) ?? '', item);
  }
  const trees = new Map<TreeId, readonly TreeEntry[]>();
  const places = new Map(found.map((item) => [item.id, item]));
  const tree = addTree(top, trees);
  const blob = async (id: BlobId): Promise<Uint8Array> => {
    const place = places.get(id);
    if (place === undefined) throw new PortError('missing', `no such file in the working directory: ${id}`);
    const at = join(root, place.path);
    const content = place.mode === '120000' ? Buffer.from(await readlink(at)) : await readFile(at);
    if (idOf(content) !== id) throw new PortError('conflict', `${place.path} changed while it was read; run again`);
    return content;
  };
  const reader: ObjectReader = {
    commit: async (id) => {
      throw new PortError('missing', `a working directory has no commit ${id}`);
    },
    tree: async (id) => {
      const entries = trees.get(id);
      if (entries === undefined) throw new PortError('missing', `no such folder in the working directory: ${id}`);
      return entries;
    },
    blob,
    blobs: async (ids) => Promise.all(ids.map(blob)),
  };
  return { tree, reader };
}

function addTree(folder: Folder, trees: Map<TreeId, readonly TreeEntry[]>): TreeId {
  const entries: TreeEntry[] = [];
  for (const [name, child] of folder.folders) entries.push({ kind: 'tree', name, mode: '40000', id: addTree(child, trees) });
  for (const [name, file] of folder.files) entries.push({ kind: 'blob', name, mode: file.mode, id: file.id });
  const id = toTreeId(objectIdOf('tree', encodeTree(entries)));
  trees.set(id, entries);
  return id;
}

async function writeAll(root: string, files: readonly { readonly path: string; readonly content: string }[]): Promise<void> {
  const links = linkedFolders(root);
  for (const file of files) {
    const at = resolve(root, file.path);
    if (!at.startsWith(root.endsWith(sep) ? root : root + sep)) throw new PortError('invalid', `${file.path} leaves the repository`);
    if (await links(relative(root, at))) throw new PortError('invalid', `${file.path} lies behind a symbolic link, which is not followed`);
    await mkdir(dirname(at), { recursive: true });
    const temporary = `${at}.${randomUUID()}`;
    try {
      const handle = await open(temporary, 'wx');
      try {
        await handle.writeFile(file.content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, at);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}
