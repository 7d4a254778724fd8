import type { EnvironmentLock } from '#model/declarations.generated.ts';
import type { CapsuleSource, DesiredEnvironment } from '#model/desired.ts';
import { toCommitId, toSha256, toTreeId, type Sha256 } from '#model/digest.ts';
import { toCapsuleName, toInstanceName, type InstanceName } from '#model/names.ts';
import { compareText, type Place, type Problem } from '#model/problem.ts';
import type { ChangeSet, ConfigurationLayer, Move, Pin, ReleaseIndex, ResolvedInstance } from '#model/resolution.ts';
import { differences, digestOfMoves, identified } from './change-set.ts';
import { merged, type ConfigurationSchema, type Merged } from './configuration.ts';
import { composedCapsule, schemaOf } from './inheritance.ts';
import { layersOf, type LayerSources } from './layers.ts';
import { lockProblems, type LockFacts } from './lock-check.ts';
import { editedLock, newLock } from './lock-text.ts';
import { nothingReleased, withObservations, type Observed } from './release-index.ts';
import { requestedInstances } from './requests.ts';
import { resolutionOf, type Resolved } from './resolution.ts';
import type { ResolveInput } from './resolve-input.ts';
import { retirements } from './retirement.ts';
import { type SecretUser, sourceProblems } from './secret-sources.ts';
import { wishOf, type EnvironmentWish } from './wishes.ts';

export function emptyIndex(): ReleaseIndex {
  return nothingReleased();
}

/**
 * The index with what `branch` showed since its last tip, oldest first; the first branch ever given is the default branch. Each observation
 * names the capsules whose tree changed. Rewritten history needs a new index.
 */
export function extendIndex(index: ReleaseIndex, branch: string, observations: readonly Observed[]): ReleaseIndex {
  return withObservations(index, branch, observations);
}

/**
 * Which version each instance runs, in which order, and why. `needs` names releases whose declaration must be loaded before the question
 * can be answered; ask again with them. The answer does not depend on the order of any input.
 */
export function resolveEnvironment(input: ResolveInput): Resolved {
  return resolutionOf(input);
}

/** A capsule with what it inherits from its parents, nearest first (D6 on spec, files by path); places stay where a value was written. */
export function composeCapsule(child: CapsuleSource, parents: readonly CapsuleSource[]): CapsuleSource {
  return composedCapsule(child, parents);
}

/** The configuration schema of a capsule, inline or in a file, with where its parts stand. */
export function schemaOfCapsule(source: CapsuleSource): ConfigurationSchema | undefined {
  const value = schemaOf(source);
  return value === undefined ? undefined : { value, at: (pointer) => schemaPlace(source, pointer) };
}

function schemaPlace({ declared, directory, directoryOf }: CapsuleSource, pointer: string): Place {
  const { schema } = declared.value.spec.config ?? {};
  if (typeof schema !== 'string') return declared.at(`/spec/config/schema${pointer}`);
  return { file: `${directoryOf?.(schema) ?? directory}/${schema}`, line: undefined, column: undefined, pointer };
}

type LockEntry = EnvironmentLock['capsules'][string];

const pins = new WeakMap<LockEntry, Pin>();

/** By instance name; an entry that two locks share is one pin. */
export function pinsOfLock(lock: EnvironmentLock): readonly Pin[] {
  return Object.entries(lock.capsules)
    .map(([instance, entry]) => {
      const known = pins.get(entry);
      if (known?.instance === instance) return known;
      const pin = pinOf(instance, entry);
      pins.set(entry, pin);
      return pin;
    })
    .sort((a, b) => compareText(a.instance, b.instance));
}

function pinOf(instance: string, entry: LockEntry): Pin {
  return {
    instance: toInstanceName(instance),
    capsule: toCapsuleName(entry.capsule),
    version: entry.version,
    commit: toCommitId(entry.commit),
    gitTree: toTreeId(entry.gitTree),
    sha256: toSha256(entry.sha256),
    requestedBy: entry.requestedBy,
  };
}

/** Instances that the environment asks for and its lock does not have yet: a promotion brings them, what is locked runs without. */
export function notYetLocked(environment: DesiredEnvironment, pins: readonly Pin[]): ReadonlySet<InstanceName> {
  const locked = new Set(pins.map((pin) => pin.instance));
  const requested = requestedInstances(environment, undefined).map((one) => one.instance);
  return new Set(requested.filter((instance) => !locked.has(instance)));
}

/** The lock's new text. Of `previous` every byte stays that need not change: comments, holds, order, quotes; four lines differ per moved capsule. */
export function lockText(environment: string, pins: readonly Pin[], previous: string | undefined): string {
  return (previous === undefined ? undefined : editedLock(pins, previous)) ?? newLock(environment, pins);
}

/** By instance name; an instance that enters has no `from`, one that leaves no `to`. */
export function movesBetween(before: readonly Pin[], after: readonly Pin[]): readonly Move[] {
  return differences(before, after);
}

export function changeSetOf(moves: readonly Move[]): ChangeSet {
  return identified(moves);
}

/** sha256 of the canonical text of a change set; its id is the beginning of it. */
export function changeSetDigest(moves: readonly Move[]): Sha256 {
  return digestOfMoves(moves);
}

/** Layers 3 to 6 (capsule, environment, target or fleet, device), low to high; layer 1 comes with the schema in `mergeConfiguration`. */
export function configurationLayers(sources: LayerSources): readonly ConfigurationLayer[] {
  return layersOf(sources);
}

/** RFC 7396 over schema defaults and layers, with the origin of every leaf and V-78's warnings. `dynamic` are pointers or dotted names. */
export function mergeConfiguration(
  layers: readonly ConfigurationLayer[],
  schema: ConfigurationSchema | undefined,
  dynamic: readonly string[],
): Merged {
  return merged(layers, schema, dynamic);
}

/** V-24 on what an environment runs or would run. */
export function checkRetirement(
  environment: DesiredEnvironment,
  instances: readonly ResolvedInstance[],
  facts: Parameters<typeof retirements>[2],
): readonly Problem[] {
  return retirements(environment, instances, facts);
}

/** What an environment says of one instance, a nested one as well. */
export function environmentWish(environment: DesiredEnvironment, instance: InstanceName): EnvironmentWish {
  return wishOf(environment, instance);
}

/** V-46 to V-49. */
export function checkLock(environment: DesiredEnvironment, facts: LockFacts): readonly Problem[] {
  return lockProblems(environment, facts);
}

/** V-81 of an environment, by the versions that it runs and those that it would run next. */
export function checkSecretSources(environment: DesiredEnvironment, users: readonly SecretUser[]): readonly Problem[] {
  return sourceProblems(environment, users);
}
