import type { BlobId, CommitId, ObjectId, TreeId } from '#model/digest.ts';
import type { Commit, TreeEntry } from '#model/git-objects.ts';
import type { Instant } from '#model/instant.ts';
import { branchRef, isName, toCapsuleName } from '#model/names.ts';
import type { CapsuleName } from '#model/names.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { ReleaseIndex } from '#model/resolution.ts';
import type { MergedSide, RangeCommit, TrustState, TrustStep, UnitChange, UnitContent } from '#model/trust.ts';
import type { PathVerdict } from '#model/verdict.ts';
import { isPortError } from '#ports/port-error.ts';
import type { History, ObjectReader } from '#ports/repository.ts';
import { emptyIndex, extendIndex } from '#resolve/resolve.ts';
import { advanceTrust, rewriteTrust, startTrust } from '#trust/trust.ts';
import type { FirstSeen } from './first-seen.ts';
import { createMemo } from './memo.ts';
import type { Reading } from './reading.ts';
import { trustOf } from './trust-of.ts';
import type { TrustOf } from './trust-of.ts';

/** One state of a capsule along first parents, for the rules about history. */
export interface CapsuleStep {
  readonly commit: CommitId;
  readonly version: string;
  readonly gitTree: TreeId;
}

/** Everything that follows from the first-parent chain up to one commit. */
export interface HistoryView {
  readonly tip: CommitId;
  readonly index: ReleaseIndex;
  readonly trust: TrustOf;
  readonly capsules: ReadonlyMap<CapsuleName, readonly CapsuleStep[]>;
  readonly problems: readonly Problem[];
}

/** Reads the default branch's first parents once; a push costs what it adds. */
export interface MainHistory {
  upTo(tip: CommitId): Promise<HistoryView>;
  /** The releases known at a commit; nothing at all where there is none yet. */
  releases(tip: CommitId | undefined): Promise<{ readonly index: ReleaseIndex }>;
}

export interface HistoryOptions {
  readonly repository: ObjectReader & History;
  readonly reading: Reading;
  readonly branch: string;
  /** Trust starts here; the first commit where undefined. */
  readonly root: CommitId | undefined;
  readonly firstSeen: FirstSeen;
}

const LIMIT = 1_000_000;

interface State {
  readonly tip: CommitId;
  readonly index: ReleaseIndex;
  readonly trust: TrustState | undefined;
  readonly capsules: ReadonlyMap<CapsuleName, readonly CapsuleStep[]>;
  readonly releaseVerdicts: ReadonlyMap<string, PathVerdict>;
}

export function createMainHistory(options: HistoryOptions): MainHistory {
  const { repository } = options;
  const known = createMemo<State>(64);
  const underway = new Map<CommitId, Promise<State>>();
  /** The furthest state of the default branch; only its head is remembered so, never that of a pull request. */
  let last: State | undefined;
  let rewrittenBy: CommitId | undefined;

  /** Runs of several environments ask for the same tip at once: it is worked out once. */
  function stateAt(tip: CommitId): Promise<State> {
    const found = known.get(tip);
    if (found !== undefined) return Promise.resolve(found);
    const running = underway.get(tip) ?? workOut(tip).finally(() => underway.delete(tip));
    underway.set(tip, running);
    return running;
  }

  /** Goes on from the nearest first parent whose state is known. */
  async function workOut(tip: CommitId): Promise<State> {
    const from = last;
    if (from?.tip === tip) return from;
    const chain = await repository.firstParents(tip, from?.tip, LIMIT);
    const oldest = chain.at(-1);
    if (from !== undefined && oldest !== undefined && (await repository.commit(oldest)).parents[0] === from.tip)
      return known.set(tip, await extend(options, from, chain.toReversed()));
    const near = chain.findIndex((commit) => known.get(commit) !== undefined);
    const base = near < 0 ? undefined : known.get(chain[near] ?? tip);
    return known.set(tip, await extend(options, base, (base === undefined ? chain : chain.slice(0, near)).toReversed()));
  }

  /** A default branch that lost commits was rewritten; a commit of its past or of a pull request rewrites nothing. */
  async function notice(state: State): Promise<void> {
    const { tip } = state;
    if (last?.tip === tip || (await repository.refs()).get(branchRef(options.branch)) !== tip) return;
    const before = last;
    if (before === undefined || (await repository.isAncestor(before.tip, tip))) {
      if (last === before) last = state;
    } else if (!(await repository.isAncestor(tip, before.tip))) rewrittenBy ??= tip;
  }

  async function upTo(tip: CommitId): Promise<HistoryView> {
    const state = await stateAt(tip);
    await notice(state);
    const problems = state.trust === undefined ? [rootNotFound(options.root, tip)] : [];
    const trust = state.trust === undefined || rewrittenBy === undefined ? state.trust : rewriteTrust(state.trust, rewrittenBy);
    return {
      tip,
      index: state.index,
      trust: trustOf({ state: trust, releases: state.releaseVerdicts, isPinned: options.root !== undefined }),
      capsules: state.capsules,
      problems,
    };
  }

  return {
    upTo,
    releases: async (tip) => ({ index: tip === undefined ? emptyIndex() : (await stateAt(tip)).index }),
  };
}

