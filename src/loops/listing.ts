import { irregularPath } from '#desired/desired.ts';
import { toBlobId } from '#model/digest.ts';
import type { BlobId, TreeId } from '#model/digest.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import { createMemo } from '#model/memo.ts';
import type { Problem } from '#model/problem.ts';
import { isPortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';
import { createWalkable, WALKED_FILES } from './walkable.ts';

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
  /** What stands beside them. */
  readonly files: readonly FoundFile[];
  readonly problems: readonly Problem[];
}

/** Of one environment; more of them say nothing more. */
const MOST_PROBLEMS = 20;

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
    const { fault } = await walkable.extentOf(tree);
    if (fault === undefined) return { files: await walk(tree, under), problems: [] };
    return { files: [], problems: [irregularPath(fault.path === '' ? under : `${under}/${fault.path}`, fault.why)] };
  }

  /** The folder of one environment: what stands in it is listed each by itself, up to what one folder may stand for. */
  async function parted(tree: TreeId, under: string): Promise<Listing> {
    const entries = await orRefusal(reader.tree(tree));
    if (typeof entries === 'string') return below(tree, under);
    const files: FoundFile[] = [];
    const problems: Problem[] = [];
    for (const entry of entries) {
      if (problems.length === MOST_PROBLEMS) break;
      const path = `${under}/${entry.name}`;
      const extent = entry.kind === 'tree' ? await walkable.extentOf(entry.id) : { files: 1, fault: undefined };
      if (extent.fault === undefined && files.length + extent.files > WALKED_FILES) {
        problems.push(irregularPath(under, `stands for more than ${WALKED_FILES} files`));
        break;
      }
      const found = entry.kind === 'tree' ? await below(entry.id, path) : fileOf(entry, path);
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
    const files: FoundFile[] = [];
    const problems: Problem[] = [];
    for (const entry of entries) {
      const path = `${name}/${entry.name}`;
      const found = entry.kind === 'tree' ? await parted(entry.id, path) : fileOf(entry, path);
      problems.push(...found.problems);
      for (const file of found.files) {
        if (isRegular(file)) files.push(file);
        else problems.push(irregularPath(file.path, file.mode));
      }
    }
    return { files, problems };
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
      if ('code' in entries) return { trees: new Map(), files: [], problems: [entries] };
      return {
        trees: new Map(entries.flatMap((entry): [string, TreeId][] => (entry.kind === 'tree' ? [[entry.name, entry.id]] : []))),
        files: entries.flatMap((entry) => (entry.kind === 'tree' ? [] : fileOf(entry, `${name}/${entry.name}`).files)),
        problems: [],
      };
    },
  };
}

function fileOf(entry: Exclude<TreeEntry, { kind: 'tree' }>, path: string): Listing {
  return { files: [{ path, mode: entry.mode, id: toBlobId(entry.id) }], problems: [] };
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
