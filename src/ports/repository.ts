import type { BlobId, CommitId, TreeId } from '#model/digest.ts';
import type { Commit, ObjectType, Person, TreeChange, TreeEntry } from '#model/git-objects.ts';
import type { ImportPin } from '#model/imports.ts';
import type { RefName } from '#model/names.ts';

/** Limits of everything read from a repository; crossing one is a PortError of kind `invalid` that names it. */
export interface ObjectLimits {
  readonly blobBytes: number;
  readonly treeEntries: number;
  readonly refs: number;
}

/**
 * Reads objects by id. Objects never change: answers may be cached for ever. A missing object is a PortError `missing`;
 * a tree with unsafe or duplicate names (`..`, `.git`, `a/b`) is `invalid`.
 */
export interface ObjectReader {
  commit(id: CommitId): Promise<Commit>;
  tree(id: TreeId): Promise<readonly TreeEntry[]>;
  blob(id: BlobId): Promise<Uint8Array>;
  /** Many at once in one exchange, in the order asked for. */
  blobs(ids: readonly BlobId[]): Promise<readonly Uint8Array[]>;
}

/** A tag as it is stored. */
export type StoredTag =
  /** A tag object, which can carry a signature; `raw` is what that is checked over. */
  | { readonly kind: 'annotated'; readonly id: string; readonly raw: Uint8Array }
  /** Only a name for something else. */
  | { readonly kind: 'lightweight'; readonly id: string; readonly type: ObjectType };

export interface History {
  /** Every ref of the mirror by full name; a tag's object is peeled. */
  refs(): Promise<ReadonlyMap<RefName, CommitId>>;
  /** A commit by branch name (refs/heads/X, then refs/remotes/origin/X, then tag) or 40-hex id; never options or reflog forms. */
  resolve(revision: string): Promise<CommitId | undefined>;
  /** Ids along first parents, newest first, `from` included, `until` (if met) excluded; at most `limit`. */
  firstParents(from: CommitId, until: CommitId | undefined, limit: number): Promise<readonly CommitId[]>;
  isAncestor(ancestor: CommitId, descendant: CommitId): Promise<boolean>;
  mergeBase(a: CommitId, b: CommitId): Promise<CommitId | undefined>;
  /** True when history is cut off; then no rule about history is judged. */
  isShallow(): Promise<boolean>;
  /** What `refs/tags/<name>` names, or an object id, not followed any further; undefined where there is neither. */
  tag(name: string): Promise<StoredTag | undefined>;
}

export interface CommitDraft {
  /** Tree to start from; undefined starts empty. */
  readonly base: TreeId | undefined;
  readonly changes: readonly TreeChange[];
  readonly parents: readonly CommitId[];
  readonly author: Person;
  /** The author where absent. */
  readonly committer?: Person;
  readonly message: string;
}

export interface Writer {
  /** Writes blobs, trees and one commit into the object database, signed unless `sign` is undefined; no ref moves. */
  writeCommit(draft: CommitDraft, sign: ((payload: Uint8Array) => Promise<string>) | undefined): Promise<CommitId>;
  writeTree(base: TreeId | undefined, changes: readonly TreeChange[]): Promise<TreeId>;
  /**
   * Merges two commits as trees, without a work tree. A PortError `unsupported` where the adapter cannot merge within files
   * and the merge needs it.
   */
  mergeTrees(ours: CommitId, theirs: CommitId): Promise<MergedTrees>;
  /**
   * Moves refs on the remote (and then in the mirror) if each still is what is expected (`undefined`: must not exist; new `undefined`: delete).
   * A lost race is a PortError `conflict`. Without a remote it moves the local refs by compare-and-swap.
   */
  push(updates: readonly RefUpdate[], signal?: AbortSignal): Promise<void>;
}

export type MergedTrees =
  | { readonly kind: 'merged'; readonly tree: TreeId }
  /** Paths that need a person, sorted. */
  | { readonly kind: 'conflict'; readonly paths: readonly string[] };

export interface RefUpdate {
  readonly ref: RefName;
  readonly expected: CommitId | undefined;
  readonly next: CommitId | undefined;
}

export interface MovedRef {
  readonly ref: RefName;
  readonly before: CommitId | undefined;
  readonly after: CommitId | undefined;
}

/** A bare mirror of one repository. Never a work tree, never a checkout, never a shell. */
export interface Repository extends ObjectReader, History, Writer {
  /** Whether a fetch would bring something, asked without starting a process; true wherever that cannot be known so. */
  hasNews(signal?: AbortSignal): Promise<boolean>;
  /** Brings the mirror up to the remote (refs/heads/*, refs/pull/*); says what moved. Nothing to do without a remote. */
  fetch(signal?: AbortSignal): Promise<readonly MovedRef[]>;
  /**
   * Brings one directory of a commit of another repository here, checked against the pinned id, and keeps it under `importRef(pin)`; nothing
   * to do where it is kept already. Only by https, or from a path that this repository was opened with. Bounded in time and size. The
   * address is hostile: PortErrors `invalid` (refused, too large, not what was pinned), `missing`, `transient`, `unsupported`.
   */
  fetchImport(pin: ImportPin, signal?: AbortSignal): Promise<void>;
  /** Counters since the port was opened, for the counting tests. */
  counts(): RepositoryCounts;
  close(): Promise<void>;
}

export interface RepositoryCounts {
  readonly blobsRead: number;
  readonly treesRead: number;
  readonly commitsRead: number;
  readonly forks: number;
  readonly remoteCalls: number;
}
