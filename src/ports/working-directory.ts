import type { TreeId } from '#model/digest.ts';
import type { ObjectReader } from '#ports/repository.ts';

/**
 * A person's checkout, read only: what `git add` would store (untracked files count, ignored ones do not).
 * `reader` answers the trees and blobs of that snapshot; nothing is written to the object database or the index.
 */
export interface WorkingDirectory {
  snapshot(): Promise<{ readonly tree: TreeId; readonly reader: ObjectReader }>;
  /** Writes whole files below the root, atomically per file; refuses a path that leaves it. */
  write(files: readonly { readonly path: string; readonly content: string }[]): Promise<void>;
  /** Files whose content was read to know what they are: one whose time, size and place did not move since the last snapshot is not. */
  counts(): { readonly reads: number };
}
