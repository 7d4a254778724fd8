import type { BlobId, CommitId, TreeId } from '#model/digest.ts';
import { parseCommit } from '#model/git-commit.ts';
import type { Commit, ObjectType, TreeEntry } from '#model/git-objects.ts';
import { objectIdOf } from '#model/git-objects.ts';
import { parseTree } from '#model/git-tree.ts';
import type { Found, ObjectCounter, ObjectSource } from '#ports/object-source.ts';
import { PortError } from '#ports/port-error.ts';
import type { ObjectLimits, ObjectReader, StoredTag } from '#ports/repository.ts';
import type { Cache } from './lru.ts';
import { lruCache } from './lru.ts';

/** Bytes of the longest commit that is read; no limit of the port speaks of it, and git's own are kilobytes. */
const COMMIT_BYTES = 4 * 1024 * 1024;
/** Bytes an entry of a tree takes at most on average: mode, a name of 255 bytes, id. */
const ENTRY_BYTES = 283;
/** The longest declaration; a lock of a thousand instances is read often. */
const SMALL_BLOB = 1024 * 1024;

export interface CachedReader extends ObjectReader {
  /** Takes note of what was just written, so that reading it back costs nothing. */
  remember(type: ObjectType, id: string, content: Uint8Array): void;
  /** Undefined when there is no such object, or it is not a commit (a tag is followed to what it names). */
  peel(id: string): Promise<CommitId | undefined>;
  /** What has this id, a tag not followed; undefined where there is none. */
  stored(id: string): Promise<StoredTag | undefined>;
}

/** Reads, checks and keeps objects. What is parsed is checked against its id first. */
export function objectReader(source: ObjectSource, limits: ObjectLimits, counter: ObjectCounter): CachedReader {
  const commits = lruCache<string, Commit>(64 * 1024 * 1024);
  const trees = lruCache<string, readonly TreeEntry[]>(1_000_000);
  const blobs = lruCache<string, Uint8Array>(64 * 1024 * 1024);

  async function one(id: string, maximumBytes: number): Promise<Found> {
    const [found] = await source.read([id], maximumBytes);
    return found ?? { kind: 'missing' };
  }

  async function commit(id: CommitId): Promise<Commit> {
    const kept = commits.get(id);
    if (kept !== undefined) return kept;
    const content = expect('commit', id, await one(id, COMMIT_BYTES), COMMIT_BYTES);
    counter.commitsRead += 1;
    return keepCommit(commits, id, content);
  }

  async function tree(id: TreeId): Promise<readonly TreeEntry[]> {
    const kept = trees.get(id);
    if (kept !== undefined) return kept;
    const maximum = limits.treeEntries * ENTRY_BYTES;
    const content = expect('tree', id, await one(id, maximum), maximum);
    counter.treesRead += 1;
    return keepTree(trees, id, content, limits.treeEntries);
  }

  async function readBlobs(ids: readonly BlobId[]): Promise<readonly Uint8Array[]> {
    const absent = [...new Set(ids.filter((id) => blobs.get(id) === undefined))];
    const fresh = new Map<string, Uint8Array>();
    const found = absent.length === 0 ? [] : await source.read(absent, limits.blobBytes);
    for (const [index, id] of absent.entries()) {
      const content = expect('blob', id, found[index] ?? { kind: 'missing' }, limits.blobBytes);
      counter.blobsRead += 1;
      fresh.set(id, content);
      if (content.byteLength <= SMALL_BLOB) blobs.set(id, content, content.byteLength + 100);
    }
    return await Promise.all(ids.map(async (id) => fresh.get(id) ?? blobs.get(id) ?? (await blob(id))));
  }

  async function blob(id: BlobId): Promise<Uint8Array> {
    const kept = blobs.get(id);
    if (kept !== undefined) return kept;
    const content = expect('blob', id, await one(id, limits.blobBytes), limits.blobBytes);
    counter.blobsRead += 1;
    if (content.byteLength <= SMALL_BLOB) blobs.set(id, content, content.byteLength + 100);
    return content;
  }

  async function peel(id: string): Promise<CommitId | undefined> {
    let next = id;
    for (let depth = 0; depth < 8; depth += 1) {
      if (commits.get(next) !== undefined) return commits.get(next)?.id;
      const found = await one(next, COMMIT_BYTES);
      if (found.kind !== 'object') return undefined;
      if (found.type === 'commit') return keepCommit(commits, next, found.content).id;
      const target = found.type === 'tag' ? /^object ([0-9a-f]{40})\n/.exec(Buffer.from(found.content).toString('latin1', 0, 64)) : null;
      if (target?.[1] === undefined) return undefined;
      next = target[1];
    }
    return undefined;
  }

  async function stored(id: string): Promise<StoredTag | undefined> {
    const found = await one(id, COMMIT_BYTES);
    if (found.kind === 'missing') return undefined;
    if (found.type !== 'tag') return { kind: 'lightweight', id, type: found.type };
    return { kind: 'annotated', id, raw: checked('tag', id, expect('tag', id, found, COMMIT_BYTES)) };
  }

  return {
    commit,
    tree,
    blob,
    blobs: readBlobs,
    peel,
    stored,
    remember(type, id, content) {
      if (type === 'commit') keepCommit(commits, id, content);
      if (type === 'blob' && content.byteLength <= SMALL_BLOB) blobs.set(id, content, content.byteLength + 100);
      if (type === 'tree') keepTree(trees, id, content, limits.treeEntries);
    },
  };
}

function expect(type: ObjectType, id: string, found: Found, maximum: number): Uint8Array {
  switch (found.kind) {
    case 'missing':
      throw new PortError('missing', `${type} ${id} is not in the repository`);
    case 'too-long':
      throw new PortError('invalid', `${found.type} ${id} has ${found.bytes} bytes; at most ${maximum} are read`);
    case 'object':
      if (found.type !== type) throw new PortError('invalid', `${id} is a ${found.type}, not a ${type}`);
      return found.content;
  }
}

function keepCommit(cache: Cache<string, Commit>, id: string, content: Uint8Array): Commit {
  const parsed = parseCommit(id as Commit['id'], checked('commit', id, content));
  if (!parsed.ok) throw new PortError('invalid', `commit ${id} is refused: ${parsed.reason}`);
  cache.set(id, parsed.value, content.byteLength * 2 + 500);
  return parsed.value;
}

function keepTree(cache: Cache<string, readonly TreeEntry[]>, id: string, content: Uint8Array, maximum: number): readonly TreeEntry[] {
  const parsed = parseTree(checked('tree', id, content), maximum);
  if (!parsed.ok) throw new PortError('invalid', `tree ${id} is refused: ${parsed.reason}`);
  cache.set(id, parsed.value, parsed.value.length + 1);
  return parsed.value;
}

/** Git itself trusts a loose object's name; a repository that was damaged or doctored must not pass. */
function checked(type: ObjectType, id: string, content: Uint8Array): Uint8Array {
  if (objectIdOf(type, content) !== id) throw new PortError('transient', `${type} ${id} is corrupt: its bytes have another id`);
  return content;
}
