import type { Sha256 } from '#model/digest.ts';
import type { HealthState } from '#model/health.ts';
import { durationText, instantText, parseDuration, toInstant, type Instant } from '#model/instant.ts';
import type { TargetName } from '#model/names.ts';
import { partitionsOf, shareOf, type Partition, type Placed, type RolloutDeclaration } from './partitions.ts';

/** A target as the ledger and this run know it. */
export interface RolloutTarget extends Placed {
  readonly name: TargetName;
  /** Digest of the rendering that it should get. */
  readonly wanted: Sha256;
  /** What was put there last, as the ledger says it. */
  readonly last: LastWord;
  /** What this run saw; undefined until it looked. */
  readonly live: HealthState | undefined;
}

export interface LastWord {
  /** Undefined: nothing was ever put there. */
  readonly rendering: string | undefined;
  readonly health: HealthState;
  /** Since when it has been healthy with that rendering; undefined while it is not. */
  readonly healthySince: Instant | undefined;
}

export interface RolloutRequest {
  readonly declaration: RolloutDeclaration;
  /** As they are declared. */
  readonly targets: readonly RolloutTarget[];
  readonly now: Instant;
}

/** `current`: the wanted rendering was begun there, so it is kept in line as ever. `wait`: nothing is written there. */
export type Turn =
  | { readonly kind: 'current' | 'go'; readonly partition: string }
  | { readonly kind: 'wait'; readonly partition: string; readonly reason: string; readonly until: Instant | undefined };

export interface RolloutPlan {
  /** Each target once: partition by partition, what has begun before what has not. */
  readonly order: readonly TargetName[];
  readonly turns: ReadonlyMap<TargetName, Turn>;
}

/**
 * Who gets its rendering now. Partitions come one after the other; a target counts as done with the wanted rendering only when it is healthy.
 * Everything follows from what is given, so that a restart changes nothing, and another rendering starts at the first partition again.
 */
export function planRollout({ declaration, targets, now }: RolloutRequest): RolloutPlan {
  const partitions = partitionsOf(declaration, targets);
  const tolerated = shareOf(declaration.maxUnavailablePartitions ?? 0, partitions.length);
  const pause = parseDuration(declaration.pauseBetween ?? '0s') ?? 0;
  const turns = new Map<TargetName, Turn>();
  const order: TargetName[] = [];
  const unfinished: Unfinished[] = [];
  for (const partition of partitions) {
    const held = heldBy(unfinished, tolerated);
    const sorted = partition.targets.toSorted((a, b) => urgency(a) - urgency(b));
    let unavailable = partition.targets.filter(isUnavailable).length;
    for (const target of sorted) {
      order.push(target.name);
      const turn =
        held === undefined || hasBegun(target) ? turnWithin(partition, target, limitOf(declaration, partition), unavailable) : held;
      turns.set(target.name, { ...turn, partition: partition.name });
      // Being written it may be away for a while; what is away already costs nothing more.
      if (turn.kind === 'go' && !isUnavailable(target)) unavailable += 1;
    }
    const left = whatIsLeft(declaration, partition, { pause, now });
    if (left !== undefined) unfinished.push(left);
  }
  return { order, turns };
}

type Decided =
  | { readonly kind: 'current' | 'go' }
  | { readonly kind: 'wait'; readonly reason: string; readonly until: Instant | undefined };

/** Why the partitions after one do not start yet; `until` when that is a matter of time alone. */
interface Unfinished {
  readonly reason: string;
  readonly until: Instant | undefined;
}

/** The first of more unfinished partitions than may be; the time is when enough of them will be done, if time alone does it. */
function heldBy(unfinished: readonly Unfinished[], tolerated: number): Decided | undefined {
  const missing = unfinished.length - tolerated;
  const [first] = unfinished;
  if (first === undefined || missing <= 0) return undefined;
  const times = unfinished.flatMap(({ until }) => until ?? []).toSorted((a, b) => a - b);
  return { kind: 'wait', reason: first.reason, until: times[missing - 1] };
}

function turnWithin(partition: Partition<RolloutTarget>, target: RolloutTarget, limit: number, unavailable: number): Decided {
  if (hasBegun(target)) return { kind: 'current' };
  // What is not healthy as it is loses nothing, and the new rendering may be what mends it.
  if (isUnavailable(target) || unavailable < limit) return { kind: 'go' };
  const names = partition.targets.filter(isUnavailable).map(({ name }) => name);
  const why =
    names.length === 0 ? 'others of it are being updated' : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not healthy`;
  const reason = `at most ${limit} of the ${partition.targets.length} targets of partition ${partition.name} may be unavailable at once, and ${why}`;
  return { kind: 'wait', reason, until: undefined };
}

/** At least one: the target that is being updated is not healthy for a while, whatever is declared. */
function limitOf({ maxUnavailable }: RolloutDeclaration, { targets }: Partition<RolloutTarget>): number {
  return maxUnavailable === undefined ? targets.length : Math.max(1, shareOf(maxUnavailable, targets.length));
}

/** Undefined once every target is healthy with its rendering and the pause has passed. */
function whatIsLeft(
  { maxUnavailable }: RolloutDeclaration,
  { name, targets }: Partition<RolloutTarget>,
  { pause, now }: { readonly pause: number; readonly now: Instant },
): Unfinished | undefined {
  const done = targets.filter((target) => hasBegun(target) && healthOf(target) === 'healthy');
  const unknown = targets.filter((target) => healthOf(target) === 'unknown');
  // A cluster that does not answer says nothing against the rendering; but somebody must have spoken for it.
  const forgiven = done.length > 0 && unknown.length <= shareOf(maxUnavailable ?? 0, targets.length) ? new Set(unknown) : new Set();
  const open = targets.filter((target) => !done.includes(target) && !forgiven.has(target));
  if (open.length > 0) return { reason: `partition ${name} is not done: ${open.map(saying).join(', ')}`, until: undefined };
  if (pause === 0 || done.length === 0) return undefined;
  const since = toInstant(Math.max(...done.map((target) => target.last.healthySince ?? now)));
  const until = toInstant(since + pause);
  if (until <= now) return undefined;
  return { reason: `partition ${name} became healthy at ${instantText(since)}; the pause of ${durationText(pause)} is not over`, until };
}

function saying(target: RolloutTarget): string {
  return hasBegun(target) ? `${target.name} is ${healthOf(target)}` : `${target.name} is not updated yet`;
}

function urgency(target: RolloutTarget): number {
  return hasBegun(target) ? 0 : isUnavailable(target) ? 1 : 2;
}

function hasBegun(target: RolloutTarget): boolean {
  return target.last.rendering === target.wanted;
}

function healthOf(target: RolloutTarget): HealthState {
  return target.live ?? target.last.health;
}

/** Where nothing was put yet, nothing can be lost. */
function isUnavailable(target: RolloutTarget): boolean {
  return target.last.rendering !== undefined && healthOf(target) !== 'healthy';
}
