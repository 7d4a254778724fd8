import type { Capsule } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment, DesiredState, SourceFile } from '#model/desired.ts';
import type { Instant } from '#model/instant.ts';
import { compareProblems, plainProblem, type Problem } from '#model/problem.ts';
import type { BlockMemory } from '#model/yaml-plain.ts';
import { type Assembled, assemble, type Snapshot } from './assemble.ts';
import { type CapsuleContent, fileProblems as irregularFiles, type ReadCapsule, readCapsule } from './capsule-source.ts';
import { documentPath } from './documents.ts';
import { type DesiredFacts, ruleContext } from './facts.ts';
import { irregular } from './irregular.ts';
import { misplacedFiles, notACapsule } from './misplaced.ts';
import { findNotHonoured, type NotHonoured, ofCapsule } from './not-honoured.ts';
import { type ParsedDeclaration, parseDocument } from './parse.ts';
import { agentProblems } from './rules/agents.ts';
import { availabilityProblems } from './rules/availability.ts';
import { breakingProblems } from './rules/breaking-change.ts';
import { CODE_OWNER_PATHS, codeOwnerProblems } from './rules/code-owners.ts';
import { componentNameProblems } from './rules/component-names.ts';
import { compositionProblems } from './rules/composition.ts';
import { conditionProblems } from './rules/conditions.ts';
import { cycleProblems } from './rules/cycles.ts';
import { delegationProblems } from './rules/delegation.ts';
import { dependencyProblems } from './rules/dependencies.ts';
import { deviceProblems } from './rules/devices.ts';
import { fileProblems } from './rules/files.ts';
import { fleetProblems } from './rules/fleets.ts';
import { gateProblems } from './rules/gates.ts';
import { healthExpressionProblems } from './rules/health-expressions.ts';
import { historyProblems } from './rules/history.ts';
import { imageProblems } from './rules/images.ts';
import { importProblems } from './rules/imports.ts';
import { networkPeerProblems } from './rules/network-peers.ts';
import { promotionProblems } from './rules/promotion-graph.ts';
import { protocolProblems } from './rules/protocols.ts';
import { referenceProblems } from './rules/references.ts';
import { resourceProblems } from './rules/resources.ts';
import { scheduleProblems } from './rules/schedules.ts';
import { schemaProblems } from './rules/schema-hygiene.ts';
import { secretProblems } from './rules/secrets.ts';
import { strategyProblems } from './rules/strategy.ts';
import { successionProblems } from './rules/succession.ts';
import { syncProblems } from './rules/sync.ts';
import { targetFactProblems } from './rules/target-facts.ts';
import { targetFieldProblems } from './rules/target-fields.ts';
import { targetProblems } from './rules/targets.ts';
import { tenancyProblems } from './rules/tenancy.ts';
import { windowProblems } from './rules/windows.ts';
import { wiringProblems } from './rules/wiring.ts';
import { findSuppressions, type FoundSuppressions, type JudgedProblems, judgeSuppressions, type Suppression } from './suppressions.ts';

/** Whether a repository path is a declaration: project, environment, lock, targets/, config/, fleets/, devices/, policies, capsule.yaml. */
export function isDeclarationPath(path: string): boolean {
  return documentPath(path) !== undefined;
}

/** A path that is no regular file: by its mode, or by what is wrong with it. In a capsule that is V-10. */
export function irregularPath(path: string, modeOrWords: string): Problem {
  return irregular(path, modeOrWords);
}

/**
 * Parses one declaration. A function of path and bytes alone, so answers can be kept by path and blob id; `blocks` keeps what one lock has
 * in common with the next.
 */
export function parseDeclaration(file: SourceFile, blocks?: BlockMemory): ParsedDeclaration {
  const parsed = parseDocument(file, blocks);
  return { ...parsed, problems: parsed.problems.map(plainProblem) };
}

/** Puts a capsule's directory together (V-10). */
export function capsuleSource(content: CapsuleContent): ReadCapsule {
  return readCapsule(content);
}

/** Puts a snapshot's documents together (V-04). */
export function assembleDesiredState(snapshot: Snapshot): Assembled {
  return assemble(snapshot);
}

/** Files and directories that look like declarations and are in no place where any is read, as warnings. */
export function misplacedDeclarations(paths: readonly string[]): readonly Problem[] {
  return misplacedFiles(paths);
}

/** What is wrong with a directory below capsules/ that has no readable capsule.yaml: V-10, or a warning that it is no capsule. */
export function strayCapsule(directory: string, files: CapsuleContent['files']): readonly Problem[] {
  const irregular = irregularFiles({ directory, files });
  if (irregular.length > 0) return irregular;
  return [
    notACapsule(
      directory,
      files.map((file) => file.path),
    ),
  ];
}

/** The rules across documents, offline: every problem, in the order people see them. */
export function checkDesiredState(state: DesiredState, facts: DesiredFacts): readonly Problem[] {
  const context = ruleContext(state, facts);
  const problems = [
    ...historyProblems(context),
    ...fileProblems(context),
    ...dependencyProblems(context),
    ...wiringProblems(context),
    ...cycleProblems(context),
    ...compositionProblems(context),
    ...conditionProblems(context),
    ...scheduleProblems(context),
    ...promotionProblems(context),
    ...targetProblems(context),
    ...targetFieldProblems(context),
    ...targetFactProblems(context),
    ...componentNameProblems(context),
    ...networkPeerProblems(context),
    ...resourceProblems(context),
    ...availabilityProblems(context),
    ...schemaProblems(context),
    ...referenceProblems(context),
    ...protocolProblems(context),
    ...agentProblems(context),
    ...secretProblems(context),
    ...breakingProblems(context),
    ...successionProblems(context),
    ...importProblems(context),
    ...healthExpressionProblems(context),
    ...gateProblems(context),
    ...windowProblems(context),
    ...syncProblems(context),
    ...delegationProblems(context),
    ...strategyProblems(context),
    ...tenancyProblems(context),
    ...fleetProblems(context),
    ...deviceProblems(context),
    ...codeOwnerProblems(context),
  ];
  return problems.map(plainProblem).sort(compareProblems);
}

/** V-31 for one version of a capsule that an environment runs, or would run next. */
export function unpinnedComponents(environment: DesiredEnvironment, capsule: Declared<Capsule>): readonly Problem[] {
  return imageProblems(environment, capsule);
}

/** Where the file of code owners may stand; the first counts. */
export function codeOwnerPaths(): readonly string[] {
  return CODE_OWNER_PATHS;
}

/** What is declared and not honoured by this version: code `not-supported`, with its effect and whom it concerns. */
export function notHonoured(state: DesiredState): readonly NotHonoured[] {
  return findNotHonoured(state);
}

/** The same for one capsule.yaml, such as that of a locked release. */
export function capsuleNotHonoured(declared: Declared<Capsule>): readonly NotHonoured[] {
  return ofCapsule(declared);
}

/** Comments of a file that silence warnings, and those that mean to and do not say what, why and until when. */
export function suppressionsIn(bytes: Uint8Array, file: string): FoundSuppressions {
  return findSuppressions(bytes, file);
}

/** Silences warnings where a comment says why, until its day; a comment that is past it, or silences nothing, is a warning itself. */
export function withoutSuppressed(problems: readonly Problem[], suppressions: readonly Suppression[], at: Instant): JudgedProblems {
  return judgeSuppressions(problems, suppressions, at);
}
