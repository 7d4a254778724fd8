import { CLOCK_SKEW } from '#model/command-memory.ts';
import { instantText, parseInstant, toInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { AuditRecord } from '#model/receipt.ts';
import type { Clock } from '#ports/machine.ts';
import type { History } from '#ports/repository.ts';
import type { LedgerReader } from './audit-branch.ts';

interface Here {
  readonly repository: Pick<History, 'resolve'>;
  readonly ledger: LedgerReader;
  readonly clock: Clock;
}

/** It is never earlier than the ledger's last record: a clock that went back does not make an expired key good again. */
export function notBefore(now: Instant, records: readonly AuditRecord[]): Instant {
  const last = parseInstant(records.at(-1)?.time ?? '');
  return last === undefined || last <= now ? now : toInstant(last);
}

/**
 * What is wrong with the clock, by the ledger; more than a minute, as two engines' clocks differ a little. Soak, windows, keys and the next
 * record's time all follow from the clock, so nothing is decided under one that went back.
 */
export async function clockProblem({ repository, ledger, clock }: Here): Promise<Problem | undefined> {
  const { records } = await ledger.at(await repository.resolve('audit'));
  const now = clock.now();
  const floor = notBefore(now, records);
  if (floor - now <= CLOCK_SKEW) return undefined;
  return {
    code: 'clock-behind',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `the clock says ${instantText(now)}, and audit record ${records.at(-1)?.id ?? ''} was written at ${instantText(floor)}`,
    remedy: "Set the clock. If it is right, that record's was ahead: put audit back to the record before it.",
    place: NOWHERE,
    related: [],
  };
}
