import type { TreeId } from '#model/digest.ts';
import { isPortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';
import { createMemo } from './memo.ts';

/** Where a folder cannot be walked: below it, by path; empty where it is the folder itself. */
export interface Fault {
  readonly path: string;
  readonly why: string;
}

/** Tells whether everything below a tree can be listed: a few small trees can stand for billions of paths. */
export interface Walkable {
  /** Undefined where it can. */
  faultOf(tree: TreeId): Promise<Fault | undefined>;
}

const FILES = 100_000;
const DEPTH = 64;

type Extent =
  | { readonly kind: 'whole'; readonly files: number; readonly depth: number }
  | { readonly kind: 'faulty'; readonly fault: Fault };

/** Each distinct tree is opened once, however often it occurs. Only refusals are faults; anything else a repository says is thrown. */
export function createWalkable(reader: Pick<ObjectReader, 'tree'>): Walkable {
  const known = createMemo<Extent>(100_000);

  async function extentOf(tree: TreeId, depthLeft: number): Promise<Extent> {
    if (depthLeft === 0) return faulty('', `has more than ${DEPTH} levels of folders`);
    const memo = known.get(tree);
    if (memo !== undefined)
      return memo.kind === 'whole' && memo.depth > depthLeft ? faulty('', `has more than ${DEPTH} levels of folders`) : memo;
    const entries = await reader.tree(tree).catch((error: unknown) => {
      if (isPortError(error) && error.kind === 'invalid') return error.message;
      throw error;
    });
    if (typeof entries === 'string') return known.set(tree, faulty('', `cannot be read: ${entries}`));
    let files = 0;
    let depth = 1;
    for (const entry of entries) {
      if (entry.kind !== 'tree') {
        files += 1;
        continue;
      }
      const below = await extentOf(entry.id, depthLeft - 1);
      if (below.kind === 'faulty') return faulty(joined(entry.name, below.fault.path), below.fault.why);
      files += below.files;
      depth = Math.max(depth, below.depth + 1);
    }
    return known.set(tree, files > FILES ? faulty('', `stands for more than ${FILES} files`) : { kind: 'whole', files, depth });
  }

  return {
    async faultOf(tree) {
      const extent = await extentOf(tree, DEPTH);
      return extent.kind === 'faulty' ? extent.fault : undefined;
    },
  };
}

function faulty(path: string, why: string): Extent {
  return { kind: 'faulty', fault: { path, why } };
}

function joined(folder: string, below: string): string {
  return below === '' ? folder : `${folder}/${below}`;
}
