import type { BlobId, CommitId, TreeId } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import { createMemo } from '#model/memo.ts';
import { branchRef, isName, toCapsuleName } from '#model/names.ts';
import type { CapsuleName } from '#model/names.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { ReleaseIndex } from '#model/resolution.ts';
import type { TrustState, TrustStep, UnitChange } from '#model/trust.ts';
import type { AllowedSigner, PathVerdict } from '#model/verdict.ts';
import { isVersion } from '#model/version.ts';
import type { History, ObjectReader } from '#ports/repository.ts';
import { emptyIndex, extendIndex } from '#resolve/resolve.ts';
import { advanceTrust, judgeCommit, rewriteTrust, startTrust } from '#trust/trust.ts';
import type { CommitFindingsReader } from './commit-findings.ts';
import type { FirstSeen, RanSince } from './first-seen.ts';
import { addImports, importsOf, type DeclaredImport, type WithImports } from './imports.ts';
import { createMergedSides } from './merged-sides.ts';
import type { Reading } from './reading.ts';
import { createReleaseBranches, type ChainState } from './release-branches.ts';
import { trustOf } from './trust-of.ts';
import type { TrustOf } from './trust-of.ts';
import { declaredAt, heldIfMerged, stepOf } from './trust-step.ts';
import type { HeldUnit } from './trust-step.ts';
import { changesBetween, entriesOf, levelOf, unitsOf } from './unit-changes.ts';
import type { Level, UnitReader } from './unit-changes.ts';
import { createWalkable } from './walkable.ts';

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
  /** Heads of pull requests that a squash or rebase came from, the newest last: what accepts it must stay reachable. */
  readonly squashed: readonly CommitId[];
  /** What released capsules import of other repositories. */
  readonly imports: readonly DeclaredImport[];
}

/** Reads the default branch's first parents once; a push costs what it adds. */
export interface MainHistory {
  upTo(tip: CommitId): Promise<HistoryView>;
  /** What a merge of `head` that no key signs would leave held on top of `tip`; judged by the policy of `tip`. */
  ifMerged(tip: CommitId, head: CommitId): Promise<readonly HeldUnit[]>;
  /** The releases known at a commit; nothing at all where there is none yet. */
  releases(tip: CommitId | undefined): Promise<{ readonly index: ReleaseIndex }>;
}

export interface HistoryOptions {
  readonly repository: ObjectReader & History;
  readonly reading: Reading;
  readonly branch: string;
  /** Trust starts here; the first commit where undefined. */
  readonly root: CommitId | undefined;
  /** Without a root: trust starts at the first commit that one of these signed. */
  readonly rootSigners: readonly AllowedSigner[] | undefined;
  readonly findings: CommitFindingsReader;
  readonly firstSeen: FirstSeen;
  readonly ranSince: RanSince;
  /** Heads of pull requests that the ledger keeps reachable, the newest first. */
  readonly kept: () => Promise<readonly CommitId[]>;
}

interface Parts extends HistoryOptions {
  readonly repository: UnitReader & History;
}

const LIMIT = 1_000_000;

interface State extends ChainState {
  readonly capsules: ReadonlyMap<CapsuleName, readonly CapsuleStep[]>;
  readonly squashed: readonly CommitId[];
  /** Commits of branches that were squashed or rebased: what was merged once is not merged again. */
  readonly spent: ReadonlySet<CommitId>;
  /** Heads that the last commit came from: a rebase brings several commits of one head, right after each other. */
  readonly origins: readonly CommitId[];
}