interface Level {
  readonly commit: Commit;
  /** Files below environments/ and policies/, and capsules' trees: what trust judges. */
  readonly roots: Readonly<Record<'capsules' | 'environments' | 'policies', TreeId | undefined>>;
}

async function extend(options: HistoryOptions, base: State | undefined, commits: readonly CommitId[]): Promise<State> {
  const { repository } = options;
  const observed: { commit: CommitId; capsules: { name: CapsuleName; version: string; gitTree: TreeId }[] }[] = [];
  const capsules = new Map(base?.capsules);
  const verdicts = new Map(base?.releaseVerdicts);
  let trust = base?.trust;
  let before = base === undefined ? undefined : await levelOf(repository, base.tip);
  const seen = await options.firstSeen(commits);
  for (const id of commits) {
    const level = await levelOf(repository, id);
    const changes = await changesBetween(repository, before, level);
    const moved = await observe(options, changes);
    if (moved.length > 0) observed.push({ commit: id, capsules: moved });
    for (const item of moved)
      capsules.set(item.name, [...(capsules.get(item.name) ?? []), { commit: id, version: item.version, gitTree: item.gitTree }]);
    if (trust === undefined) {
      const isRoot = options.root === undefined ? before === undefined : options.root === id;
      if (isRoot)
        trust = startTrust({ commit: level.commit, project: await projectAt(options, level), units: await unitsOf(repository, level) });
    } else {
      trust = advanceTrust(trust, [await stepOf(options, { before, level, changes, firstSeen: seen.get(id) })]);
    }
    for (const item of moved) {
      const name = `${item.name}@${item.version} ${item.gitTree}`;
      const unit = `capsules/${item.name}`;
      const verdict = trust?.units.get(unit);
      if (!verdicts.has(name) && verdict !== undefined) verdicts.set(name, verdict);
    }
    before = level;
  }
  const tip = commits.at(-1) ?? base?.tip;
  if (tip === undefined) throw new Error('a history needs a commit');
  return { tip, index: extendIndex(base?.index ?? emptyIndex(), options.branch, observed), trust, capsules, releaseVerdicts: verdicts };
}

async function levelOf(repository: ObjectReader, id: CommitId): Promise<Level> {
  const commit = await repository.commit(id);
  const root = await repository.tree(commit.tree);
  const folder = (name: string): TreeId | undefined => {
    const entry = root.find((item) => item.name === name);
    return entry?.kind === 'tree' ? entry.id : undefined;
  };
  const roots = { capsules: folder('capsules'), environments: folder('environments'), policies: folder('policies') };
  return { commit, roots };
}

