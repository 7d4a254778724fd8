import type { Capsule } from '#model/declarations.generated.ts';
import type { CapsuleName } from '#model/names.ts';
import { isCovered, parseRange } from '#model/version.ts';

/** A decided instance and what its version does not go with. */
export interface Decided<S> {
  readonly slot: S;
  readonly capsule: CapsuleName;
  readonly version: string;
  readonly conflicts: Capsule['spec']['conflicts'];
}

/** Who says it, and with whom it does not go. */
export interface FoundConflict<S> {
  readonly declaring: Decided<S>;
  readonly with: Decided<S>;
  /** The one of the two that was decided before. */
  readonly earlier: S;
  /** Index in `spec.conflicts` of the declaring one. */
  readonly index: number;
}

/** V-21: what decided instances exclude, both ways; most capsules exclude nothing and cost one look-up. */
export interface Conflicts<S> {
  add(decided: Decided<S>): void;
  remove(slot: S): void;
  /** The first decided instance that does not go with `candidate`, by order of decision. */
  against(candidate: Decided<S>): FoundConflict<S> | undefined;
}

export function noConflicts<S>(): Conflicts<S> {
  const decided = new Map<S, Decided<S>>();
  const byCapsule = new Map<CapsuleName, Set<S>>();
  /** Capsule -> decided instances that name it as a conflict. */
  const excluding = new Map<string, Set<S>>();

  function named(of: Decided<S>): ReadonlySet<string> {
    return new Set((of.conflicts ?? []).map((conflict) => conflict.capsule));
  }

  function first(
    slots: ReadonlySet<S> | undefined,
    look: (other: Decided<S>) => FoundConflict<S> | undefined,
  ): FoundConflict<S> | undefined {
    for (const slot of slots ?? []) {
      const other = decided.get(slot);
      const found = other === undefined ? undefined : look(other);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  return {
    add(one) {
      decided.set(one.slot, one);
      setOf(byCapsule, one.capsule).add(one.slot);
      for (const capsule of named(one)) setOf(excluding, capsule).add(one.slot);
    },
    remove(slot) {
      const one = decided.get(slot);
      if (one === undefined) return;
      decided.delete(slot);
      byCapsule.get(one.capsule)?.delete(slot);
      for (const capsule of named(one)) excluding.get(capsule)?.delete(slot);
    },
    against(candidate) {
      const excluded = first(excluding.get(candidate.capsule), (other) => conflictOf(other, candidate, other.slot));
      if (excluded !== undefined) return excluded;
      for (const capsule of named(candidate)) {
        const found = first(byCapsule.get(capsule as CapsuleName), (other) => conflictOf(candidate, other, other.slot));
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

function setOf<K, S>(map: Map<K, Set<S>>, key: K): Set<S> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = new Set<S>();
  map.set(key, made);
  return made;
}

/** An instance never conflicts with itself: other versions of a capsule are excluded for the other instances only. */
function conflictOf<S>(declaring: Decided<S>, other: Decided<S>, earlier: S): FoundConflict<S> | undefined {
  if (declaring.slot === other.slot) return undefined;
  const index = (declaring.conflicts ?? []).findIndex(({ capsule, version }) => {
    const range = capsule === String(other.capsule) ? parseRange(version) : undefined;
    return range !== undefined && isCovered(other.version, range);
  });
  return index < 0 ? undefined : { declaring, with: other, earlier, index };
}