export function createMainHistory(given: HistoryOptions): MainHistory {
  const repository = { ...given.repository, ...createWalkable(given.repository) };
  const options: Parts = { ...given, repository };
  const known = createMemo<State>(64);
  const underway = new Map<CommitId, Promise<State>>();
  /** The furthest state of the default branch; only its head is remembered so, never that of a pull request. */
  let last: State | undefined;
  let rewrittenBy: CommitId | undefined;
  let open: { readonly state: State; readonly pulls: string } | undefined;

  const withBranches = createReleaseBranches({ ...options, stateAt });

  const withImports = createMemo<WithImports>(16);

  /** Release branches and imports; what is imported changes only when one is fetched. */
  async function withAll(state: State): ReturnType<typeof withBranches> {
    const released = await withBranches(state);
    if (released.imports.length === 0) return released;
    const refs = [...(await repository.refs())].filter(([ref]) => ref.startsWith('refs/capstan/imports/'));
    const key = [state.tip, ...released.index.tips.values(), ...refs.map(([ref]) => ref)].join(' ');
    const known = withImports.get(key) ?? withImports.set(key, await addImports({ repository, reading: options.reading }, released));
    return { ...released, ...known };
  }

  /** Runs of several environments ask for the same tip at once: it is worked out once. */
  async function stateAt(tip: CommitId): Promise<State> {
    const found = known.get(tip);
    if (found !== undefined) return found;
    if (open?.state.tip === tip && open.pulls === (await pullsText(repository))) return open.state;
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
      return await remembered(await extend(options, from, chain.toReversed()));
    const near = chain.findIndex((commit) => known.get(commit) !== undefined);
    const base = near < 0 ? undefined : known.get(chain[near] ?? tip);
    return await remembered(await extend(options, base, (base === undefined ? chain : chain.slice(0, near)).toReversed()));
  }

  /** What could not be looked at is looked at again once another pull request's head is here. */
  async function remembered(state: State): Promise<State> {
    if (isFinal(state)) return known.set(state.tip, state);
    open = { state, pulls: await pullsText(repository) };
    return state;
  }

  /** Along first parents: a merge that has it as another parent puts it aside for a branch that an older policy judged. */
  async function goesOn(before: CommitId, tip: CommitId): Promise<boolean> {
    const oldest = (await repository.firstParents(tip, before, LIMIT)).at(-1);
    return oldest !== undefined && (await repository.commit(oldest)).parents[0] === before;
  }

  /** A default branch that lost commits was rewritten; a commit of its past or of a pull request rewrites nothing. */
  async function notice(state: State): Promise<void> {
    const { tip } = state;
    if (last?.tip === tip || (await repository.refs()).get(branchRef(options.branch)) !== tip) return;
    const before = last;
    if (before === undefined || (await goesOn(before.tip, tip))) {
      if (last === before && isFinal(state)) last = state;
    } else if (!(await repository.isAncestor(tip, before.tip))) rewrittenBy ??= tip;
  }

  async function upTo(tip: CommitId): Promise<HistoryView> {
    if (await repository.isShallow()) return cutOff(tip, options.root !== undefined);
    const state = await stateAt(tip);
    await notice(state);
    const problems = state.trust === undefined ? [rootNotFound(options, tip)] : [];
    const released = await withAll(state);
    const trust = state.trust === undefined || rewrittenBy === undefined ? state.trust : rewriteTrust(state.trust, rewrittenBy);
    return {
      tip,
      index: released.index,
      trust: trustOf({
        state: trust,
        declared: state,
        releases: released.verdicts,
        earlier: released.earlier,
        isPinned: options.root !== undefined || options.rootSigners !== undefined,
      }),
      capsules: state.capsules,
      problems,
      imports: released.imports,
      squashed: state.squashed,
    };
  }

  async function ifMerged(tip: CommitId, head: CommitId): Promise<readonly HeldUnit[]> {
    const { trust } = await stateAt(tip);
    return trust === undefined ? [] : heldIfMerged(options, { trust, tip, head });
  }

  return {
    upTo,
    ifMerged,
    releases: async (tip) => ({ index: tip === undefined ? emptyIndex() : (await withAll(await stateAt(tip))).index }),
  };
}

/** Whether trust starts here: at the pinned commit, else at the first that a pinned key signed, else at the first of all. */
function isRoot(
  options: HistoryOptions,
  level: Level,
  at: { readonly isFirst: boolean; readonly firstSeen: Instant | undefined },
): boolean {
  if (options.root !== undefined) return level.commit.id === options.root;
  if (options.rootSigners === undefined) return at.isFirst;
  return at.firstSeen !== undefined && judgeCommit(level.commit, options.rootSigners, 'commit', at.firstSeen).kind === 'accepted';
}

