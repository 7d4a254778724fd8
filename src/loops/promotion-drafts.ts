import type { DesiredEnvironment } from '#model/desired.ts';
import type { BlobId, CommitId, TreeId } from '#model/digest.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import type { Instant } from '#model/instant.ts';
import type { InstanceName, RefName } from '#model/names.ts';
import { branchRef, toCapsuleName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { Ending } from '#model/receipt.ts';
import type { ChangeSet, Pin, Release, ReleaseIndex } from '#model/resolution.ts';
import type { findCandidates } from '#promotion/promotion.ts';
import { changeSetOf, lockText, movesBetween, pinsOfLock } from '#resolve/resolve.ts';
import { judgeAcceptedHistory } from './accepted-history.ts';
import type { Ledger } from './audit-branch.ts';
import { changedReleases } from './changed-releases.ts';
import type { ChangedRelease } from './changed-releases.ts';
import { differingBranch } from './default-branch.ts';
import { strangerAt } from './engine-branches.ts';
import { problemsOfEnvironment, unknownEnvironment } from './prepare-environment.ts';
import { nextQuarantineEnd, quarantineOf } from './quarantine.ts';
import type { Declarations } from './reading.ts';
import { releaseBranches, releaseTips } from './release-branches.ts';
import { resolvePins } from './render-environment.ts';
import { treeDiff } from './tree-diff.ts';
import type { TrustOf } from './trust-of.ts';
import { unhonouredOf } from './undeclared-gates.ts';
import { findDeclaredCandidates, refusedUpgrade } from './upgrade-facts.ts';
import { isVerified, lacksOf, pinsIn, upstreamNames, upstreamsOf, wasVerifiedAbove } from './upstream.ts';
import type { World } from './world.ts';

/** A change of one lock that could be opened. */
export interface PlannedChange {
  readonly changeSet: ChangeSet;
  /** All pins of the environment after the change. */
  readonly pins: readonly Pin[];
  readonly lock: { readonly path: string; readonly before: string; readonly after: string };
}

/** Everything a promotion run of one environment works with. */
export interface PromotionScope {
  readonly environment: DesiredEnvironment;
  readonly declarations: Declarations;
  readonly index: ReleaseIndex;
  readonly trust: TrustOf;
  readonly ledger: Ledger;
  readonly labels: readonly string[];
  /** Versions that may come in, as a move or as what it needs: trusted, not in quarantine, and verified above where there is an above. */
  admits(release: Release): boolean;
  /** Release branches and where they stand. */
  readonly released: string;
  /** V-23: why no instance of it could take a release now; undefined where one could, or none runs. */
  refusedUpgrade(release: Release): string | undefined;
  /** When the next quarantine ends. */
  readonly quarantinedUntil: Instant | undefined;
  branchOf(changeSet: ChangeSet): string;
  /** The release behind a version that an instance could take. */
  releaseOf(instance: InstanceName, version: string): Release | undefined;
  /** The same change set on top of today's lock, read from an open branch's lock; undefined when it cannot be any more. */
  replan(head: CommitId, changeSet: string): Promise<PlannedChange | undefined>;
  /** Whether a branch's head changes today's lock into exactly this content. */
  isCurrent(head: CommitId, file: { readonly path: string; readonly content: string }): Promise<boolean>;
}

export type Held = ReturnType<typeof findCandidates>['held'][number];

export type FoundDrafts =
  | {
      readonly kind: 'found';
      readonly scope: PromotionScope;
      readonly planned: readonly PlannedChange[];
      readonly held: readonly Held[];
      readonly problems: readonly Problem[];
    }
  | { readonly kind: 'ended'; readonly ending: Ending };

interface DraftsRequest {
  readonly environment: string;
  readonly main: CommitId;
  readonly refs: ReadonlyMap<RefName, CommitId>;
  readonly only: { readonly name: string; readonly version: string | undefined } | undefined;
}

/** What may move to an environment, each as a change of its lock. Reads git only. */
export async function findDrafts(world: World, request: DraftsRequest): Promise<FoundDrafts> {
  const declarations = await world.reading.declarations(await world.reading.at(request.main));
  const environment = declarations.state.environments.find((item) => item.name === request.environment);
  const broken = problemsOfEnvironment(declarations, request.environment);
  if (broken.length > 0) return { kind: 'ended', ending: { kind: 'stuck', problems: broken } };
  if (environment === undefined)
    return { kind: 'ended', ending: { kind: 'stuck', problems: [unknownEnvironment(request.environment, declarations)] } };
  const otherBranch = differingBranch(declarations, world.settings);
  if (otherBranch !== undefined) return { kind: 'ended', ending: { kind: 'stuck', problems: [otherBranch] } };
  const history = await world.history.upTo(request.main);
  const { index, trust, problems: historical } = history;
  if (historical.length > 0) return { kind: 'ended', ending: { kind: 'stuck', problems: historical } };
  const turned = await judgeAcceptedHistory(world, { environment: environment.name, revision: request.main, refs: request.refs });
  if (turned !== undefined) return { kind: 'ended', ending: turned };
  const patterns = declarations.state.project?.value.spec.branches?.release ?? [];
  const unhonoured = unhonouredOf(declarations, environment).filter((problem) => problem.effect === 'stuck');
  const strange = await strangerAt(world, trust, 'audit', request.refs.get(branchRef('audit')));
  const untrusted = [
    ...trust.problemsOf(environment),
    ...(await world.protection.problemsOf(
      environment,
      request.refs,
      releaseBranches(request.refs, patterns, world.settings.branch).keys(),
    )),
    ...(strange === undefined ? [] : [strange]),
  ];
  if (unhonoured.length + untrusted.length > 0)
    return { kind: 'ended', ending: { kind: 'stuck', problems: [...unhonoured, ...untrusted] } };
  if (environment.lock === undefined) return { kind: 'ended', ending: { kind: 'settled' } };

  const { ledger } = await world.ledger.at(request.refs.get(branchRef('audit')));
  const released = releaseTips(request.refs, patterns, world.settings.branch);
  const scope = await toScope(world, { environment, declarations, index, trust, ledger, released });
  const locked = pinsOfLock(environment.lock.value);
  const wanted = await planChange(world, scope, { move: new Map(), leaveOut: new Set(), admits: (release) => isTrusted(scope, release) });
  const facts: Parameters<typeof findCandidates>[0] = {
    environment,
    pins: locked,
    upstreams: factsAbove(scope),
    index,
    verdict: (release) => trust.ofRelease(release),
    quarantined: (capsule, version) => quarantineOf(declarations, capsule, version, world.clock.now()),
    wanted: wanted.kind === 'planned' ? new Set(wanted.change.pins.map((pin) => pin.instance)) : undefined,
    wasVerified: (release) => wasVerifiedAbove(ledger, declarations, environment, release),
  };
  const found = await findDeclaredCandidates(world.reading, facts, (instance, version) => scope.releaseOf(instance, version));
  const planned: PlannedChange[] = [];
  const problems: Problem[] = [];
  const changed = changedReleases(history);
  const held = [...found.held, ...locked.flatMap((pin) => heldChanges(changed, pin))];
  for (const candidate of found.candidates) {
    const move = new Map([...candidate.move].filter(([instance, version]) => isWanted(locked, instance, version, request.only)));
    if (move.size === 0 && candidate.leaves.length === 0) continue;
    const moving: Moving = { move, leaveOut: found.notYet };
    const answer = await planChange(world, scope, moving);
    if (answer.kind === 'planned') planned.push(answer.change);
    if (answer.kind !== 'unresolvable') continue;
    const reasons = await whyNotAdmitted(world, scope, moving);
    if (reasons.length === 0) problems.push(...answer.problems);
    held.push(...reasons);
  }
  return { kind: 'found', scope, planned: unique(planned), held, problems };
}

/** Other content under a version that was released is no candidate; whoever runs the capsule is told. */
function heldChanges(changed: readonly ChangedRelease[], { instance, capsule }: Pin): readonly Held[] {
  return changed
    .filter((item) => item.capsule === capsule)
    .map(({ version, commit, sentence }) => ({ instance, version, reason: `${commit.slice(0, 10)} goes nowhere: ${sentence}` }));
}

function isWanted(locked: readonly Pin[], instance: InstanceName, version: string, only: DraftsRequest['only']): boolean {
  if (only === undefined) return true;
  const capsule = locked.find((pin) => pin.instance === instance)?.capsule;
  return (instance === only.name || capsule === only.name) && (only.version === undefined || version === only.version);
}

function unique(planned: readonly PlannedChange[]): readonly PlannedChange[] {
  return [...new Map(planned.map((item) => [item.changeSet.id, item])).values()];
}

type Planned =
  | { readonly kind: 'planned'; readonly change: PlannedChange }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unresolvable'; readonly problems: readonly Problem[] };

interface Moving {
  readonly move: ReadonlyMap<InstanceName, string>;
  readonly leaveOut: ReadonlySet<InstanceName>;
  /** Versions that the resolver may choose beside locked ones; what may come in now where absent. */
  readonly admits?: (release: Release) => boolean;
}

async function planChange(world: Pick<World, 'reading'>, scope: PromotionScope, moving: Moving): Promise<Planned> {
  const { environment } = scope;
  const lock = environment.lock;
  if (lock === undefined) return { kind: 'nothing' };
  const locked = pinsOfLock(lock.value);
  const resolved = await resolvePins(world.reading, {
    state: scope.declarations.state,
    environment,
    pins: locked,
    index: scope.index,
    admits: (release) => scope.admits(release),
    ...moving,
  });
  if (!resolved.ok) return { kind: 'unresolvable', problems: resolved.problems };
  const pins = resolved.value.instances.map((instance) => instance.pin);
  const moves = movesBetween(locked, pins);
  if (moves.length === 0) return { kind: 'nothing' };
  const before = await world.reading.text(lock.blob);
  return {
    kind: 'planned',
    change: { changeSet: changeSetOf(moves), pins, lock: { path: lock.file, before, after: lockText(environment.name, pins, before) } },
  };
}

async function toScope(
  world: World,
  from: Pick<PromotionScope, 'environment' | 'declarations' | 'index' | 'trust' | 'ledger' | 'released'>,
): Promise<PromotionScope> {
  const { environment } = from;
  const now = world.clock.now();
  const scope: PromotionScope = {
    ...from,
    labels: from.declarations.state.project?.value.spec.pullRequests?.labels ?? ['promotion'],
    admits: (release) =>
      isTrusted(scope, release) &&
      quarantineOf(from.declarations, release.capsule, release.version, now) === undefined &&
      (upstreamNames(environment).length === 0 || wasVerifiedAbove(from.ledger, from.declarations, environment, release)) &&
      scope.refusedUpgrade(release) === undefined,
    refusedUpgrade(release) {
      const versions = pinsIn(environment).flatMap((pin) => (pin.capsule === release.capsule ? [pin.version] : []));
      return versions.length === 0
        ? undefined
        : refusedUpgrade(world.reading, { ...from, environment: environment.name, versions }, release);
    },
    quarantinedUntil: nextQuarantineEnd(from.declarations, now),
    releaseOf(instance, version) {
      const asked =
        environment.declared.value.spec.capsules?.[instance]?.capsule ?? environment.lock?.value.capsules[instance]?.capsule ?? instance;
      return from.index.releases.get(toCapsuleName(asked))?.get(version);
    },
    branchOf: (changeSet) => `promote/${environment.name}/${changeSet.id}`,
    async replan(head, changeSet) {
      const theirs = await lockAt(world, head, environment);
      const parent = (await world.repository.commit(head)).parents[0];
      const base = parent === undefined ? undefined : await lockAt(world, parent, environment);
      if (theirs === undefined || base === undefined) return undefined;
      const moves = movesBetween(base, theirs).flatMap((item): [InstanceName, string][] =>
        item.to === undefined ? [] : [[item.instance, item.to.version]],
      );
      const answer = await planChange(world, scope, { move: new Map(moves), leaveOut: new Set() });
      return answer.kind === 'planned' && answer.change.changeSet.id === changeSet ? answer.change : undefined;
    },
    async isCurrent(head, file) {
      const commit = await world.repository.commit(head);
      const [parent] = commit.parents;
      if (parent === undefined) return false;
      const content = await blobAt(world, head, file.path);
      if (content === undefined || Buffer.from(await world.repository.blob(content)).toString('utf8') !== file.content) return false;
      // What else the environment declares shapes the rendering that people approve.
      const declared = await entryAt(world, parent, `environments/${environment.name}`);
      if (declared?.id !== from.declarations.environmentTrees.get(environment.name)) return false;
      // The gates judge the lock and nothing else, so nothing else comes in by this branch.
      const changed = await treeDiff(world.repository, (await world.repository.commit(parent)).tree, commit.tree, '');
      return changed.length === 1;
    },
  };
  return scope;
}

async function lockAt(
  world: Pick<World, 'repository' | 'reading'>,
  commit: CommitId,
  environment: DesiredEnvironment,
): Promise<readonly Pin[] | undefined> {
  const declarations = await world.reading.declarations(await world.reading.at(commit));
  const lock = declarations.state.environments.find((item) => item.name === environment.name)?.lock;
  return lock === undefined ? undefined : pinsOfLock(lock.value);
}

async function blobAt(world: Pick<World, 'repository'>, commit: CommitId, path: string): Promise<BlobId | undefined> {
  const entry = await entryAt(world, commit, path);
  return entry?.kind === 'blob' ? entry.id : undefined;
}

async function entryAt(world: Pick<World, 'repository'>, commit: CommitId, path: string): Promise<TreeEntry | undefined> {
  let tree: TreeId | undefined = (await world.repository.commit(commit)).tree;
  let found: TreeEntry | undefined;
  for (const name of path.split('/')) {
    found = tree === undefined ? undefined : (await world.repository.tree(tree)).find((item) => item.name === name);
    tree = found?.kind === 'tree' ? found.id : undefined;
  }
  return found;
}

/** Upstream environments as their locks and the ledger tell them; none for an entry environment. */
function factsAbove(scope: PromotionScope): Parameters<typeof findCandidates>[0]['upstreams'] {
  return upstreamsOf(scope.declarations, scope.environment).map((upstream) => ({
    environment: upstream.name,
    pins: pinsIn(upstream),
    isVerified: (pin: Pin) => isVerified(scope.ledger, upstream, pin),
    lacks: (pin: Pin) => lacksOf(scope.ledger, upstream, pin),
  }));
}

function isTrusted(scope: PromotionScope, release: Release): boolean {
  const verdict = scope.trust.ofRelease(release);
  return verdict.kind === 'accepted' || verdict.kind === 'not-enforced';
}

/** What a change would need that may not come in yet, and why; nothing where it cannot be resolved whatever may come in. */
async function whyNotAdmitted(world: Pick<World, 'reading' | 'clock'>, scope: PromotionScope, moving: Moving) {
  const answer = await planChange(world, scope, { ...moving, admits: (release) => isTrusted(scope, release) });
  if (answer.kind !== 'planned') return [];
  return answer.change.changeSet.moves.flatMap(({ instance, capsule, to }): Held[] => {
    const release = to === undefined ? undefined : scope.index.releases.get(capsule)?.get(to.version);
    if (release === undefined || scope.admits(release)) return [];
    const quarantine = quarantineOf(scope.declarations, capsule, release.version, world.clock.now());
    const path = scope.refusedUpgrade(release);
    if (path !== undefined) return [{ instance, version: release.version, reason: path }];
    const reason =
      quarantine === undefined ? `not verified in ${upstreamNames(scope.environment).join(', ')}` : `in quarantine: ${quarantine}`;
    return [{ instance, version: release.version, reason: `needed by the change, but ${reason}` }];
  });
}
