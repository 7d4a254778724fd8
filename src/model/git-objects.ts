import { createHash } from 'node:crypto';

import type { BlobId, CommitId, TreeId } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';

/** `mode` as git's trees carry it. */
export type TreeEntry =
  | { readonly kind: 'tree'; readonly name: string; readonly mode: '40000'; readonly id: TreeId }
  | { readonly kind: 'blob'; readonly name: string; readonly mode: '100644' | '100755' | '120000'; readonly id: BlobId }
  | { readonly kind: 'submodule'; readonly name: string; readonly mode: '160000'; readonly id: CommitId };

export interface Person {
  readonly name: string;
  readonly email: string;
  readonly at: Instant;
  /** Offset as written, `+0100`. */
  readonly zone: string;
}

/** A commit as it stands in the object database. `raw` is what signatures are checked over. */
export interface Commit {
  readonly id: CommitId;
  readonly tree: TreeId;
  readonly parents: readonly CommitId[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
  readonly raw: Uint8Array;
}

/** One change to a tree. A `file` keeps the mode of the file it replaces; `blob` and `tree` graft what exists already. */
export type TreeChange =
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'blob'; readonly path: string; readonly mode: '100644' | '100755' | '120000'; readonly id: BlobId }
  | { readonly kind: 'tree'; readonly path: string; readonly id: TreeId };

export interface PathChange {
  readonly path: string;
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

/** What a parser of hostile bytes answers: the value, or why there is none (a clause that follows "because"). */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** The SHA-1 object id of these bytes (40 hex digits). */
export function objectIdOf(type: ObjectType, content: Uint8Array): string {
  return createHash('sha1').update(`${type} ${content.byteLength}\0`).update(content).digest('hex');
}