/** The root stands for the history that it ends, so for every release in it; so does a seal. */
function acceptEarlier(
  verdicts: Map<string, PathVerdict>,
  capsules: State['capsules'],
  root: { readonly by: string; readonly commit: CommitId },
): void {
  for (const [name, steps] of capsules)
    for (const step of steps) {
      const key = `${name}@${step.version} ${step.gitTree}`;
      const kind = verdicts.get(key)?.kind;
      if (kind !== 'accepted' && kind !== 'not-enforced') verdicts.set(key, { kind: 'accepted', ...root });
    }
}

/** What a commit that changes nothing accepted: by its signature under what stands, or as a seal. */
function acceptLater(
  verdicts: Map<string, PathVerdict>,
  capsules: State['capsules'],
  { before, after }: { readonly before: TrustState; readonly after: TrustState },
): void {
  if (after.seal !== undefined && after.seal !== before.seal)
    acceptEarlier(verdicts, capsules, { by: `the seal of ${after.seal.by}`, commit: after.seal.commit });
  for (const unit of before.held.keys()) {
    const verdict = after.units.get(unit);
    const steps = capsules.get(unit.slice('capsules/'.length) as CapsuleName);
    const last = unit.startsWith('capsules/') ? steps?.at(-1) : undefined;
    if (last !== undefined && verdict?.kind === 'accepted')
      verdicts.set(`${unit.slice('capsules/'.length)}@${last.version} ${last.gitTree}`, verdict);
  }
}

function isFinal(state: State): boolean {
  return [...(state.trust?.units.values() ?? [])].every((verdict) => verdict.kind !== 'could-not-look');
}

async function pullsText(repository: History): Promise<string> {
  return [...(await repository.refs())].flatMap(([ref, id]) => (ref.startsWith('refs/pull/') ? [id] : [])).join(' ');
}

