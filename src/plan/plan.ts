import { listDigest, sha256Of } from '#model/digest.ts';
import type { Sha256 } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { DeletionBudget, DriftedObject, HeldStep, Inventory, InventoryObject, Observation, Step, TargetPlan } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { deletionProblems } from './deletions.ts';
import type { Deletions } from './deletions.ts';
import { driftedObjects } from './drifted.ts';
import { fightsAmong } from './fights.ts';
import type { Correction, Fight } from './fights.ts';
import { foreignInventory } from './foreign.ts';
import { groundOf } from './ground.ts';
import { inOrder } from './order.ts';
import { planObject } from './placing.ts';
import { planRemovals } from './removals.ts';
import { stagePlan } from './staging.ts';
import type { StagingRequest } from './staging.ts';

/** `sync.prune` of the environment: `confirm` prunes like `true`, once `guardPlan` sees a confirmation. */
export type PruneMode = boolean | 'confirm';

export interface PlanRequest {
  readonly rendering: TargetRendering;
  readonly observation: Observation;
  readonly prune: PruneMode;
  /** Foreign objects that git takes over (`targets.<t>.adopt`). */
  readonly adopt: readonly ObjectKey[];
  /** False: what others changed is reported and left alone, as long as git wants nothing new there. */
  readonly selfHeal: boolean;
  /** Without `selfHeal`: drift that a person decided to take back, by path, with what was found there then (undefined: nothing). */
  readonly reverted?: ReadonlyMap<string, Sha256 | undefined>;
  /** Objects that are not corrected any more, by key text: `findFights`. */
  readonly fights?: ReadonlyMap<string, Fight>;
}

/**
 * The steps from what was found to what should be. Only paths that the inventory names are ours: anything else in the way
 * is a problem and gets no step unless `adopt` names it. Without an inventory, or from a partial view, nothing is pruned.
 */
export function planChanges(request: PlanRequest): TargetPlan {
  const { rendering, observation } = request;
  const { environment, name: target } = rendering.target;
  const plan = { environment, target, rendering: rendering.digest, basis: observationDigest(observation) };
  const stranger = foreignInventory(rendering, observation.inventory);
  if (stranger !== undefined) return { ...plan, steps: [], drifted: [], problems: [stranger] };

  const ground = groundOf(request);
  const placed = rendering.objects.map((object) => planObject(object, ground));
  const removals = planRemovals(ground);
  return {
    ...plan,
    steps: inOrder(
      placed.flatMap((each) => each.step ?? each.stays ?? []),
      removals.steps,
      rendering,
    ),
    drifted: [...placed.flatMap((each) => each.drifted ?? []), ...removals.drifted],
    problems: placed.flatMap((each) => each.problem ?? []),
  };
}

/** Digest of everything a plan was made from; reports of health are not part of it. */
function observationDigest(observation: Observation): Sha256 {
  const { inventory } = observation;
  const owned = inventory === undefined ? 'none' : `${inventory.rendering} ${listDigest(inventory.objects)}`;
  return sha256Of(`${owned}\n${listDigest(observation.objects)}\n${observation.complete}\n`);
}

/** Problems that stop a whole plan: more deletions than git allows for this rendering. `confirmed`: git confirms exactly this rendering. */
export function guardPlan(request: {
  readonly plan: TargetPlan;
  readonly inventory: Inventory | undefined;
  readonly budget: DeletionBudget;
  readonly confirmed: boolean;
  readonly prune: PruneMode;
}): readonly Problem[] {
  const { plan, inventory, budget, confirmed, prune } = request;
  const deleted = plan.steps.filter((step) => step.action === 'prune').map((step) => step.key);
  const placed = plan.steps.filter((step) => step.action !== 'prune').map((step) => step.key);
  const before = new Set(inventory?.objects.map((object) => keyText(object.key))).size;
  const { environment, target, rendering } = plan;
  return deletionProblems({ environment, target, rendering, before, deleted, placed, budget, confirmed, always: prune === 'confirm' });
}

/** The same for a rendered branch that is about to move: `before` objects stood there, `deleted` would not any more. */
export function guardDeletions(deletions: Deletions): readonly Problem[] {
  return deletionProblems(deletions);
}

/** The part of a plan that may be carried out now: what depends on what is not well yet is held back. */
export function holdBack(request: StagingRequest): { readonly plan: TargetPlan; readonly held: readonly HeldStep[] } {
  return stagePlan(request);
}

/** What others changed or removed, who did, and what the plan does about it. */
export function findDrift(plan: TargetPlan, observation: Observation, fights?: ReadonlyMap<string, Fight>): readonly DriftedObject[] {
  return driftedObjects(plan, observation, fights);
}

/** Objects that were corrected `maxPerHour` times within the last hour, by key text. A change in git starts the count anew. */
export function findFights(corrections: readonly Correction[], now: Instant, maxPerHour: number): ReadonlyMap<string, Fight> {
  return fightsAmong(corrections, now, maxPerHour);
}

/** What the target holds of ours once the plan is carried out. */
export function nextInventory(plan: TargetPlan): Inventory {
  const { environment, target, rendering } = plan;
  return { environment, target, rendering, objects: plan.steps.flatMap(inventoryRow).toSorted(byPath) };
}

function inventoryRow(step: Step): InventoryObject | readonly never[] {
  return step.action === 'prune' ? [] : { key: step.key, path: step.path, sha256: step.sha256, pending: false };
}

function byPath(a: InventoryObject, b: InventoryObject): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
