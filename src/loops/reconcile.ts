import type { CommitId } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import type { RefName } from '#model/names.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { Ending, Reason, Receipt, Trigger } from '#model/receipt.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { didYouMean } from '#model/suggest.ts';
import { changeSetOf } from '#resolve/resolve.ts';
import { judgeAcceptedHistory } from './accepted-history.ts';
import { afterDrift } from './after-drift.ts';
import { clockProblem } from './clock-floor.ts';
import { fightProblems } from './drift.ts';
import { strangerAt } from './engine-branches.ts';
import { refusedImages, unreadImages } from './image-trust.ts';
import { fetchImports, noteFailed } from './imports.ts';
import { refusedByComparison } from './looking-back.ts';
import { endedKey } from './own-key.ts';
import { prepareEnvironment } from './prepare-environment.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import { recordApprovals } from './record-approvals.ts';
import { recordReceipts } from './record-receipts.ts';
import { regate } from './regate.ts';
import type { Regated } from './regate.ts';
import { releaseBranches } from './release-branches.ts';
import { advanceRendered } from './rendered-branch.ts';
import type { RenderedHead } from './rendered-branch.ts';
import { decidedEarlier, inTurns, rolloutOf } from './rollout-targets.ts';
import type { RolloutTurn } from './rollout-targets.ts';
import { suspension } from './sync-rules.ts';
import { syncTarget } from './sync-target.ts';
import type { SyncResult, TargetRun } from './sync-target.ts';
import type { World } from './world.ts';

export interface ReconcileRequest {
  readonly environment: string;
  readonly target: string | undefined;
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  /** A dry run asks targets, too, what they would make of it; default: they are only looked at. */
  readonly preview?: boolean;
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
  const wrongClock = await clockProblem(world);
  if (wrongClock !== undefined) return { ...nothing({ kind: 'stuck', problems: [wrongClock] }), revision };
  const turned = await judgeAcceptedHistory(world, { environment: request.environment, revision, refs });
  if (turned !== undefined) return { ...nothing(turned), revision };
  noteFailed(world, await fetchImports(world, revision, signal));
  const preparation = await prepareEnvironment(world, request.environment, revision, signal);
  if (preparation.kind === 'ended') return { ...nothing(preparation.ending), revision, notices: preparation.notices };
  const { prepared } = preparation;
  const suspended = request.dryRun ? undefined : suspension(prepared.environment);
  if (suspended !== undefined)
    return { ...nothing({ kind: 'waiting', reasons: [suspended], until: undefined }), revision, notices: prepared.notices };
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
  const unproven = await imagesOf(world, prepared, signal);
  if (unproven !== undefined) return { ...nothing(unproven), revision, notices: prepared.notices };
  const gated = await regate(world, prepared, refs, signal);
  if (gated.kind === 'ended') return { ...nothing(gated.ending), revision, notices: prepared.notices };
  const denied = await refusedByComparison(world, prepared, gated.head);
  if (denied.length > 0) return { ...nothing({ kind: 'stuck', problems: denied }), revision, notices: prepared.notices };
  if (!request.dryRun) await recordApprovals(world, prepared, gated, signal);
  const moved = request.dryRun
    ? { kind: 'at' as const, head: gated.head, reason: gated.reason }
    : await advanceRendered(world, { prepared, gated, runId: run.runId, traceId: run.traceId }, signal);
  if (moved.kind === 'ended') return { ...nothing(moved.ending), revision, notices: prepared.notices };
  const { mode } = prepared.environment.declared.value.spec.sync ?? {};
  if (mode === 'render-only') return { ...nothing({ kind: 'settled' }), revision, notices: prepared.notices, warnings: prepared.warnings };
  const isManual = mode === 'manual' && request.trigger !== 'person' && !request.dryRun;

