import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import { createMemo } from '#model/memo.ts';
import { branchRef, type RefName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { Release, ReleaseIndex } from '#model/resolution.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import type { TrustState } from '#model/trust.ts';
import type { PathVerdict, SignatureVerdict } from '#model/verdict.ts';
import type { History, ObjectReader } from '#ports/repository.ts';
import { extendIndex } from '#resolve/resolve.ts';
import { judgeCommits, policyAfter } from '#trust/trust.ts';
import type { CommitFindingsReader } from './commit-findings.ts';
import type { FirstSeen, RanSince } from './first-seen.ts';
import type { DeclaredImport } from './imports.ts';

/** What one chain of first parents says, as far as release branches need it. */
export interface ChainState {
  readonly tip: CommitId;
  readonly index: ReleaseIndex;
  readonly trust: TrustState | undefined;
  readonly capsules: ReadonlyMap<string, readonly { readonly version: string; readonly gitTree: string }[]>;
  readonly releaseVerdicts: ReadonlyMap<string, PathVerdict>;
  readonly imports: readonly DeclaredImport[];
  /** What the tip declares; its own commit may be the one that nobody accepted. */
  readonly project: Declared<Project> | undefined;
  readonly policy: TrustPolicy | undefined;
}

/** The releases of the default branch and of the release branches beside it. */
export interface WithBranches {
  readonly index: ReleaseIndex;
  /** What may come in: judged by the trust of today, too. */
  readonly verdicts: ReadonlyMap<string, PathVerdict>;
  /** What was judged along the branch itself: enough for what is locked already. */
  readonly earlier: ReadonlyMap<string, PathVerdict>;
  readonly imports: readonly DeclaredImport[];
}

interface Parts {
  readonly repository: ObjectReader & History;
  readonly branch: string;
  readonly findings: CommitFindingsReader;
  readonly firstSeen: FirstSeen;
  readonly ranSince: RanSince;
  readonly stateAt: (tip: CommitId) => Promise<ChainState>;
}

/** More branches or more commits of one than these are looked at by nobody. */
const BRANCHES = 200;
const COMMITS = 10_000;
const CHAIN = 1_000_000;
/** Branches that the engine writes release nothing, whatever a pattern says. */
const ENGINES = /^(rendered|promote|rollback)\/|^(audit|evidence)$/;

/** Branches that `patterns` name, by name; `*` stands for any text without a slash. A branch of the repository counts before one of its remote. */
export function releaseBranches(
  refs: ReadonlyMap<RefName, CommitId>,
  patterns: readonly string[],
  defaultBranch: string,
): ReadonlyMap<string, CommitId> {
  const found = new Map<string, CommitId>();
  const tests = patterns.map((pattern) => new RegExp(`^${pattern.split('*').map(escaped).join('[^/]*')}$`));
  if (tests.length === 0) return found;
  for (const prefix of ['refs/remotes/origin/', 'refs/heads/']) {
    for (const [ref, tip] of refs) {
      const name = ref.startsWith(prefix) ? ref.slice(prefix.length) : undefined;
      if (name === undefined || name === defaultBranch || ENGINES.test(name)) continue;
      if (tests.some((test) => test.test(name))) found.set(name, tip);
    }
  }
  return new Map([...found].sort(([a], [b]) => compareText(a, b)).slice(0, BRANCHES));
}

/** The same text while no release branch moved. */
export function releaseTips(...given: Parameters<typeof releaseBranches>): string {
  return [...releaseBranches(...given)].map(([name, tip]) => `${name} ${tip}`).join('\n');
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Adds what release branches released since they left the default branch; a branch that never was on it adds nothing. */
export function createReleaseBranches(parts: Parts): (state: ChainState) => Promise<WithBranches> {
  const { repository, branch } = parts;
  const known = createMemo<WithBranches>(16);
  let main: { readonly tip: CommitId; readonly commits: ReadonlySet<CommitId> } | undefined;

  async function commitsOf(tip: CommitId): Promise<ReadonlySet<CommitId>> {
    const before = main;
    if (before?.tip === tip) return before.commits;
    const fresh = await repository.firstParents(tip, before?.tip, CHAIN);
    const oldest = fresh.at(-1);
    const follows = before !== undefined && oldest !== undefined && (await repository.commit(oldest)).parents[0] === before.tip;
    const commits = new Set(follows ? [...fresh, ...before.commits] : fresh);
    main = { tip, commits };
    return commits;
  }

  async function added(state: ChainState, branches: ReadonlyMap<string, CommitId>, onMain: ReadonlySet<CommitId>): Promise<WithBranches> {
    let { index } = state;
    const verdicts = new Map(state.releaseVerdicts);
    const earlier = new Map(state.releaseVerdicts);
    const imports = [...state.imports];
    for (const [name, tip] of branches) {
      const chain = await repository.firstParents(tip, undefined, CHAIN);
      const fork = chain.findIndex((commit) => onMain.has(commit));
      // Trust starts where the default branch's does, so a branch with a history of its own is nobody's.
      if (fork <= 0 || fork > COMMITS) continue;
      await parts.stateAt(chain[fork] ?? tip);
      const own = new Set(chain.slice(0, fork));
      const side = await parts.stateAt(tip);
      const releases = [...side.index.releases.values()].flatMap((versions) => [...versions.values()]).filter((one) => own.has(one.commit));
      const conflicts = side.index.conflicts.filter((one) => own.has(one.commit) && stands(side, one));
      const keys = new Set(releases.map(verdictKey));
      imports.push(...side.imports.filter((one) => keys.has(one.owner)));
      index = extendIndex(index, name, observed(chain, releases, conflicts));
      for (const release of releases) {
        const key = verdictKey(release);
        if (verdicts.has(key)) continue;
        const found = side.releaseVerdicts.get(key);
        const before = await judgedWhenItRan(side, release, found);
        if (before !== undefined) earlier.set(key, before);
        verdicts.set(key, await judged(state, release, found));
      }
    }
    return { index, verdicts, earlier, imports };
  }

  /** No record names the commits of a release branch, but one tells when a release of it ran: its key must have been good by then. */
  async function judgedWhenItRan(side: ChainState, release: Release, found: PathVerdict | undefined): Promise<PathVerdict | undefined> {
    if (found === undefined || found.kind === 'accepted' || found.kind === 'not-enforced') return found;
    const at = (await parts.ranSince()).get(`${release.capsule}@${release.version}`);
    if (at === undefined) return found;
    const verdict = await vouchedFor(side, release, { commits: [release.commit], firstSeen: at });
    return verdict?.kind === 'accepted' ? { kind: 'accepted', by: verdict.signer, commit: release.commit } : found;
  }

  /** The key of a branch may have been good when it left the default branch; what comes in now must be signed by one that is good now. */
  async function judged(state: ChainState, release: Release, found: PathVerdict | undefined): Promise<PathVerdict> {
    if (found !== undefined && found.kind !== 'accepted' && found.kind !== 'not-enforced') return found;
    const vouching = found?.kind === 'accepted' ? found.commit : release.commit;
    const seen = (await parts.firstSeen([vouching])).get(vouching);
    if (seen === undefined) throw new Error('every commit was seen some time');
    const several = found?.kind === 'accepted' ? found.vouching?.map((one) => one.commit) : undefined;
    const verdict = await vouchedFor(state, release, { commits: several ?? [vouching], firstSeen: seen });
    if (verdict === undefined) return { kind: 'refused', commit: vouching, sentence: 'trust starts nowhere in this history' };
    return verdict.kind === 'accepted' ? { kind: 'accepted', by: verdict.signer, commit: vouching } : verdict;
  }

  /** By the policy of a chain's tip, if that was itself accepted, else by the last one that was. */
  async function vouchedFor(
    { trust, policy }: ChainState,
    { capsule }: Release,
    { commits, firstSeen }: { readonly commits: readonly CommitId[]; readonly firstSeen: Instant },
  ): Promise<SignatureVerdict | undefined> {
    if (trust === undefined) return undefined;
    const signed = await Promise.all(commits.map((commit) => repository.commit(commit)));
    const judging = policyAfter(trust, policy);
    const findings = await parts.findings.ofCommits(signed, [judging]);
    return judgeCommits(signed, judging, { purpose: 'capsule', path: `capsules/${capsule}`, firstSeen, findings });
  }

  return async (state) => {
    const alone = { index: state.index, verdicts: state.releaseVerdicts, earlier: state.releaseVerdicts, imports: state.imports };
    const patterns = state.project?.value.spec.branches?.release ?? [];
    if (patterns.length === 0) return alone;
    const refs = await repository.refs();
    const branches = releaseBranches(refs, patterns, branch);
    if (branches.size === 0) return alone;
    const tip = refs.get(branchRef(branch)) ?? state.tip;
    const key = [state.tip, tip, ...[...branches].map(([name, at]) => `${name} ${at}`)].join('\n');
    return known.get(key) ?? known.set(key, await added(state, branches, await commitsOf(tip)));
  };
}

/** Whether the branch has the other content still. */
function stands(side: ChainState, { release, gitTree }: ReleaseIndex['conflicts'][number]): boolean {
  return side.capsules.get(release.capsule)?.findLast((step) => step.version === release.version)?.gitTree === gitTree;
}

type Observed = Parameters<typeof extendIndex>[2][number];

/** What the branch brought, commit by commit, oldest first; its tip at last. */
function observed(chain: readonly CommitId[], releases: readonly Release[], conflicts: ReleaseIndex['conflicts']): readonly Observed[] {
  const at = new Map<CommitId, { name: Release['capsule']; version: string; gitTree: Release['gitTree'] }[]>();
  const note = (commit: CommitId, { capsule, version }: Release, gitTree: Release['gitTree']): void => {
    const there = at.get(commit) ?? [];
    at.set(commit, [...there, { name: capsule, version, gitTree }]);
  };
  for (const release of releases) note(release.commit, release, release.gitTree);
  for (const conflict of conflicts) note(conflict.commit, conflict.release, conflict.gitTree);
  const found = chain.toReversed().flatMap((commit) => {
    const capsules = at.get(commit);
    return capsules === undefined ? [] : [{ commit, capsules }];
  });
  const [tip] = chain;
  return tip === undefined || found.at(-1)?.commit === tip ? found : [...found, { commit: tip, capsules: [] }];
}

function verdictKey(release: Release): string {
  return `${release.capsule}@${release.version} ${release.gitTree}`;
}
