import { objectDatabase } from '#adapters/git-objects/git-objects.ts';
import type { CommitId } from '#model/digest.ts';
import { isObjectId } from '#model/digest.ts';
import type { RefName } from '#model/names.ts';
import { toRefName } from '#model/names.ts';
import type { Found, NewObject, ObjectCounter } from '#ports/object-source.ts';
import { PortError } from '#ports/port-error.ts';
import type { MergedTrees, MovedRef, ObjectLimits, Repository } from '#ports/repository.ts';

/** What lies on a disk: objects and refs. Survives every kill; copied, it is what a kill leaves. */
export interface MemoryDisk {
  readonly objects: Map<string, NewObject>;
  readonly refs: Map<RefName, CommitId>;
}

export function memoryDisk(from?: MemoryDisk): MemoryDisk {
  return { objects: new Map(from?.objects), refs: new Map(from?.refs) };
}

const LIMITS: ObjectLimits = { blobBytes: 1 << 25, treeEntries: 100_000, refs: 100_000 };
const EVERY_STEP = Number.MAX_SAFE_INTEGER;
const FETCHED = /^refs\/(heads\/.+|pull\/[^/]+\/head)$/;

/** The repository port over memory: the objects, walks and commits of the real adapters, without their programs and files. */
export function memoryRepository(disk: MemoryDisk, remote?: MemoryDisk): Repository {
  const counter: ObjectCounter = { blobsRead: 0, treesRead: 0, commitsRead: 0 };
  let remoteCalls = 0;
  const database = objectDatabase(
    {
      read: async (ids, maximum) => ids.map((id) => foundIn(disk, id, maximum)),
      write: async (objects) => {
        for (const object of objects) disk.objects.set(object.id, object);
      },
    },
    LIMITS,
    counter,
  );

  async function mergeTrees(ours: CommitId, theirs: CommitId): Promise<MergedTrees> {
    const base = await database.commonAncestor(ours, theirs);
    const { changes, conflicts, unsure } = await database.mergeWholeFiles(base, ours, theirs);
    if (conflicts.length + unsure.length > 0) return { kind: 'conflict', paths: [...conflicts, ...unsure].sort() };
    return { kind: 'merged', tree: await database.writeTree((await database.commit(ours)).tree, changes) };
  }

  return {
    ...database,
    mergeTrees,
    refs: async () => new Map([...disk.refs].sort(([a], [b]) => (a < b ? -1 : 1))),
    async resolve(revision) {
      if (isObjectId(revision)) return database.peel(revision);
      return [`refs/heads/${revision}`, `refs/tags/${revision}`, revision]
        .map((name) => disk.refs.get(name as RefName))
        .find((id) => id !== undefined);
    },
    firstParents: async (from, until, limit) => (await database.walkFirstParents(from, until, limit)).ids,
    isAncestor: async (ancestor, descendant) => (await database.reaches(ancestor, descendant, EVERY_STEP)) === true,
    mergeBase: async (a, b) => database.commonAncestor(a, b),
    isShallow: async () => false,
    async hasNews() {
      if (remote === undefined) return false;
      remoteCalls += 1;
      const there = [...remote.refs].filter(([ref]) => FETCHED.test(ref));
      const here = [...disk.refs.keys()].filter((ref) => FETCHED.test(ref));
      return here.length !== there.length || there.some(([ref, id]) => disk.refs.get(ref) !== id);
    },
    async fetch() {
      if (remote === undefined) return [];
      remoteCalls += 1;
      const moved: MovedRef[] = [];
      for (const [id, object] of remote.objects) disk.objects.set(id, object);
      const there = new Map([...remote.refs].filter(([ref]) => FETCHED.test(ref)));
      for (const ref of [...new Set([...disk.refs.keys(), ...there.keys()])].sort()) {
        const [before, after] = [disk.refs.get(ref), there.get(ref)];
        if (before === after) continue;
        moved.push({ ref, before, after });
        if (after === undefined) disk.refs.delete(ref);
        else disk.refs.set(ref, after);
      }
      return moved;
    },
    async push(updates) {
      const onto = remote ?? disk;
      if (remote !== undefined) remoteCalls += 1;
      const stale = updates.filter(({ ref, expected, next }) => onto.refs.get(ref) !== next && onto.refs.get(ref) !== expected);
      if (stale.length > 0) throw new PortError('conflict', `${stale.map((update) => update.ref).join(', ')} moved meanwhile`);
      if (remote !== undefined) for (const [id, object] of disk.objects) remote.objects.set(id, object);
      for (const { ref, next } of updates) {
        for (const place of new Set([onto, disk])) {
          if (next === undefined) place.refs.delete(toRefName(ref));
          else place.refs.set(toRefName(ref), next);
        }
      }
    },
    fetchImport: async ({ name }) => {
      throw new PortError('unsupported', `memory imports nothing (${name})`);
    },
    counts: () => ({ ...counter, forks: 0, remoteCalls }),
    close: async () => undefined,
  };
}

function foundIn(disk: MemoryDisk, id: string, maximum: number): Found {
  const object = disk.objects.get(id);
  if (object === undefined) return { kind: 'missing' };
  const { type, content } = object;
  return content.byteLength > maximum ? { kind: 'too-long', type, bytes: content.byteLength } : { kind: 'object', type, content };
}
