import type { HealthState } from '#model/health.ts';
import { toInstant, type Instant } from '#model/instant.ts';
import { isJsonObject, jsonText, type Json } from '#model/json.ts';
import type { AuditRecord } from '#model/receipt.ts';
import { digestOf, GENESIS, healthField, textField, timeOf, versionField } from './records.ts';

/** What the last record of an environment and target says of its run. */
export interface TargetState {
  /** Commit of the rendered branch, or the revision where nothing was rendered. */
  readonly shapedBy: string;
  readonly rendering: string | undefined;
  /** `shapedBy` of the first record in a row with that rendering: the commit that brought it. */
  readonly broughtBy: string;
  readonly health: HealthState;
  /** Since when it has been healthy with that rendering, each time that somebody could look; undefined while it is not. */
  readonly healthySince: Instant | undefined;
  readonly ending: string;
  readonly drift: boolean;
  /** Objects that somebody else kept setting back, so that they were left alone. */
  readonly fought: readonly string[];
  readonly at: Instant;
  /** Number of that record. */
  readonly seq: number;
  /** When the last record was written that told of the health of this rendering and of nothing else. */
  readonly healthOnlyAt: Instant | undefined;
}

export interface InstanceState {
  readonly version: string;
  readonly sha256: string;
  readonly health: HealthState;
  /** Since when it has been in this health with this content. */
  readonly since: Instant;
  /** Contents that ran before and were healthy when another took their place, the oldest first: a release never resets another's clock. */
  readonly past: readonly PastHealth[];
}

export interface PastHealth {
  readonly version: string;
  readonly sha256: string;
  readonly since: Instant;
  readonly until: Instant;
}

/** More than one promotion takes to arrive; the ledger in memory stays small however long it is. */
const REMEMBERED = 20;

/** What the audit branch says, up to its last record. */
export interface Ledger {
  readonly seq: number;
  /** `sha256:` and the digest of the last record. */
  readonly prev: string;
  /** `<environment>/<target>` */
  readonly targets: ReadonlyMap<string, TargetState>;
  /** `<environment>/<target>` -> instance */
  readonly instances: ReadonlyMap<string, ReadonlyMap<string, InstanceState>>;
}

export function emptyState(): Ledger {
  return { seq: 0, prev: GENESIS, targets: new Map(), instances: new Map() };
}

/** The ledger after `records`, oldest first; only what they touch is copied. */
export function after(ledger: Ledger, records: readonly AuditRecord[]): Ledger {
  const last = records.at(-1);
  if (last === undefined) return ledger;
  const targets = new Map(ledger.targets);
  const instances = new Map(ledger.instances);
  const opened = new Map<string, Map<string, InstanceState>>();
  for (const record of records) {
    const environment = textField(record, 'environment');
    const target = textField(record, 'target');
    if (environment === undefined || target === undefined) continue;
    const key = `${environment}/${target}`;
    const at = timeOf(record) ?? toInstant(0);
    targets.set(key, targetState(record, targets.get(key), at));
    const instance = textField(record, 'instance');
    if (instance === undefined) continue;
    const own = opened.get(key) ?? new Map(instances.get(key));
    opened.set(key, own);
    instances.set(key, own);
    const next = instanceState(record, own.get(instance), at);
    if (next === undefined) own.delete(instance);
    else own.set(instance, next);
  }
  return { seq: last.data.seq, prev: `sha256:${digestOf(last)}`, targets, instances };
}

function targetState(record: AuditRecord, before: TargetState | undefined, at: Instant): TargetState {
  const rendering = textField(record, 'rendering');
  const health = healthField(record, 'targetHealth') ?? 'unknown';
  const since = before?.rendering === rendering ? before?.healthySince : undefined;
  const shapedBy = textField(record, 'commit') ?? textField(record, 'revision') ?? '';
  return {
    shapedBy,
    rendering,
    broughtBy: before?.rendering === rendering ? (before?.broughtBy ?? shapedBy) : shapedBy,
    health,
    healthySince: health === 'healthy' ? (since ?? at) : health === 'unknown' ? since : undefined,
    ending: textField(record, 'ending') ?? '',
    drift: record.data['driftDetected'] === true,
    fought: foughtIn(record.data['drift']),
    at,
    seq: record.data.seq,
    healthOnlyAt: textField(record, 'action') === 'health' ? at : before?.rendering === rendering ? before?.healthOnlyAt : undefined,
  };
}

/** From the field `drift` of a record; in its order. */
export function foughtIn(drift: Json | undefined): readonly string[] {
  if (!Array.isArray(drift)) return [];
  return drift.flatMap((item: Json) => (isJsonObject(item) && item['action'] === 'fought' ? [jsonText(item['object'])] : []));
}

function instanceState(record: AuditRecord, before: InstanceState | undefined, at: Instant): InstanceState | undefined {
  const to = versionField(record, 'to');
  const health = healthField(record, 'health') ?? 'unknown';
  if (to === undefined) return undefined;
  const same = before !== undefined && before.version === to.version && before.sha256 === to.sha256 && before.health === health;
  return { ...to, health, since: same ? before.since : at, past: pastOf(before, to, at) };
}

/** What ran before `to`; content that comes back starts anew. */
function pastOf(before: InstanceState | undefined, to: { readonly version: string; readonly sha256: string }, at: Instant) {
  if (before === undefined || isSame(before, to)) return before?.past ?? [];
  const { version, sha256, since } = before;
  const others = before.past.filter((period) => !isSame(period, to) && !isSame(period, before));
  return [...others, ...(before.health === 'healthy' ? [{ version, sha256, since, until: at }] : [])].slice(-REMEMBERED);
}

function isSame(a: Pick<PastHealth, 'version' | 'sha256'>, b: Pick<PastHealth, 'version' | 'sha256'>): boolean {
  return a.version === b.version && a.sha256 === b.sha256;
}
