import { assess, assessObjects } from '#health/health.ts';
import type { DeclaredTarget } from '#model/desired.ts';
import type { Sha256 } from '#model/digest.ts';
import { firstLate } from '#model/health.ts';
import type { TargetHealth } from '#model/health.ts';
import type { Instant } from '#model/instant.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { DriftedObject, HeldStep, Observation, Outcome, StepPreview, TargetPlan } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';
import type { Ending } from '#model/receipt.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { findDrift, guardPlan, holdBack, nextInventory, planChanges } from '#plan/plan.ts';
import type { PlanRequest } from '#plan/plan.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Target } from '#ports/target.ts';
import type { Ledger } from './audit-branch.ts';
import { delegated, delegatedHealth } from './delegation.ts';
import type { Delegated } from './delegation.ts';
import { afterFights, driftPolicy, fightsOn, noteCorrections } from './drift.ts';
import { withLines } from './lines.ts';
import { placedOutcomes, placedPreview } from './placed-problems.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import type { RenderedHead } from './rendered-branch.ts';
import { noPlan, waitingMended, waitingTurn, waitingUnseen } from './rollout-targets.ts';
import type { RolloutTurn } from './rollout-targets.ts';
import { keptRendering } from './standing.ts';
import type { Standing } from './standing.ts';
import { deletionBudget, isConfirmed, patienceOf, targetDeclaration } from './sync-rules.ts';
import type { World } from './world.ts';

export interface TargetRun {
  readonly plan: TargetPlan;
  /** By path; absent where nobody asked, or the target has no dry run. */
  readonly preview?: ReadonlyMap<string, StepPreview>;
  readonly problems: readonly Problem[];
  readonly health: TargetHealth;
  /** What is written once something else is well. */
  readonly held: readonly HeldStep[];
  /** Where a rollout is declared. */
  readonly turn?: RolloutTurn | undefined;
  /** What others changed or removed, and what became of it. */
  readonly drift: readonly DriftedObject[];
}

export interface SyncRequest {
  readonly prepared: PreparedEnvironment;
  readonly rendering: TargetRendering;
  readonly dryRun: boolean;
  /** The target is asked for its own dry run. */
  readonly asks: boolean;
  readonly ledger: Ledger;
  readonly head: RenderedHead | undefined;
  readonly turn: RolloutTurn | undefined;
  /** A person is asked before anything is written (`sync.mode: manual`). */
  readonly isManual?: boolean;
  /** Drift that a person decided to take back: `PlanRequest.reverted`. */
  readonly reverted?: ReadonlyMap<string, Sha256 | undefined>;
}

export interface SyncResult extends TargetRun {
  readonly outcomes: readonly Outcome[];
  readonly ending: Ending;
  /** What a target keeps that waits for its turn in the rollout. */
  readonly standing?: Standing | undefined;
}

/** Brings one target to its rendering, as far as what is there is well: what depends on the rest is left to the next run. */
export async function syncTarget(world: World, request: SyncRequest, signal?: AbortSignal): Promise<SyncResult> {
  return { ...(await syncInTurn(world, request, signal)), turn: request.turn };
}

async function syncInTurn(world: World, given: SyncRequest, signal?: AbortSignal): Promise<SyncResult> {
  const { environment } = given.prepared;
  const declared = environment.targets.find((target) => target.name === given.rendering.target.name);
  if (declared === undefined) throw new Error('a rendering names a target that is not declared');
  const tool = await delegated(world, { environment, declared, rendering: given.rendering }, given);
  const request = tool === undefined ? given : { ...given, rendering: tool.objects };
  const now = world.clock.now();
  const patience = patienceOf(environment, now);
  try {
    const declaration = tool?.declaration ?? targetDeclaration(environment, declared);
    const target = await world.targets.open(environment.name, declared.name, declaration);
    const observation = await target.observe(request.rendering.objects, signal);
    const fights = fightsOn(world, environment, declared.name);
    const { reverted } = request;
    const seen: Seen = { observation, fights, patience, now, ...(reverted === undefined ? {} : { reverted }) };
    const at: Opened = { request, declared, target, tool, fights };
    if (request.turn?.kind !== 'wait' || observation.inventory?.rendering === request.rendering.digest)
      return await bringInLine(world, at, seen, signal);
    const { plan } = planTarget(request, declared, seen);
    const kept = tool === undefined && plan.drifted.length > 0 ? await keptRendering(world, request, observation) : undefined;
    if (kept === undefined) return waitingTurn(request, request.turn, { plan, observation, isDelegated: tool !== undefined });
    const mended = await bringInLine(world, { ...at, request: { ...request, rendering: kept } }, seen, signal);
    return waitingMended(request, request.turn, mended);
  } catch (error) {
    if (!isPortError(error)) throw error;
    if (request.turn?.kind === 'wait') return waitingUnseen(request, request.turn, error.message);
    return unreachable(given, error.kind === 'invalid' || error.kind === 'unsupported' || error.kind === 'denied', error.message);
  }
}

