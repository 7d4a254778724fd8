import type { CommitFinding, CommitFindings } from '#model/commit-finding.ts';
import type { CommitId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import { toInstant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import type { ChangeRequest } from '#model/promotion.ts';
import { personOf } from '#model/trust-policy.ts';
import { isPortError } from '#ports/port-error.ts';
import { judgeSigned } from '#trust/trust.ts';
import { engineVerdict } from './engine-branches.ts';
import { rangeOf } from './merged-sides.ts';
import type { TrustOf } from './trust-of.ts';
import type { World } from './world.ts';

type AuthorWorld = Pick<World, 'forge' | 'repository' | 'signer' | 'clock' | 'commitFindings'>;

/**
 * Who wrote the commits of a pull request, by login: those that the forge names, and those whose key signed. The forge is asked only
 * where the branch holds more than what engines signed, so a promotion that nobody touched costs no request.
 */
export async function branchAuthors(world: AuthorWorld, trust: TrustOf, change: ChangeRequest): Promise<readonly string[]> {
  const commits = await commitsOf(world, change);
  const others = commits?.filter((commit) => engineVerdict(world, trust, commit).kind !== 'accepted');
  if (others?.length === 0) return [];
  const named = (await world.forge?.commitAuthors(change.number)) ?? [];
  const findings = atAnyTime(await world.commitFindings.ofCommits(others ?? [], [trust.policy]));
  return [...named, ...(others ?? []).flatMap((commit) => signerOf(world, trust, { commit, findings }) ?? [])];
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

interface Signed {
  readonly commit: Commit;
  readonly findings: CommitFindings;
}

/** Who wrote a commit stays its author when the key has expired. */
function atAnyTime(findings: CommitFindings): CommitFindings {
  const lasting = (finding: CommitFinding): CommitFinding =>
    finding.kind === 'holds'
      ? { kind: 'holds', fact: { ...finding.fact, goodFrom: toInstant(Number.NEGATIVE_INFINITY), goodBefore: undefined } }
      : finding;
  return new Map([...findings].map(([key, finding]) => [key, lasting(finding)]));
}

/** Whoever signed wrote it, whether the key is good still or not. */
function signerOf(world: AuthorWorld, { policy }: TrustOf, { commit, findings }: Signed): string | undefined {
  const always = (policy?.entries ?? []).map((signer) => ({ ...signer, validFrom: undefined, validUntil: undefined }));
  const verdict = judgeSigned(
    { kind: 'commit', id: commit.id, raw: commit.raw },
    {
      signers: always,
      purposes: ['commit', 'capsule', 'policy'],
      firstSeen: world.clock.now(),
      findings,
      trustedRoot: policy?.trustedRoot?.sha256,
    },
  );
  const signer = verdict.kind === 'accepted' ? always.find((entry) => entry.name === verdict.signer) : undefined;
  return signer === undefined ? undefined : personOf(signer);
}
