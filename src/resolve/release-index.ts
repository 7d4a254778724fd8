import type { CommitId, TreeId } from '#model/digest.ts';
import type { CapsuleName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { Release, ReleaseIndex } from '#model/resolution.ts';

/** What one commit of a branch says of the capsules it changed. */
export interface Observed {
  readonly commit: CommitId;
  readonly capsules: readonly { readonly name: CapsuleName; readonly version: string; readonly gitTree: TreeId }[];
}

type Conflict = ReleaseIndex['conflicts'][number];

export function nothingReleased(): ReleaseIndex {
  return { tips: new Map(), releases: new Map(), branches: new Map(), conflicts: [] };
}

/**
 * The first tip is the default branch. A version that two branches carry belongs to the default branch, else to the first branch by name, so
 * that an index grown push by push equals one read from nothing.
 */
export function withObservations(index: ReleaseIndex, branch: string, observations: readonly Observed[]): ReleaseIndex {
  const last = observations.at(-1);
  if (last === undefined) return index;
  const tips = new Map(index.tips).set(branch, last.commit);
  const [defaultBranch] = tips.keys();
  const outranks = (other: string): boolean =>
    other !== branch && (branch === defaultBranch || (other !== defaultBranch && branch < other));
  const releases = new Map(index.releases);
  const branches = new Map(index.branches);
  const opened = new Map<CapsuleName, Map<string, Release>>();
  const conflicts: Conflict[] = [...index.conflicts];
  for (const { commit, capsules } of observations) {
    for (const { name, version, gitTree } of capsules) {
      const versions = opened.get(name) ?? new Map(releases.get(name));
      opened.set(name, versions);
      releases.set(name, versions);
      const key = `${name}@${version}`;
      const known = versions.get(version);
      const release: Release = { capsule: name, version, commit, gitTree };
      if (known === undefined || outranks(branches.get(key) ?? branch)) {
        versions.set(version, release);
        branches.set(key, branch);
        if (known !== undefined && known.gitTree !== gitTree) conflicts.push({ release, commit: known.commit, gitTree: known.gitTree });
      } else if (known.gitTree !== gitTree) conflicts.push({ release: known, commit, gitTree });
    }
  }
  return { ...index, tips, releases, branches, conflicts: distinct(conflicts, releases) };
}

/** One conflict per (release, other tree), each against the release as it now stands. */
function distinct(conflicts: readonly Conflict[], releases: ReleaseIndex['releases']): readonly Conflict[] {
  if (conflicts.length === 0) return conflicts;
  const found = new Map<string, Conflict>();
  for (const { release, commit, gitTree } of conflicts) {
    const key = `${release.capsule}@${release.version} ${gitTree}`;
    const current = releases.get(release.capsule)?.get(release.version) ?? release;
    if (gitTree !== current.gitTree && !found.has(key)) found.set(key, { release: current, commit, gitTree });
  }
  return [...found].sort(([a], [b]) => compareText(a, b)).map(([, conflict]) => conflict);
}
