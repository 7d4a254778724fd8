import type { CapsuleSource, DesiredEnvironment, DesiredState } from '#model/desired.ts';
import type { CommitId, TreeId } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import type { CapsuleName } from '#model/names.ts';
import { brokenCapsules, brokenEnvironments } from './assemble.ts';

/** One state of a capsule along first parents; `commit` undefined is the working directory. */
export interface CapsuleObservation {
  readonly commit: CommitId | undefined;
  /** As written: history may hold what V-05 would refuse. */
  readonly version: string;
  readonly gitTree: TreeId;
}

/** A capsule's states whenever its tree changed, oldest first; the last one is the state at hand. */
export interface CapsuleHistory {
  readonly capsule: CapsuleName;
  readonly observations: readonly CapsuleObservation[];
  /** Steps from this index on are new: after HEAD for a working directory, after the merge base on another branch. */
  readonly newFrom: number;
  /** How many of them, from the first on, stand on the default branch already. */
  readonly merged: number;
}

export type HistoryFacts =
  | { readonly kind: 'shallow' }
  | { readonly kind: 'complete'; readonly branch: string; readonly capsules: readonly CapsuleHistory[] };

/** What is known beside the snapshot itself. An undefined part skips its rules. */
export interface DesiredFacts {
  /** Paths of declarations that did not parse: nothing is called missing because of them. */
  readonly unreadable: readonly string[];
  /** What history has released, by capsule and version, also if the snapshot has it no more. */
  readonly released: ReadonlyMap<string, ReadonlyMap<string, unknown>> | undefined;
  readonly history: HistoryFacts | undefined;
  /** Of capsules with a new version that must not break anything: the highest release below it. */
  readonly previous?: ReadonlyMap<string, CapsuleSource> | undefined;
  /** Version of this Capstan, for `spec.engine`. */
  readonly engineVersion: string | undefined;
  /** For what ends at a time; a run never judges by it. */
  readonly now?: Instant | undefined;
  /** The CODEOWNERS file; without a path there is none. */
  readonly codeOwners?:
    | { readonly path: string; readonly text: string }
    | { readonly path: undefined; readonly text: undefined }
    | undefined;
}

/** The snapshot with the lookups that several rules need, built once. */
export interface RuleContext {
  readonly state: DesiredState;
  readonly facts: DesiredFacts;
  readonly capsules: ReadonlyMap<string, CapsuleSource>;
  readonly environments: ReadonlyMap<string, DesiredEnvironment>;
  /** Every name that may be depended on: of the snapshot, released before, or there but broken. */
  readonly capsuleNames: ReadonlySet<string>;
  readonly environmentNames: ReadonlySet<string>;
  /** Capsule names an environment deploys, with what they need in turn. */
  readonly deployed: ReadonlyMap<string, ReadonlySet<string>>;
}

export function ruleContext(state: DesiredState, facts: DesiredFacts): RuleContext {
  const capsules = new Map<string, CapsuleSource>(state.capsules.map((capsule) => [capsule.name, capsule]));
  const environments = new Map<string, DesiredEnvironment>(state.environments.map((environment) => [environment.name, environment]));
  const needs = new Map<string, readonly string[]>(state.capsules.map((capsule) => [capsule.name, neededBy(capsule)]));
  return {
    state,
    facts,
    capsules,
    environments,
    capsuleNames: new Set([...capsules.keys(), ...brokenCapsules(facts.unreadable), ...(facts.released?.keys() ?? [])]),
    environmentNames: new Set([...environments.keys(), ...brokenEnvironments(facts.unreadable)]),
    deployed: new Map(state.environments.map((environment) => [environment.name, deployedBy(environment, needs)])),
  };
}

/** Capsule that an environment's instance is of. */
export function capsuleOf(instance: string, request: { readonly capsule?: string }): string {
  return request.capsule ?? instance;
}

function neededBy(capsule: CapsuleSource): readonly string[] {
  const { spec } = capsule.declared.value;
  const names = Object.values(spec.dependencies ?? {}).flatMap((dependency) => dependency.capsule ?? []);
  names.push(...Object.values(spec.instances ?? {}).map((child) => child.capsule));
  if (spec.extends !== undefined && spec.extends !== null) names.push(spec.extends.capsule);
  return names;
}

function deployedBy(environment: DesiredEnvironment, needs: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const { spec } = environment.declared.value;
  const open = Object.entries(spec.capsules ?? {}).flatMap(([instance, request]) =>
    request.enabled === false ? [] : [capsuleOf(instance, request)],
  );
  open.push(...Object.values(spec.recipes ?? {}).map((recipe) => recipe.capsule));
  const found = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...(needs.get(name) ?? []));
  }
  return found;
}
