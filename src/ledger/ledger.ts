import type { Sha256 } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { AuditRecord } from '#model/receipt.ts';
import type { Pin } from '#model/resolution.ts';
import { chainProblems } from './chain.ts';
import { auditCommitProblems, lockCommitProblems, renderedProblems, type RenderedCommit } from './commit-check.ts';
import { drafted, type DraftOptions, type ReceiptFacts, type RecordDraft } from './draft.ts';
import {
  adoptionMessage,
  auditMessage,
  lockMessage,
  renderedMessage,
  rotationMessage,
  type AdoptionCommitFacts,
  type AuditCommitFacts,
  type LockCommitFacts,
  type RenderedCommitFacts,
  type RotationCommitFacts,
} from './messages.ts';
import { rowsOf, runningAt, type HistoryFilter, type HistoryRow, type RunningInstance } from './queries.ts';
import { digestOf } from './records.ts';
import { healthyEverywhere, periodOf, type Content, type HealthyPeriod, type Place } from './since.ts';
import { after, emptyState, type Ledger } from './state.ts';
import { trailersOf, type Trailer } from './trailers.ts';

/** Message of a commit on `rendered/<env>`. */
export function renderedCommitMessage(facts: RenderedCommitFacts): string {
  return renderedMessage(facts);
}

/** Message of a commit that changes a lock, and of the merge that brings it. */
export function lockCommitMessage(facts: LockCommitFacts): string {
  return lockMessage(facts);
}

/** Message of a commit that takes drift into git. */
export function adoptionCommitMessage(facts: AdoptionCommitFacts): string {
  return adoptionMessage(facts);
}

/** Message of a commit that lets one key of engines follow another, without the second signature. */
export function rotationCommitMessage(facts: RotationCommitFacts): string {
  return rotationMessage(facts);
}

export function auditCommitMessage(facts: AuditCommitFacts): string {
  return auditMessage(facts);
}

/** As `git interpret-trailers --parse` reads them. */
export function parseTrailers(message: string): readonly Trailer[] {
  return trailersOf(message);
}

export function emptyLedger(): Ledger {
  return emptyState();
}

/** The ledger after further records of the audit branch, in the order of their numbers. */
export function extendLedger(ledger: Ledger, records: readonly AuditRecord[]): Ledger {
  return after(ledger, records);
}

/** The records that receipts give, their files, and the ledger with them. Nothing for a run that tells nothing new. */
export function draftRecords(ledger: Ledger, receipts: readonly ReceiptFacts[], options: DraftOptions): RecordDraft {
  return drafted(ledger, receipts, options);
}

/** sha256 of the record's JCS bytes: what `prev` and the trailer `Audit-Record` hold. */
export function recordDigest(record: AuditRecord): Sha256 {
  return digestOf(record);
}

/** Breaks in the chain, oldest record first; `from` when the chain is read from the middle. */
export function checkChain(records: readonly AuditRecord[], from?: { readonly seq: number; readonly prev: string }): readonly Problem[] {
  return chainProblems(records, from);
}

export function checkRenderedCommit(commit: RenderedCommit): readonly Problem[] {
  return renderedProblems(commit);
}

export function checkLockCommit(message: string, before: readonly Pin[], now: readonly Pin[]): readonly Problem[] {
  return lockCommitProblems(message, before, now);
}

export function checkAuditCommit(message: string, added: readonly AuditRecord[]): readonly Problem[] {
  return auditCommitProblems(message, added);
}

/** The start of unbroken health with exactly this content in all of `targets`, where it runs now. */
export function healthySince(
  ledger: Ledger,
  where: { readonly environment: EnvironmentName; readonly targets: readonly TargetName[] },
  what: Content,
): Instant | undefined {
  return healthyEverywhere(ledger, where, what);
}

/** What soak is computed from: the last unbroken health of a content in one target, also after a newer one took its place there. */
export function healthyPeriod(ledger: Ledger, place: Place, what: Content): HealthyPeriod | undefined {
  return periodOf(ledger, place, what);
}

export function whatRanAt(records: readonly AuditRecord[], environment: EnvironmentName, at: Instant): readonly RunningInstance[] {
  return runningAt(records, environment, at);
}

export function historyRows(records: readonly AuditRecord[], filter: HistoryFilter): readonly HistoryRow[] {
  return rowsOf(records, filter);
}