async function extend(options: Parts, base: State | undefined, commits: readonly CommitId[]): Promise<State> {
  const { repository } = options;
  const observed: { commit: CommitId; capsules: { name: CapsuleName; version: string; gitTree: TreeId }[] }[] = [];
  const capsules = new Map(base?.capsules);
  const verdicts = new Map(base?.releaseVerdicts);
  let trust = base?.trust;
  let before = base === undefined ? undefined : await levelOf(repository, base.tip);
  const seen = await options.firstSeen(commits);
  const merges = createMergedSides(options);
  const squashed = [...(base?.squashed ?? [])];
  const spent = new Set(base?.spent);
  let origins = base?.origins ?? [];
  const imports = [...(base?.imports ?? [])];
  for (const id of commits) {
    const level = await levelOf(repository, id);
    const changes = await changesBetween(repository, before, level);
    const versions = await observe(options, changes);
    const moved = versions.filter((item) => isVersion(item.version));
    imports.push(...moved.flatMap((item) => item.imports));
    if (moved.length > 0) observed.push({ commit: id, capsules: moved });
    for (const item of versions)
      capsules.set(item.name, [...(capsules.get(item.name) ?? []), { commit: id, version: item.version, gitTree: item.gitTree }]);
    if (trust === undefined) {
      if (isRoot(options, level, { isFirst: before === undefined, firstSeen: seen.get(id) })) {
        trust = startTrust({ commit: level.commit, ...(await declaredAt(options, level)), units: await unitsOf(repository, level) });
        acceptEarlier(verdicts, capsules, { by: 'the trust root', commit: id });
      }
    } else {
      const step = await stepOf(options, merges, { before, level, changes, firstSeen: seen.get(id), trust, spent, origins });
      const judged = advanceTrust(trust, [step]);
      if (step.isEmpty) acceptLater(verdicts, capsules, { before: trust, after: judged });
      trust = judged;
      const sides = originsIn(step);
      origins = sides.map((side) => side.head.id);
      squashed.push(...origins);
      for (const item of sides.flatMap((side) => side.range)) spent.add(item.commit.id);
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
  return {
    tip,
    ...(await declaredAt(options, before)),
    index: extendIndex(base?.index ?? emptyIndex(), options.branch, observed),
    trust,
    capsules,
    releaseVerdicts: verdicts,
    imports,
    squashed,
    spent,
    origins,
  };
}

/** Branches that have what a commit of one parent changed. */
function originsIn({ commit, changes, sides }: TrustStep): TrustStep['sides'] {
  if (commit.parents.length > 1) return [];
  return sides.filter((side) =>
    changes.some((change) => side.equalLocks.has(change.path) || side.contents.get(change.path) === change.after),
  );
}

/** The versions that changed capsules carry, those included that V-05 refuses; a capsule that cannot be read has none. */
async function observe(
  options: Parts,
  changes: readonly UnitChange[],
): Promise<{ name: CapsuleName; version: string; gitTree: TreeId; imports: readonly DeclaredImport[] }[]> {
  const moved = changes.flatMap((change) => {
    const name = change.path.slice('capsules/'.length);
    return change.path.startsWith('capsules/') && isName(name) && change.after !== undefined
      ? [{ name: toCapsuleName(name), tree: change.after as TreeId }]
      : [];
  });
  const found: { name: CapsuleName; version: string; gitTree: TreeId; blob: BlobId }[] = [];
  for (const item of moved) {
    const entries = (await entriesOf(options.repository, item.tree)) ?? [];
    const file = entries.find((entry) => entry.name === 'capsule.yaml');
    if (file?.kind === 'blob' && file.mode !== '120000') found.push({ name: item.name, version: '', gitTree: item.tree, blob: file.id });
  }
  if (found.length === 0) return [];
  const documents = await options.reading.documents(found.map((item) => ({ path: `capsules/${item.name}/capsule.yaml`, id: item.blob })));
  return found.flatMap(({ name, gitTree }, index) => {
    const version = versionOf(documents[index]);
    if (version === undefined) return [];
    const document = documents[index]?.document;
    const owner = { owner: `${name}@${version} ${gitTree}`, capsule: name, version };
    const imports = document?.kind === 'capsule' ? importsOf(owner, document.declared.value.spec) : [];
    return [{ name, version, gitTree, imports }];
  });
}

function versionOf(parsed: Awaited<ReturnType<Reading['documents']>>[number] | undefined): string | undefined {
  return parsed?.document?.kind === 'capsule' ? parsed.document.declared.value.metadata.version : parsed?.refusedVersion;
}

/** Of a history that is cut off nothing is known: what was cut may be what must be refused. */
function cutOff(tip: CommitId, isPinned: boolean): HistoryView {
  const problem: Problem = {
    code: 'shallow-history',
    rule: undefined,
    severity: 'error',
    phase: 'validate',
    message: 'the history of this clone is cut off (shallow), so neither versions nor signatures can be judged',
    remedy: 'Fetch all of it: git fetch --unshallow (in a workflow: fetch-depth: 0).',
    place: NOWHERE,
    related: [],
  };
  const trust = trustOf({ state: undefined, declared: { policy: undefined, project: undefined }, releases: new Map(), isPinned });
  return { tip, index: emptyIndex(), trust, capsules: new Map(), problems: [problem], squashed: [], imports: [] };
}

function rootNotFound({ root }: HistoryOptions, tip: CommitId): Problem {
  return {
    code: 'trust-root-unreachable',
    rule: undefined,
    severity: 'error',
    phase: 'validate',
    message:
      root === undefined
        ? `no first-parent ancestor of ${tip} is signed by a key of trust.allowedSigners, so nothing can be judged`
        : `the trust root ${root} is not a first-parent ancestor of ${tip}, so nothing can be judged`,
    remedy: 'Correct trust in the configuration, or the history of the default branch.',
    place: NOWHERE,
    related: [],
  };
}
