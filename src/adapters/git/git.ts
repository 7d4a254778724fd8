import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { objectDatabase } from '#adapters/git-objects/git-objects.ts';
import type { CommitId } from '#model/digest.ts';
import { isObjectId, toCommitId, toTreeId } from '#model/digest.ts';
import { importRef, type ImportPin } from '#model/imports.ts';
import { createMemo } from '#model/memo.ts';
import type { RefName } from '#model/names.ts';
import { toRefName } from '#model/names.ts';
import { unreadableFormat } from '#model/object-format.ts';
import type { ObjectCounter, ObjectSource } from '#ports/object-source.ts';
import { isPortError, PortError, refusal } from '#ports/port-error.ts';
import type { MergedTrees, MovedRef, ObjectLimits, RefUpdate, Repository, StoredTag } from '#ports/repository.ts';
import { advertisedRefs } from './advertised.ts';
import { catFile } from './cat-file.ts';
import { gitChildren } from './children.ts';
import { saysCorrupt } from './failures.ts';
import { fetchForeign } from './imports.ts';
import { createRepository, findRepository, isDirectory, removeStaleLocks, replaceMirror } from './place.ts';
import type { StoredRef } from './refs.ts';
import { isRefName, parseRefList, readRefs } from './refs.ts';
import type { Remote } from './remote.ts';
import { checkRemote, fetchRemote, moveLocalRefs, pushRemote } from './remote.ts';
import { writeObjects } from './write-objects.ts';

export interface GitOptions {
  /** A bare mirror (made where there is nothing), or any clone; a clone's index and work tree are never touched. */
  readonly path: string;
  /** What the mirror follows. Without one, refs move here and nowhere else. */
  readonly remote?: Remote | undefined;
  readonly limits: ObjectLimits;
  /** Answers about two histories that are remembered, 20,000 by default. */
  readonly comparisons?: number | undefined;
  /** Local repositories that may be imported from, none by default; everything else comes by https. */
  readonly importPaths?: readonly string[] | undefined;
  /** The program, `git` by default. */
  readonly gitCommand?: string | undefined;
}

/** Commits opened in process before history is asked of a child instead. */
const STEPS_IN_PROCESS = 64;
const COMPARISONS = 20_000;
const LOOSE_OBJECTS = 5000;
const PACKS = 50;
const OLDEST_GIT = [2, 38] as const;

