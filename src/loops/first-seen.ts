import type { CommitId } from '#model/digest.ts';
import { parseInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { Clock } from '#ports/machine.ts';
import type { History } from '#ports/repository.ts';
import type { LedgerReader } from './audit-branch.ts';

/** Tells of commits, given along first parents and oldest first, when each was first seen here. */
export type FirstSeen = (chain: readonly CommitId[]) => Promise<ReadonlyMap<CommitId, Instant>>;

/**
 * The time of the earliest audit record that names the commit or a later one of the chain; now, where none does. So a key that has
 * expired since goes on vouching for what it signed while it was good, also after the mirror was lost.
 */
export function createFirstSeen(world: {
  readonly repository: Pick<History, 'resolve'>;
  readonly ledger: LedgerReader;
  readonly clock: Clock;
}): FirstSeen {
  return async (chain) => {
    const now = world.clock.now();
    const recorded = new Map<string, Instant>();
    for (const record of (await world.ledger.at(await world.repository.resolve('audit'))).records) {
      const { revision } = record.data;
      const at = parseInstant(record.time);
      if (typeof revision === 'string' && at !== undefined && at < (recorded.get(revision) ?? now)) recorded.set(revision, at);
    }
    const seen = new Map<CommitId, Instant>();
    let earliest = now;
    for (const commit of chain.toReversed()) {
      const at = recorded.get(commit);
      if (at !== undefined && at < earliest) earliest = at;
      seen.set(commit, earliest);
    }
    return seen;
  };
}
