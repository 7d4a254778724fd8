import type { DesiredEnvironment } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import { differenceOf } from '#model/rendered-diff.ts';
import type { EnvironmentDifference, Side } from '#model/rendered-diff.ts';
import type { ReleaseIndex } from '#model/resolution.ts';
import { accepted, refused } from '#model/result.ts';
import type { Result } from '#model/result.ts';
import { pinsOfLock } from '#resolve/resolve.ts';
import type { Declarations, Snapshot } from './reading.ts';
import { resolvePins } from './render-environment.ts';
import type { RenderedEnvironment } from './render-environment.ts';
import { withUnreadable } from './unreadable.ts';
import { withUnreleased } from './unreleased.ts';
import type { ReadingWorld, World } from './world.ts';

/** RenderedDiff of contracts.md: what a change does to every environment, no target needed. */
export interface RenderedDifference {
  readonly environments: readonly EnvironmentDifference[];
  readonly problems: readonly Problem[];
  /** Environments that had no lock: what is shown is a fresh resolution. */
  readonly unlocked: readonly string[];
  /** Every environment that is declared on either side, sorted. */
  readonly declared: readonly string[];
}

export interface Compared {
  readonly base: Snapshot;
  readonly head: Snapshot;
  /** Look at these environments alone; empty: at all. */
  readonly only: readonly string[];
}

/** Environments whose declarations are equal on both sides are never rendered. */
export async function renderedDifference(world: ReadingWorld, compared: Compared, signal?: AbortSignal): Promise<RenderedDifference> {
  const { base, head, only } = compared;
  const before = await world.reading.declarations(base);
  const after = await world.reading.declarations(head);
  const environments: EnvironmentDifference[] = [];
  const problems: Problem[] = after.problems.filter((problem) => problem.severity === 'error');
  const unlocked: string[] = [];
  const declared = [...new Set([...before.environmentTrees.keys(), ...after.environmentTrees.keys()])].sort();
  const sharedMoved = before.sharedKey !== after.sharedKey;
  for (const name of declared) {
    if (only.length > 0 && !only.includes(name)) continue;
    if (!sharedMoved && before.environmentTrees.get(name) === after.environmentTrees.get(name)) continue;
    const last = await renderAt(world, before, name, signal);
    const next = await renderAt(world, after, name, signal);
    if (next !== undefined && !next.result.ok) problems.push(...next.result.problems);
    if (next?.fresh === true) unlocked.push(name);
    if (next !== undefined && !next.result.ok) continue;
    const difference = differenceOf(name, sideOf(last), sideOf(next));
    if (difference !== undefined) environments.push(difference);
  }
  return { environments, problems, unlocked, declared };
}

function sideOf(rendered: RenderedAt | undefined): Side {
  return {
    rendering: rendered?.result.ok === true ? rendered.result.value.rendering : undefined,
    lock: rendered?.environment.lock?.value,
  };
}

export interface RenderedAt {
  readonly environment: DesiredEnvironment;
  /** True when the environment has no lock and the newest versions in range are shown. */
  readonly fresh: boolean;
  readonly result: Result<RenderedEnvironment>;
}

/** Renders one environment as a snapshot declares it, lock or not; undefined when it is not declared there. */
export async function renderAt(
  world: ReadingWorld,
  declarations: Declarations,
  name: string,
  signal?: AbortSignal,
): Promise<RenderedAt | undefined> {
  const environment = declarations.state.environments.find((item) => item.name === name);
  if (environment === undefined) return undefined;
  const fresh = environment.lock === undefined;
  const { commit } = declarations.at;
  const remembered = commit === undefined ? undefined : world.environments.remembered.get(`${commit} ${name}`);
  if (remembered !== undefined) return { environment, fresh, result: accepted(remembered) };
  const index = await indexOf(world, declarations.at);
  const pins = environment.lock === undefined ? [] : pinsOfLock(environment.lock.value);
  const resolved = await resolvePins(world.reading, { state: declarations.state, environment, pins, index });
  if (!resolved.ok) return { environment, fresh, result: refused(await withUnreadable(world, declarations, resolved.problems)) };
  const result = await world.environments.render(
    { state: declarations.state, environment, resolution: resolved.value, occasion: 'pullRequest' },
    signal,
  );
  if (commit !== undefined && result.ok) world.environments.remembered.set(`${commit} ${name}`, result.value);
  return { environment, fresh, result };
}

/**
 * Renders an environment as it would be with other pins. What is rendered anew for it is what will be rendered once they are merged, so it
 * is compared with a second rendering right away, as V-89 asks of a proposal.
 */
export async function renderProposed(
  world: Pick<World, 'reading' | 'environments'>,
  proposed: Omit<Parameters<typeof resolvePins>[1], 'admits' | 'move' | 'leaveOut'>,
  signal?: AbortSignal,
): Promise<Result<RenderedEnvironment>> {
  const resolved = await resolvePins(world.reading, proposed);
  if (!resolved.ok) return resolved;
  const { state, environment } = proposed;
  return world.environments.render({ state, environment, resolution: resolved.value, occasion: 'pullRequest', twice: true }, signal);
}

/** What a working directory holds counts as released there. */
async function indexOf(world: ReadingWorld, at: Snapshot): Promise<ReleaseIndex> {
  const index = await indexFor(world, at);
  if (at.commit !== undefined) return index;
  return withUnreleased(world, { at, index, state: (await world.reading.desiredState(at)).state });
}

/** The releases known at a snapshot; a working directory knows those of the default branch. */
export async function indexFor(world: ReadingWorld, at: Snapshot): Promise<ReleaseIndex> {
  const commit = at.commit ?? (await world.repository.resolve(world.settings.branch)) ?? (await world.repository.resolve('HEAD'));
  return (await world.history.releases(commit)).index;
}
