import { lockCommitMessage } from '#ledger/ledger.ts';
import type { CommitId } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import type { RefName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { ChangeRequest, GateReading, PromotionDraft } from '#model/promotion.ts';
import type { Ending } from '#model/receipt.ts';
import type { ChangeSet } from '#model/resolution.ts';
import type { Forge } from '#ports/forge.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import { changeSetOfRequest, describeWaiting, draftPromotion, mayOpen, shouldSupersede } from '#promotion/promotion.ts';
import { committedCapsules, writeEngineCommit } from './branch-writing.ts';
import { changedReleases, publishChanged, RELEASE_CHECK, shortened } from './changed-releases.ts';
import { clockProblem } from './clock-floor.ts';
import { PROMOTE_CHECK, gateChange } from './gate-evidence.ts';
import type { Gated } from './gate-evidence.ts';
import { fetchImports, noteFailed } from './imports.ts';
import { endedKey } from './own-key.ts';
import { basisOf } from './promotion-basis.ts';
import type { Basis } from './promotion-basis.ts';
import { findDrafts } from './promotion-drafts.ts';
import type { Held, PlannedChange, PromotionScope } from './promotion-drafts.ts';
import { effectOf } from './promotion-effect.ts';
import { upstreamNames } from './upstream.ts';
import type { World } from './world.ts';

export interface PromoteRequest {
  readonly environment: string;
  /** Only this instance or capsule, at this version if given. */
  readonly only: { readonly name: string; readonly version: string | undefined } | undefined;
  readonly dryRun: boolean;
  /** True for `capstan promote`: reopens what a person closed. */
  readonly byPerson: boolean;
}

export interface PromotedChange {
  readonly draft: PromotionDraft;
  readonly change: ChangeRequest | undefined;
  /** Why it waits, in words; empty when merged. */
  readonly waiting: readonly string[];
  readonly merged: boolean;
}

export interface PromoteResult {
  readonly ending: Ending;
  readonly changes: readonly PromotedChange[];
  readonly held: readonly Held[];
  readonly problems: readonly Problem[];
  /** What the answer follows from; undefined where it was not thought through to the end. */
  readonly basis: Basis | undefined;
}

/**
 * Row 13 of the path: what may move to this environment becomes a pull request that changes only its lock. The branch name
 * is the change set, so a run that died anywhere is continued by the next one.
 */
export async function promote(world: World, request: PromoteRequest, signal?: AbortSignal): Promise<PromoteResult> {
  const refs = await world.repository.refs();
  const main = refs.get(branchRef(world.settings.branch));
  if (main === undefined) return ended({ kind: 'retry', because: `the repository has no branch ${world.settings.branch} yet` });
  const wrongClock = await clockProblem(world);
  if (wrongClock !== undefined) return ended({ kind: 'stuck', problems: [wrongClock] });
  if (world.forge !== undefined && !request.dryRun) await publishChanged(world.forge, changedReleases(await world.history.upTo(main)));
  if (!request.dryRun) noteFailed(world, await fetchImports(world, main, signal));
  const found = await findDrafts(world, { environment: request.environment, main, refs, only: request.only });
  if (found.kind === 'ended') return ended(found.ending);
  const { scope, planned, held, problems } = found;
  if (request.dryRun) return dryRun(world, { scope, planned, held, problems }, signal);
  const keyless = endedKey(world, scope.trust, world.signer.publicKey);
  if (keyless !== undefined) return ended({ kind: 'stuck', problems: [keyless] });
  if (world.forge === undefined) return withoutForge(world, { scope, planned, held, problems, refs, main }, signal);

  const forge = world.forge;
  await publishRefusals(world, scope, held);
  const open = await forge.list(`promote/${request.environment}/`, world.clock.now());
  const active = open.filter((change) => change.state === 'open' && change.base === world.settings.branch);
  const kept = await keepOrClose(world, forge, { scope, planned, active });
  const opensItself = request.byPerson || scope.environment.declared.value.spec.promotion?.automatic !== false;
  const fresh = opensItself ? planned.filter((plan) => !kept.some((other) => overlaps(other.changeSet, plan.changeSet))) : [];
  const changes: PromotedChange[] = [];
  for (const item of [...kept, ...fresh]) {
    signal?.throwIfAborted();
    const existing = active.find((change) => changeSetOfRequest(change) === item.changeSet.id);
    changes.push(await maintain(world, { forge, scope, item, existing, refs, main, byPerson: request.byPerson }, signal));
  }
  return { ending: endingOf(changes, problems), changes, held, problems, basis: basisOf(scope) };
}

/** A release that trust refuses says so where its author looks: on the commit. */
async function publishRefusals(world: Pick<World, 'forge'>, scope: PromotionScope, held: readonly Held[]): Promise<void> {
  for (const item of held) {
    const release = item.version === undefined ? undefined : scope.releaseOf(item.instance, item.version);
    const verdict = release === undefined ? undefined : scope.trust.ofRelease(release);
    if (release === undefined || (verdict?.kind !== 'unsigned' && verdict?.kind !== 'refused')) continue;
    await world.forge?.publish(release.commit, { name: RELEASE_CHECK, state: 'failure', detail: shortened(verdict.sentence) });
  }
}

function overlaps(a: ChangeSet, b: ChangeSet): boolean {
  const instances = new Set(a.moves.map((move) => move.instance));
  return b.moves.some((move) => instances.has(move.instance));
}

async function dryRun(
  world: World,
  from: { scope: PromotionScope; planned: readonly PlannedChange[]; held: readonly Held[]; problems: readonly Problem[] },
  signal?: AbortSignal,
): Promise<PromoteResult> {
  const changes: PromotedChange[] = [];
  for (const item of from.planned) {
    const found = await world.forge?.findByHead(from.scope.branchOf(item.changeSet));
    const change = found?.state === 'open' ? found : undefined;
    const draft = await draftOf(world, { scope: from.scope, item }, change, signal);
    changes.push({ draft, change, waiting: isPassed(draft.gates) ? [] : [describeWaiting(draft.gates)], merged: false });
  }
  return { ending: endingOf(changes, from.problems), changes, held: from.held, problems: from.problems, basis: undefined };
}

/** Where no forge is, the branch stands in the repository itself, and a person merges it with git. */
async function withoutForge(
  world: World,
  from: Omit<Placed, 'item'> & {
    readonly planned: readonly PlannedChange[];
    readonly held: readonly Held[];
    readonly problems: readonly Problem[];
  },
  signal?: AbortSignal,
): Promise<PromoteResult> {
  const changes: PromotedChange[] = [];
  for (const item of from.planned) {
    const draft = await draftOf(world, { ...from, item }, undefined, signal);
    await placeBranch(world, { ...from, item }, draft, signal);
    const waiting = isPassed(draft.gates) ? `a person merges it: git merge ${draft.branch}` : describeWaiting(draft.gates);
    changes.push({ draft, change: undefined, waiting: [waiting], merged: false });
  }
  return { ending: endingOf(changes, from.problems), changes, held: from.held, problems: from.problems, basis: undefined };
}

/** Closes what is there already, impossible, or superseded; answers the open changes that go on. */
async function keepOrClose(
  world: World,
  forge: Forge,
  from: { scope: PromotionScope; planned: readonly PlannedChange[]; active: readonly ChangeRequest[] },
): Promise<readonly PlannedChange[]> {
  const kept: PlannedChange[] = [];
  const closesSuperseded = from.scope.declarations.state.project?.value.spec.pullRequests?.autoClosesSuperseded !== false;
  for (const change of from.active) {
    const id = changeSetOfRequest(change);
    if (id === undefined) continue;
    const again = from.planned.find((item) => item.changeSet.id === id) ?? (await from.scope.replan(change.headCommit, id));
    if (again === undefined) {
      await forge.edit(change.number, {
        state: 'closed',
        comment: 'Nothing is left of this change: the lock on the default branch has it already, or it can no longer be resolved.',
      });
      continue;
    }
    const newer = from.planned.find((item) => item.changeSet.id !== id && overlaps(item.changeSet, again.changeSet));
    if (newer !== undefined && closesSuperseded) {
      const { gates } = await gatedOf(world, from.scope, again, change);
      const instances = again.changeSet.moves.map((move) => move.instance);
      if (shouldSupersede({ changeSet: id, instances, gates }, { changeSet: newer.changeSet, verified: true })) {
        await forge.edit(change.number, { state: 'closed', comment: `Superseded by ${newer.changeSet.id}, which is verified as well.` });
        continue;
      }
    }
    kept.push(again);
  }
  return kept;
}

interface Placed {
  readonly scope: PromotionScope;
  readonly item: PlannedChange;
  readonly refs: ReadonlyMap<RefName, CommitId>;
  readonly main: CommitId;
}

interface Maintained extends Placed {
  readonly forge: Forge;
  readonly existing: ChangeRequest | undefined;
  readonly byPerson: boolean;
}

/** Brings one change set's branch, pull request, status and merge to where they should be. */
async function maintain(world: World, from: Maintained, signal?: AbortSignal): Promise<PromotedChange> {
  const { forge, scope, item } = from;
  const before = from.existing ?? (await forge.findByHead(scope.branchOf(item.changeSet)));
  const draft = await draftOf(world, from, before?.state === 'open' ? before : undefined, signal);
  if (before?.state === 'merged' && !(await hasArrived(world, before, from.main)))
    return { draft, change: before, waiting: [`${before.url} was merged and is not fetched yet`], merged: true };
  if (before !== undefined && !mayOpen(before, (await forge.account()).login, from.byPerson)) {
    const how = before.state === 'merged' ? 'merged and taken back' : 'closed by a person';
    return {
      draft,
      change: before,
      waiting: [`${before.url} was ${how}; 'capstan promote ${scope.environment.name}' tries again`],
      merged: false,
    };
  }
  const head = await placeBranch(world, from, draft, signal);
  const change = isOpenAs(before, draft, world.settings.branch)
    ? before
    : await forge.open({ head: draft.branch, base: world.settings.branch, title: draft.title, body: draft.body, labels: draft.labels });
  if (change.body !== draft.body || change.title !== draft.title) await forge.edit(change.number, { title: draft.title, body: draft.body });
  // What was said of another head says nothing of this one.
  const gates =
    before === undefined || before.headCommit === head
      ? draft.gates
      : (await gatedOf(world, scope, item, { ...change, headCommit: head })).gates;
  const passed = isPassed(gates);
  const failed = gates.some((gate) => gate.status === 'failed');
  await forge.publish(head, {
    name: PROMOTE_CHECK,
    state: passed ? 'success' : failed ? 'failure' : 'pending',
    detail: describeWaiting(gates),
  });
  if (!passed) return { draft, change, waiting: [describeWaiting(gates)], merged: false };
  if (scope.environment.declared.value.spec.promotion?.merge !== 'auto')
    return { draft, change, waiting: [`${change.url} waits for a person to merge it`], merged: false };
  await checkLockStands(world, scope, signal);
  const merged = await forge.merge(change.number, { head, title: draft.title, message: mergeMessage(world, from, draft, change) });
  if (merged.kind === 'refused') return { draft, change, waiting: [merged.reason], merged: false };
  return { draft, change, waiting: [], merged: true };
}

/** Another engine may have merged this very change a moment ago; a squash of it once more would be an empty commit. */
async function checkLockStands(world: World, scope: PromotionScope, signal?: AbortSignal): Promise<void> {
  await world.repository.fetch(signal);
  const main = (await world.repository.refs()).get(branchRef(world.settings.branch));
  const now = main === undefined ? undefined : await world.reading.declarations(await world.reading.at(main));
  const lock = now?.state.environments.find((item) => item.name === scope.environment.name)?.lock;
  if (lock?.blob !== scope.environment.lock?.blob)
    throw new PortError('conflict', `the lock of ${scope.environment.name} moved on ${world.settings.branch} meanwhile`);
}

/** A request that stands as it should costs nothing, however many are open. */
function isOpenAs(change: ChangeRequest | undefined, draft: PromotionDraft, base: string): change is ChangeRequest {
  return change?.state === 'open' && change.base === base && draft.labels.every((label) => change.labels.includes(label));
}

/** Whether the mirror has the merge already; a run that is behind must not take it for taken back. */
async function hasArrived(world: Pick<World, 'repository'>, change: ChangeRequest, main: CommitId): Promise<boolean> {
  if (change.mergeCommit === undefined) return true;
  try {
    return await world.repository.isAncestor(change.mergeCommit, main);
  } catch (error) {
    if (!isPortError(error)) throw error;
    return false;
  }
}

/** The branch holds one engine commit on top of the default branch that changes only the lock; rebuilt when the base's lock moved. */
async function placeBranch(world: World, from: Placed, draft: PromotionDraft, signal?: AbortSignal): Promise<CommitId> {
  const ref = branchRef(draft.branch);
  const there = from.refs.get(ref);
  if (there !== undefined && (await from.scope.isCurrent(there, draft.file))) return there;
  const base = await world.repository.commit(from.main);
  const commit = await writeEngineCommit(world, {
    base: base.tree,
    changes: [{ kind: 'file', path: draft.file.path, content: Buffer.from(draft.file.content, 'utf8') }],
    parents: [from.main],
    message: lockMessage(world, from, draft),
  });
  await world.repository.push([{ ref, expected: there, next: commit }], signal);
  return commit;
}

function lockMessage(world: World, from: Placed, draft: PromotionDraft): string {
  return lockCommitMessage({
    title: draft.title,
    environment: draft.environment,
    from: draft.from,
    changeSet: draft.changeSet.id,
    capsules: arriving(from.item),
    changeRequest: undefined,
    approvedBy: [],
    gates: [],
    runId: world.ids.runId(),
    traceId: world.ids.traceId(),
    reason: 'promotion',
  });
}

/** Trailers of the merge: what a squash or a merge commit keeps for `git log`. */
function mergeMessage(world: World, from: Maintained, draft: PromotionDraft, change: ChangeRequest): string {
  const message = lockCommitMessage({
    title: draft.title,
    environment: draft.environment,
    from: draft.from,
    changeSet: draft.changeSet.id,
    capsules: arriving(from.item),
    changeRequest: `${world.settings.repository}#${change.number}`,
    approvedBy: [],
    gates: draft.gates,
    runId: world.ids.runId(),
    traceId: world.ids.traceId(),
    reason: 'promotion',
  });
  return message.slice(message.indexOf('\n')).trim();
}

function arriving(item: PlannedChange) {
  return committedCapsules(
    item.pins.filter((pin) => item.changeSet.moves.some((move) => move.instance === pin.instance && move.to !== undefined)),
  );
}

async function draftOf(
  world: World,
  { scope, item }: Pick<Placed, 'scope' | 'item'>,
  change: ChangeRequest | undefined,
  signal?: AbortSignal,
): Promise<PromotionDraft> {
  const { risk, gates, irreversible } = await gatedOf(world, scope, item, change);
  const effect = await effectOf(world, scope, item, signal);
  const notes = [...irreversible, ...scope.trust.notices(scope.environment)];
  return draftPromotion({
    environment: scope.environment,
    from: upstreamNames(scope.environment)[0],
    changeSet: item.changeSet,
    lock: item.lock,
    risk,
    gates,
    labels: scope.labels,
    notes,
    effect,
  });
}

async function gatedOf(world: World, scope: PromotionScope, item: PlannedChange, change: ChangeRequest | undefined): Promise<Gated> {
  return gateChange(world, { ...scope, changeSet: item.changeSet, pins: item.pins, change, kind: 'promotion' });
}

function isPassed(gates: readonly GateReading[]): boolean {
  return gates.every((gate) => gate.status === 'passed');
}

/** Earliest time at which a gate that waits for time may pass. */
function nextLook(gates: readonly GateReading[]): Instant | undefined {
  const times = gates.flatMap((gate) => gate.until ?? []);
  return times.length === 0 ? undefined : times.reduce((a, b) => (a < b ? a : b));
}

function endingOf(changes: readonly PromotedChange[], problems: readonly Problem[]): Ending {
  const waiting = changes.flatMap((change) => change.waiting.map((reason) => `${change.draft.title}: ${reason}`));
  if (waiting.length > 0) return { kind: 'waiting', reasons: waiting, until: nextLook(changes.flatMap((change) => change.draft.gates)) };
  return problems.length > 0 ? { kind: 'stuck', problems } : { kind: 'settled' };
}

function ended(ending: Ending): PromoteResult {
  return { ending, changes: [], held: [], problems: ending.kind === 'stuck' ? ending.problems : [], basis: undefined };
}
