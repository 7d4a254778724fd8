import type { CommitId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import { branchRef } from '#model/names.ts';
import type { ChangeRequest } from '#model/promotion.ts';
import { isPortError } from '#ports/port-error.ts';
import { judgeCommit } from '#trust/trust.ts';
import { engineVerdict } from './engine-branches.ts';
import { rangeOf } from './merged-sides.ts';
import type { TrustOf } from './trust-of.ts';
import type { World } from './world.ts';

type AuthorWorld = Pick<World, 'forge' | 'repository' | 'signer' | 'clock'>;

/**
 * Who wrote the commits of a pull request, by login: those that the forge names, and those whose key signed. The forge is asked only
 * where the branch holds more than what engines signed, so a promotion that nobody touched costs no request.
 */
export async function branchAuthors(world: AuthorWorld, trust: TrustOf, change: ChangeRequest): Promise<readonly string[]> {
  const commits = await commitsOf(world, change);
  const others = commits?.filter((commit) => engineVerdict(world, trust, commit).kind !== 'accepted');
  if (others?.length === 0) return [];
  const named = (await world.forge?.commitAuthors(change.number)) ?? [];
  return [...named, ...(others ?? []).flatMap((commit) => signerOf(world, trust, commit) ?? [])];
}

/** Undefined where they are not here, or more than can be looked at. */
async function commitsOf({ repository }: AuthorWorld, change: ChangeRequest): Promise<readonly Commit[] | undefined> {
  try {
    const onto = await baseOf(repository, change);
    const range = await rangeOf(repository, change.headCommit, onto);
    return range === undefined ? undefined : await Promise.all(range.map((id) => repository.commit(id)));
  } catch (error) {
    if (!isPortError(error) || error.kind === 'transient') throw error;
    return undefined;
  }
}

/** What the base was before the merge: behind a merge commit, the whole branch is history of the base. */
async function baseOf(repository: World['repository'], change: ChangeRequest): Promise<CommitId | undefined> {
  if (change.mergeCommit !== undefined) return (await repository.commit(change.mergeCommit)).parents[0];
  return (await repository.refs()).get(branchRef(change.base));
}

function signerOf(world: AuthorWorld, trust: TrustOf, commit: Commit): string | undefined {
  const always = (trust.policy?.entries ?? []).map((signer) => ({ ...signer, validFrom: undefined, validUntil: undefined }));
  for (const purpose of ['commit', 'capsule', 'policy'] as const) {
    const verdict = judgeCommit(commit, always, purpose, world.clock.now());
    if (verdict.kind === 'accepted') return always.find((entry) => entry.name === verdict.signer)?.user;
  }
  return undefined;
}
