import { draftRecords, emptyLedger } from '#ledger/ledger.ts';
import { sha256Of, toCommitId, toTreeId } from '#model/digest.ts';
import type { HealthState } from '#model/health.ts';
import { toInstant } from '#model/instant.ts';
import { toCapsuleName, toEnvironmentName, toInstanceName, toTargetName } from '#model/names.ts';
import type { Outcome } from '#model/plan.ts';
import type { AuditRecord, Ending, Receipt } from '#model/receipt.ts';

export const RUN = { runId: '01JD0R1W3Z8M5T9Q2B7N4C6XYZ', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' };
export const PROD = toEnvironmentName('prod');
export const EU = toTargetName('eu-1');
export const GREETER = toInstanceName('greeter');
export const START = Date.parse('2026-11-04T10:00:00.000Z');
export const at = (seconds: number) => toInstant(START + seconds * 1000);
export const commit = (text: string) => toCommitId(sha256Of(text).slice(0, 40));
export const tree = (text: string) => toTreeId(sha256Of(text).slice(0, 40));
export const content = (version: string) => sha256Of(`greeter@${version}`);

export interface Told {
  readonly version?: string;
  readonly health?: HealthState;
  readonly commit?: string;
  readonly revision?: string;
  readonly ending?: Ending;
  readonly acted?: boolean;
  readonly drift?: boolean;
  readonly target?: string;
}

export function told({ version = '1.4.1', health = 'healthy', acted = false, ...more }: Told) {
  const outcome: Outcome = {
    action: acted ? 'update' : 'keep',
    key: { group: 'apps', kind: 'Deployment', namespace: 'acme', name: 'greeter' },
    result: acted ? 'done' : 'unchanged',
    problem: undefined,
  };
  const receipt: Receipt = {
    ...RUN,
    environment: PROD,
    target: toTargetName(more.target ?? 'eu-1'),
    revision: commit(more.revision ?? 'main'),
    commit: commit(more.commit ?? version),
    rendering: sha256Of(`rendering ${version}`),
    cause: 'webhook',
    reason: 'promotion',
    began: at(0),
    ended: at(4),
    ending: more.ending ?? { kind: 'settled' },
    outcomes: [outcome],
    health: { state: health, instances: [{ instance: GREETER, state: health, reasons: [] }] },
    driftDetected: more.drift ?? false,
    trustNotice: undefined,
    warnings: [],
  };
  return {
    receipt,
    instances: new Map([[GREETER, { capsule: toCapsuleName('greeter'), version, sha256: content(version) }]]),
    changeSet: 'cs-35abd357876817cd',
    changeRequest: 'acme/platform#128',
    gates: [],
    onBehalfOf: ['ada'],
    tenant: 'acme',
  };
}

export const options = (seconds: number) => ({ source: '/gitops/acme-platform', repository: 'acme/platform', at: at(seconds) });

/** Draws records run by run; answers all records and the last ledger. */
export function story(...runs: readonly (readonly [number, Told])[]) {
  let ledger = emptyLedger();
  const records: AuditRecord[] = [];
  const counts: number[] = [];
  for (const [seconds, run] of runs) {
    const drawn = draftRecords(ledger, [told(run)], options(seconds));
    records.push(...drawn.records);
    counts.push(drawn.records.length);
    ledger = drawn.ledger;
  }
  return { ledger, records, counts };
}
