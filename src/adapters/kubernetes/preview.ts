import { fieldChanges } from '#model/field-change.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { FieldChange, StepPreview, TargetPlan, WritingStep } from '#model/plan.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Cluster } from './cluster.ts';
import { readObject } from './look-again.ts';
import { inParallel } from './parallel.ts';
import { mayBeMadeAgain } from './recreate.ts';
import { isImmutable, writeRefusal } from './refusals.ts';
import { APPLIED_ANNOTATION, ENVIRONMENT_LABEL, TARGET_LABEL } from './seen-object.ts';
import { outsideProblem, sealedProblem } from './step-problems.ts';
import { prepareWriting, sendWriting } from './writing.ts';

const AT_ONCE = 32;
/** What a server keeps of an object for itself. */
const KEPT = ['managedFields', 'resourceVersion', 'generation', 'creationTimestamp', 'uid', 'selfLink'];
const MARKS = [APPLIED_ANNOTATION, ENVIRONMENT_LABEL, TARGET_LABEL];
const HIDDEN = '[secret]';

/** What the server says each writing step would change: a dry run an object, after the object as it is. */
export async function previewPlan(
  cluster: Cluster,
  plan: TargetPlan,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, StepPreview>> {
  const coming = new Set(plan.steps.flatMap((step) => ('text' in step && isGround(step) ? [step.key.name] : [])));
  const steps = plan.steps.filter((step) => 'text' in step);
  const previews = await inParallel(steps, AT_ONCE, async (step): Promise<readonly [string, StepPreview]> => {
    signal?.throwIfAborted();
    return [step.path, await previewStep(cluster, step, { plan, coming }, signal)];
  });
  return new Map(previews);
}

function isGround({ key }: WritingStep): boolean {
  return key.kind === 'Namespace' || key.kind === 'CustomResourceDefinition';
}

interface Plans {
  readonly plan: TargetPlan;
  /** Names of namespaces and definitions that the same plan brings: what needs them cannot be tried before. */
  readonly coming: ReadonlySet<string>;
}

async function previewStep(
  cluster: Cluster,
  step: WritingStep,
  { plan, coming }: Plans,
  signal: AbortSignal | undefined,
): Promise<StepPreview> {
  if (!cluster.allows(step.key)) return { fields: [], problem: outsideProblem(step.key, cluster.credentials) };
  const drifted = plan.drifted.some((key) => keyText(key) === keyText(step.key));
  try {
    const writing = await prepareWriting(cluster, step, signal);
    if (writing.kind === 'refused') return { fields: [], problem: coming.size > 0 ? undefined : writing.problem };
    const before = await readObject(cluster, writing.resource, step.key, signal);
    const force = step.action === 'adopt' || drifted;
    const answer = await sendWriting(writing, { found: undefined, force, dryRun: true, live: before }, signal);
    if (answer.status === 200 || answer.status === 201) {
      return { fields: before === undefined ? [] : shown(step, fieldChanges(told(before), told(answer.body))), problem: undefined };
    }
    const isWaiting = answer.status === 404 && coming.size > 0;
    const isAllowed = isImmutable(answer) && mayBeMadeAgain(cluster, writing.object);
    return { fields: [], problem: isWaiting || isAllowed ? undefined : writeRefusal(step.key, answer, writing.object) };
  } catch (error) {
    if (!isPortError(error) || error.kind === 'transient' || step.sealed === undefined) throw error;
    return { fields: [], problem: sealedProblem(step, error) };
  }
}

/** What people mean by the object: without what the server keeps of it, its status and our own marks. */
export function told(object: JsonObject): JsonObject {
  const { status: _status, metadata, ...rest } = object;
  const kept = Object.entries(isJsonObject(metadata) ? metadata : {}).flatMap(([name, value]): readonly (readonly [string, Json])[] => {
    if (KEPT.includes(name)) return [];
    if ((name !== 'labels' && name !== 'annotations') || !isJsonObject(value)) return [[name, value]];
    const others = Object.entries(value).filter(([mark]) => !MARKS.includes(mark));
    return others.length === 0 ? [] : [[name, Object.fromEntries(others)]];
  });
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** Values of Secrets are hidden, and so are copies of them that tools keep in annotations. */
function shown({ key }: WritingStep, changes: readonly FieldChange[]): readonly FieldChange[] {
  const isSecret = key.group === '' && key.kind === 'Secret';
  return changes.map(({ path, before, after }) =>
    isSecret && !path.startsWith('/metadata/labels') && path !== '/type'
      ? { path, before: hidden(before), after: hidden(after) }
      : { path, before, after },
  );
}

function hidden(value: unknown): unknown {
  return value === undefined ? undefined : HIDDEN;
}
