import { historyRows, whatRanAt } from '#ledger/ledger.ts';
import type { Instant } from '#model/instant.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { World } from './world.ts';

export type HistoryFilter = Parameters<typeof historyRows>[1];
export type HistoryRow = ReturnType<typeof historyRows>[number];
export type RunningInstance = ReturnType<typeof whatRanAt>[number];

/** Rows of the ledger, from a plain clone. */
export async function queryHistory(world: Pick<World, 'repository' | 'ledger'>, filter: HistoryFilter): Promise<readonly HistoryRow[]> {
  return historyRows((await viewOf(world)).records, filter);
}

/** What ran in an environment at a time. */
export async function queryAt(
  world: Pick<World, 'repository' | 'ledger'>,
  environment: string,
  at: Instant,
): Promise<readonly RunningInstance[]> {
  return whatRanAt((await viewOf(world)).records, toEnvironmentName(environment), at);
}

async function viewOf(world: Pick<World, 'repository' | 'ledger'>) {
  return world.ledger.at(await world.repository.resolve('audit'));
}