/** A repository by the git executable's plumbing: one long-lived reader, one child per fetch, push or ref transaction. */
export async function gitRepository(options: GitOptions): Promise<Repository> {
  const command = options.gitCommand ?? 'git';
  const { remote, limits } = options;
  if (remote !== undefined) checkRemote(remote);
  const place = (await findRepository(options.path)) ?? (await createRepository(command, options.path, remote !== undefined));
  if (remote !== undefined && !place.isMirror) {
    throw new PortError('invalid', `${place.directory} is a repository of somebody else; a mirror needs an empty folder`);
  }
  const children = gitChildren(command, place.directory);
  const hasRefFiles = await checkFormat();
  let isDamaged = false;
  const reader = catFile(
    () => children.start(['-c', 'protocol.allow=never', 'cat-file', '--batch-command', '--buffer']),
    () => {
      isDamaged = true;
    },
  );
  const counter: ObjectCounter = { blobsRead: 0, treesRead: 0, commitsRead: 0 };
  const database = objectDatabase(source(), limits, counter);
  const ancestry = createMemo<boolean>(options.comparisons ?? COMPARISONS);
  const mergeBases = createMemo<{ readonly id: CommitId | undefined }>(options.comparisons ?? COMPARISONS);
  let remoteCalls = 0;
  let known: ReadonlyMap<RefName, CommitId> | undefined;
  /** How often refs moved, or may have. */
  let moves = 0;
  let last: Promise<unknown> = Promise.resolve();

  async function checkFormat(): Promise<boolean> {
    const [version, format] = await Promise.all([
      children.run(['version'], { doing: 'starting git' }),
      children.run(['rev-parse', '--show-object-format'], { doing: `opening ${place.directory}` }),
    ]);
    const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version.stdout) ?? []).slice(1).map(Number);
    if (major < OLDEST_GIT[0] || (major === OLDEST_GIT[0] && minor < OLDEST_GIT[1])) {
      throw new PortError('unsupported', `git ${major}.${minor} is too old; ${OLDEST_GIT.join('.')} or later is needed`);
    }
    if (format.stdout.trim() !== 'sha1') {
      throw refusal(unreadableFormat(place.directory));
    }
    return !(await isDirectory(join(place.directory, 'reftable')));
  }

  function source(): ObjectSource {
    return {
      async read(ids, maximumBytes) {
        const found = await reader.read(ids, maximumBytes);
        for (const [index, id] of ids.entries()) {
          if (found[index]?.kind === 'missing') await checkMissing(id);
        }
        return found;
      },
      async write(objects) {
        const there = await reader.present(objects.map((object) => object.id));
        const fresh = objects.filter((object) => !there.has(object.id));
        await writeObjects(children, { directory: place.directory, isOnlyCopy: remote === undefined }, fresh);
      },
    };
  }

  /** Git calls an object that it cannot unpack missing; the file says otherwise. */
  async function checkMissing(id: string): Promise<void> {
    const file = join(place.directory, 'objects', id.slice(0, 2), id.slice(2));
    if ((await stat(file).catch(() => undefined)) !== undefined) throw new PortError('transient', `object ${id} is corrupt`);
  }

  /** A local read that fails for no reason of its own means damage: the next fetch makes the mirror anew. */
  async function noticing<T>(reading: Promise<T>): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      if (isPortError(error) && error.kind === 'transient') isDamaged = true;
      throw error;
    }
  }

  /** Changes of the repository happen one after the other; reads do not wait. */
  async function alone<T>(change: () => Promise<T>): Promise<T> {
    const mine = last.then(change, change);
    last = mine.catch(() => undefined);
    return await mine;
  }

  async function refs(): Promise<ReadonlyMap<RefName, CommitId>> {
    if (remote !== undefined && known !== undefined) return known;
    const asOf = moves;
    const stored = hasRefFiles ? await readRefs(place.directory, limits.refs) : await listRefs();
    const found = new Map<RefName, CommitId>();
    const open: [RefName, StoredRef][] = [];
    for (const [name, ref] of stored) {
      if (ref.isPeeled) found.set(name, toCommitId(ref.peeled ?? ref.id));
      else open.push([name, ref]);
    }
    const peeled = await Promise.all(open.map(async ([, ref]) => await noticing(database.peel(ref.id))));
    for (const [index, [name]] of open.entries()) {
      const id = peeled[index];
      if (id !== undefined) found.set(name, id);
    }
    // A push that ended meanwhile knows better than what was read before it.
    if (asOf === moves) known = found;
    return found;
  }

  async function tag(name: string): Promise<StoredTag | undefined> {
    if (isObjectId(name)) return await noticing(database.stored(name));
    const ref = name.startsWith('refs/tags/') ? name : `refs/tags/${name}`;
    if (!isRefName(ref)) throw new PortError('invalid', `${JSON.stringify(name.slice(0, 200))} is not the name of a tag`);
    const found = (hasRefFiles ? await readRefs(place.directory, limits.refs) : await listRefs()).get(toRefName(ref));
    return found === undefined ? undefined : await noticing(database.stored(found.id));
  }

  async function listRefs(): Promise<ReadonlyMap<RefName, StoredRef>> {
    const format = '--format=%(objectname) %(*objectname) %(refname)';
    return parseRefList((await children.run(['for-each-ref', format], { doing: 'reading refs' })).stdout, limits.refs);
  }

  async function resolve(revision: string): Promise<CommitId | undefined> {
    if (isObjectId(revision)) return await noticing(database.peel(revision));
    if (revision === 'HEAD') return await resolveHead();
    const names = revision.startsWith('refs/')
      ? [revision]
      : [`refs/heads/${revision}`, `refs/remotes/origin/${revision}`, `refs/tags/${revision}`];
    if (!names.every(isRefName) || revision.startsWith('-')) {
      throw new PortError('invalid', `${JSON.stringify(revision.slice(0, 200))} is not the name of a branch or tag, or a commit id`);
    }
    const all = await refs();
    for (const name of names) {
      const id = all.get(toRefName(name));
      if (id !== undefined) return id;
    }
    return undefined;
  }

  async function resolveHead(): Promise<CommitId | undefined> {
    const text = (await readFile(join(place.head, 'HEAD'), 'utf8')).trim();
    const target = /^ref: (refs\/.+)$/.exec(text)?.[1];
    if (target !== undefined) return (await refs()).get(toRefName(target));
    return isObjectId(text) ? toCommitId(text) : undefined;
  }

  async function firstParents(from: CommitId, until: CommitId | undefined, limit: number): Promise<readonly CommitId[]> {
    const near = await noticing(database.walkFirstParents(from, until, Math.min(limit, STEPS_IN_PROCESS)));
    if (near.complete || near.ids.length >= limit) return near.ids;
    const args = ['rev-list', '--first-parent', `--max-count=${limit}`, from, '--'];
    const listed = await children.run(args, { doing: 'walking history' });
    const ids = listed.stdout.split('\n').filter(isObjectId).map(toCommitId);
    const end = until === undefined ? -1 : ids.indexOf(until);
    return end < 0 ? ids : ids.slice(0, end);
  }

  async function isAncestor(ancestor: CommitId, descendant: CommitId): Promise<boolean> {
    const key = `${ancestor} ${descendant}`;
    const answer =
      ancestry.get(key) ?? (await noticing(database.reaches(ancestor, descendant, STEPS_IN_PROCESS))) ?? (await askAncestor(key));
    return ancestry.set(key, answer);
  }

  async function askAncestor(pair: string): Promise<boolean> {
    const args = ['merge-base', '--is-ancestor', ...pair.split(' ')];
    return (await children.run(args, { doing: 'comparing histories', statuses: [1] })).status === 0;
  }

  async function mergeBase(a: CommitId, b: CommitId): Promise<CommitId | undefined> {
    if (a === b) {
      // Its own base, where there is such a commit at all.
      await noticing(database.commit(a));
      return a;
    }
    const key = `${a} ${b}`;
    const answered = mergeBases.get(key);
    if (answered !== undefined) return answered.id;
    const found = await children.run(['merge-base', a, b], { doing: 'comparing histories', statuses: [1] });
    const id = found.status === 0 ? toCommitId(found.stdout.trim()) : undefined;
    return mergeBases.set(key, { id }).id;
  }

  async function mergeTrees(ours: CommitId, theirs: CommitId): Promise<MergedTrees> {
    const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs];
    const merged = await children.run(args, { doing: 'merging', statuses: [1] });
    const [tree = '', ...paths] = merged.stdout.split('\0');
    if (merged.status === 0) return { kind: 'merged', tree: toTreeId(tree.trim()) };
    return { kind: 'conflict', paths: [...new Set(paths.filter((path) => path !== ''))].sort() };
  }

  async function fetch(signal?: AbortSignal): Promise<readonly MovedRef[]> {
    if (remote === undefined) return [];
    return await alone(async () => {
      const before = await refs().catch(() => known ?? new Map<RefName, CommitId>());
      await bringUp(remote, signal);
      moves += 1;
      known = undefined;
      const after = await refs();
      const moved = movedRefs(before, after);
      if (moved.length > 0) await pack();
      return moved;
    });
  }

  /** A remote that cannot be asked so is asked by git, which says what is wrong. */
  async function hasNews(signal?: AbortSignal): Promise<boolean> {
    if (remote === undefined) return false;
    if (isDamaged || known === undefined) return true;
    remoteCalls += 1;
    const there = await advertisedRefs(remote, limits.refs, signal).catch(() => undefined);
    if (there === undefined) return true;
    const here = [...(await refs())].filter(([ref]) => /^refs\/(heads\/|pull\/)/.test(ref));
    return here.length !== there.size || here.some(([ref, id]) => there.get(ref) !== id);
  }

  async function bringUp(from: Remote, signal: AbortSignal | undefined): Promise<void> {
    remoteCalls += 1;
    try {
      if (!isDamaged) return await fetchRemote(children, from, signal);
    } catch (error) {
      if (!isPortError(error) || error.kind !== 'transient') throw error;
      if (saysCorrupt(error.message)) isDamaged = true;
      else if (!(await removeStaleLocks(place.directory))) throw error;
      else return await fetchRemote(children, from, signal);
    }
    reader.stop();
    await replaceMirror(command, place, async (directory) => await fetchRemote(gitChildren(command, directory), from, signal));
    isDamaged = false;
  }

  async function push(updates: readonly RefUpdate[], signal?: AbortSignal): Promise<void> {
    checkUpdates(updates);
    if (updates.length === 0) return;
    await alone(async () => {
      if (remote === undefined) {
        await moveLocalRefs(children, updates, await refs());
        return;
      }
      remoteCalls += 1;
      await pushRemote(children, remote, updates, signal);
      const next = new Map(await refs());
      for (const update of updates) {
        if (update.next === undefined) next.delete(update.ref);
        else next.set(update.ref, update.next);
      }
      moves += 1;
      known = next;
    });
  }

  async function fetchImport(pin: ImportPin, signal?: AbortSignal): Promise<void> {
    const ref = importRef(pin);
    if ((await refs()).has(ref)) return;
    remoteCalls += 1;
    const from = { command, directory: place.directory, limits, paths: options.importPaths ?? [] };
    const { objects, holder } = await fetchForeign(from, pin, signal);
    await source().write(objects);
    await alone(async () => {
      await moveLocalRefs(children, [{ ref, expected: (await refs()).get(ref), next: toCommitId(holder) }], await refs());
      moves += 1;
      known = undefined;
    });
  }

  /** Packs what piled up, in a bare repository nobody is reading just now; else the next time. */
  async function pack(): Promise<void> {
    if (!place.isBare || !reader.isIdle()) return;
    const [sample, packs] = await Promise.all(
      ['objects/17', 'objects/pack'].map(async (folder) => await readdir(join(place.directory, folder)).catch(() => [])),
    );
    if ((sample?.length ?? 0) * 256 <= LOOSE_OBJECTS && (packs ?? []).filter((name) => name.endsWith('.pack')).length <= PACKS) return;
    reader.stop();
    await children.run(['repack', '--geometric=2', '-d', '-l', '-q'], { doing: 'packing objects' });
    await children.run(['pack-refs', '--all'], { doing: 'packing refs' });
  }

  return {
    commit: async (id) => await noticing(database.commit(id)),
    tree: async (id) => await noticing(database.tree(id)),
    blob: async (id) => await noticing(database.blob(id)),
    blobs: async (ids) => await noticing(database.blobs(ids)),
    writeTree: async (base, changes) => await noticing(database.writeTree(base, changes)),
    writeCommit: async (draft, sign) => await noticing(database.writeCommit(draft, sign)),
    refs,
    resolve,
    tag,
    firstParents,
    isAncestor,
    mergeBase,
    mergeTrees,
    hasNews,
    fetch,
    push,
    fetchImport,
    isShallow: async () => (await stat(join(place.directory, 'shallow')).catch(() => undefined)) !== undefined,
    counts: () => ({ ...counter, forks: children.count(), remoteCalls }),
    async close() {
      await last;
      reader.stop();
    },
  };
}

function checkUpdates(updates: readonly RefUpdate[]): void {
  for (const { ref } of updates) {
    if (!isRefName(ref)) throw new PortError('invalid', `${JSON.stringify(ref.slice(0, 200))} is not the name of a ref`);
  }
  if (new Set(updates.map((update) => update.ref)).size !== updates.length) {
    throw new PortError('invalid', 'one push moves the same ref twice');
  }
}

function movedRefs(before: ReadonlyMap<RefName, CommitId>, after: ReadonlyMap<RefName, CommitId>): readonly MovedRef[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.map((ref) => ({ ref, before: before.get(ref), after: after.get(ref) })).filter((move) => move.before !== move.after);
}

/** Whether a repository stands at `path`, bare or with a work tree. */
export async function isRepository(path: string): Promise<boolean> {
  return (await findRepository(path)) !== undefined;
}
