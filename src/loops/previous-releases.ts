import type { CapsuleSource } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import type { Release, ReleaseIndex } from '#model/resolution.ts';
import { compareVersions, isBreakingBump, isPrerelease } from '#model/version.ts';
import { composedSnapshot } from './composed.ts';
import type { Snapshot } from './reading.ts';
import type { ReadingWorld } from './world.ts';

interface Looked {
  readonly at: Snapshot;
  /** What is released at the snapshot. */
  readonly index: ReleaseIndex;
  readonly capsules: readonly CapsuleSource[];
}

/**
 * For V-22: the highest release below each new version that must not break anything, with what it inherits. New is what the default branch has not released; on that
 * branch itself, what its head released. Of all other capsules nothing is read.
 */
export async function previousReleases(world: ReadingWorld, { at, index, capsules }: Looked): Promise<ReadonlyMap<string, CapsuleSource>> {
  if (await world.repository.isShallow()) return new Map();
  const head = at.commit ?? (await world.repository.resolve('HEAD'));
  const base = await baseOf(world, head);
  const released = base === undefined || base === head ? index : (await world.history.releases(base)).index;
  const found = capsules.flatMap(({ name, declared }): Release[] => {
    const { version } = declared.value.metadata;
    const own = released.releases.get(name);
    const itself = own?.get(version);
    if (own === undefined || (itself !== undefined && itself.commit !== head)) return [];
    const below = [...own.values()].filter((release) => !isPrerelease(release.version) && compareVersions(release.version, version) < 0);
    const highest = below.sort((a, b) => compareVersions(b.version, a.version))[0];
    return highest === undefined || isBreakingBump(highest.version, version) ? [] : [highest];
  });
  if (found.length === 0) return new Map();
  const loaded = await world.reading.capsules(found.map((release) => ({ name: release.capsule, tree: release.gitTree })));
  const sources = loaded.flatMap(({ source }) => source ?? []);
  return new Map(
    (await composedSnapshot(world.reading, sources, released)).map((source): [string, CapsuleSource] => [source.name, source]),
  );
}

/** Where a branch left the default branch; the head itself on that branch. */
async function baseOf(world: ReadingWorld, head: CommitId | undefined): Promise<CommitId | undefined> {
  const main = await world.repository.resolve(world.settings.branch);
  return head === undefined || main === undefined || main === head ? head : world.repository.mergeBase(head, main);
}
