import type { CommitId } from '#model/digest.ts';
import type { RefName } from '#model/names.ts';
import type { Repository } from '#ports/repository.ts';

/**
 * Refs that others moved and no look has seen yet. Runs that lose a race fetch, too: without this list the next look would never hear of what
 * their fetch brought. What the engine pushes itself is no arrival.
 */
export interface Arrivals {
  /** Where each ref stands now; undefined where it is gone. */
  waiting(): ReadonlyMap<RefName, CommitId | undefined>;
  /** A look is through with these; one that moved again meanwhile stays. */
  seen(arrivals: ReadonlyMap<RefName, CommitId | undefined>): void;
}

/** The same repository, whose fetches and pushes are noted. The first fetch brings no arrivals: then everything is looked at. */
export function noteArrivals(repository: Repository): { readonly repository: Repository; readonly arrivals: Arrivals } {
  const open = new Map<RefName, CommitId | undefined>();
  let last: Map<RefName, CommitId> | undefined;

  /** Compared with what was known, not taken from a fetch's answer: one whose answer was lost has moved refs, too. */
  async function note(): Promise<void> {
    const now = new Map(await repository.refs());
    for (const ref of last === undefined ? [] : new Set([...last.keys(), ...now.keys()]))
      if (last?.get(ref) !== now.get(ref)) open.set(ref, now.get(ref));
    last = now;
  }

  return {
    repository: {
      ...repository,
      async hasNews(signal) {
        const hasNews = await repository.hasNews(signal);
        if (last !== undefined && !hasNews) await note();
        return hasNews;
      },
      async fetch(signal) {
        const moved = await repository.fetch(signal);
        await note();
        return moved;
      },
      async push(updates, signal) {
        await repository.push(updates, signal);
        for (const { ref, next } of updates) {
          if (next === undefined) last?.delete(ref);
          else last?.set(ref, next);
        }
      },
    },
    arrivals: {
      waiting: () => new Map(open),
      seen(arrivals) {
        for (const [ref, after] of arrivals) if (open.get(ref) === after) open.delete(ref);
      },
    },
  };
}
