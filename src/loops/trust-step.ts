import type { CommitId } from '#model/digest.ts';
import { toCommitId } from '#model/digest.ts';
import { encodeCommit, parseCommit } from '#model/git-commit.ts';
import { objectIdOf } from '#model/git-objects.ts';
import type { Commit } from '#model/git-objects.ts';
import type { Instant } from '#model/instant.ts';
import type { TrustState, TrustStep, UnitChange } from '#model/trust.ts';
import type { History } from '#ports/repository.ts';
import { advanceTrust, heldUnits, needsNoOrigin } from '#trust/trust.ts';
import type { CommitFindingsReader } from './commit-findings.ts';
import type { FirstSeen } from './first-seen.ts';
import { createMergedSides } from './merged-sides.ts';
import type { MergedSides } from './merged-sides.ts';
import type { Reading } from './reading.ts';
import type { DeclaredTrust } from './trust-policies.ts';
import { changesBetween, levelOf } from './unit-changes.ts';
import type { Level, UnitReader } from './unit-changes.ts';

export interface StepOptions {
  readonly repository: UnitReader & History;
  readonly reading: Reading;
  readonly findings: CommitFindingsReader;
  readonly firstSeen: FirstSeen;
  /** Heads of pull requests that the ledger keeps reachable, the newest first. */
  readonly kept: () => Promise<readonly CommitId[]>;
}

export interface StepAt {
  readonly before: Level | undefined;
  readonly level: Level;
  readonly changes: readonly UnitChange[];
  readonly firstSeen: Instant | undefined;
  readonly trust: TrustState;
  /** Commits of branches that were squashed or rebased. */
  readonly spent: ReadonlySet<CommitId>;
  readonly origins: readonly CommitId[];
}

/** What judges the next commit is what this one declares. */
export async function declaredAt({ reading }: Pick<StepOptions, 'reading'>, level: Level | undefined): Promise<DeclaredTrust> {
  return reading.trust.at(level?.roots ?? { environments: undefined, policies: undefined });
}

/** One commit with what its judges look at. */
export async function stepOf(options: StepOptions, merges: MergedSides, from: StepAt): Promise<TrustStep> {
  const { before, level, changes, firstSeen, trust } = from;
  if (firstSeen === undefined) throw new Error('every commit of a chain was seen some time');
  const { policy, project } = await declaredAt(options, before);
  const isEmpty = level.commit.tree === before?.commit.tree;
  const declares = changes.some((change) => /^environments\/project\.ya?ml$/.test(change.path));
  const next = declares ? { next: (await declaredAt(options, level)).project } : {};
  const policies = [policy, trust.policy];
  const findings = await options.findings.ofCommits([level.commit], policies);
  const step = { commit: level.commit, firstSeen, policy, project, isEmpty, changes, findings, ...next };
  if (changes.length === 0) return { ...step, sides: [], unread: undefined };
  const isVouchedFor = needsNoOrigin(trust, step);
  const isSpent = (head: CommitId): boolean => from.spent.has(head) && !from.origins.includes(head);
  const merged = await merges.sidesOf({ before, after: level, changes, isVouchedFor, accepted: trust.accepted, isSpent });
  const others = merged.sides.flatMap((side) => [side.head, ...side.range.map((item) => item.commit)]);
  const theirs = await options.findings.ofCommits(others, policies);
  return { ...step, ...merged, findings: theirs.size === 0 ? findings : new Map([...findings, ...theirs]) };
}

/** A path that would be held, and why. */
export type HeldUnit = ReturnType<typeof heldUnits>[number];

/** The forge merges without a key that counts: what the branch itself does not vouch for would be held. */
export async function heldIfMerged(
  options: StepOptions,
  { trust, tip, head }: { readonly trust: TrustState; readonly tip: CommitId; readonly head: CommitId },
): Promise<readonly HeldUnit[]> {
  const { repository } = options;
  const [before, theirs] = [await levelOf(repository, tip), await levelOf(repository, head)];
  const base = await repository.mergeBase(tip, head);
  const brought = await changesBetween(repository, base === undefined ? undefined : await levelOf(repository, base), theirs);
  const paths = new Set(brought.map((change) => change.path));
  const changes = (await changesBetween(repository, before, theirs)).filter((change) => paths.has(change.path));
  if (changes.length === 0) return [];
  const level: Level = { ...theirs, commit: unsignedMerge(before.commit, theirs.commit) };
  const firstSeen = (await options.firstSeen([head])).get(head);
  const at = { before, level, changes, firstSeen, trust, spent: new Set<CommitId>(), origins: [] };
  const judged = advanceTrust(trust, [await stepOf(options, createMergedSides(options), at)]);
  return heldUnits(judged).filter(({ path }) => paths.has(path));
}

/** The merge that a forge would make; it is written nowhere. */
function unsignedMerge(onto: Commit, head: Commit): Commit {
  const { author, committer, message, tree } = head;
  const raw = Buffer.from(encodeCommit({ tree, parents: [onto.id, head.id], author, committer, message }, undefined));
  const parsed = parseCommit(toCommitId(objectIdOf('commit', raw)), raw);
  if (!parsed.ok) throw new Error(`a commit that was made here can be read: ${parsed.reason}`);
  return parsed.value;
}
