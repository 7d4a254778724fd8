import type { CapsuleName, InstanceName } from '#model/names.ts';
import { toCapsuleName, toInstanceName } from '#model/names.ts';
import type { Release, ReleasedCapsule } from '#model/resolution.ts';
import type { Asked, Clash } from './clash.ts';
import { importClash, type NoImport } from './import-pins.ts';

/** An ancestor as it is locked: an instance of its own, named after what extends it. */
export interface Ancestor {
  readonly instance: InstanceName;
  readonly released: ReleasedCapsule;
}

/** One way to choose everything that a capsule extends, or why there is none. */
export type Line =
  | { readonly kind: 'line'; readonly ancestors: readonly Ancestor[] }
  | { readonly kind: 'needs'; readonly release: Release }
  | { readonly kind: 'clash'; readonly clash: Clash };

/** What the search knows of versions. */
export interface Versions {
  /** Of an instance: what may be chosen, best first. */
  of(instance: InstanceName, capsule: CapsuleName): Iterable<string>;
  fits(version: string, range: string): boolean;
  /** Undefined where it may not be chosen. */
  admitted(instance: InstanceName, capsule: CapsuleName, version: string): Release | undefined;
  /** Undefined where it is not loaded yet. */
  loaded(release: Release): ReleasedCapsule | undefined;
  /** The one version that an import pins, or why it is not to be had; undefined for a capsule of this repository. */
  pinned(released: ReleasedCapsule, name: string): string | NoImport | undefined;
  mayBeNew(instance: InstanceName, released: ReleasedCapsule): boolean;
  available(capsule: CapsuleName): readonly string[] | undefined;
}

/** V-25: a capsule and what it extends are at most this many. */
export const DEEPEST = 8;
/** Parts that the name of an instance may have. */
const LABELS = 9;

/** Every choice of ancestors of a released capsule, best first: the locked one, then the highest; the nearest parent changes last. */
export function* linesOf(
  versions: Versions,
  of: { readonly instance: InstanceName; readonly released: ReleasedCapsule; readonly asked: Asked },
  above: readonly Ancestor[] = [],
): Generator<Line> {
  const wanted = of.released.declaration.spec.extends ?? undefined;
  if (wanted === undefined) {
    yield { kind: 'line', ancestors: above };
    return;
  }
  const capsule = toCapsuleName(wanted.capsule);
  const { release } = of.released;
  const who = `${release.capsule}@${release.version}`;
  const names = [...above.map((one) => one.released.release.capsule), capsule];
  const root = above.length === 0 ? release.capsule : of.asked.capsule;
  if (names.length + 1 > DEEPEST || capsule === root || new Set(names).size < names.length) {
    yield { kind: 'clash', clash: { kind: 'endless', chain: [root ?? release.capsule, ...names], asked: of.asked } };
    return;
  }
  const pinned = versions.pinned(of.released, wanted.capsule);
  if (pinned !== undefined && typeof pinned !== 'string') {
    yield { kind: 'clash', clash: importClash(release.capsule, pinned, of.asked) };
    return;
  }
  const available = versions.available(capsule);
  if (available === undefined) {
    yield { kind: 'clash', clash: { kind: 'unknown-capsule', who: release.capsule, capsule, asked: of.asked } };
    return;
  }
  const name = `${of.instance}.${capsule}`;
  if (name.split('.').length > LABELS) {
    yield { kind: 'clash', clash: { kind: 'too-deep', instance: name, asked: of.asked } };
    return;
  }
  const instance = toInstanceName(name);
  let found = false;
  for (const version of versions.of(instance, capsule)) {
    const isInRange = versions.fits(version, wanted.version) && (pinned === undefined || version === pinned);
    const chosen = isInRange ? versions.admitted(instance, capsule, version) : undefined;
    if (chosen === undefined) continue;
    found = true;
    const released = versions.loaded(chosen);
    if (released === undefined) {
      yield { kind: 'needs', release: chosen };
      return;
    }
    if (!versions.mayBeNew(instance, released)) continue;
    yield* linesOf(versions, { instance, released, asked: of.asked }, [...above, { instance, released }]);
  }
  if (found) return;
  const needs = [`${who} extends ${wanted.version}`];
  yield { kind: 'clash', clash: { kind: 'no-version', capsule, needs, available, asked: of.asked, chain: [] } };
}
