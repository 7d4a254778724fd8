import { APPROVAL } from '#model/evidence.ts';
import { instantText } from '#model/instant.ts';
import type { Json } from '#model/json.ts';
import type { ChangeRequest, Review } from '#model/promotion.ts';
import type { Move } from '#model/resolution.ts';
import { changeSetDigest, changeSetOf } from '#resolve/resolve.ts';
import { addEvidence, type NewStatement } from './add-evidence.ts';
import { evidenceBranch } from './evidence-branch.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import type { World } from './world.ts';

export interface ApprovedChange {
  readonly moves: readonly Move[];
  readonly change: ChangeRequest | undefined;
  /** Reviews that stand. */
  readonly approvals: readonly Review[];
}

/**
 * Writes down, signed by the engine, which reviews of the forge let a change through: `attestedBy: engine`, with the digest of each review.
 * Nothing of it depends on when it is written, nor its name on who signs it, so a run that is repeated writes nothing.
 */
export async function recordApprovals(
  world: World,
  { environment, revision }: PreparedEnvironment,
  { moves, change, approvals }: ApprovedChange,
  signal?: AbortSignal,
): Promise<void> {
  if (moves.length === 0 || change === undefined || approvals.length === 0) return;
  const { id } = changeSetOf(moves);
  const subject = { name: `change-sets/${id}`, digest: { sha256: changeSetDigest(moves) } };
  const statements = approvals.map((review): NewStatement => {
    const { reviewer, commit, at, sha256 } = review;
    const predicate: Json = {
      attestedBy: 'engine',
      environment: environment.name,
      changeSet: id,
      changeRequest: `${world.settings.repository}#${change.number}`,
      reviewer,
      commit: commit ?? null,
      approvedOn: instantText(at),
      reviewSha256: sha256 ?? null,
    };
    return { subject, answers: 'approval', predicateType: APPROVAL, predicate, at };
  });
  const { trust } = await world.history.upTo(revision);
  await addEvidence(
    world,
    {
      branch: evidenceBranch(trust.project),
      statements,
      key: await world.signer.plainKey(),
      by: 'engine',
      message: `evidence: approvals of ${id}\n\nEnvironment: ${environment.name}\nChange-Set: ${id}\n`,
    },
    signal,
  );
}
