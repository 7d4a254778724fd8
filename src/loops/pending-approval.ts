import type { PromotionDraft } from '#model/promotion.ts';
import type { Approved } from '#model/signed-approval.ts';
import { changeSetDigest } from '#resolve/resolve.ts';
import { promote } from './promote.ts';
import type { World } from './world.ts';

/** What waits to be promoted, with what an approval of it names. */
export interface PendingApproval {
  readonly draft: PromotionDraft;
  readonly approved: Approved;
}

/** Every change set that would move to an environment now; nothing is opened or written. */
export async function pendingApprovals(world: World, environment: string, signal?: AbortSignal): Promise<readonly PendingApproval[]> {
  const { changes } = await promote(world, { environment, only: undefined, dryRun: true, byPerson: true }, signal);
  return changes.map(({ draft }) => {
    const { id, moves } = draft.changeSet;
    return { draft, approved: { environment: draft.environment, changeSet: id, sha256: changeSetDigest(moves) } };
  });
}
