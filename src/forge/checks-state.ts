import type { World } from './call.ts';
import type { Stored } from './records.ts';

/** Statuses and check runs are looked up by commit: the first 48 bits of its id are their parent in the store. */
export function commitShelf(commit: string): number {
  return Number.parseInt(commit.slice(0, 12), 16);
}

/** Newest first. */
export function statusesOf(world: World, repository: number, commit: string): readonly Stored<'status'>[] {
  return world.store
    .list('status', commitShelf(commit))
    .filter((row) => row.commit === commit && row.repository === repository)
    .reverse();
}

/** The newest of each context. */
export function latestStatuses(world: World, repository: number, commit: string): readonly Stored<'status'>[] {
  const newest = new Map<string, Stored<'status'>>();
  for (const status of statusesOf(world, repository, commit)) {
    if (!newest.has(status.context)) newest.set(status.context, status);
  }
  return [...newest.values()];
}

export function checkRunsOf(world: World, repository: number, commit: string): readonly Stored<'check'>[] {
  return world.store.list('check', commitShelf(commit)).filter((row) => row.commit === commit && row.repository === repository);
}

export function combinedState(states: readonly string[]): 'failure' | 'pending' | 'success' {
  if (states.some((state) => state === 'failure' || state === 'error')) return 'failure';
  return states.length === 0 || states.includes('pending') ? 'pending' : 'success';
}

/** State of one required check, whether it was published as a status or as a check run. */
export function requiredState(world: World, repository: number, check: { readonly commit: string; readonly context: string }): string {
  const status = latestStatuses(world, repository, check.commit).find((row) => row.context === check.context);
  const run = checkRunsOf(world, repository, check.commit)
    .filter((row) => row.name === check.context)
    .at(-1);
  if (run === undefined) return status?.state ?? 'expected';
  if (run.status !== 'completed') return 'pending';
  return ['success', 'neutral', 'skipped'].includes(run.conclusion ?? '') ? (status?.state ?? 'success') : 'failure';
}