/** Units (trust.ts) that differ: capsules as trees, everything else file by file; equal subtrees are never opened. */
async function changesBetween(repository: ObjectReader, before: Level | undefined, after: Level): Promise<readonly UnitChange[]> {
  const changes: UnitChange[] = [];
  for (const name of ['capsules', 'environments', 'policies'] as const) {
    await collect(repository, changes, {
      path: name,
      before: before?.roots[name],
      after: after.roots[name],
      isShallow: name === 'capsules',
    });
  }
  return changes;
}

interface Pair {
  readonly path: string;
  readonly before: TreeId | undefined;
  readonly after: TreeId | undefined;
  /** Entries of this folder are units, folders too. */
  readonly isShallow: boolean;
}

async function collect(repository: ObjectReader, changes: UnitChange[], pair: Pair): Promise<void> {
  if (pair.before === pair.after) return;
  const old = entriesByName(pair.before === undefined ? [] : await repository.tree(pair.before));
  const fresh = entriesByName(pair.after === undefined ? [] : await repository.tree(pair.after));
  for (const name of new Set([...old.keys(), ...fresh.keys()])) {
    const left = old.get(name);
    const right = fresh.get(name);
    if (left?.id === right?.id && left?.mode === right?.mode) continue;
    const path = `${pair.path}/${name}`;
    if (pair.isShallow) {
      changes.push({ path, before: left?.id, after: right?.id });
      continue;
    }
    await collect(repository, changes, {
      path,
      before: left?.kind === 'tree' ? left.id : undefined,
      after: right?.kind === 'tree' ? right.id : undefined,
      isShallow: false,
    });
    const [file, next] = [left?.kind === 'tree' ? undefined : left?.id, right?.kind === 'tree' ? undefined : right?.id];
    if (file !== next) changes.push({ path, before: file, after: next });
  }
}

function entriesByName(entries: readonly TreeEntry[]): ReadonlyMap<string, TreeEntry> {
  return new Map(entries.map((entry) => [entry.name, entry]));
}

async function unitsOf(repository: ObjectReader, level: Level): Promise<readonly UnitContent[]> {
  const changes = await changesBetween(repository, undefined, level);
  return changes.map((change) => ({ path: change.path, id: change.after }));
}

/** The versions that changed capsules carry; one that cannot be read releases nothing. */
async function observe(
  options: HistoryOptions,
  changes: readonly UnitChange[],
): Promise<{ name: CapsuleName; version: string; gitTree: TreeId }[]> {
  const moved = changes.flatMap((change) => {
    const name = change.path.slice('capsules/'.length);
    return change.path.startsWith('capsules/') && isName(name) && change.after !== undefined
      ? [{ name: toCapsuleName(name), tree: change.after as TreeId }]
      : [];
  });
  const found: { name: CapsuleName; version: string; gitTree: TreeId; blob: BlobId }[] = [];
  for (const item of moved) {
    const entries = await options.repository.tree(item.tree).catch((error: unknown) => {
      if (isPortError(error)) return [];
      throw error;
    });
    const file = entries.find((entry) => entry.name === 'capsule.yaml');
    if (file?.kind === 'blob' && file.mode !== '120000') found.push({ name: item.name, version: '', gitTree: item.tree, blob: file.id });
  }
  if (found.length === 0) return [];
  const documents = await options.reading.documents(found.map((item) => ({ path: `capsules/${item.name}/capsule.yaml`, id: item.blob })));
  return found.flatMap(({ name, gitTree }, index) => {
    const version = versionOf(documents[index]);
    return version === undefined ? [] : [{ name, version, gitTree }];
  });
}

function versionOf(document: Awaited<ReturnType<Reading['documents']>>[number] | undefined): string | undefined {
  return document?.kind === 'capsule' ? document.declared.value.metadata.version : undefined;
}

async function projectAt(options: HistoryOptions, level: Level | undefined): Promise<TrustStep['project']> {
  if (level?.roots.environments === undefined) return undefined;
  const file = (await options.repository.tree(level.roots.environments)).find((entry) => entry.name === 'project.yaml');
  if (file?.kind !== 'blob') return undefined;
  const [document] = await options.reading.documents([{ path: 'environments/project.yaml', id: file.id }]);
  return document?.kind === 'project' ? document.declared : undefined;
}

