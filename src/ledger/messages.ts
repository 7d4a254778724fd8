import type { CommitId, Sha256, TreeId } from '#model/digest.ts';
import type { CapsuleName, EnvironmentName, TargetName } from '#model/names.ts';
import type { GateReading } from '#model/promotion.ts';
import type { Reason } from '#model/receipt.ts';
import { messageOf, type Trailer } from './trailers.ts';

/** The run that made a commit. */
export interface RunFacts {
  /** ULID. */
  readonly runId: string;
  /** 32 hex digits. */
  readonly traceId: string;
}

/** A version that a commit brings; `gitTree` is its content. */
export interface CommittedCapsule {
  readonly capsule: CapsuleName;
  readonly version: string;
  readonly gitTree: TreeId;
}

export interface RenderedCommitFacts extends RunFacts {
  readonly environment: EnvironmentName;
  /** Targets whose files change, by name. */
  readonly targets: readonly TargetName[];
  /** Versions that this commit brings to some target, by name. */
  readonly capsules: readonly CommittedCapsule[];
  readonly sourceCommit: CommitId;
  readonly changeSet: string | undefined;
  /** `owner/repo#n` */
  readonly changeRequest: string | undefined;
  readonly approvedBy: readonly string[];
  readonly gates: readonly GateReading[];
  readonly reason: Reason;
}

export interface LockCommitFacts extends RunFacts {
  readonly environment: EnvironmentName;
  readonly from: EnvironmentName | undefined;
  /** `promote(prod): greeter 1.4.1 → 1.4.2` */
  readonly title: string;
  readonly capsules: readonly CommittedCapsule[];
  readonly changeSet: string;
  readonly changeRequest: string | undefined;
  readonly approvedBy: readonly string[];
  readonly gates: readonly GateReading[];
  readonly reason: Reason;
}

export interface AuditCommitFacts extends RunFacts {
  readonly environment: EnvironmentName;
  readonly targets: readonly TargetName[];
  /** Digests of the records that the commit adds, in their order. */
  readonly records: readonly Sha256[];
}

export interface AdoptionCommitFacts extends RunFacts {
  readonly environment: EnvironmentName;
  readonly title: string;
  /** Digests of what was found and is decided about. */
  readonly drift: readonly string[];
}

export interface RotationCommitFacts extends RunFacts {
  /** Names of trust entries. */
  readonly from: string;
  readonly to: string;
  /** RFC 3339: the end of the old key. */
  readonly validUntil: string;
}

/** A commit that lets one key of engines follow another; the line of the second signature is added behind it. */
export function rotationMessage(facts: RotationCommitFacts): string {
  const body = `Both count until ${facts.validUntil}. The new key signs this commit, too: its signature is the last line of this message.`;
  return messageOf(`trust: let ${facts.to} follow ${facts.from}`, body, [...run(facts)]);
}

export function renderedMessage(facts: RenderedCommitFacts): string {
  const subject = `render(${facts.environment}): ${summary(facts.capsules) || 'configuration'}`;
  return messageOf(subject, '', [
    ...many('Environment', [facts.environment]),
    ...many('Target', facts.targets),
    ...capsuleTrailers(facts.capsules),
    ...many('Source-Commit', [facts.sourceCommit]),
    ...decision(facts),
    ...run(facts),
    ...many('Reason', [facts.reason]),
  ]);
}

export function lockMessage(facts: LockCommitFacts): string {
  return messageOf(facts.title, '', [
    ...many('Environment', [facts.environment]),
    ...many('Promotion-Id', [`${facts.environment}/${facts.changeSet}`]),
    ...many('From-Environment', facts.from === undefined ? [] : [facts.from]),
    ...many('To-Environment', [facts.environment]),
    ...capsuleTrailers(facts.capsules),
    ...decision(facts),
    ...many('Idempotency-Key', [`promote/${facts.environment}/${facts.changeSet}`]),
    ...run(facts),
    ...many('Reason', [facts.reason]),
  ]);
}

/** A proposal to take into git what somebody changed on targets. */
export function adoptionMessage(facts: AdoptionCommitFacts): string {
  return messageOf(facts.title, '', [
    ...many('Environment', [facts.environment]),
    ...many('Drift', facts.drift),
    ...run(facts),
    ...many('Reason', ['drift']),
  ]);
}

export function auditMessage(facts: AuditCommitFacts): string {
  const count = facts.records.length;
  return messageOf(`audit(${facts.environment}): ${count} ${count === 1 ? 'record' : 'records'}`, '', [
    ...many('Environment', [facts.environment]),
    ...many('Target', facts.targets),
    ...many('Audit-Record', facts.records),
    ...run(facts),
  ]);
}

function summary(capsules: readonly CommittedCapsule[]): string {
  const [first, second] = capsules;
  if (first === undefined) return '';
  const names = [first, second].filter((one) => one !== undefined).map((one) => `${one.capsule} ${one.version}`);
  return capsules.length > 2 ? `${names.join(', ')} and ${capsules.length - 2} more` : names.join(', ');
}

function capsuleTrailers(capsules: readonly CommittedCapsule[]): readonly Trailer[] {
  return capsules.flatMap(({ capsule, version, gitTree }) => [
    { key: 'Capsule', value: `${capsule}@${version}` },
    { key: 'Capsule-Tree', value: gitTree },
  ]);
}

function decision(facts: {
  readonly changeSet: string | undefined;
  readonly changeRequest: string | undefined;
  readonly approvedBy: readonly string[];
  readonly gates: readonly GateReading[];
}): readonly Trailer[] {
  return [
    ...many('Change-Request', facts.changeRequest === undefined ? [] : [facts.changeRequest]),
    ...many('Change-Set', facts.changeSet === undefined ? [] : [facts.changeSet]),
    ...many('Approved-By', facts.approvedBy),
    ...many(
      'Gate',
      facts.gates.map((gate) => `${gate.name}=${gate.status} (${gate.detail})`),
    ),
  ];
}

function run(facts: RunFacts): readonly Trailer[] {
  return [...many('Run-Id', [facts.runId]), ...many('Trace-Id', [facts.traceId])];
}

function many(key: string, values: readonly string[]): readonly Trailer[] {
  return values.map((value) => ({ key, value }));
}
