import { objectDatabase } from '#adapters/git-objects/git-objects.ts';
import type { CommitId } from '#model/digest.ts';
import { isObjectId } from '#model/digest.ts';
import { IMPORT_DIRECTORY, IMPORT_PROOF, importRef, importSteps, type ImportPin } from '#model/imports.ts';
import { toInstant } from '#model/instant.ts';
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
export function memoryRepository(
  disk: MemoryDisk,
  remote?: MemoryDisk,
  elsewhere: ReadonlyMap<string, MemoryDisk> = new Map(),
): Repository {
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

  /** The commit that the real adapters keep: the directory, and what proves where it stands. */
  async function holderOf(pin: ImportPin): Promise<CommitId> {
    const proof = [pin.commit as string];
    let directory = (await database.commit(pin.commit)).tree;
    for (const step of importSteps(pin.path) ?? []) {
      proof.push(directory);
      const entry = (await database.tree(directory)).find((item) => item.name === step);
      if (entry?.kind !== 'tree') throw new PortError('missing', `no directory ${pin.path}`);
      directory = entry.id;
    }
    const bodies = proof.map((id, at) => ({
      kind: 'file' as const,
      path: `${IMPORT_PROOF}/${String(at).padStart(2, '0')}`,
      content: disk.objects.get(id)?.content ?? Buffer.alloc(0),
    }));
    const author = { name: 'Capstan', email: 'engine@capstan.invalid', at: toInstant(0), zone: '+0000' };
    const kept = { kind: 'tree' as const, path: IMPORT_DIRECTORY, id: directory };
    return database.writeCommit({ base: undefined, changes: [kept, ...bodies], parents: [], author, message: 'Keep\n' }, undefined);
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
    async tag(name) {
      const id = isObjectId(name) ? name : disk.refs.get(toRefName(name.startsWith('refs/tags/') ? name : `refs/tags/${name}`));
      return id === undefined ? undefined : database.stored(id);
    },
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
        if (before === after || (after === undefined && !FETCHED.test(ref))) continue;
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
    async fetchImport(pin) {
      remoteCalls += 1;
      const from = elsewhere.get(pin.url);
      if (from === undefined) throw new PortError('transient', `nobody answers for ${pin.name}`);
      for (const [id, object] of from.objects) disk.objects.set(id, object);
      disk.refs.set(importRef(pin), await holderOf(pin));
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
