import { assess } from '#health/health.ts';
import type { DeclaredTarget } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import type { TargetHealth } from '#model/health.ts';
import type { Instant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import type { RefName } from '#model/names.ts';
import type { Observation, Outcome, TargetPlan } from '#model/plan.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { Ending, Reason, Receipt, Trigger } from '#model/receipt.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { didYouMean } from '#model/suggest.ts';
import { guardPlan, nextInventory, planChanges } from '#plan/plan.ts';
import { isPortError } from '#ports/port-error.ts';
import { changeSetOf } from '#resolve/resolve.ts';
import { judgeAcceptedHistory } from './accepted-history.ts';
import type { Ledger } from './audit-branch.ts';
import { strangerAt } from './engine-branches.ts';
import { fetchImports, noteFailed } from './imports.ts';
import { refusedByComparison } from './looking-back.ts';
import { prepareEnvironment } from './prepare-environment.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import { recordReceipts } from './record-receipts.ts';
import { regate } from './regate.ts';
import type { Regated } from './regate.ts';
import { releaseBranches } from './release-branches.ts';
import { advanceRendered } from './rendered-branch.ts';
import type { RenderedHead } from './rendered-branch.ts';
import { deletionBudget, isConfirmed, targetDeclaration } from './sync-rules.ts';
import type { World } from './world.ts';

export interface ReconcileRequest {
  readonly environment: string;
  readonly target: string | undefined;
  readonly trigger: Trigger;
  readonly dryRun: boolean;
}

export interface TargetRun {
  readonly plan: TargetPlan;
  readonly problems: readonly Problem[];
  readonly health: TargetHealth;
}

export interface ReconcileResult {
  readonly ending: Ending;
  readonly revision: CommitId | undefined;
  readonly receipts: readonly Receipt[];
  readonly runs: readonly TargetRun[];
  readonly notices: readonly string[];
  /** What stands against the declarations and stopped nothing. */
  readonly warnings: readonly Problem[];
}

/** One run of the whole path for one environment. Can be repeated, interrupted and run twice at once: same end. */
export async function reconcile(world: World, request: ReconcileRequest, signal?: AbortSignal): Promise<ReconcileResult> {
  const refs = await world.repository.refs();
  const revision = refs.get(branchRef(world.settings.branch));
  if (revision === undefined) return nothing({ kind: 'retry', because: `the repository has no branch ${world.settings.branch} yet` });
  const turned = await judgeAcceptedHistory(world, { environment: request.environment, revision, refs });
  if (turned !== undefined) return { ...nothing(turned), revision };
  noteFailed(world, await fetchImports(world, revision, signal));
  const preparation = await prepareEnvironment(world, request.environment, revision, signal);
  if (preparation.kind === 'ended') return { ...nothing(preparation.ending), revision, notices: preparation.notices };
  const { prepared } = preparation;
  const { targets } = prepared.rendered.rendering;
  if (request.target !== undefined && !targets.some((rendering) => rendering.target.name === request.target)) {
    const names = targets.map((rendering) => rendering.target.name);
    return { ...nothing({ kind: 'stuck', problems: [unknownTarget(request.environment, request.target, names)] }), revision };
  }

  const unprotected = await world.protection.problemsOf(
    prepared.environment,
    refs,
    releaseBranches(refs, prepared.declarations.state.project?.value.spec.branches?.release ?? [], world.settings.branch).keys(),
  );
  if (unprotected.length > 0) return { ...nothing({ kind: 'stuck', problems: unprotected }), revision, notices: prepared.notices };
  const run = { runId: world.ids.runId(), traceId: world.ids.traceId(), began: world.clock.now() };
  const strange = await strangersOf(world, prepared, refs);
  if (strange.length > 0) return { ...nothing({ kind: 'stuck', problems: strange }), revision, notices: prepared.notices };
  const gated = await regate(world, prepared, refs, signal);
  if (gated.kind === 'ended') return { ...nothing(gated.ending), revision, notices: prepared.notices };
  const denied = await refusedByComparison(world, prepared, gated.head);
  if (denied.length > 0) return { ...nothing({ kind: 'stuck', problems: denied }), revision, notices: prepared.notices };
  const moved = request.dryRun
    ? { kind: 'at' as const, head: gated.head, reason: gated.reason }
    : await advanceRendered(world, { prepared, gated, runId: run.runId, traceId: run.traceId }, signal);
  if (moved.kind === 'ended') return { ...nothing(moved.ending), revision, notices: prepared.notices };

  const receipts: Receipt[] = [];
  const runs: TargetRun[] = [];
  const { ledger } = await world.ledger.at(refs.get(branchRef('audit')));
  for (const rendering of targets) {
    if (request.target !== undefined && rendering.target.name !== request.target) continue;
    const result = await syncTarget(world, { prepared, rendering, dryRun: request.dryRun, ledger }, signal);
    runs.push(result);
    receipts.push(toReceipt(world, { ...run, request, prepared, head: moved.head, reason: moved.reason, rendering, result }));
  }
  const heldUntil = request.dryRun ? undefined : await recordReceipts(world, { prepared, receipts, ...decisionOf(world, gated) }, signal);
  return {
    ending: heldBack(combine(receipts.map((receipt) => receipt.ending)), heldUntil),
    revision,
    receipts,
    runs,
    notices: prepared.notices,
    warnings: prepared.warnings,
  };
}

async function strangersOf(world: World, prepared: PreparedEnvironment, refs: ReadonlyMap<RefName, CommitId>): Promise<readonly Problem[]> {
  const { trust } = await world.history.upTo(prepared.revision);
  const branches = [`rendered/${prepared.environment.name}`, 'audit'];
  const found = await Promise.all(branches.map((branch) => strangerAt(world, trust, branch, refs.get(branchRef(branch)))));
  return found.flatMap((problem) => problem ?? []);
}

/** What the gates said, for the record. */
function decisionOf(world: World, gated: Extract<Regated, { kind: 'passed' }>) {
  return {
    changeSet: gated.moves.length === 0 ? undefined : changeSetOf(gated.moves).id,
    changeRequest: gated.change === undefined ? undefined : `${world.settings.repository}#${gated.change.number}`,
    gates: gated.gates,
    onBehalfOf: gated.approvedBy,
  };
}

/** Better health that may be recorded only later: the run is repeated then. */
function heldBack(ending: Ending, until: Instant | undefined): Ending {
  if (until === undefined || ending.kind !== 'settled') return ending;
  return { kind: 'waiting', reasons: ['health is recorded at most once a minute'], until };
}

interface SyncRequest {
  readonly prepared: PreparedEnvironment;
  readonly rendering: TargetRendering;
  readonly dryRun: boolean;
  readonly ledger: Ledger;
}

interface SyncResult extends TargetRun {
  readonly outcomes: readonly Outcome[];
  readonly ending: Ending;
}

async function syncTarget(world: World, request: SyncRequest, signal?: AbortSignal): Promise<SyncResult> {
  const { environment } = request.prepared;
  const declared = environment.targets.find((target) => target.name === request.rendering.target.name);
  if (declared === undefined) throw new Error('a rendering names a target that is not declared');
  try {
    const target = await world.targets.open(environment.name, declared.name, targetDeclaration(environment, declared));
    const observation = await target.observe(request.rendering.objects, signal);
    const isLost = observation.inventory === undefined && ran(request);
    const planned = notingLoss(planTarget(request.prepared, declared, request.rendering, observation), isLost);
    if (request.dryRun || planned.problems.length > 0) {
      const health = assess(request.rendering, observation);
      const ending: Ending = planned.problems.length > 0 ? { kind: 'stuck', problems: planned.problems } : { kind: 'settled' };
      return { ...planned, health, outcomes: [], ending };
    }
    if (planned.plan.steps.every((step) => step.action === 'keep') && isCurrent(observation, planned.plan)) {
      return {
        ...planned,
        health: assess(request.rendering, observation),
        outcomes: [],
        ending: endingOf(assess(request.rendering, observation), planned.plan),
      };
    }
    const outcomes = await target.apply(planned.plan, nextInventory(planned.plan), signal);
    const health = assess(request.rendering, await target.observe(request.rendering.objects, signal));
    return { ...planned, health, outcomes, ending: afterApply(outcomes, health, planned.plan) };
  } catch (error) {
    if (!isPortError(error)) throw error;
    return unreachable(request, error.kind === 'invalid' || error.kind === 'unsupported' || error.kind === 'denied', error.message);
  }
}

/** Whether something of the environment was healthy on this target before. */
function ran({ ledger, rendering }: SyncRequest): boolean {
  const known = ledger.instances.get(`${rendering.target.environment}/${rendering.target.name}`)?.values() ?? [];
  return [...known].some((instance) => instance.health === 'healthy' || instance.past.length > 0);
}

/** A target that ran something and is empty now was emptied by somebody: all that is created is drift. */
function notingLoss(planned: ReturnType<typeof planTarget>, isLost: boolean): ReturnType<typeof planTarget> {
  if (!isLost) return planned;
  const created = planned.plan.steps.filter((step) => step.action === 'create').map((step) => step.key);
  return { ...planned, plan: { ...planned.plan, drifted: [...planned.plan.drifted, ...created] } };
}

/** The plan of one target and what stops it: the same code for `plan`, `reconcile` and the check. */
export function planTarget(
  prepared: PreparedEnvironment,
  declared: DeclaredTarget,
  rendering: TargetRendering,
  observation: Observation,
): { readonly plan: TargetPlan; readonly problems: readonly Problem[] } {
  const sync = prepared.environment.declared.value.spec.sync;
  const prune = sync?.prune ?? true;
  const plan = planChanges({
    rendering,
    observation,
    prune,
    adopt: (declared.value.adopt ?? []).map((key) => ({
      group: key.group ?? '',
      kind: key.kind,
      namespace: key.namespace ?? '',
      name: key.name,
    })),
    selfHeal: (sync?.selfHeal ?? true) && (sync?.drift?.onDetect ?? 'correct') === 'correct',
  });
  const guarded = guardPlan({
    plan,
    inventory: observation.inventory,
    budget: deletionBudget(prepared.environment),
    confirmed: isConfirmed(prepared.environment, rendering.digest),
    prune,
  });
  return { plan, problems: [...plan.problems, ...guarded] };
}

function isCurrent(observation: Observation, plan: TargetPlan): boolean {
  return observation.inventory?.rendering === plan.rendering && observation.inventory.objects.every((object) => !object.pending);
}

function afterApply(outcomes: readonly Outcome[], health: TargetHealth, plan: TargetPlan): Ending {
  const failed = outcomes.flatMap((outcome) => outcome.problem ?? []);
  if (outcomes.some((outcome) => outcome.result === 'refused'))
    return { kind: 'retry', because: failed[0]?.message ?? 'something moved on the target while it was written' };
  if (failed.length > 0) return { kind: 'stuck', problems: failed };
  return endingOf(health, plan);
}

function endingOf(health: TargetHealth, plan: TargetPlan): Ending {
  if (health.state === 'healthy') return { kind: 'settled' };
  const reasons = health.instances.flatMap((instance) =>
    instance.reasons.map((reason) => `${reason.key.kind} ${reason.key.name} ${reason.reason}`),
  );
  return { kind: 'waiting', reasons: reasons.length > 0 ? reasons : [`${plan.target} is ${health.state}`], until: undefined };
}

function unreachable(request: SyncRequest, final: boolean, message: string): SyncResult {
  const { environment, name: target } = request.rendering.target;
  const instances = [...request.rendering.instances.keys()].map((instance) => ({ instance, state: 'unknown' as const, reasons: [] }));
  const plan: TargetPlan = {
    environment,
    target,
    rendering: request.rendering.digest,
    basis: request.rendering.digest,
    steps: [],
    drifted: [],
    problems: [],
  };
  const problem: Problem = {
    code: 'target-unusable',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `target ${target} of ${environment} cannot be used: ${message}`,
    remedy: 'Correct the target in git or in the configuration of the service, then run again.',
    place:
      request.prepared.environment.targets.find((item) => item.name === target)?.at('') ??
      request.prepared.environment.declared.at('/spec/targets'),
    related: [],
  };
  const ending: Ending = final ? { kind: 'stuck', problems: [problem] } : { kind: 'retry', because: problem.message };
  return { plan, problems: final ? [problem] : [], health: { state: 'unknown', instances }, outcomes: [], ending };
}

interface ReceiptFacts {
  readonly runId: string;
  readonly traceId: string;
  readonly began: Receipt['began'];
  readonly request: ReconcileRequest;
  readonly prepared: PreparedEnvironment;
  readonly head: RenderedHead | undefined;
  readonly reason: Reason;
  readonly rendering: TargetRendering;
  readonly result: SyncResult;
}

function toReceipt(world: World, facts: ReceiptFacts): Receipt {
  const drifted = facts.result.plan.drifted.length > 0;
  return {
    runId: facts.runId,
    traceId: facts.traceId,
    environment: facts.prepared.environment.name,
    target: facts.rendering.target.name,
    revision: facts.prepared.revision,
    commit: facts.head?.commit,
    rendering: facts.rendering.digest,
    cause: facts.request.trigger,
    reason: drifted && facts.reason === 'config' ? 'drift' : facts.reason,
    began: facts.began,
    ended: world.clock.now(),
    ending: facts.result.ending,
    outcomes: facts.result.outcomes,
    health: facts.result.health,
    driftDetected: drifted,
    trustNotice: facts.prepared.notices[0],
    warnings: facts.prepared.warnings,
  };
}

/** Stuck before retry before waiting before settled; reasons and problems of all targets together. */
export function combine(endings: readonly Ending[]): Ending {
  const stuck = endings.flatMap((ending) => (ending.kind === 'stuck' ? ending.problems : []));
  if (stuck.length > 0) return { kind: 'stuck', problems: stuck };
  const retry = endings.find((ending) => ending.kind === 'retry');
  if (retry !== undefined) return retry;
  const waiting = endings.flatMap((ending) => (ending.kind === 'waiting' ? [ending] : []));
  if (waiting.length === 0) return { kind: 'settled' };
  const times = waiting.flatMap((ending) => ending.until ?? []);
  return {
    kind: 'waiting',
    reasons: waiting.flatMap((ending) => ending.reasons),
    until: times.length === 0 ? undefined : times.reduce((a, b) => (a < b ? a : b)),
  };
}

function nothing(ending: Ending): ReconcileResult {
  return { ending, revision: undefined, receipts: [], runs: [], notices: [], warnings: [] };
}

function unknownTarget(environment: string, target: string, known: readonly string[]): Problem {
  return {
    code: 'unknown-target',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `environment ${environment} has no target "${target}" (known: ${known.join(', ')})${didYouMean(target, known)}`,
    remedy: 'Name one of these, or leave --target out to take all of them.',
    place: NOWHERE,
    related: [],
  };
}
