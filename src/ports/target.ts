import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { Inventory, Observation, Outcome, PlannedObject, TargetPlan } from '#model/plan.ts';

/** Where an environment's objects are put: a directory, later a cluster. */
export interface Target {
  /** What is there below this environment's root: own objects, foreign files in their way, reports of consumers. */
  observe(wanted: readonly PlannedObject[], signal?: AbortSignal): Promise<Observation>;
  /**
   * Carries out the steps in order, prune last; the inventory is written as a superset first and exactly at the end.
   * Every step checks its `basis`: an object that moved since the observation is an outcome `refused`, not an overwrite.
   */
  apply(plan: TargetPlan, next: Inventory, signal?: AbortSignal): Promise<readonly Outcome[]>;
}

/** Opens the targets an environment declares; PortError `unsupported` for a driver this version does not have. */
export interface Targets {
  open(
    environment: EnvironmentName,
    target: TargetName,
    declaration: { readonly driver: string; readonly path?: string | undefined },
  ): Promise<Target>;
}
