import fs, { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve as resolvePath } from 'node:path';

import git from 'isomorphic-git';

import { objectDatabase } from '#adapters/git-objects/git-objects.ts';
import type { CommitId } from '#model/digest.ts';
import { isObjectId, toCommitId } from '#model/digest.ts';
import type { ObjectType } from '#model/git-objects.ts';
import type { RefName } from '#model/names.ts';
import { toRefName } from '#model/names.ts';
import { unreadableFormat } from '#model/object-format.ts';
import { NO_MASK } from '#model/secret-mask.ts';
import type { Found, ObjectCounter, ObjectSource } from '#ports/object-source.ts';
import { PortError, refusal } from '#ports/port-error.ts';
import type { MergedTrees, MovedRef, ObjectLimits, RefUpdate, Repository, StoredTag } from '#ports/repository.ts';
import { codeOf, portError } from './failures.ts';
import { fetchMoved, pushOne, type Remote, REMOTE } from './remote.ts';

export interface IsomorphicOptions {
  readonly path: string;
  /** http or https only. */
  readonly remote?: Remote | undefined;
  readonly limits: ObjectLimits;
}

const EVERY_STEP = Number.MAX_SAFE_INTEGER;

/**
 * The repository port without a git program. Slower, and `unsupported` for: moving several refs of a remote in one push,
 * merging two changes of one file, remotes that are not http(s), interrupting a call.
 */
export async function isomorphicRepository(options: IsomorphicOptions): Promise<Repository> {
  const { remote, limits } = options;
  if (remote !== undefined && !/^https?:\/\/[^\s@]+$/.test(remote.url)) {
    throw new PortError('unsupported', 'without a git program only http and https remotes can be followed');
  }
  const gitdir = await openDirectory(options.path);
  const counter: ObjectCounter = { blobsRead: 0, treesRead: 0, commitsRead: 0 };
  const database = objectDatabase(source(), limits, counter);
  let remoteCalls = 0;
  let last: Promise<unknown> = Promise.resolve();

  function source(): ObjectSource {
    const cache = {};
    return {
      read: async (ids, maximumBytes) => await Promise.all(ids.map(async (oid) => await readOne(oid, maximumBytes, cache))),
      async write(objects) {
        for (const { id, type, content } of objects) {
          const oid = await git.writeObject({ fs, gitdir, type, object: content, format: 'content' });
          if (oid !== id) throw new Error(`isomorphic-git wrote ${oid} for ${id}`);
        }
      },
    };
  }

  async function readOne(oid: string, maximumBytes: number, cache: object): Promise<Found> {
    try {
      const read = await git.readObject({ fs, gitdir, oid, format: 'content', cache });
      if (!(read.object instanceof Uint8Array)) throw new PortError('transient', `object ${oid} cannot be read`);
      const type = toType(read.type);
      const bytes = read.object.byteLength;
      return bytes > maximumBytes ? { kind: 'too-long', type, bytes } : { kind: 'object', type, content: read.object };
    } catch (error) {
      if (codeOf(error) === 'NotFoundError') return { kind: 'missing' };
      throw portError(`reading ${oid}`, error, NO_MASK);
    }
  }

  async function alone<T>(change: () => Promise<T>): Promise<T> {
    const mine = last.then(change, change);
    last = mine.catch(() => undefined);
    return await mine;
  }

  async function refs(): Promise<ReadonlyMap<RefName, CommitId>> {
    const names = (await git.listRefs({ fs, gitdir, filepath: 'refs' })).map((name) => `refs/${name}`).sort();
    if (names.length > limits.refs)
      throw new PortError('invalid', `the repository has ${names.length} refs; at most ${limits.refs} are read`);
    const found = new Map<RefName, CommitId>();
    for (const ref of names) {
      if (ref.endsWith('.lock') || ref.startsWith(`refs/remotes/${REMOTE}/`)) continue;
      const stored = await git.resolveRef({ fs, gitdir, ref }).catch((error: unknown) => {
        throw portError(`reading ${ref}`, error, NO_MASK);
      });
      const id = ref.startsWith('refs/tags/') ? await database.peel(stored) : toCommitId(stored);
      if (id !== undefined) found.set(toRefName(ref), id);
    }
    return found;
  }

  async function resolve(revision: string): Promise<CommitId | undefined> {
    if (isObjectId(revision)) return await database.peel(revision);
    const all = await refs();
    if (revision === 'HEAD') {
      const text = (await readFile(join(gitdir, 'HEAD'), 'utf8')).trim();
      return text.startsWith('ref: refs/') ? all.get(toRefName(text.slice(5))) : toCommitId(text);
    }
    checkName(revision);
    const names = revision.startsWith('refs/') ? [revision] : ['heads', 'remotes/origin', 'tags'].map((kind) => `refs/${kind}/${revision}`);
    return names.map((name) => all.get(toRefName(name))).find((id) => id !== undefined);
  }

  async function tag(name: string): Promise<StoredTag | undefined> {
    if (isObjectId(name)) return await database.stored(name);
    checkName(name);
    const ref = name.startsWith('refs/tags/') ? name : `refs/tags/${name}`;
    const id = await git.resolveRef({ fs, gitdir, ref }).catch((error: unknown) => {
      if (codeOf(error) === 'NotFoundError') return undefined;
      throw portError(`reading ${ref}`, error, NO_MASK);
    });
    return id === undefined ? undefined : await database.stored(id);
  }

  async function mergeTrees(ours: CommitId, theirs: CommitId): Promise<MergedTrees> {
    const base = await database.commonAncestor(ours, theirs);
    const { changes, conflicts, unsure } = await database.mergeWholeFiles(base, ours, theirs);
    if (unsure.length > 0) {
      throw new PortError('unsupported', `both sides changed ${unsure.join(', ')}; merging within files needs a git program`);
    }
    if (conflicts.length > 0) return { kind: 'conflict', paths: conflicts };
    return { kind: 'merged', tree: await database.writeTree((await database.commit(ours)).tree, changes) };
  }

  async function fetch(): Promise<readonly MovedRef[]> {
    if (remote === undefined) return [];
    return await alone(async () => {
      remoteCalls += 1;
      return await fetchMoved(gitdir, remote, { current: await refs(), maximum: limits.refs });
    });
  }

  async function push(updates: readonly RefUpdate[]): Promise<void> {
    for (const { ref } of updates) checkName(ref);
    await alone(async () => {
      if (remote === undefined) return await moveLocal(updates);
      if (updates.length > 1) throw new PortError('unsupported', 'moving several refs in one push needs a git program');
      for (const update of updates) {
        remoteCalls += 1;
        await pushOne(gitdir, remote, update);
      }
    });
  }

  /** Takes git's own lock on every ref, compares all, then moves all: a git program beside us is kept out meanwhile. */
  async function moveLocal(updates: readonly RefUpdate[]): Promise<void> {
    const locks: string[] = [];
    try {
      for (const { ref } of updates) {
        const lock = join(gitdir, `${ref}.lock`);
        await mkdir(dirname(lock), { recursive: true });
        await writeFile(lock, '', { flag: 'wx' }).catch((error: unknown) => {
          throw new PortError('transient', `another process holds the lock of ${ref}`, error);
        });
        locks.push(lock);
      }
      const current = await refs();
      const open = updates.filter((update) => current.get(update.ref) !== update.next);
      const stale = open.filter((update) => current.get(update.ref) !== update.expected);
      if (stale.length > 0) throw new PortError('conflict', `${stale.map((update) => update.ref).join(', ')} moved meanwhile`);
      for (const { ref, next } of open) {
        if (next === undefined) await git.deleteRef({ fs, gitdir, ref });
        else await git.writeRef({ fs, gitdir, ref, value: next, force: true });
      }
    } finally {
      await Promise.all(locks.map(async (lock) => await rm(lock, { force: true })));
    }
  }

  return {
    ...database,
    refs,
    resolve,
    tag,
    firstParents: async (from, until, limit) => (await database.walkFirstParents(from, until, limit)).ids,
    isAncestor: async (ancestor, descendant) => (await database.reaches(ancestor, descendant, EVERY_STEP)) === true,
    mergeBase: async (a, b) => await database.commonAncestor(a, b),
    mergeTrees,
    fetch,
    push,
    fetchImport: async () => {
      throw new PortError('unsupported', 'imports from other repositories need a git program');
    },
    hasNews: async () => remote !== undefined,
    isShallow: async () => existsSync(join(gitdir, 'shallow')),
    counts: () => ({ ...counter, forks: 0, remoteCalls }),
    async close() {
      await last;
    },
  };
}

