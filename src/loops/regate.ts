import { parseTrailers } from '#ledger/ledger.ts';
import type { CommitId } from '#model/digest.ts';
import { toSha256, toTreeId } from '#model/digest.ts';
import { branchRef, toCapsuleName, toInstanceName } from '#model/names.ts';
import type { RefName } from '#model/names.ts';
import type { ChangeRequest, GateReading, Review } from '#model/promotion.ts';
import type { Ending, Reason } from '#model/receipt.ts';
import type { Move, Pin } from '#model/resolution.ts';
import { refuseQuarantined, regateLock } from '#promotion/promotion.ts';
import { changeSetOf, movesBetween } from '#resolve/resolve.ts';
import type { Ledger } from './audit-branch.ts';
import { gateChange } from './gate-evidence.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import { quarantineOf } from './quarantine.ts';
import type { RenderedHead } from './rendered-branch.ts';
import type { World } from './world.ts';

/** What brought the lock to where it is, judged again. */
export type Regated =
  | {
      readonly kind: 'passed';
      readonly head: RenderedHead | undefined;
      readonly moves: readonly Move[];
      readonly gates: readonly GateReading[];
      readonly change: ChangeRequest | undefined;
      readonly approvedBy: readonly string[];
      readonly approvals: readonly Review[];
      readonly reason: Reason;
    }
  | { readonly kind: 'ended'; readonly ending: Ending };

const LOOK_BACK = 10_000;

/**
 * Gates of whatever moved the lock since the last rendering, whoever merged it: time gates wait, the others are stuck.
 * The first rendering of an environment has nothing to compare with and passes; where its branch was taken away, the ledger tells what ran.
 */
export async function regate(
  world: World,
  prepared: PreparedEnvironment,
  refs: ReadonlyMap<RefName, CommitId>,
  signal?: AbortSignal,
): Promise<Regated> {
  const head = await world.rendered.at(refs.get(branchRef(`rendered/${prepared.environment.name}`)));
  const view = await world.ledger.at(refs.get(branchRef('audit')));
  const last = head === undefined ? recordedPins(view.ledger, prepared) : lastPins(head);
  const quarantined = refuseQuarantined(prepared.environment, quarantinedIn(world, prepared, movesBetween(last, prepared.pins)));
  if (quarantined.length > 0) return { kind: 'ended', ending: { kind: 'stuck', problems: quarantined } };
  const isFirst = head === undefined && last.length === 0;
  const moves = isFirst ? [] : movesBetween(last, prepared.pins);
  if (moves.length === 0)
    return {
      kind: 'passed',
      head,
      moves,
      gates: [],
      change: undefined,
      approvedBy: [],
      approvals: [],
      reason: head === undefined ? 'promotion' : 'config',
    };
  signal?.throwIfAborted();

  const merged = await lockCommit(world, prepared);
  const change = merged === undefined || world.forge === undefined ? undefined : await world.forge.changeRequestOf(merged);
  const { trust } = await world.history.upTo(prepared.revision);
  const trailers = merged === undefined ? [] : parseTrailers((await world.repository.commit(merged)).message);
  const isEmergency = trailers.some((trailer) => trailer.key === 'Reason' && trailer.value === 'emergency');
  const reason = isEmergency ? 'emergency' : 'promotion';
  const { environment, declarations, pins } = prepared;
  const gated = await gateChange(world, {
    environment,
    declarations,
    changeSet: changeSetOf(moves),
    pins,
    trust,
    index: prepared.index,
    ledger: view.ledger,
    change,
    kind: reason,
  });
  const verdict = regateLock(environment, gated.gates, reason);
  switch (verdict.kind) {
    case 'stuck':
      return { kind: 'ended', ending: { kind: 'stuck', problems: verdict.problems } };
    case 'waiting':
      return { kind: 'ended', ending: { kind: 'waiting', reasons: verdict.reasons, until: verdict.until } };
    case 'passed':
      return { kind: 'passed', head, moves, gates: gated.gates, change, approvedBy: gated.approvedBy, approvals: gated.approvals, reason };
  }
}

function quarantinedIn(world: Pick<World, 'clock'>, { declarations }: PreparedEnvironment, moves: readonly Move[]) {
  return moves.flatMap(({ capsule, to }) => {
    const reason = to === undefined ? undefined : quarantineOf(declarations, capsule, to.version, world.clock.now());
    return to === undefined || reason === undefined ? [] : [{ capsule, version: to.version, reason }];
  });
}

/** The pins of the last rendering, by its own metadata. */
function lastPins(head: RenderedHead): readonly Pin[] {
  const pins = new Map<string, Pin>();
  for (const target of head.targets.values()) {
    for (const [name, facts] of target.instances) {
      pins.set(name, {
        instance: toInstanceName(name),
        capsule: toCapsuleName(facts.capsule),
        version: facts.version,
        commit: head.commit,
        gitTree: toTreeId(facts.gitTree),
        sha256: toSha256(facts.sha256),
        requestedBy: [],
      });
    }
  }
  return [...pins.values()];
}

/** What the ledger says of the locked instances: the same, with the versions that ran last. */
function recordedPins(ledger: Ledger, prepared: PreparedEnvironment): readonly Pin[] {
  const ran = [...ledger.instances]
    .filter(([place]) => place.startsWith(`${prepared.environment.name}/`))
    .map(([, instances]) => instances);
  return prepared.pins.flatMap((pin) => {
    const states = ran.flatMap((instances) => instances.get(pin.instance) ?? []);
    const [state] = states.sort((a, b) => b.since - a.since);
    return state === undefined ? [] : [{ ...pin, version: state.version, sha256: toSha256(state.sha256) }];
  });
}

/** The first-parent commit that gave the lock its present text. */
async function lockCommit(world: Pick<World, 'repository'>, prepared: PreparedEnvironment): Promise<CommitId | undefined> {
  const wanted = prepared.environment.lock?.blob;
  const path = ['environments', prepared.environment.name, 'environment.lock.yaml'];
  let found: CommitId | undefined;
  for (const commit of await world.repository.firstParents(prepared.revision, undefined, LOOK_BACK)) {
    if ((await blobAt(world, commit, path)) !== wanted) return found;
    found = commit;
  }
  return found;
}

async function blobAt(world: Pick<World, 'repository'>, commit: CommitId, path: readonly string[]): Promise<string | undefined> {
  let tree = (await world.repository.commit(commit)).tree;
  for (const [depth, name] of path.entries()) {
    const entry = (await world.repository.tree(tree)).find((item) => item.name === name);
    if (entry === undefined) return undefined;
    if (depth === path.length - 1) return entry.id;
    if (entry.kind !== 'tree') return undefined;
    tree = entry.id;
  }
  return undefined;
}
