import { objectId } from './held-objects.ts';
import type { SeenChange } from './held-objects.ts';
import type { SeenObject } from './seen-object.ts';

/**
 * Tells our own changes from those of others. The event of a write often comes before its answer, so what is seen while we write is held back
 * until the answers are known.
 */
export interface OwnWrites {
  /** Whether it is held back; else it is to be told now. */
  takes(change: SeenChange): boolean;
  wrote(seen: SeenObject): void;
  removed(uid: string): void;
  /** The answer ends it, once. */
  begin(): () => void;
}

export function ownWrites(tell: (change: SeenChange) => void): OwnWrites {
  const heldBack = new Map<string, SeenChange>();
  const written = new Map<string, string>();
  const gone = new Set<string>();
  let writers = 0;

  function isOwn(id: string, { before, after }: SeenChange): boolean {
    if (after !== undefined) return after.resourceVersion === written.get(id);
    return before !== undefined && gone.has(before.uid);
  }

  return {
    takes(change) {
      if (writers === 0) return false;
      const about = change.after ?? change.before;
      const id = about === undefined ? '' : objectId(about);
      heldBack.set(id, { before: heldBack.has(id) ? heldBack.get(id)?.before : change.before, after: change.after });
      return true;
    },
    wrote(seen) {
      if (writers > 0) written.set(objectId(seen), seen.resourceVersion);
    },
    removed(uid) {
      if (writers > 0) gone.add(uid);
    },
    begin() {
      let isOver = false;
      writers += 1;
      return () => {
        if (isOver) return;
        isOver = true;
        writers -= 1;
        if (writers > 0) return;
        const changes = [...heldBack].filter(([id, change]) => !isOwn(id, change));
        for (const all of [heldBack, written, gone]) all.clear();
        for (const [, change] of changes) tell(change);
      };
    },
  };
}
