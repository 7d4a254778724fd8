import type { CommitId } from '#model/digest.ts';
import type { RefName } from '#model/names.ts';
import type { Ending } from '#model/receipt.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Ledger } from './audit-branch.ts';
import { decideDrift } from './drift-proposal.ts';
import type { DriftDecision, DriftRequest } from './drift-proposal.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import type { RenderedHead } from './rendered-branch.ts';
import { syncTarget } from './sync-target.ts';
import type { SyncResult } from './sync-target.ts';
import type { World } from './world.ts';

interface Synced {
  readonly rendering: TargetRendering;
  readonly result: SyncResult;
}

type Decided = DriftDecision | { readonly kind: 'failed'; readonly because: string };

/** A forge that is away keeps nobody from recording what was done on targets; whoever lost a race starts from a fresh fetch. */
async function decided(world: World, request: DriftRequest, signal?: AbortSignal): Promise<Decided> {
  try {
    return await decideDrift(world, request, signal);
  } catch (error) {
    if (!isPortError(error)) throw error;
    if (error.kind === 'conflict' && signal?.aborted !== true) await world.repository.fetch(signal).catch(() => undefined);
    return { kind: 'failed', because: error.message };
  }
}

/** What people are asked about drift, and what they answered: targets whose drift is taken back are synced once more. */
export async function afterDrift(
  world: World,
  from: {
    readonly prepared: PreparedEnvironment;
    readonly refs: ReadonlyMap<RefName, CommitId>;
    readonly ledger: Ledger;
    readonly head: RenderedHead | undefined;
    readonly synced: readonly Synced[];
    /** Nothing may be written, or not all targets were looked at. */
    readonly isPart: boolean;
  },
  signal?: AbortSignal,
): Promise<{ readonly synced: readonly Synced[]; readonly waiting: readonly Ending[] }> {
  const { prepared, refs, ledger, head, synced, isPart } = from;
  const isWhole = synced.every(({ result }) => result.ending.kind === 'settled' || result.ending.kind === 'waiting');
  if (isPart || !isWhole) return { synced, waiting: [] };
  const seen = synced.map(({ rendering, result }) => ({ rendering, drift: result.drift }));
  const decision = await decided(world, { prepared, refs, seen }, signal);
  if (decision.kind === 'nothing') return { synced, waiting: [] };
  if (decision.kind === 'failed') return { synced, waiting: [{ kind: 'retry', because: decision.because }] };
  if (decision.kind === 'waiting') return { synced, waiting: [{ kind: 'waiting', reasons: [decision.reason], until: undefined }] };
  const again: Synced[] = [];
  for (const one of synced) {
    const reverted = decision.paths.get(one.rendering.target.name);
    const { turn } = one.result;
    if (reverted === undefined) again.push(one);
    else {
      const { rendering } = one;
      const result = await syncTarget(world, { prepared, rendering, dryRun: false, asks: false, ledger, head, turn, reverted }, signal);
      const done = one.result.outcomes.filter((outcome) => outcome.result === 'done');
      again.push({ rendering, result: { ...result, outcomes: [...done, ...result.outcomes] } });
    }
  }
  return { synced: again, waiting: [] };
}
