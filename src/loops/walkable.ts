import type { TreeId } from '#model/digest.ts';
import { createMemo } from '#model/memo.ts';
import { isPortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';

/** Where and why a folder cannot be walked: below it, by path; empty where it is the folder itself. */
export interface Fault {
  readonly path: string;
  readonly why: string;
}

export interface Extent {
  /** Paths below, folders not counted. */
  readonly files: number;
  /** Undefined where everything below can be listed. */
  readonly fault: Fault | undefined;
}

/** Tells what a folder stands for before it is listed: a few small trees can name billions of paths. */
export interface Walkable {
  extentOf(tree: TreeId): Promise<Extent>;
}

/** Paths that one folder may stand for. */
export const WALKED_FILES = 100_000;
const DEPTH = 64;

interface Measured extends Extent {
  readonly depth: number;
}

/** Each distinct tree is opened once, however often it occurs. Only refusals are faults; anything else a repository says is thrown. */
export function createWalkable(reader: Pick<ObjectReader, 'tree'>): Walkable {
  const known = createMemo<Measured>(100_000);

  /** Undefined where more levels follow than are left: at once, for whoever asks would otherwise ask again for each sibling. */
  async function measure(tree: TreeId, levels: number): Promise<Measured | undefined> {
    if (levels === 0) return undefined;
    const memo = known.get(tree);
    if (memo !== undefined) return memo.depth > levels ? undefined : memo;
    const entries = await reader.tree(tree).catch((error: unknown) => {
      if (isPortError(error) && error.kind === 'invalid') return error.message;
      throw error;
    });
    if (typeof entries === 'string') return known.set(tree, { files: 1, depth: 1, fault: { path: '', why: `cannot be read: ${entries}` } });
    let files = 0;
    let depth = 1;
    let fault: Fault | undefined;
    for (const entry of entries) {
      if (entry.kind !== 'tree') {
        files += 1;
        continue;
      }
      const below = await measure(entry.id, levels - 1);
      if (below === undefined) return undefined;
      files += below.files;
      depth = Math.max(depth, below.depth + 1);
      if (below.fault !== undefined) fault ??= { path: joined(entry.name, below.fault.path), why: below.fault.why };
    }
    if (files > WALKED_FILES) fault = { path: '', why: `stands for more than ${WALKED_FILES} files` };
    return known.set(tree, { files, depth, fault });
  }

  return {
    async extentOf(tree) {
      return (await measure(tree, DEPTH)) ?? { files: 1, fault: { path: '', why: `has more than ${DEPTH} levels of folders` } };
    },
  };
}

function joined(folder: string, below: string): string {
  return below === '' ? folder : `${folder}/${below}`;
}
