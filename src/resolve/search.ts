import type { CapsuleName, InstanceName } from '#model/names.ts';
import type { Pin, Release } from '#model/resolution.ts';
import { compareVersions, isInRange, parseRange, type VersionRange } from '#model/version.ts';
import type { Clash } from './clash.ts';
import type { Conflicts } from './conflicts.ts';
import type { Versions } from './lineage.ts';
import type { NameHeap } from './name-heap.ts';
import type { ResolveInput } from './resolve-input.ts';
import type { Slot } from './slot.ts';

export interface Search {
  readonly input: ResolveInput;
  readonly slots: Map<InstanceName, Slot>;
  /** Decided slots, oldest first. */
  readonly frames: Slot[];
  readonly waiting: NameHeap;
  readonly locked: ReadonlyMap<InstanceName, Pin>;
  /** Capsule -> the environment's own instance that serves everybody who shares it. */
  readonly sharedBy: ReadonlyMap<CapsuleName, InstanceName>;
  readonly ranges: Map<string, VersionRange | undefined>;
  readonly fits: Map<VersionRange, Map<string, boolean>>;
  readonly sorted: Map<CapsuleName, readonly string[]>;
  readonly needs: Map<string, Release>;
  readonly conflicts: Conflicts<Slot>;
  /** The same knowledge of versions, for ancestors. */
  readonly versions: Versions;
  tries: number;
  /** An import that is not here: nothing follows from that, least of all that what is locked gives way to something older. */
  absent: Clash | undefined;
}

export function rangeOf(search: Pick<Search, 'ranges'>, text: string): VersionRange | undefined {
  if (!search.ranges.has(text)) search.ranges.set(text, parseRange(text));
  return search.ranges.get(text);
}

export function fits(search: Pick<Search, 'fits'>, version: string, range: VersionRange | undefined): boolean {
  if (range === undefined) return false;
  let known = search.fits.get(range);
  if (known === undefined) search.fits.set(range, (known = new Map()));
  let answer = known.get(version);
  if (answer === undefined) known.set(version, (answer = isInRange(version, range)));
  return answer;
}

export function sortedVersions(search: Pick<Search, 'sorted' | 'input'>, capsule: CapsuleName): readonly string[] {
  let versions = search.sorted.get(capsule);
  if (versions === undefined) {
    versions = [...(search.input.index.releases.get(capsule)?.keys() ?? [])].sort((a, b) => compareVersions(b, a));
    search.sorted.set(capsule, versions);
  }
  return versions;
}
