import { codeOwnerPaths } from '#desired/desired.ts';
import type { Snapshot } from './reading.ts';
import type { ReadingWorld } from './world.ts';

interface CodeOwners {
  readonly path: string;
  readonly text: string;
}

/** The CODEOWNERS file of a snapshot: the first of the places where a forge looks. */
export async function codeOwnersAt(
  world: Pick<ReadingWorld, 'reading'>,
  at: Snapshot,
): Promise<CodeOwners | { readonly path: undefined; readonly text: undefined }> {
  for (const path of codeOwnerPaths()) {
    let tree = at.tree;
    for (const [depth, name] of path.split('/').entries()) {
      const entry = (await world.reading.tree(tree)).find((item) => item.name === name);
      if (entry === undefined) break;
      if (entry.kind === 'blob' && depth === path.split('/').length - 1) return { path, text: await world.reading.text(entry.id) };
      if (entry.kind !== 'tree') break;
      tree = entry.id;
    }
  }
  return { path: undefined, text: undefined };
}