interface Opened {
  readonly request: SyncRequest;
  readonly declared: DeclaredTarget;
  readonly target: Target;
  readonly tool: Delegated | undefined;
  readonly fights: ReturnType<typeof fightsOn>;
}

async function bringInLine(
  world: World,
  { request, declared, target, tool, fights }: Opened,
  seen: Seen,
  signal?: AbortSignal,
): Promise<SyncResult> {
  const { observation, patience } = seen;
  const healthOf = (found: Observation): TargetHealth =>
    tool === undefined ? assess(request.rendering, found, patience) : delegatedHealth(tool, found);
  const isLost = observation.inventory === undefined && ran(request);
  const planned = notingLoss(planTarget(request, declared, seen), isLost);
  const drift = findDrift(planned.plan, observation, fights);
  if (request.dryRun || planned.problems.length > 0) {
    const health = healthOf(observation);
    const { plan, held } = staged(request, seen, planned.plan);
    const asked = request.dryRun && request.asks && planned.problems.length === 0 ? await previewOf(request, target, plan, signal) : {};
    const problems = asked.problems ?? planned.problems;
    const isStuck = problems.some((problem) => problem.severity === 'error');
    const ending: Ending = isStuck ? { kind: 'stuck', problems } : { kind: 'settled' };
    return { ...planned, ...asked, health, held, drift, outcomes: [], ending };
  }
  const done = await applyInStages({ ...request, declared, target }, { seen, plan: planned.plan }, signal);
  noteCorrections(world, planned.plan, done.outcomes, drift);
  const health = healthOf(done.observation);
  const ending = afterFights(afterApply(request, done, health, planned.plan), planned.plan, drift, fights);
  return { ...planned, health, held: done.held, drift, outcomes: done.outcomes, ending };
}

/** What the target itself says of a plan; nothing where it has no dry run. */
async function previewOf(
  { prepared }: SyncRequest,
  target: Target,
  plan: TargetPlan,
  signal: AbortSignal | undefined,
): Promise<Partial<Pick<TargetRun, 'problems' | 'preview'>>> {
  if (target.preview === undefined) return {};
  const keys = new Map(plan.steps.map((step) => [step.path, step.key]));
  const preview = placedPreview(prepared.rendered.places, plan.target, { preview: await target.preview(plan, signal), keys });
  const problems = [...preview.values()].flatMap((step) => step.problem ?? []);
  const [first] = problems;
  if (first === undefined || problems.length < preview.size || problems.some((problem) => problem.code !== 'not-permitted'))
    return { preview, problems };
  // Whoever may only look gets a plan all the same.
  return {
    problems: [{ ...first, severity: 'warning', message: `the server was not asked what it makes of this plan: ${first.message}` }],
  };
}

/** What was found on a target, and what is known of it. */
interface Seen extends Pick<PlanRequest, 'reverted' | 'fights'> {
  readonly observation: Observation;
  readonly patience: ReturnType<typeof patienceOf>;
  readonly now: Instant;
}

interface Found {
  readonly seen: Seen;
  readonly plan: TargetPlan;
}

interface Applied {
  readonly observation: Observation;
  readonly held: readonly HeldStep[];
  readonly outcomes: readonly Outcome[];
  /** What stands in the way of what is left. */
  readonly problems: readonly Problem[];
}

/** No more turns than this, whoever else writes meanwhile. */
const MOST_TURNS = 50;

/** Until nothing is left that may be done now. Each turn starts from what is there: a process that dies between two loses nothing. */
async function applyInStages(
  request: SyncRequest & { readonly declared: DeclaredTarget; readonly target: Target },
  found: Found,
  signal: AbortSignal | undefined,
): Promise<Applied> {
  const outcomes = new Map<string, Outcome>();
  const { places } = request.prepared.rendered;
  let { plan, seen } = found;
  for (let turn = 0; ; turn += 1) {
    const { observation } = seen;
    const stage = staged(request, seen, plan);
    const isDone = stage.plan.steps.every((step) => step.action === 'keep') && isCurrent(observation, stage.plan);
    if (isDone || turn === MOST_TURNS) return { observation, held: stage.held, outcomes: [...outcomes.values()], problems: [] };
    const became = placedOutcomes(places, plan.target, await request.target.apply(stage.plan, nextInventory(stage.plan), signal));
    for (const outcome of became) noteOutcome(outcomes, outcome);
    const after = await request.target.observe(request.rendering.objects, signal);
    const result = { observation: after, held: stage.held, outcomes: [...outcomes.values()] };
    const isWell = became.every((outcome) => outcome.problem?.severity !== 'error');
    if (!isWell || after.reportsHealth === undefined) return { ...result, problems: [] };
    seen = { ...seen, observation: after, fights: withWritten(seen, stage.plan, became) };
    const next = planTarget(request, request.declared, seen);
    if (next.problems.length > 0) return { ...result, problems: next.problems };
    // What is kept on purpose, or on its way out, asks for the same removal each time.
    const isStill = next.plan.basis === plan.basis && became.every((outcome) => outcome.result === 'unchanged');
    if (isStill) return { ...result, problems: [] };
    plan = next.plan;
  }
}