async function stepOf(
  options: HistoryOptions,
  from: {
    readonly before: Level | undefined;
    readonly level: Level;
    readonly changes: readonly UnitChange[];
    readonly firstSeen: Instant | undefined;
  },
): Promise<TrustStep> {
  const { level, changes, firstSeen } = from;
  if (firstSeen === undefined) throw new Error('every commit of a chain was seen some time');
  const project = await projectAt(options, from.before);
  const others = level.commit.parents.slice(1);
  if (changes.length === 0) return { commit: level.commit, firstSeen, project, changes, sides: [], unread: undefined };
  const heads = others.length > 0 ? { heads: others, unread: undefined } : await pullHeads(options, level.commit);
  const sides: MergedSide[] = [];
  for (const head of heads.heads) sides.push(await sideOf(options, from, head));
  return { commit: level.commit, firstSeen, project, changes, sides, unread: heads.unread };
}

/** Heads of pull requests that a squash or rebase may have come from: `(#12)` in the subject, or the trailer Change-Request. */
async function pullHeads(
  options: HistoryOptions,
  commit: Commit,
): Promise<{ readonly heads: readonly CommitId[]; readonly unread: string | undefined }> {
  const numbers = new Set(
    [...commit.message.matchAll(/(?:\(#|Change-Request: \S*#)(\d{1,9})/g)].slice(0, 8).map((match) => match[1] ?? ''),
  );
  if (numbers.size === 0) return { heads: [], unread: undefined };
  const refs = await options.repository.refs();
  const byName = new Map<string, CommitId>(refs);
  return { heads: [...numbers].flatMap((number) => byName.get(`refs/pull/${number}/head`) ?? []), unread: undefined };
}

const RANGE = 1000;

async function sideOf(
  options: HistoryOptions,
  from: { readonly before: Level | undefined; readonly changes: readonly UnitChange[] },
  headId: CommitId,
): Promise<MergedSide> {
  const { repository } = options;
  const head = await levelOf(repository, headId);
  const base = from.before === undefined ? undefined : await repository.mergeBase(from.before.commit.id, headId);
  const range: RangeCommit[] = [];
  for (const id of await rangeOf(repository, headId, base)) {
    const level = await levelOf(repository, id);
    const [parent] = level.commit.parents;
    const changed = await changesBetween(repository, parent === undefined ? undefined : await levelOf(repository, parent), level);
    range.push({ commit: level.commit, units: changed.map((change) => change.path) });
  }
  const contents = new Map<string, ObjectId | undefined>();
  const baseLevel = from.before;
  const different = new Map((await changesBetween(repository, baseLevel, head)).map((change) => [change.path, change.after]));
  for (const change of from.changes) contents.set(change.path, different.has(change.path) ? different.get(change.path) : change.before);
  return { head: head.commit, range, contents };
}

/** Commits of `base..head` by any parent, at most a thousand. */
async function rangeOf(repository: ObjectReader & History, head: CommitId, base: CommitId | undefined): Promise<readonly CommitId[]> {
  const found = new Set<CommitId>();
  const open: CommitId[] = [head];
  for (let id = open.pop(); id !== undefined && found.size < RANGE; id = open.pop()) {
    if (found.has(id) || id === base || (base !== undefined && (await repository.isAncestor(id, base)))) continue;
    found.add(id);
    open.push(...(await repository.commit(id)).parents);
  }
  return [...found];
}

function rootNotFound(root: CommitId | undefined, tip: CommitId): Problem {
  return {
    code: 'trust-root-unreachable',
    rule: undefined,
    severity: 'error',
    phase: 'validate',
    message: `the trust root ${root ?? ''} is not a first-parent ancestor of ${tip}, so nothing can be judged`,
    remedy: 'Correct trust.root in the configuration, or the history of the default branch.',
    place: NOWHERE,
    related: [],
  };
}
