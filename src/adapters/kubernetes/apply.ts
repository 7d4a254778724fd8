import { sha256Of } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { Inventory, Outcome, Step, TargetPlan, WritingStep } from '#model/plan.ts';
import { PortError } from '#ports/port-error.ts';
import type { Cluster } from './cluster.ts';
import { waitUntilEstablished } from './established.ts';
import { announcedRows, rowsAfter } from './inventory-change.ts';
import type { Row } from './inventory-rows.ts';
import { isObjectPath } from './inventory-rows.ts';
import { loadInventory } from './observe.ts';
import { inParallel } from './parallel.ts';
import { pruneObject } from './prune.ts';
import { named } from './refusals.ts';
import { skippedProblem } from './step-problems.ts';
import { writeObject } from './write.ts';

/** A plan while it is carried out. */
export interface Run {
  readonly cluster: Cluster;
  readonly plan: TargetPlan;
  /** As the inventory had them before. */
  readonly before: ReadonlyMap<string, Row>;
  readonly drifted: ReadonlySet<string>;
  readonly outcomes: Map<Step, Outcome>;
  /** What was written, as the server answered it. */
  readonly written: Map<string, Row>;
  /** Removed objects that are still there, because something holds them. */
  readonly leaving: Set<string>;
  readonly signal: AbortSignal | undefined;
}

const AT_ONCE = 64;

/**
 * Announce what is new (superset inventory); write: namespaces, definitions of kinds, all else; prune, in reverse; write down exactly what
 * is there. A process that dies anywhere leaves objects that are named by the inventory or by the marks on them.
 */
export async function applyPlan(
  cluster: Cluster,
  { plan, next }: { readonly plan: TargetPlan; readonly next: Inventory },
  signal: AbortSignal | undefined,
): Promise<readonly Outcome[]> {
  refuseOddSteps(cluster, plan, next);
  const held = await loadInventory(cluster, signal);
  const run: Run = {
    cluster,
    plan,
    before: held.rows,
    drifted: new Set(plan.drifted.map((key) => keyText(key))),
    outcomes: new Map(),
    written: new Map(),
    leaving: new Set(),
    signal,
  };
  const writes = plan.steps.filter((step) => 'text' in step);
  // The inventory itself may stand in a namespace that this plan brings.
  const home = writes.filter((step) => isHome(run, step));
  await writeAll(run, home);
  const announced = announcedRows(plan, held.rows);
  if (announced !== undefined) await cluster.inventory.save(announced, next.rendering, signal);
  const namespaces = writes.filter((step) => isNamespace(step) && !home.includes(step));
  const definitions = writes.filter(isDefinition);
  await writeAll(run, namespaces);
  await writeAll(run, definitions);
  const defined = definitions.filter((step) => run.outcomes.get(step)?.result === 'done');
  await waitUntilEstablished(cluster, defined, signal);
  await writeAll(
    run,
    writes.filter((step) => !isNamespace(step) && !isDefinition(step)),
  );
  await pruneAll(run);
  // With the namespace that it is in the inventory goes, too.
  const hasHome = !plan.steps.some((step) => isHome(run, step) && step.action === 'prune' && run.outcomes.get(step)?.result === 'done');
  if (hasHome) await cluster.inventory.save(rowsAfter(run, announced ?? held.rows), next.rendering, signal);
  return plan.steps.map(
    (step) => run.outcomes.get(step) ?? { action: step.action, key: step.key, result: 'unchanged', problem: undefined },
  );
}

async function writeAll(run: Run, steps: readonly WritingStep[]): Promise<void> {
  await inParallel(steps, AT_ONCE, async (step) => {
    run.signal?.throwIfAborted();
    run.outcomes.set(step, await writeObject(run, step));
  });
}

/** Objects of a kind before its definition, and everything before the namespace that it is in. */
async function pruneAll(run: Run): Promise<void> {
  const allWritten = [...run.outcomes.values()].every(({ result }) => result === 'done');
  const prunes = run.plan.steps.filter((step) => step.action === 'prune');
  const ranks = [
    prunes.filter((step) => !isNamespace(step) && !isDefinition(step)),
    prunes.filter(isDefinition),
    prunes.filter(isNamespace),
  ];
  for (const steps of ranks) {
    await inParallel(steps, AT_ONCE, async (step) => {
      run.signal?.throwIfAborted();
      const outcome: Outcome = allWritten
        ? await pruneObject(run, step)
        : { action: step.action, key: step.key, result: 'refused', problem: skippedProblem(run.plan, step) };
      run.outcomes.set(step, outcome);
    });
  }
}

function isHome({ cluster }: Run, step: Step): boolean {
  return isNamespace(step) && step.key.name === cluster.marks.namespace;
}

function isNamespace({ key }: Step): boolean {
  return key.group === '' && key.kind === 'Namespace';
}

function isDefinition({ key }: Step): boolean {
  return key.group === 'apiextensions.k8s.io' && key.kind === 'CustomResourceDefinition';
}

function refuseOddSteps({ owner }: Cluster, plan: TargetPlan, next: Inventory): void {
  for (const { environment, target } of [plan, next]) {
    if (environment === owner.environment && target === owner.target) continue;
    throw new PortError(
      'conflict',
      `kubernetes target: a plan for target ${target} of environment ${environment} was given to target ${owner.target} of ${owner.environment}`,
    );
  }
  for (const step of plan.steps) {
    if (!isObjectPath(step.path))
      throw new PortError('invalid', `kubernetes target: not a path of an object: ${JSON.stringify(step.path.slice(0, 200))}`);
    if ('text' in step && sha256Of(step.text) !== step.sha256) {
      throw new PortError('invalid', `kubernetes target: the text of ${named(step.key)} does not have the digest the plan names`);
    }
  }
}
