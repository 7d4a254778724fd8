import { irregularPath } from '#desired/desired.ts';
import { toBlobId } from '#model/digest.ts';
import type { BlobId, TreeId } from '#model/digest.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import type { Problem } from '#model/problem.ts';
import { isPortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';
import { createMemo } from './memo.ts';
import { createWalkable } from './walkable.ts';

/** A file found below a directory; `mode` as git has it. */
export interface FoundFile {
  readonly path: string;
  readonly mode: string;
  readonly id: BlobId;
}

/** What lies below a directory, or why nobody can say. */
export interface Listing {
  readonly files: readonly FoundFile[];
  readonly problems: readonly Problem[];
}

/**
 * Lists folders of a repository. What cannot be read or is no regular file is a problem at its place, so that what stands beside it
 * goes on; only what a repository does not refuse (it is missing, away) is thrown.
 */
export interface Lister {
  /** Every entry below the folder but folders, symbolic links and submodules included. */
  below(tree: TreeId, under: string): Promise<Listing>;
  /** Regular files below one of the roots: one folder of it that cannot be walked leaves the others. */
  declared(root: readonly TreeEntry[], name: 'environments' | 'policies'): Promise<Listing>;
  /** Folders right below one of the roots. */
  folders(root: readonly TreeEntry[], name: 'environments' | 'capsules'): Promise<Folders>;
  /** Contents by blob, in one exchange; one that is longer than the repository reads has none. */
  contents(files: readonly FoundFile[]): Promise<ReadonlyMap<BlobId, Uint8Array>>;
}

interface Folders {
  readonly trees: ReadonlyMap<string, TreeId>;
  readonly problems: readonly Problem[];
}

const NOTHING: Listing = { files: [], problems: [] };

export function createLister(reader: ObjectReader): Lister {
  const listings = createMemo<readonly FoundFile[]>(50_000);
  const walkable = createWalkable(reader);

  async function walk(tree: TreeId, under: string): Promise<readonly FoundFile[]> {
    const key = `${tree} ${under}`;
    const known = listings.get(key);
    if (known !== undefined) return known;
    const found: FoundFile[] = [];
    for (const entry of await reader.tree(tree)) {
      const path = `${under}/${entry.name}`;
      if (entry.kind !== 'tree') found.push({ path, mode: entry.mode, id: toBlobId(entry.id) });
      else for (const file of await walk(entry.id, path)) found.push(file);
    }
    return listings.set(key, found);
  }

  async function below(tree: TreeId, under: string): Promise<Listing> {
    const fault = await walkable.faultOf(tree);
    if (fault === undefined) return { files: await walk(tree, under), problems: [] };
    return { files: [], problems: [irregularPath(fault.path === '' ? under : `${under}/${fault.path}`, fault.why)] };
  }

  /** As much as can be walked of a folder: what cannot is a problem each. */
  async function partly(tree: TreeId, under: string): Promise<Listing> {
    const fault = await walkable.faultOf(tree);
    if (fault === undefined || fault.path === '') return below(tree, under);
    return joined(await reader.tree(tree), under);
  }

  async function joined(entries: readonly TreeEntry[], under: string): Promise<Listing> {
    const files: FoundFile[] = [];
    const problems: Problem[] = [];
    for (const entry of entries) {
      const path = `${under}/${entry.name}`;
      const found = entry.kind === 'tree' ? await partly(entry.id, path) : NOTHING;
      if (entry.kind !== 'tree') files.push({ path, mode: entry.mode, id: toBlobId(entry.id) });
      for (const file of found.files) files.push(file);
      problems.push(...found.problems);
    }
    return { files, problems };
  }

  async function entriesOf(root: readonly TreeEntry[], name: string): Promise<readonly TreeEntry[] | Problem> {
    const folder = root.find((entry) => entry.name === name);
    if (folder === undefined) return [];
    if (folder.kind !== 'tree') return irregularPath(name, folder.mode);
    const entries = await orRefusal(reader.tree(folder.id));
    return typeof entries === 'string' ? irregularPath(name, `cannot be read: ${entries}`) : entries;
  }

  async function declared(root: readonly TreeEntry[], name: 'environments' | 'policies'): Promise<Listing> {
    const entries = await entriesOf(root, name);
    if ('code' in entries) return { files: [], problems: [entries] };
    const { files, problems } = await joined(entries, name);
    return {
      files: files.filter(isRegular),
      problems: [...problems, ...files.filter((file) => !isRegular(file)).map((file) => irregularPath(file.path, file.mode))],
    };
  }

  async function contents(files: readonly FoundFile[]): Promise<ReadonlyMap<BlobId, Uint8Array>> {
    const ids = [...new Set(files.map((file) => file.id))];
    if (ids.length === 0) return new Map();
    const all = await orRefusal(reader.blobs(ids));
    const found = new Map<BlobId, Uint8Array>();
    for (const [index, id] of ids.entries()) {
      const content = typeof all === 'string' ? await orRefusal(reader.blob(id)) : all[index];
      if (content !== undefined && typeof content !== 'string') found.set(id, content);
    }
    return found;
  }

  return {
    below,
    declared,
    contents,
    async folders(root, name) {
      const entries = await entriesOf(root, name);
      if ('code' in entries) return { trees: new Map(), problems: [entries] };
      return {
        trees: new Map(entries.flatMap((entry): [string, TreeId][] => (entry.kind === 'tree' ? [[entry.name, entry.id]] : []))),
        problems: [],
      };
    },
  };
}

export function isRegular(file: Pick<FoundFile, 'mode'>): boolean {
  return file.mode.startsWith('100');
}

/** What a repository refuses to read is told as text; everything else is thrown. */
async function orRefusal<T extends object>(reading: Promise<T>): Promise<T | string> {
  try {
    return await reading;
  } catch (error) {
    if (isPortError(error) && error.kind === 'invalid') return error.message;
    throw error;
  }
}
