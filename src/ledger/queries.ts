import { instantText, type Instant } from '#model/instant.ts';
import type { EnvironmentName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { AuditRecord } from '#model/receipt.ts';
import { textField, timeOf, versionField } from './records.ts';
import { after, emptyState } from './state.ts';

export interface RunningInstance {
  readonly target: string;
  readonly instance: string;
  readonly version: string;
  readonly sha256: string;
  readonly health: string;
  /** RFC 3339. */
  readonly since: string;
}

/** What ran in an environment at an instant, by target and instance. */
export function runningAt(records: readonly AuditRecord[], environment: EnvironmentName, at: Instant): readonly RunningInstance[] {
  const until = records.filter((record) => textField(record, 'environment') === environment && (timeOf(record) ?? Infinity) <= at);
  const { instances } = after(emptyState(), until);
  return [...instances]
    .flatMap(([key, own]) =>
      [...own].map(([instance, { version, sha256, health, since }]) => ({
        target: key.slice(environment.length + 1),
        instance,
        version,
        sha256,
        health,
        since: instantText(since),
      })),
    )
    .sort((a, b) => compareText(a.target, b.target) || compareText(a.instance, b.instance));
}

export interface HistoryFilter {
  readonly environment?: string | undefined;
  readonly capsule?: string | undefined;
  readonly since?: Instant | undefined;
  readonly at?: Instant | undefined;
}

export interface HistoryRow {
  readonly seq: number;
  readonly id: string;
  readonly time: string;
  readonly environment: string;
  readonly target: string;
  readonly instance: string | undefined;
  readonly capsule: string | undefined;
  readonly action: string;
  readonly reason: string;
  readonly outcome: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly health: string;
  readonly changeSet: string | undefined;
  readonly changeRequest: string | undefined;
  readonly runId: string;
  readonly recovered: boolean;
}

/** The records that a filter lets through, in their order; `since` and `at` bound the time, both inclusive. */
export function rowsOf(records: readonly AuditRecord[], filter: HistoryFilter): readonly HistoryRow[] {
  return records
    .filter((record) => {
      const time = timeOf(record);
      if (filter.environment !== undefined && textField(record, 'environment') !== filter.environment) return false;
      if (filter.capsule !== undefined && ![textField(record, 'capsule'), textField(record, 'instance')].includes(filter.capsule))
        return false;
      if (filter.since !== undefined && (time === undefined || time < filter.since)) return false;
      return filter.at === undefined || (time !== undefined && time <= filter.at);
    })
    .map((record) => ({
      seq: record.data.seq,
      id: record.id,
      time: record.time,
      environment: textField(record, 'environment') ?? '',
      target: textField(record, 'target') ?? '',
      instance: textField(record, 'instance'),
      capsule: textField(record, 'capsule'),
      action: textField(record, 'action') ?? '',
      reason: textField(record, 'reason') ?? '',
      outcome: textField(record, 'outcome') ?? '',
      from: versionField(record, 'from')?.version,
      to: versionField(record, 'to')?.version,
      health: textField(record, 'health') ?? textField(record, 'targetHealth') ?? 'unknown',
      changeSet: textField(record, 'changeSet'),
      changeRequest: textField(record, 'changeRequest'),
      runId: record.data.run_id,
      recovered: record.data['recovered'] === true,
    }));
}
