import { sha256Of, type Sha256 } from '#model/digest.ts';
import type { HealthState } from '#model/health.ts';
import { instantText, toInstant, type Instant } from '#model/instant.ts';
import { canonicalJson, type Json, type JsonObject } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { CapsuleName, InstanceName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { GateReading } from '#model/promotion.ts';
import type { AuditRecord, Ending, Receipt } from '#model/receipt.ts';
import { digestOf, pathOf, recordId, recordText } from './records.ts';
import { after, foughtIn, type InstanceState, type Ledger, type TargetState } from './state.ts';

/** A receipt with what the loop knows about its instances. */
export interface ReceiptFacts {
  readonly receipt: Receipt;
  /** What the applied rendering holds, by instance; undefined when nothing could be rendered: then no instance moved. */
  readonly instances:
    | ReadonlyMap<InstanceName, { readonly capsule: CapsuleName | string; readonly version: string; readonly sha256: Sha256 }>
    | undefined;
  readonly changeSet: string | undefined;
  /** `owner/repo#n` */
  readonly changeRequest: string | undefined;
  readonly gates: readonly GateReading[];
  /** Logins on whose behalf the engine acted. */
  readonly onBehalfOf: readonly string[];
  readonly tenant: string | undefined;
}

export interface DraftOptions {
  /** `/gitops/<project>` */
  readonly source: string;
  /** `acme/platform` */
  readonly repository: string;
  readonly at: Instant;
}

export interface RecordDraft {
  readonly records: readonly AuditRecord[];
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly ledger: Ledger;
  /** A better health that waits for its minute: run again then. Undefined when nothing was held back. */
  readonly heldUntil: Instant | undefined;
}

const MINUTE = 60_000;
const RANK: Readonly<Record<HealthState, number>> = { healthy: 0, progressing: 1, unknown: 2, degraded: 3 };

type Change = {
  readonly instance: InstanceName | string;
  readonly capsule: string | undefined;
  readonly from: Side | undefined;
  readonly to: Side | undefined;
  readonly health: HealthState;
  readonly moved: boolean;
};
type Side = { readonly version: string; readonly sha256: string };

/** Records for what changed since the ledger's last word on each receipt's target; nothing where nothing did. */
export function drafted(ledger: Ledger, receipts: readonly ReceiptFacts[], options: DraftOptions): RecordDraft {
  const records: AuditRecord[] = [];
  let state = ledger;
  let heldUntil: Instant | undefined;
  for (const facts of receipts) {
    const step = draftOne(state, facts, options);
    records.push(...step.records);
    state = after(state, step.records);
    if (step.heldUntil !== undefined && (heldUntil === undefined || step.heldUntil < heldUntil)) heldUntil = step.heldUntil;
  }
  const files = records.map((record) => ({ path: pathOf(record.id, record.time), content: recordText(record) }));
  return { records, files, ledger: state, heldUntil };
}

function draftOne(
  ledger: Ledger,
  facts: ReceiptFacts,
  options: DraftOptions,
): { readonly records: readonly AuditRecord[]; readonly heldUntil: Instant | undefined } {
  const { receipt } = facts;
  const key = `${receipt.environment}/${receipt.target}`;
  const last = ledger.targets.get(key);
  const changes = changesOf(ledger.instances.get(key) ?? new Map(), facts);
  const acted = receipt.outcomes.some((outcome) => outcome.result === 'done' && outcome.action !== 'keep');
  const ending = endingText(receipt.ending);
  const sameShape = last !== undefined && !acted && isSameShape(last, receipt);
  // Waiting for health and having settled are two words for what health says: a flapping consumer turns one into the other.
  const tellsOfHealth =
    sameShape && (last.ending === ending || [last.ending, ending].every((one) => one === 'settled' || one === 'waiting'));
  const moved = changes.some((change) => change.moved);
  if (sameShape && last.ending === ending && changes.length === 0 && last.health === receipt.health.state) {
    return { records: [], heldUntil: undefined };
  }
  if (tellsOfHealth && !moved) {
    const earliest = toInstant((last.healthOnlyAt ?? Number.NEGATIVE_INFINITY) + MINUTE);
    // Worse health is written at once: the ledger must never call something healthy for a minute that is known not to be.
    if (!isWorse(ledger, key, facts) && options.at < earliest) return { records: [], heldUntil: earliest };
  }
  const action = tellsOfHealth && !moved ? 'health' : 'sync';
  const recovered = last?.rendering !== receipt.rendering && receipt.rendering !== undefined && !acted && receipt.outcomes.length > 0;
  const rows: readonly (Change | undefined)[] = changes.length > 0 ? changes : [undefined];
  const records: AuditRecord[] = [];
  for (const [at, change] of rows.entries()) {
    const before = records.at(-1);
    const prev = before === undefined ? ledger.prev : `sha256:${digestOf(before)}`;
    records.push(recordOf({ facts, options, change, action, recovered }, { seq: ledger.seq + at + 1, prev }));
  }
  return { records, heldUntil: undefined };
}

function isSameShape(last: TargetState, receipt: Receipt): boolean {
  return (
    last.shapedBy === (receipt.commit ?? receipt.revision) &&
    last.rendering === receipt.rendering &&
    last.drift === receipt.driftDetected &&
    last.fought.join() === foughtIn(driftOf(receipt)).join()
  );
}

function isWorse(ledger: Ledger, key: string, facts: ReceiptFacts): boolean {
  const last = ledger.targets.get(key);
  if (last !== undefined && RANK[facts.receipt.health.state] > RANK[last.health]) return true;
  const known = ledger.instances.get(key);
  return facts.receipt.health.instances.some((one) => RANK[one.state] > RANK[known?.get(one.instance)?.health ?? 'degraded']);
}

function changesOf(known: ReadonlyMap<string, InstanceState>, facts: ReceiptFacts): readonly Change[] {
  const { instances, receipt } = facts;
  if (instances === undefined) return [];
  const health = new Map(receipt.health.instances.map((one) => [one.instance, one.state]));
  const now = new Set<string>(instances.keys());
  const changes: Change[] = [];
  for (const [instance, { capsule, version, sha256 }] of instances) {
    const was = known.get(instance);
    const state = health.get(instance) ?? 'unknown';
    const moved = was?.version !== version || was.sha256 !== sha256;
    // That we could not look is told of the target; it is no news of the instance.
    if (!moved && (was.health === state || state === 'unknown')) continue;
    const from = was && { version: was.version, sha256: was.sha256 };
    changes.push({ instance, capsule, from, to: { version, sha256 }, health: state, moved });
  }
  for (const [instance, was] of known) {
    if (now.has(instance)) continue;
    const from = { version: was.version, sha256: was.sha256 };
    changes.push({ instance, capsule: undefined, from, to: undefined, health: 'unknown', moved: true });
  }
  return changes.sort((a, b) => compareText(a.instance, b.instance));
}

interface Subject {
  readonly facts: ReceiptFacts;
  readonly options: DraftOptions;
  readonly change: Change | undefined;
  readonly action: 'sync' | 'health';
  readonly recovered: boolean;
}

function recordOf(subject: Subject, link: { readonly seq: number; readonly prev: string }): AuditRecord {
  const { facts, options, change, action, recovered } = subject;
  const { receipt } = facts;
  const time = instantText(options.at);
  const path = `${receipt.environment}/${receipt.target}${change === undefined ? '' : `/${change.instance}`}`;
  const id = recordId(options.at, `${link.prev} ${link.seq} ${receipt.runId} ${path}`);
  const counts = countsOf(receipt);
  const data: Readonly<Record<string, Json | undefined>> = {
    trace_id: receipt.traceId,
    tenant_id: facts.tenant,
    actor: { type: 'engine', onBehalfOf: facts.onBehalfOf },
    action,
    outcome: outcomeOf(receipt),
    reason: receipt.reason,
    cause: receipt.cause,
    environment: receipt.environment,
    target: receipt.target,
    instance: change?.instance,
    capsule: change?.capsule,
    changeSet: facts.changeSet,
    changeRequest: facts.changeRequest,
    from: change?.from && { ...change.from },
    to: change?.to && { ...change.to },
    health: change?.health,
    targetHealth: receipt.health.state,
    gates: facts.gates.map(({ name, type, status, detail }) => ({ name, type, status, detail })),
    desiredState: { id: receipt.revision, source: options.repository },
    revision: receipt.revision,
    commit: receipt.commit,
    rendering: receipt.rendering,
    ending: endingText(receipt.ending),
    driftDetected: receipt.driftDetected,
    drift: driftOf(receipt),
    changed: counts.created + counts.updated + counts.deleted > 0,
    objects: counts,
    trustNotice: receipt.trustNotice,
    recovered: recovered ? true : undefined,
    idempotencyKey: `sha256:${sha256Of(canonicalJson([path, receipt.commit ?? null, receipt.rendering ?? null, receipt.runId]))}`,
    durationMs: Math.max(0, receipt.ended - receipt.began),
  };
  return {
    specversion: '1.0',
    id,
    source: options.source,
    type: typeOf(subject),
    subject: path,
    time,
    datacontenttype: 'application/json',
    traceparent: `00-${receipt.traceId}-${sha256Of(id).slice(0, 15)}1-01`,
    data: { ...present(data), seq: link.seq, prev: link.prev, run_id: receipt.runId },
  };
}

function present(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** CDEvents where it has the event, else our own. */
function typeOf({ change, action, facts }: Subject): string {
  if (action === 'health') return 'dev.capstan.health.changed.0.1.0';
  if (change === undefined) {
    if (facts.receipt.driftDetected) return 'dev.capstan.drift.found.0.1.0';
    return facts.receipt.ending.kind === 'settled' ? 'dev.cdevents.environment.modified.0.3.0' : 'dev.capstan.run.ended.0.1.0';
  }
  if (!change.moved) return 'dev.capstan.health.changed.0.1.0';
  if (change.to === undefined) return 'dev.cdevents.service.removed.0.3.0';
  if (facts.receipt.reason === 'rollback') return 'dev.cdevents.service.rolledback.0.3.0';
  return change.from === undefined ? 'dev.cdevents.service.deployed.0.3.0' : 'dev.cdevents.service.upgraded.0.3.0';
}

function countsOf(receipt: Receipt): {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
} {
  const done = receipt.outcomes.filter((outcome) => outcome.result === 'done');
  const created = done.filter((outcome) => outcome.action === 'create').length;
  const updated = done.filter((outcome) => outcome.action === 'update' || outcome.action === 'adopt').length;
  const deleted = done.filter((outcome) => outcome.action === 'prune').length;
  const unchanged = receipt.outcomes.filter((outcome) => outcome.result === 'unchanged' || outcome.action === 'keep').length;
  return { created, updated, deleted, unchanged };
}

function outcomeOf(receipt: Receipt): string {
  if (receipt.outcomes.some((outcome) => outcome.result === 'failed' || outcome.result === 'refused')) return 'failure';
  return receipt.ending.kind === 'stuck' || receipt.ending.kind === 'retry' ? 'failure' : 'success';
}

/** Objects of one record; more are counted by `objects` and named in status. */
const TOLD = 50;

function driftOf({ drift = [] }: Receipt): readonly JsonObject[] | undefined {
  if (drift.length === 0) return undefined;
  return drift.slice(0, TOLD).map(({ key, action, changedBy }) => ({ object: keyText(key), action, changedBy }));
}

/** The ending without what changes by the minute: reasons of waiting come and go. */
function endingText(ending: Ending): string {
  if (ending.kind !== 'stuck') return ending.kind;
  const codes = [...new Set(ending.problems.map((problem) => problem.code))].sort(compareText);
  return `stuck: ${codes.join(', ')}`;
}
