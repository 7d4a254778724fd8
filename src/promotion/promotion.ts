import type { CapsuleSignatureVerdict } from '#model/capsule-verdict.ts';
import type { Capsule } from '#model/declarations.generated.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { Instant } from '#model/instant.ts';
import type { JsonObject } from '#model/json.ts';
import type { EnvironmentName } from '#model/names.ts';
import type { Place, Problem } from '#model/problem.ts';
import type { ChangeRequest, Changelog, GateReading, KeyChange, PromotionDraft, PromotionEffect } from '#model/promotion.ts';
import type { Reason } from '#model/receipt.ts';
import type { ChangeSet, Move } from '#model/resolution.ts';
import { textPatch } from '#model/text-patch.ts';
import { candidatesOf, type CandidateFacts, type Candidates } from './candidates.ts';
import { asksForEvidence } from './capsule-evidence.ts';
import { judgeSignatures, signatureProblem, type SignatureQuestion } from './capsule-signature.ts';
import { changelogBetween } from './changelog.ts';
import { isEvidenceGate } from './evidence-gates.ts';
import { gateReadings, waitingText, withoutEvidence, type GateQuestion } from './gates.ts';
import { flagged, rollbackGates, type GoingBack } from './going-back.ts';
import { quarantinedMoves, regated, type LockVerdict } from './regate.ts';
import { riskOf, type MoveFacts, type Risk } from './risk.ts';
import { keyChanges } from './schema-change.ts';
import { upgradeGates, upgradeRefusal, type Upgrade, type UpgradeFacts } from './upgrade-path.ts';
import { bodyOf, changeSetIn, titleOf } from './wording.ts';

/** What could move into an environment now, grouped as it wants, and what is held back and why. Each candidate is then resolved by the loop. */
export function findCandidates(facts: CandidateFacts): Candidates {
  return candidatesOf(facts);
}

/** The risk of a change: declarations.md 3.7. */
export function assessRisk(
  environment: DesiredEnvironment,
  moves: readonly { readonly move: Move; readonly facts: MoveFacts | undefined }[],
): Risk {
  return riskOf(environment.declared.value.spec.risk, moves);
}

/** Every gate of a change set; nothing moves unless each is `passed`. */
export function readGates(question: GateQuestion, at: Instant): readonly GateReading[] {
  return gateReadings(question, at);
}

/** Whether any gate of a change asks for statements on the evidence branch. */
export function wantsEvidence(environment: DesiredEnvironment, arriving: readonly Pick<Capsule['spec'], 'security'>[]): boolean {
  return (environment.declared.value.spec.gates ?? []).some(isEvidenceGate) || arriving.some(asksForEvidence);
}

/** Instances for which statements that a gate asks for are missing, or do not suffice. */
export function lackingEvidence(question: GateQuestion, at: Instant): ReadonlySet<string> {
  return withoutEvidence(question, at);
}

/** V-83: whether a capsule that requires a signature has one that counts. */
export function judgeCapsule(question: SignatureQuestion): CapsuleSignatureVerdict {
  return judgeSignatures(question);
}

/** V-83 as what stops an environment; undefined where nothing does. */
export function refuseSignature(verdict: CapsuleSignatureVerdict, place: Place): Problem | undefined {
  return signatureProblem(verdict, place);
}

/** V-23: why a version cannot follow the one that runs, and what to promote first. */
export function refuseUpgrade(upgrade: Upgrade, facts: UpgradeFacts): string | undefined {
  return upgradeRefusal(upgrade, facts);
}

/** V-23 and V-79 as gates of a change: there only where they hold it. */
export function readPathGates(
  going: GoingBack & { readonly name: string },
  factsOf: (capsule: string) => UpgradeFacts,
): readonly GateReading[] {
  return [...upgradeGates(going.name, going.changeSet, factsOf), ...rollbackGates(going)];
}