async function openDirectory(path: string): Promise<string> {
  const at = resolvePath(path);
  const inside = join(at, '.git');
  const gitdir = (await stat(inside).catch(() => undefined))?.isDirectory() === true ? inside : at;
  if (!existsSync(join(gitdir, 'objects'))) {
    if ((await readdir(at).catch(() => [])).length > 0)
      throw new PortError('invalid', `${at} is neither a git repository nor an empty folder`);
    await git.init({ fs, gitdir: at, bare: true, defaultBranch: 'main' });
    await git.setConfig({ fs, gitdir: at, path: `remote.${REMOTE}.fetch`, value: `+refs/heads/*:refs/remotes/${REMOTE}/*` });
    return at;
  }
  const configuration = await readFile(join(gitdir, 'config'), 'utf8').catch(() => '');
  if (/objectformat\s*=\s*"?sha256/i.test(configuration)) {
    throw refusal(unreadableFormat(at));
  }
  if (/refstorage\s*=\s*"?reftable/i.test(configuration))
    throw new PortError('unsupported', `${at} keeps its refs in tables; that needs a git program`);
  return gitdir;
}

const NAME = /^(?!-)(?!.*(\.\.|@\{|\/\/|\.lock$|\.$))[^\p{Cc} ~^:?*[\\]+$/u;

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new PortError('invalid', `${JSON.stringify(name.slice(0, 200))} is not the name of a branch or tag, or a commit id`);
}

function toType(text: string): ObjectType {
  switch (text) {
    case 'commit':
    case 'tree':
    case 'blob':
    case 'tag':
      return text;
    default:
      throw new PortError('invalid', `unknown object type ${JSON.stringify(text.slice(0, 20))}`);
  }
}
