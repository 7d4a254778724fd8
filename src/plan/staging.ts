import type { HealthState } from '#model/health.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { InstanceName } from '#model/names.ts';
import type { HeldStep, Inventory, Step, TargetPlan } from '#model/plan.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';
import { isWriting } from './order.ts';

export interface StagingRequest {
  readonly plan: TargetPlan;
  readonly rendering: TargetRendering;
  readonly inventory: Inventory | undefined;
  /** How the object of each path is; one that is not listed is not well. */
  readonly states: ReadonlyMap<string, HealthState>;
}

/**
 * The part of a plan that may be carried out now. What starts after something that is still to be written, or is not well, keeps what it
 * has. Nothing is pruned while anything is to be written; what may still be serving stays until its instance is well.
 */
export function stagePlan(request: StagingRequest): { readonly plan: TargetPlan; readonly held: readonly HeldStep[] } {
  const { plan } = request;
  if (!plan.steps.some((step) => step.action !== 'keep')) return { plan, held: [] };
  const waits = waitsOf(request);
  const held: HeldStep[] = [];
  const left = new Set<Step>();
  for (const step of plan.steps) {
    if (!isWriting(step)) continue;
    const waitsFor = waits(step.path);
    if (waitsFor === undefined) continue;
    left.add(step);
    held.push({ key: step.key, waitsFor });
  }
  const isWritten = !plan.steps.some(isWriting);
  const unwell = foldersThatAreUnwell(request);
  for (const step of plan.steps) {
    if (step.action === 'prune' && (!isWritten || (mayServe(step.key) && unwell.has(folderOf(step.path))))) left.add(step);
  }
  if (left.size === 0) return { plan, held };
  const rows = new Map(request.inventory?.objects.map((row) => [row.path, row]));
  const steps = plan.steps.flatMap((step): readonly Step[] => {
    if (!left.has(step)) return [step];
    return pathsOf(step).flatMap((path) => {
      const row = rows.get(path);
      return row === undefined ? [] : [{ action: 'keep', key: row.key, path, sha256: row.sha256, reason: 'waits for others' }];
    });
  });
  return { plan: { ...plan, steps }, held };
}

function pathsOf(step: Step): readonly string[] {
  return isWriting(step) ? [step.path, ...step.leaves.map((leaf) => leaf.path)] : [step.path];
}

/** Pods that run, what they run from and what leads to them. All else goes at once: a limit may be why nothing gets well. */
const SERVING: ReadonlySet<string> = new Set([
  '/ConfigMap',
  '/PersistentVolumeClaim',
  '/Secret',
  '/Service',
  '/ServiceAccount',
  'apps/DaemonSet',
  'apps/Deployment',
  'apps/ReplicaSet',
  'apps/StatefulSet',
  'argoproj.io/Rollout',
  'gateway.networking.k8s.io/HTTPRoute',
  'networking.k8s.io/Ingress',
  'rbac.authorization.k8s.io/Role',
  'rbac.authorization.k8s.io/RoleBinding',
]);

function mayServe({ group, kind }: ObjectKey): boolean {
  return SERVING.has(`${group}/${kind}`);
}

/** What takes a place in the same instance is not well yet. */
function foldersThatAreUnwell({ rendering, states }: StagingRequest): ReadonlySet<string> {
  return new Set(rendering.objects.filter((object) => states.get(object.path) !== 'healthy').map((object) => folderOf(object.path)));
}

function folderOf(path: string): string {
  return path.slice(0, path.indexOf('/'));
}

/** Why the object of a path has to wait, in words; undefined where it has not. */
function waitsOf({ plan, rendering, states }: StagingRequest): (path: string) => string | undefined {
  const writing = new Set(plan.steps.filter(isWriting).map((step) => step.path));
  const objects = new Map(rendering.objects.map((object) => [object.path, object]));
  const lowest = new Map<InstanceName, RenderedObject>();
  const unwell = new Set<InstanceName>();
  const unwritten = new Set<InstanceName>();
  for (const object of rendering.objects) {
    const isUnwritten = writing.has(object.path);
    if (isUnwritten) unwritten.add(object.instance);
    if (!isUnwritten && states.get(object.path) === 'healthy') continue;
    unwell.add(object.instance);
    const other = lowest.get(object.instance);
    if (other === undefined || waveOf(object) < waveOf(other)) lowest.set(object.instance, object);
  }
  const answers = new Map<InstanceName, string | undefined>();
  function ofInstance(instance: InstanceName): string | undefined {
    if (!answers.has(instance)) answers.set(instance, neededBy(rendering, instance, { unwell, unwritten }));
    return answers.get(instance);
  }
  return (path) => {
    const object = objects.get(path);
    if (object === undefined) return undefined;
    const first = lowest.get(object.instance);
    if (first !== undefined && waveOf(first) < waveOf(object)) return `${first.key.kind} ${first.key.name}`;
    return ofInstance(object.instance);
  };
}

function waveOf(object: RenderedObject): number {
  return object.wave ?? 0;
}

interface Unfinished {
  /** Instances with an object that is still to be written or is not well. */
  readonly unwell: ReadonlySet<InstanceName>;
  readonly unwritten: ReadonlySet<InstanceName>;
}

/** A need that is not in an earlier wave is one end of a cut circle. */
function neededBy(rendering: TargetRendering, instance: InstanceName, { unwell, unwritten }: Unfinished): string | undefined {
  const facts = rendering.instances.get(instance);
  for (const need of facts?.needs ?? []) {
    const wave = rendering.instances.get(need.instance)?.wave;
    if (facts === undefined || wave === undefined || wave >= facts.wave) continue;
    const unfinished = need.until === 'started' ? unwritten : unwell;
    const first = [...answersFor(rendering, need.instance)].find((one) => unfinished.has(one));
    if (first !== undefined) return first;
  }
  return undefined;
}

/** The instance and what its health follows from. */
function answersFor(rendering: TargetRendering, instance: InstanceName): ReadonlySet<InstanceName> {
  const found = new Set([instance]);
  for (const one of found) for (const other of rendering.instances.get(one)?.healthOf ?? []) found.add(other);
  return found;
}