/** V-79: what of a change cannot be taken back, for people who approve it. */
export function flagIrreversible(going: Pick<GoingBack, 'changeSet' | 'specOf'>): readonly string[] {
  return flagged(going);
}

export interface DraftFacts {
  readonly environment: DesiredEnvironment;
  readonly from: EnvironmentName | undefined;
  readonly changeSet: ChangeSet;
  readonly risk: Risk;
  readonly gates: readonly GateReading[];
  /** The lock as it is and as it will be. */
  readonly lock: { readonly path: string; readonly before: string | undefined; readonly after: string };
  readonly labels: readonly string[];
  /** For people: optional dependencies that are skipped, capsules that trust does not cover. */
  readonly notes: readonly string[];
  readonly effect: PromotionEffect;
}

export function draftPromotion(facts: DraftFacts): PromotionDraft {
  const { environment, from, changeSet, gates, lock } = facts;
  const { name } = environment;
  return {
    environment: name,
    from,
    changeSet,
    branch: `promote/${name}/${changeSet.id}`,
    title: titleOf(name, changeSet.moves),
    body: bodyOf({ ...facts, environment: name }),
    labels: facts.labels,
    file: { path: lock.path, content: lock.after, patch: textPatch(lock.path, lock.before, lock.after) },
    gates,
    risk: facts.risk,
    effect: facts.effect,
  };
}

/** What a capsule's changelog says of a move: of its own file, cut to a bound. */
export function readChangelog(bytes: Uint8Array, from: string | undefined, to: string): Pick<Changelog, 'sections' | 'cut'> {
  return changelogBetween(bytes, from, to);
}

/** How the configuration that an instance accepts differs between two schemas of its capsule. */
export function compareSchemas(before: JsonObject | undefined, after: JsonObject | undefined): readonly KeyChange[] {
  return keyChanges(before, after);
}

/** The change set that one of our pull requests carries: by its branch, else by the record in its body. */
export function changeSetOfRequest(request: ChangeRequest): string | undefined {
  return /^promote\/[^/]+\/(cs-[0-9a-f]{16})$/.exec(request.head)?.[1] ?? changeSetIn(request.body);
}

/**
 * A newer change set takes the place of an open one only if it moves some of the same instances, is itself verified, and the open one does
 * not hold all its gates yet. So a stream of releases never keeps one from arriving.
 */
export function shouldSupersede(
  open: { readonly changeSet: string; readonly instances: readonly string[]; readonly gates: readonly GateReading[] },
  newer: { readonly changeSet: ChangeSet; readonly verified: boolean },
): boolean {
  if (open.changeSet === newer.changeSet.id || !newer.verified) return false;
  if (!newer.changeSet.moves.some((move) => open.instances.includes(move.instance))) return false;
  return open.gates.some((gate) => gate.status !== 'passed');
}

/**
 * Whether a promotion may be opened, given the newest request of its branch. One that a person closed stays closed, and
 * one that was merged and taken back stays back, until somebody asks for it.
 */
export function mayOpen(existing: ChangeRequest | undefined, engine: string, isAsked: boolean): boolean {
  if (existing === undefined || existing.state === 'open' || isAsked) return true;
  return existing.state === 'closed' && existing.closedBy !== undefined && existing.closedBy.toLowerCase() === engine.toLowerCase();
}

/** For the commit status: at most 140 characters, constant while nothing happens. */
export function describeWaiting(gates: readonly GateReading[]): string {
  return waitingText(gates);
}

/** For a lock that changed on the default branch, whoever merged it. */
export function regateLock(environment: DesiredEnvironment, gates: readonly GateReading[], reason: Reason): LockVerdict {
  return regated(environment, gates, reason);
}

/** What a lock brings in that nothing may move to, as problems. */
export function refuseQuarantined(
  environment: DesiredEnvironment,
  arriving: readonly { readonly capsule: string; readonly version: string; readonly reason: string }[],
): readonly Problem[] {
  return quarantinedMoves(environment, arriving);
}
