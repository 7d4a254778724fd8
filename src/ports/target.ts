import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { FieldChange, Inventory, Observation, Outcome, PlannedObject, StepPreview, TargetPlan, TargetSync } from '#model/plan.ts';

/** Where an environment's objects are put: a directory or a Kubernetes cluster. */
export interface Target {
  /** What is there below this environment's root: own objects, foreign ones in their way, reports of consumers. */
  observe(wanted: readonly PlannedObject[], signal?: AbortSignal): Promise<Observation>;
  /**
   * Carries out the steps in order, prune last; the inventory is written as a superset first and exactly at the end.
   * Every step checks its `basis`: an object that moved since the observation is an outcome `refused`, not an overwrite.
   */
  apply(plan: TargetPlan, next: Inventory, signal?: AbortSignal): Promise<readonly Outcome[]>;
  /** What the target itself says each writing step would change, by path; changes nothing. Absent where a target has no dry run. */
  preview?(plan: TargetPlan, signal?: AbortSignal): Promise<ReadonlyMap<string, StepPreview>>;
  /** Whether it can be reached and what may be done there to objects such as these, and what will soon be in the way. Writes nothing. */
  examine?(wanted: readonly ObjectKey[], signal?: AbortSignal): Promise<readonly TargetFinding[]>;
  /**
   * Which fields of these objects differ from what git wants, by path; `before` is git's. An object that is not there or cannot be compared is
   * left out, and so are Secrets. Absent where a target cannot tell.
   */
  drift?(objects: readonly PlannedObject[], signal?: AbortSignal): Promise<ReadonlyMap<string, readonly FieldChange[]>>;
}

/** One thing that a look at a target found, for people. */
export interface TargetFinding {
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to type or change; undefined when nothing is wrong. */
  readonly remedy: string | undefined;
}

/** What git declares of one target and of how it is kept in line. */
export interface TargetDeclaration {
  readonly driver: string;
  /** Driver directory: below the configured root. */
  readonly path?: string | undefined;
  /** Name of an entry of the service's configuration; its source and who may use it stand there. */
  readonly credentials?: string | undefined;
  /** The namespace of objects that name none. */
  readonly namespace?: string | undefined;
  /** What the inventory is named by, where targets share a namespace; absent: the environment. */
  readonly inventory?: string | undefined;
  /** User that the engine's requests are made as, `system:serviceaccount:<namespace>:<name>` for one. */
  readonly impersonate?: string | undefined;
  /** Absent: the defaults of `sync`. */
  readonly sync?: TargetSync | undefined;
}

/** Opens the targets an environment declares; PortError `unsupported` for a driver this version does not have. */
export interface Targets {
  open(environment: EnvironmentName, target: TargetName, declaration: TargetDeclaration): Promise<Target>;
  /** From now on `moved` is called when something changed on an opened target that a run should see. Absent: it never tells. */
  watch?(moved: (environment: EnvironmentName, target: TargetName) => void): void;
  /** Ends connections and watches; nothing is opened afterwards. */
  close?(): Promise<void>;
}
