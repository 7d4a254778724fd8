import { createMemo, type Memo } from '#model/memo.ts';
import type { CapsuleName, InstanceName } from '#model/names.ts';
import type { Release, ReleasedCapsule } from '#model/resolution.ts';
import type { Asked } from './clash.ts';
import { pinnedBy } from './import-pins.ts';
import { inheritedDeclaration, inheritedSchema } from './inheritance.ts';
import { linesOf, type Ancestor, type Versions } from './lineage.ts';
import { fits, rangeOf, sortedVersions, type Search } from './search.ts';
import { rootOf, type Slot, type Turn } from './slot.ts';

/** Versions that everybody who asks accepts, each with every line of ancestors it may have. */
export function* turnsOf(search: Search, slot: Slot): Generator<Turn, undefined> {
  const { instance, capsule } = slot;
  for (const version of versionsOf(search, instance, capsule)) {
    if (slot.requests.some((one) => !fits(search, version, one.range))) continue;
    const release = admitted(search, { instance, capsule, version });
    if (release === undefined) continue;
    const released = loadedOrNeeded(search, release);
    const inherits = released?.declaration.spec.extends ?? undefined;
    if (released === undefined || (inherits === undefined && mayBeNew(search, instance, released)))
      yield { version, released, ancestors: [] };
    else if (mayBeNew(search, instance, released)) yield* inheritingTurns(search, slot, released);
  }
  return undefined;
}

function* inheritingTurns(search: Search, slot: Slot, released: ReleasedCapsule): Generator<Turn> {
  const { version } = released.release;
  const asked: Asked = { root: rootOf(slot), capsule: slot.capsule, dependency: undefined, pointer: '/spec/extends' };
  for (const line of linesOf(search.versions, { instance: slot.instance, released, asked })) {
    switch (line.kind) {
      case 'needs':
        search.needs.set(`${line.release.capsule}@${line.release.version}`, line.release);
        yield { version, released: undefined, ancestors: [] };
        return;
      case 'clash':
        if (line.clash.kind === 'no-import') search.absent ??= line.clash;
        slot.clash ??= line.clash;
        break;
      case 'line':
        yield { version, released: merged(released, line.ancestors), ancestors: line.ancestors };
    }
  }
}

/** Lines kept of a release: a search that fits nothing goes through the product of all versions of all ancestors. */
const MOST_LINES = 200;
const known = new WeakMap<ReleasedCapsule, Memo<ReleasedCapsule>>();

/** A release with what it inherits; the same line gives the same object, for a merge per instance and push would cost seconds. */
function merged(released: ReleasedCapsule, ancestors: readonly Ancestor[]): ReleasedCapsule {
  const parents = ancestors.map((one) => one.released);
  const key = parents.map(({ release }) => release.gitTree).join(' ');
  const lines = known.get(released) ?? createMemo<ReleasedCapsule>(MOST_LINES);
  known.set(released, lines);
  const before = lines.get(key);
  if (before !== undefined) return before;
  const declaration = inheritedDeclaration(
    released.declaration,
    parents.map((parent) => parent.declaration),
  );
  const schema = inheritedSchema([released.schema, ...parents.map((parent) => parent.schema)]);
  const made = { ...released, declaration, schema, own: released.declaration };
  return lines.set(key, made);
}

/** The locked version, then all others from the highest; an instance that moves has only what it may move to. */
function* versionsOf(search: Known, instance: InstanceName, capsule: CapsuleName): Generator<string> {
  const move = search.input.move.get(instance);
  const pin = search.locked.get(instance);
  if (move !== undefined && move !== 'newest') {
    yield move;
    return;
  }
  const first = pin !== undefined && pin.capsule === capsule && move === undefined ? pin.version : undefined;
  if (first !== undefined) yield first;
  for (const version of sortedVersions(search, capsule)) if (version !== first) yield version;
}

/** What does not depend on what was decided so far. */
type Known = Pick<Search, 'input' | 'locked' | 'ranges' | 'fits' | 'sorted'>;

interface Wanted {
  readonly instance: InstanceName;
  readonly capsule: CapsuleName;
  readonly version: string;
}

function admitted(search: Known, { instance, capsule, version }: Wanted): Release | undefined {
  const release = search.input.index.releases.get(capsule)?.get(version);
  if (release === undefined) return undefined;
  return search.locked.get(instance)?.version === version || search.input.admits?.(release) !== false ? release : undefined;
}

function loadedOrNeeded(search: Search, release: Release): ReleasedCapsule | undefined {
  const released = search.input.loaded(release);
  if (released === undefined) search.needs.set(`${release.capsule}@${release.version}`, release);
  return released;
}

/** Retired versions are no candidates unless locked. */
function mayBeNew(search: Known, instance: InstanceName, { release, declaration }: ReleasedCapsule): boolean {
  return search.locked.get(instance)?.version === release.version || declaration.spec.lifecycle !== 'retired';
}

/** The same knowledge of versions, for ancestors. */
export function versionsFor(search: Known): Versions {
  const { input } = search;
  return {
    of: (instance, capsule) => versionsOf(search, instance, capsule),
    fits: (version, range) => fits(search, version, rangeOf(search, range)),
    admitted: (instance, capsule, version) => admitted(search, { instance, capsule, version }),
    loaded: (release) => input.loaded(release),
    pinned: (released, name) => pinnedBy(input, released, { dependency: 'extends', name }),
    mayBeNew: (instance, released) => mayBeNew(search, instance, released),
    available: (capsule) => (input.index.releases.has(capsule) ? [...sortedVersions(search, capsule)].reverse() : undefined),
  };
}
