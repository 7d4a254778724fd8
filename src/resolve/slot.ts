import type { CapsuleName, InstanceName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { ReleasedCapsule } from '#model/resolution.ts';
import type { VersionRange } from '#model/version.ts';
import type { Clash } from './clash.ts';
import type { DependencyEdge } from './dependency-edges.ts';
import type { Ancestor } from './lineage.ts';

/** Who asks for an instance; `by` undefined is the environment. */
export interface Request {
  readonly by: Slot | undefined;
  readonly range: VersionRange | undefined;
  readonly rangeText: string;
  /** The abstract type that it goes by. */
  readonly recipe: string | undefined;
}

export interface Choice {
  readonly released: ReleasedCapsule | undefined;
  readonly version: string;
  /** Mandatory edges first taken; optional ones join when they hold. */
  readonly edges: DependencyEdge[];
  readonly optional: readonly DependencyEdge[];
  readonly skipped: readonly string[];
  readonly external: readonly string[];
  /** What it extends, nearest first; `released` then declares what it inherits, too. */
  readonly ancestors: readonly Ancestor[];
}

/** One thing to try: a version, with the ancestors it would have; not loaded yet where `released` is absent. */
export interface Turn {
  readonly version: string;
  readonly released: ReleasedCapsule | undefined;
  readonly ancestors: readonly Ancestor[];
}

export interface Slot {
  readonly instance: InstanceName;
  readonly capsule: CapsuleName;
  readonly requests: Request[];
  choice: Choice | undefined;
  /** What is left to try, best first; made when first asked for. */
  turns: Iterator<Turn, undefined> | undefined;
  /** Who has a part in what failed here; made when something does. */
  blame: Set<Slot> | undefined;
  clash: Clash | undefined;
}

/** Abstract types by which an instance is asked for, sorted. */
export function recipesOf(slot: Slot): readonly string[] {
  return [...new Set(slot.requests.flatMap((request) => request.recipe ?? []))].sort(compareText);
}

/** An instance as people know it: `greeter@1.4.2`, or `web (greeter@1.4.2)` under an alias. */
export function labelOf(slot: Slot, version: string | undefined): string {
  const text = version === undefined ? slot.capsule : `${slot.capsule}@${version}`;
  return slot.instance === String(slot.capsule) ? text : `${slot.instance} (${text})`;
}

/** One sentence per step from the environment to `slot`. */
export function chainOf(slot: Slot, version: string | undefined): readonly string[] {
  const steps: string[] = [];
  const seen = new Set<Slot>();
  for (let here: Slot | undefined = slot, at = version; here !== undefined && !seen.has(here);) {
    seen.add(here);
    const [first]: readonly Request[] = here.requests;
    const by: Slot | undefined = first?.by;
    steps.unshift(`${labelOf(here, at)} is asked for by ${by === undefined ? 'the environment' : labelOf(by, by.choice?.version)}`);
    here = by;
    at = by?.choice?.version;
  }
  return steps;
}

/** The environment's own instance that it all goes back to. */
export function rootOf(slot: Slot): InstanceName {
  const seen = new Set<Slot>();
  let here = slot;
  for (;;) {
    seen.add(here);
    const by: Slot | undefined = here.requests[0]?.by;
    if (by === undefined || seen.has(by)) return here.instance;
    here = by;
  }
}
