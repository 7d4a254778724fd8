import type { CommitId } from '#model/digest.ts';
import { parseInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import { isJsonObject } from '#model/json.ts';
import type { Clock } from '#ports/machine.ts';
import type { History, ObjectReader } from '#ports/repository.ts';
import { addedRecords } from './audit-branch.ts';
import type { LedgerReader } from './audit-branch.ts';
import { notBefore } from './clock-floor.ts';

/** Tells of commits, given along first parents and oldest first, when each was first seen here. */
export type FirstSeen = (chain: readonly CommitId[]) => Promise<ReadonlyMap<CommitId, Instant>>;

interface Here {
  readonly repository: ObjectReader & Pick<History, 'resolve'>;
  readonly ledger: LedgerReader;
  readonly clock: Clock;
}

/**
 * The time of the earliest audit record that names the commit or a later one of the chain; now, where none does. So a key that has
 * expired since goes on vouching for what it signed while it was good, also after the mirror was lost.
 */
export function createFirstSeen(world: Omit<Here, 'repository'> & { readonly repository: Pick<History, 'resolve'> }): FirstSeen {
  return (chain) => firstNamed(world, 'revision', chain);
}

async function firstNamed(
  world: Parameters<typeof createFirstSeen>[0],
  field: 'revision' | 'commit',
  chain: readonly CommitId[],
): Promise<ReadonlyMap<CommitId, Instant>> {
  const { records } = await world.ledger.at(await world.repository.resolve('audit'));
  const now = notBefore(world.clock.now(), records);
  const recorded = new Map<string, Instant>();
  for (const record of records) {
    const named = record.data[field];
    const at = parseInstant(record.time);
    if (typeof named === 'string' && at !== undefined && at < (recorded.get(named) ?? now)) recorded.set(named, at);
  }
  const seen = new Map<CommitId, Instant>();
  let earliest = now;
  for (const commit of chain.toReversed()) {
    const at = recorded.get(commit);
    if (at !== undefined && at < earliest) earliest = at;
    seen.set(commit, earliest);
  }
  return seen;
}

/** `<capsule>@<version>` -> when the ledger first tells that it came to a target: it was there by then. */
export type RanSince = () => Promise<ReadonlyMap<string, Instant>>;

export function createRanSince(world: Pick<Here, 'ledger'> & { readonly repository: Pick<History, 'resolve'> }): RanSince {
  return async () => {
    const since = new Map<string, Instant>();
    for (const record of (await world.ledger.at(await world.repository.resolve('audit'))).records) {
      const { capsule, to } = record.data;
      const at = parseInstant(record.time);
      if (typeof capsule !== 'string' || at === undefined || !isJsonObject(to) || typeof to['version'] !== 'string') continue;
      const key = `${capsule}@${to['version']}`;
      if (at < (since.get(key) ?? Number.POSITIVE_INFINITY)) since.set(key, at);
    }
    return since;
  };
}

/** When the engine's own commits, given oldest first, were written: by the records, never by the dates of the commits. */
export function createWritten(world: Here): { readonly ofRendered: FirstSeen; readonly ofAudit: FirstSeen } {
  async function ofAudit(chain: readonly CommitId[]): Promise<ReadonlyMap<CommitId, Instant>> {
    const { records } = await world.ledger.at(chain.at(-1));
    const now = notBefore(world.clock.now(), records);
    const written = new Map<CommitId, Instant>();
    let latest: Instant | undefined;
    let before: CommitId | undefined;
    for (const commit of chain) {
      // A record cannot be older than the one it follows, or an expired key could go on writing in its own past.
      for (const record of await addedRecords(world.repository, before, commit)) {
        const at = parseInstant(record.time) ?? now;
        if (latest === undefined || at > latest) latest = at;
      }
      written.set(commit, latest === undefined || latest > now ? now : latest);
      before = commit;
    }
    return written;
  }

  return { ofRendered: (chain) => firstNamed(world, 'commit', chain), ofAudit };
}