/** What one run wrote it does not write again, however fast somebody sets it back: the next run counts it. */
function withWritten({ fights, now }: Seen, plan: TargetPlan, became: readonly Outcome[]): NonNullable<Seen['fights']> {
  const done = new Set(became.flatMap((outcome) => (outcome.result === 'done' ? [keyText(outcome.key)] : [])));
  const written = plan.steps.flatMap((step) =>
    'text' in step && done.has(keyText(step.key)) ? [[keyText(step.key), { sha256: step.sha256, count: 1, until: now }] as const] : [],
  );
  return new Map([...(fights ?? []), ...written]);
}

function staged({ rendering }: SyncRequest, { observation, patience }: Seen, plan: TargetPlan): ReturnType<typeof holdBack> {
  if (observation.reportsHealth === undefined || plan.steps.every((step) => step.action === 'keep')) return { plan, held: [] };
  const states = new Map([...assessObjects(rendering, observation, patience)].map(([path, object]) => [path, object.state]));
  return holdBack({ plan, rendering, inventory: observation.inventory, states });
}

/** An object that was written and kept afterwards was written. */
function noteOutcome(outcomes: Map<string, Outcome>, outcome: Outcome): void {
  const key = keyText(outcome.key);
  if (outcome.result !== 'unchanged' || !outcomes.has(key)) outcomes.set(key, outcome);
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
function planTarget(
  { prepared, rendering, isManual }: SyncRequest,
  declared: DeclaredTarget,
  seen: Seen,
): { readonly plan: TargetPlan; readonly problems: readonly Problem[] } {
  const sync = prepared.environment.declared.value.spec.sync;
  const prune = sync?.prune ?? true;
  const plan = planChanges({
    ...seen,
    rendering,
    prune,
    adopt: (declared.value.adopt ?? []).map((key) => ({
      group: key.group ?? '',
      kind: key.kind,
      namespace: key.namespace ?? '',
      name: key.name,
    })),
    selfHeal: isManual !== true && driftPolicy(prepared.environment).onDetect === 'correct',
  });
  const guarded = guardPlan({
    plan,
    inventory: seen.observation.inventory,
    budget: deletionBudget(prepared.environment),
    confirmed: isConfirmed(prepared.environment, rendering.digest),
    prune,
  });
  // Where we may not look, somebody else's objects may stand.
  const denied = (seen.observation.unseen ?? []).filter((problem) => problem.severity === 'error');
  return { plan, problems: withLines([...plan.problems, ...guarded, ...denied], [prepared.environment.declared]) };
}

function isCurrent(observation: Observation, plan: TargetPlan): boolean {
  return observation.inventory?.rendering === plan.rendering && observation.inventory.objects.every((object) => !object.pending);
}

function afterApply(
  { prepared }: SyncRequest,
  { outcomes, held, problems, observation }: Applied,
  health: TargetHealth,
  plan: TargetPlan,
): Ending {
  const said = outcomes.flatMap((outcome) => outcome.problem ?? []);
  const failed = said.filter((problem) => problem.severity === 'error');
  if (outcomes.some((outcome) => outcome.result === 'refused'))
    return { kind: 'retry', because: failed[0]?.message ?? 'something moved on the target while it was written' };
  const unseen = observation.unseen ?? [];
  if (failed.length > 0 || problems.length > 0) return { kind: 'stuck', problems: [...failed, ...problems] };
  // Another look may end otherwise.
  if (unseen[0] !== undefined) return { kind: 'retry', because: unseen[0].message };
  const ending = prepared.environment.declared.value.spec.sync?.wait === false ? SETTLED : endingOf(health, plan);
  const reasons = [
    ...held.map((step) => `${step.key.kind} ${step.key.name} waits for ${step.waitsFor}`),
    ...said.filter((problem) => problem.code === 'deletion-pending').map((problem) => problem.message),
  ];
  if (reasons.length === 0) return ending;
  return ending.kind === 'waiting'
    ? { ...ending, reasons: [...ending.reasons, ...reasons] }
    : { kind: 'waiting', reasons, until: undefined };
}

const SETTLED: Ending = { kind: 'settled' };

function endingOf(health: TargetHealth, plan: TargetPlan): Ending {
  if (health.state === 'healthy') return { kind: 'settled' };
  const reasons = health.instances.flatMap((instance) =>
    instance.reasons.map((reason) => `${reason.key.kind} ${reason.key.name} ${reason.reason}`),
  );
  return { kind: 'waiting', reasons: reasons.length > 0 ? reasons : [`${plan.target} is ${health.state}`], until: firstLate(health) };
}

function unreachable(request: SyncRequest, final: boolean, message: string): SyncResult {
  const { environment, name: target } = request.rendering.target;
  const instances = [...request.rendering.instances.keys()].map((instance) => ({ instance, state: 'unknown' as const, reasons: [] }));
  const plan = noPlan(request.rendering);
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
  return { plan, problems: final ? [problem] : [], health: { state: 'unknown', instances }, held: [], drift: [], outcomes: [], ending };
}