  const { ledger } = await world.ledger.at(refs.get(branchRef('audit')));
  const rollout = rolloutOf(prepared, ledger, world.clock.now());
  const earlier = gated.moves.length === 0 && moved.head === gated.head ? decidedEarlier(gated.head) : undefined;
  const asked = rollout.order.filter((rendering) => request.target === undefined || rendering.target.name === request.target);
  const receiptOf = (rendering: TargetRendering, result: SyncResult): Receipt => {
    const reason = result.turn?.kind === 'go' && earlier !== undefined ? earlier.reason : moved.reason;
    return toReceipt(world, { ...run, request, prepared, head: moved.head, reason, rendering, result });
  };
  const synced = await inTurns(asked, rollout, async (rendering) => {
    const turn = isManual ? manualTurn(prepared) : rollout.turnOf(rendering.target.name);
    const asks = request.preview === true;
    const basis = { prepared, rendering, dryRun: request.dryRun, asks, ledger, head: moved.head };
    const result = await syncTarget(world, { ...basis, turn, isManual }, signal);
    rollout.saw(rendering, result);
    return { rendering, result, receipt: receiptOf(rendering, result) };
  });
  const isPart = request.dryRun || request.target !== undefined;
  const drift = await afterDrift(world, { prepared, refs, ledger, head: moved.head, synced, isPart }, signal);
  const runs = drift.synced.map((one) => one.result);
  const receipts = drift.synced.map(({ rendering, result }, at) =>
    synced[at]?.result === result ? synced[at].receipt : receiptOf(rendering, result),
  );
  const isLater = earlier !== undefined && runs.some(({ turn }) => turn?.kind === 'go');
  const decision = isLater ? { ...earlier.decision, gates: gated.gates } : decisionOf(world, gated);
  const heldUntil = request.dryRun ? undefined : await recordReceipts(world, { prepared, receipts, ...decision }, signal);
  return {
    ending: heldBack(combine([...receipts.map((receipt) => receipt.ending), ...drift.waiting]), heldUntil),
    revision,
    receipts,
    runs,
    notices: prepared.notices,
    warnings: [...prepared.warnings, ...runs.flatMap((one) => fightProblems(prepared.environment, one.plan, one.drift))],
  };
}

async function strangersOf(world: World, prepared: PreparedEnvironment, refs: ReadonlyMap<RefName, CommitId>): Promise<readonly Problem[]> {
  const { trust } = await world.history.upTo(prepared.revision);
  const branches = [`rendered/${prepared.environment.name}`, 'audit'];
  const found = await Promise.all(branches.map((branch) => strangerAt(world, trust, branch, refs.get(branchRef(branch)))));
  return [...found, endedKey(world, trust, world.signer.publicKey)].flatMap((problem) => problem ?? []);
}

/** Before anything is decided: what a cluster would pull is signed. Nothing is taken away for what is not: it goes on running. */
async function imagesOf(world: World, prepared: PreparedEnvironment, signal?: AbortSignal): Promise<Ending | undefined> {
  const { environment, revision, rendered } = prepared;
  const { trust } = await world.history.upTo(revision);
  const judged = await world.images.judge({ environment, rendering: rendered.rendering, trust }, signal);
  if (judged.kind === 'not-enforced') return undefined;
  if (judged.refused.length > 0) return { kind: 'stuck', problems: refusedImages(environment, judged.refused) };
  return judged.unread.length > 0 ? { kind: 'retry', because: unreadImages(judged.unread) } : undefined;
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

/** Nothing is written until a person says so. */
function manualTurn({ environment }: PreparedEnvironment): RolloutTurn {
  const reason = `sync.mode is manual: 'capstan reconcile ${environment.name}' applies what git wants now`;
  return { kind: 'wait', partition: '', reason, until: undefined };
}

/** Better health that may be recorded only later: the run is repeated then. */
function heldBack(ending: Ending, until: Instant | undefined): Ending {
  if (until === undefined) return ending;
  // Pauses of a rollout count from the record.
  if (ending.kind === 'waiting' && ending.until !== undefined && ending.until > until) return { ...ending, until };
  if (ending.kind !== 'settled') return ending;
  return { kind: 'waiting', reasons: ['health is recorded at most once a minute'], until };
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
  const { commit, rendering } = facts.result.standing ?? { commit: facts.head?.commit, rendering: facts.rendering.digest };
  return {
    runId: facts.runId,
    traceId: facts.traceId,
    environment: facts.prepared.environment.name,
    target: facts.rendering.target.name,
    revision: facts.prepared.revision,
    commit,
    rendering,
    cause: facts.request.trigger,
    reason: drifted && facts.reason === 'config' ? 'drift' : facts.reason,
    began: facts.began,
    ended: world.clock.now(),
    ending: facts.result.ending,
    outcomes: facts.result.outcomes,
    health: facts.result.health,
    driftDetected: drifted,
    ...(drifted ? { drift: facts.result.drift } : {}),
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
