import type { BlobId, CommitId, ObjectId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import { canonicalJson } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import { toRefName } from '#model/names.ts';
import type { MergedSide, RangeCommit, TrustState, TrustStep, UnitChange } from '#model/trust.ts';
import type { History, ObjectReader } from '#ports/repository.ts';
import { isEndorsement, isLock } from '#trust/trust.ts';
import type { Reading } from './reading.ts';
import { changesBetween, levelOf } from './unit-changes.ts';
import type { Level, UnitReader } from './unit-changes.ts';

/** A commit of the default branch whose origin is asked for. */
export interface Merged {
  readonly before: Level | undefined;
  readonly after: Level;
  readonly changes: readonly UnitChange[];
  /** Signed by whoever may make these changes: then nothing else is looked at. */
  readonly isVouchedFor: boolean;
  /** What was accepted last at each unit. */
  readonly accepted: TrustState['accepted'];
  /** Whether an earlier squash or rebase came from a head, or from a branch with it: what was merged once is not merged again. */
  readonly isSpent: (head: CommitId) => boolean;
}

/** Finds what a forge's merge, squash or rebase was made of. */
export interface MergedSides {
  sidesOf(merged: Merged): Promise<Pick<TrustStep, 'sides' | 'unread'>>;
}

export interface SidesOptions {
  readonly repository: UnitReader & History;
  readonly reading: Reading;
  /** Heads of pull requests that the ledger keeps reachable, the newest first: a plain clone has no others. */
  readonly kept: () => Promise<readonly CommitId[]>;
}

/** Commits of one merged branch that are judged; a longer one cannot be looked at. */
const RANGE = 1000;
/** Newest pull requests, and commits of each, among which the origin of a rebased commit is sought. */
const PULLS = 200;
const DEPTH = 20;

export function createMergedSides(options: SidesOptions): MergedSides {
  const { repository } = options;
  let origins: Promise<ReadonlyMap<string, readonly Origin[]>> | undefined;

  async function sidesOf(merged: Merged): Promise<Pick<TrustStep, 'sides' | 'unread'>> {
    if (merged.isVouchedFor) return { sides: [], unread: undefined };
    const others = merged.after.commit.parents.slice(1);
    const { heads, unread } = others.length > 0 ? { heads: others, unread: undefined } : await headsOf(merged.after.commit);
    const sides: MergedSide[] = [];
    for (const head of heads) {
      const side = await sideOf(options, merged, head);
      if (side === undefined) return { sides: [], unread: `${head.slice(0, 10)} brings more than ${RANGE} commits` };
      sides.push(side);
    }
    return { sides, unread };
  }

  /**
   * Heads of pull requests that a squash or rebase may have come from: `(#12)` in the subject, the trailer Change-Request, or the same words
   * by the same author; where the cited one is not here, those that the ledger keeps.
   */
  async function headsOf(commit: Commit): Promise<{ readonly heads: readonly CommitId[]; readonly unread: string | undefined }> {
    const cited = [...commit.message.matchAll(/(?:\(#|Change-Request: \S*#)(\d{1,9})/g)].slice(0, 8).map((match) => match[1] ?? '');
    const refs = await repository.refs();
    const found = [...new Set(cited)].flatMap((number) => refs.get(toRefName(`refs/pull/${number}/head`)) ?? []);
    if (found.length > 0) return { heads: found, unread: undefined };
    const kept = (await options.kept()).slice(0, PULLS);
    const told = (await (origins ??= originsOf(repository, kept))).get(wordsOf(commit)) ?? [];
    // A branch that was made later has the commit itself in its past.
    const alike = told.filter((origin) => origin.commit !== commit.id).map((origin) => origin.head);
    const [missing] = cited;
    if (alike.length > 0 || missing === undefined) return { heads: alike, unread: undefined };
    return { heads: kept, unread: `refs/pull/${missing}/head is not here` };
  }

  return { sidesOf };
}

interface Origin {
  readonly commit: CommitId;
  /** The branch that it stands in. */
  readonly head: CommitId;
}

/** Who wrote what when: a rebase keeps it. */
function wordsOf({ author, message }: Commit): string {
  return `${author.name} ${author.email} ${author.at}\n${message}`;
}

async function originsOf(repository: ObjectReader & History, kept: readonly CommitId[]): Promise<ReadonlyMap<string, readonly Origin[]>> {
  const pulls = [...(await repository.refs())].flatMap(([ref, id]) => {
    const number = /^refs\/pull\/(\d{1,9})\/head$/.exec(ref)?.[1];
    return number === undefined ? [] : [{ number: Number(number), id }];
  });
  const found = new Map<string, readonly Origin[]>();
  const newest = pulls.sort((a, b) => b.number - a.number).slice(0, PULLS);
  for (const id of new Set([...newest.map((pull) => pull.id), ...kept])) {
    for (const commit of await repository.firstParents(id, undefined, DEPTH)) {
      const words = wordsOf(await repository.commit(commit));
      found.set(words, [...(found.get(words) ?? []), { commit, head: id }]);
    }
  }
  return found;
}

async function sideOf(options: SidesOptions, merged: Merged, headId: CommitId): Promise<MergedSide | undefined> {
  const { repository } = options;
  const { before, changes } = merged;
  const head = await levelOf(repository, headId);
  const base = before === undefined ? undefined : await repository.mergeBase(before.commit.id, headId);
  const ids = await rangeOf(repository, headId, base);
  if (ids === undefined) return undefined;
  const range: RangeCommit[] = [];
  const unitsAt = contentsAmong(repository, merged);
  for (const id of ids) {
    const level = await levelOf(repository, id);
    const [parent] = level.commit.parents;
    const above = parent === undefined ? undefined : await levelOf(repository, parent);
    const changed = await changesBetween(repository, above, level);
    const isEndorsing = level.commit.tree === above?.commit.tree && isEndorsement(level.commit);
    const contents = isEndorsing ? await unitsAt(level) : new Map(changed.map((change) => [change.path, change.after]));
    range.push({ commit: level.commit, units: changed.map((change) => change.path), contents });
  }
  const contents = await unitsAt(head);
  const brought = await changesBetween(repository, base === undefined ? undefined : await levelOf(repository, base), head);
  const net = new Map(brought.map((change) => [change.path, change]));
  const equalLocks = new Set<string>();
  const knows = new Set<string>();
  for (const change of merged.isSpent(headId) ? [] : changes) {
    const theirs = net.get(change.path);
    if (theirs === undefined) continue;
    if (isLock(change.path) && (await isSameLockChange(options.reading, change, theirs))) equalLocks.add(change.path);
    if (await isInformed(options, { theirs, base, range, last: merged.accepted.get(change.path) })) knows.add(change.path);
  }
  return { head: head.commit, range, contents, equalLocks, knows };
}

/** What the step's units are in another commit. */
function contentsAmong(
  repository: UnitReader,
  { before, changes }: Merged,
): (level: Level) => Promise<ReadonlyMap<string, ObjectId | undefined>> {
  return async (level) => {
    const different = new Map((await changesBetween(repository, before, level)).map((change) => [change.path, change.after]));
    return new Map(changes.map(({ path, before: old }) => [path, different.has(path) ? different.get(path) : old]));
  };
}

interface Branch {
  /** What the branch does to the unit, all in all. */
  readonly theirs: UnitChange;
  readonly base: CommitId | undefined;
  readonly range: readonly RangeCommit[];
  readonly last: ReturnType<TrustState['accepted']['get']>;
}

/**
 * Whether a branch knew what was accepted last: it forked later, or it brought that itself (the second of two stacked branches). Where
 * nobody signed that (the root), an equal content is enough.
 */
async function isInformed({ repository }: SidesOptions, { theirs, base, range, last }: Branch): Promise<boolean> {
  for (const [content, { commit, signed }] of last ?? []) {
    if (signed.length === 0 && theirs.before === content) return true;
    if (range.some((item) => signed.includes(item.commit.id))) return true;
    return base !== undefined && (commit === base || (await repository.isAncestor(commit, base)));
  }
  return true;
}

/** Whether two changes of one lock do the same to the same entries, whatever else the lock holds. */
async function isSameLockChange(reading: Reading, one: UnitChange, other: UnitChange): Promise<boolean> {
  if (one.before === other.before && one.after === other.after) return true;
  const [mine, theirs] = [await lockChange(reading, one), await lockChange(reading, other)];
  return mine !== undefined && mine !== '{}' && mine === theirs;
}

/** The entries that differ as canonical JSON; undefined where a lock cannot be read. */
async function lockChange(reading: Reading, { path, before, after }: UnitChange): Promise<string | undefined> {
  const [old, fresh] = [await lockEntries(reading, path, before), await lockEntries(reading, path, after)];
  if (old === undefined || fresh === undefined) return undefined;
  const names = [...new Set([...old.keys(), ...fresh.keys()])].filter((name) => old.get(name) !== fresh.get(name));
  return canonicalJson(Object.fromEntries(names.map((name) => [name, [old.get(name) ?? null, fresh.get(name) ?? null]])));
}

async function lockEntries(reading: Reading, path: string, id: ObjectId | undefined): Promise<ReadonlyMap<string, string> | undefined> {
  if (id === undefined) return new Map();
  const [parsed] = await reading.documents([{ path, id: id as BlobId }]);
  const document = parsed?.document;
  if (document?.kind !== 'lock') return undefined;
  const { capsules, holds } = document.declared.value;
  return new Map(
    Object.entries({ capsules, holds }).flatMap(([part, entries]) =>
      Object.entries(entries).map(([name, entry]): [string, string] => [`${part}/${name}`, canonicalJson(entry as unknown as Json)]),
    ),
  );
}

/** Commits of `base..head` by any parent; undefined where there are more than can be looked at. */
export async function rangeOf(
  repository: ObjectReader & History,
  head: CommitId,
  base: CommitId | undefined,
  limit = RANGE,
): Promise<readonly CommitId[] | undefined> {
  const found = new Set<CommitId>();
  const open: CommitId[] = [head];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id) || id === base || (base !== undefined && (await repository.isAncestor(id, base)))) continue;
    if (found.size >= limit) return undefined;
    found.add(id);
    open.push(...(await repository.commit(id)).parents);
  }
  return [...found];
}
