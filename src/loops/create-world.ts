import { noteArrivals } from './arrivals.ts';
import { createLedgerReader } from './audit-branch.ts';
import { createFirstSeen } from './first-seen.ts';
import { createMainHistory } from './main-history.ts';
import { createProtectionReader } from './protection.ts';
import { createReading } from './reading.ts';
import { createEnvironmentRenderer } from './render-environment.ts';
import { createRenderedReader } from './rendered-branch.ts';
import type { World } from './world.ts';

/** What the world outside plugs in; the rest of a `World` is memory that can be lost. */
export type WorldPorts = Omit<World, 'arrivals' | 'reading' | 'environments' | 'history' | 'ledger' | 'rendered' | 'protection'>;

/** A world with nothing remembered yet. */
export function createWorld(ports: WorldPorts): World {
  const { clock, settings } = ports;
  const { repository, arrivals } = noteArrivals(ports.repository);
  const reading = createReading(repository);
  const ledger = createLedgerReader(repository);
  const history = createMainHistory({
    repository,
    reading,
    branch: settings.branch,
    root: settings.trustRoot,
    rootSigners: settings.trustSigners,
    firstSeen: createFirstSeen({ repository, ledger, clock }),
    kept: async () => (await ledger.at(await repository.resolve('audit'))).kept,
  });
  return {
    ...ports,
    repository,
    arrivals,
    reading,
    ledger,
    rendered: createRenderedReader(repository),
    history,
    environments: createEnvironmentRenderer(reading, ports.renderer, clock),
    protection: createProtectionReader(ports),
  };
}
