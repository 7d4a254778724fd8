import { sha256Of } from '#model/digest.ts';
import { driftChanges } from '#model/drift-change.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { FieldChange, Inventory, Observation, Outcome, PlannedObject, ReportedHealth, Step, TargetPlan } from '#model/plan.ts';
import { NOWHERE } from '#model/problem.ts';
import { PortError } from '#ports/port-error.ts';
import type { Target, Targets } from '#ports/target.ts';

/** A target in memory: the same promises as a real one, and hands to play a person or a consumer with. */
export interface MemoryTarget extends Target {
  readonly files: Map<string, string>;
  readonly reports: Map<string, ReportedHealth>;
  inventory: Inventory | undefined;
  /** False: the next looks answer in part, without the paths in `hidden`. */
  complete: boolean;
  readonly hidden: Set<string>;
  /** It says itself how its objects are, as a cluster does. */
  reportsHealth: boolean;
  /** How many files were written or removed so far. */
  writes: number;
}

export function memoryTarget(): MemoryTarget {
  const target: MemoryTarget = {
    files: new Map(),
    reports: new Map(),
    inventory: undefined,
    complete: true,
    hidden: new Set(),
    reportsHealth: false,
    writes: 0,
    observe: async (wanted) => observe(target, wanted),
    apply: async (plan, next) => apply(target, plan, next),
    drift: async (objects) => driftOf(target, objects),
  };
  return target;
}

export interface MemoryTargets extends Targets {
  at(environment: string, target: string): MemoryTarget;
  /** As a watch does when something moved. */
  tell(environment: EnvironmentName, target: TargetName): void;
}

/** One memory target per environment and target name. */
export function memoryTargets(): MemoryTargets {
  const known = new Map<string, MemoryTarget>();
  let told: Parameters<NonNullable<Targets['watch']>>[0] = () => undefined;
  function at(environment: string, target: string): MemoryTarget {
    const name = `${environment}/${target}`;
    const there = known.get(name) ?? memoryTarget();
    known.set(name, there);
    return there;
  }
  return {
    at,
    open: (environment, target) => Promise.resolve(at(environment, target)),
    watch: (moved) => {
      told = moved;
    },
    tell: (environment, target) => told(environment, target),
  };
}

function observe(target: MemoryTarget, wanted: readonly Pick<PlannedObject, 'path'>[]): Observation {
  const keys = new Map(target.inventory?.objects.map((row) => [row.path, row.key]));
  const paths = [...new Set([...wanted.map((object) => object.path), ...keys.keys()])].toSorted();
  const seen = paths.filter((path) => target.complete || !target.hidden.has(path));
  return {
    inventory: target.inventory,
    objects: seen.flatMap((path) => {
      const text = target.files.get(path);
      return text === undefined ? [] : [{ key: keys.get(path), path, sha256: sha256Of(text) }];
    }),
    reports: seen.flatMap((path) => (target.files.has(path) ? (target.reports.get(path) ?? []) : [])),
    complete: target.complete,
    ...(target.reportsHealth ? { reportsHealth: true } : {}),
  };
}

function driftOf(target: MemoryTarget, objects: readonly PlannedObject[]): ReadonlyMap<string, readonly FieldChange[]> {
  const found = new Map<string, readonly FieldChange[]>();
  for (const { path, key, object } of objects) {
    const read = readKubernetesYaml(target.files.get(path) ?? '', path);
    const [document] = read.ok ? read.value : [];
    if (key.kind !== 'Secret' && document !== undefined) found.set(path, driftChanges(object, document.value));
  }
  return found;
}

function apply(target: MemoryTarget, plan: TargetPlan, next: Inventory): readonly Outcome[] {
  const held = target.inventory;
  if (held !== undefined && (held.environment !== next.environment || held.target !== next.target)) {
    throw new PortError('conflict', `the inventory belongs to ${held.environment}`);
  }
  const owned = new Set(held?.objects.map((row) => row.path));
  const outcomes: Outcome[] = [];
  for (const step of plan.steps) {
    if (step.action === 'prune' && outcomes.some((each) => each.result === 'refused')) outcomes.push(refused(step));
    else outcomes.push(carryOut(target, step, owned));
  }
  const undone = new Set(plan.steps.filter((_, index) => outcomes[index]?.result === 'refused').map((step) => step.path));
  target.inventory = {
    ...next,
    objects: [...next.objects.filter((row) => !undone.has(row.path)), ...(held?.objects ?? []).filter((row) => undone.has(row.path))],
  };
  return outcomes;
}

function carryOut(target: MemoryTarget, step: Step, owned: ReadonlySet<string>): Outcome {
  const text = target.files.get(step.path);
  const found = text === undefined ? undefined : sha256Of(text);
  switch (step.action) {
    case 'keep':
      return { action: step.action, key: step.key, result: 'unchanged', problem: undefined };
    case 'prune':
      if (!owned.has(step.path)) return refused(step);
      if (found === undefined) return { action: step.action, key: step.key, result: 'unchanged', problem: undefined };
      if (found !== step.basis) return refused(step);
      target.files.delete(step.path);
      break;
    case 'create':
    case 'update':
    case 'adopt':
      if (found !== step.basis && found !== step.sha256) return refused(step);
      if (found !== step.sha256) target.files.set(step.path, step.text);
      for (const left of step.leaves) {
        const old = target.files.get(left.path);
        if (old !== undefined && sha256Of(old) !== left.basis) return refused(step);
        target.files.delete(left.path);
      }
  }
  target.writes += 1;
  return { action: step.action, key: step.key, result: 'done', problem: undefined };
}

function refused(step: Step): Outcome {
  const problem = {
    code: 'object-moved',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `${step.path} moved`,
    remedy: 'Plan again.',
    place: NOWHERE,
    related: [],
  } as const;
  return { action: step.action, key: step.key, result: 'refused', problem };
}
