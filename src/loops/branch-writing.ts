import type { CommitId, TreeId } from '#model/digest.ts';
import type { Person, TreeChange } from '#model/git-objects.ts';
import type { CapsuleName, RefName } from '#model/names.ts';
import type { Pin } from '#model/resolution.ts';
import type { World } from './world.ts';

/** One commit of the engine's on top of a branch. */
export interface BranchAppend {
  readonly ref: RefName;
  readonly expected: CommitId | undefined;
  /** Tree to start from; undefined starts empty. */
  readonly base: TreeId | undefined;
  readonly changes: readonly TreeChange[];
  readonly message: string;
  /** Commits kept reachable beside the branch's own history. */
  readonly alsoParents?: readonly CommitId[];
}

/** Writes a signed commit and pushes it if the branch still is what was expected; else PortError `conflict`. */
export async function appendToBranch(
  world: Pick<World, 'repository' | 'signer' | 'clock'>,
  append: BranchAppend,
  signal?: AbortSignal,
): Promise<CommitId> {
  const commit = await writeEngineCommit(world, {
    ...append,
    parents: [...(append.expected === undefined ? [] : [append.expected]), ...(append.alsoParents ?? [])],
  });
  await world.repository.push([{ ref: append.ref, expected: append.expected, next: commit }], signal);
  return commit;
}

export async function writeEngineCommit(
  world: Pick<World, 'repository' | 'signer' | 'clock'>,
  draft: {
    readonly base: TreeId | undefined;
    readonly changes: readonly TreeChange[];
    readonly parents: readonly CommitId[];
    readonly message: string;
  },
): Promise<CommitId> {
  const author: Person = { name: world.signer.name, email: world.signer.email, at: world.clock.now(), zone: '+0000' };
  return world.repository.writeCommit({ ...draft, author }, (payload) => world.signer.sign(payload));
}

/** Versions for trailers, by name and once each. */
export function committedCapsules(
  pins: readonly Pin[],
): readonly { readonly capsule: CapsuleName; readonly version: string; readonly gitTree: TreeId }[] {
  const byName = new Map(
    pins.map((pin) => [`${pin.capsule}@${pin.version}`, { capsule: pin.capsule, version: pin.version, gitTree: pin.gitTree }]),
  );
  return [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? []);
}
