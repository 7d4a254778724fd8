import { pointerToken } from '#model/json.ts';
import { toInstanceName, type CapsuleName, type InstanceName } from '#model/names.ts';
import type { Release, ReleasedCapsule } from '#model/resolution.ts';
import type { VersionRange } from '#model/version.ts';
import { childrenOf, givenTo, servedBy } from './children.ts';
import { clashText, type Asked, type Clash } from './clash.ts';
import { noConflicts, type Decided, type FoundConflict } from './conflicts.ts';
import { dependencyEdges, type DependencyEdge } from './dependency-edges.ts';
import { importClash } from './import-pins.ts';
import { nameHeap } from './name-heap.ts';
import { requestedInstances, sharedInstances } from './requests.ts';
import type { ResolveInput } from './resolve-input.ts';
import { fits, rangeOf, sortedVersions, type Search } from './search.ts';
import { chainOf, labelOf, recipesOf, rootOf, type Choice, type Request, type Slot, type Turn } from './slot.ts';
import { turnsOf, versionsFor } from './turns.ts';

export type Solution =
  | { readonly kind: 'solved'; readonly slots: ReadonlyMap<InstanceName, Slot>; readonly notes: readonly string[] }
  | { readonly kind: 'needs'; readonly releases: readonly Release[] }
  | { readonly kind: 'failed'; readonly clash: Clash }
  | { readonly kind: 'exhausted'; readonly tries: number };

const TRIES = 200_000;

/**
 * Known instances are decided by name, the locked version first, then the highest; a clash jumps back to the latest decision that had a part
 * in it, which finds the same first answer as stepping back one by one. Optional dependencies come after, and never change a choice.
 */
export function solve(input: ResolveInput): Solution {
  const search = startSearch(input);
  const failed = decideAll(search, 0);
  if (search.tries > TRIES) return { kind: 'exhausted', tries: TRIES };
  if (failed !== undefined && search.needs.size === 0) return { kind: 'failed', clash: search.absent ?? failed };
  const notes = failed === undefined && search.needs.size === 0 ? joinOptional(search) : [];
  if (search.needs.size > 0) return { kind: 'needs', releases: [...search.needs.values()] };
  if (search.absent !== undefined) return { kind: 'failed', clash: search.absent };
  return { kind: 'solved', slots: search.slots, notes };
}

function startSearch(input: ResolveInput): Search {
  const requested = requestedInstances(input.environment, input.leaveOut);
  const known = {
    input,
    locked: new Map(input.locked.map((pin) => [pin.instance, pin])),
    ranges: new Map<string, VersionRange | undefined>(),
    fits: new Map<VersionRange, Map<string, boolean>>(),
    sorted: new Map<CapsuleName, readonly string[]>(),
  };
  const search: Search = {
    ...known,
    slots: new Map(),
    frames: [],
    waiting: nameHeap(),
    sharedBy: sharedInstances(requested),
    needs: new Map(),
    conflicts: noConflicts(),
    versions: versionsFor(known),
    tries: 0,
    absent: undefined,
  };
  for (const { instance, capsule, version } of requested) {
    ask(search, { instance, capsule }, { by: undefined, range: rangeOf(search, version), rangeText: version, recipe: undefined });
  }
  return search;
}

function ask(search: Search, who: { readonly instance: InstanceName; readonly capsule: CapsuleName }, request: Request): Slot {
  let slot = search.slots.get(who.instance);
  if (slot === undefined) {
    slot = { ...who, requests: [], choice: undefined, turns: undefined, blame: undefined, clash: undefined };
    search.slots.set(who.instance, slot);
    search.waiting.push(who.instance);
  }
  slot.requests.push(request);
  return slot;
}

/** Decides everything that waits; never takes back the first `floor` decisions. Answers the clash if nothing fits. */
function decideAll(search: Search, floor: number): Clash | undefined {
  for (let name = search.waiting.pop(); name !== undefined; name = search.waiting.pop()) {
    let slot = search.slots.get(toInstanceName(name));
    if (slot === undefined || slot.choice !== undefined) continue;
    while (!decide(search, slot)) {
      const failing: Slot = slot;
      // What is not loaded yet has hidden dependencies: a clash seen before they are known may be none.
      if (search.needs.size > 0 || search.absent !== undefined || search.tries > TRIES)
        return failing.clash ?? noVersion(search, failing, undefined);
      const jump = jumpBack(search, failing, floor);
      if (jump === undefined) return failing.clash ?? noVersion(search, failing, undefined);
      slot = jump;
    }
  }
  return undefined;
}

function decide(search: Search, slot: Slot): boolean {
  slot.turns ??= turnsOf(search, slot);
  for (let turn = slot.turns.next(); turn.done !== true; turn = slot.turns.next()) {
    search.tries += 1;
    if (search.tries > TRIES || search.absent !== undefined) return false;
    const choice = choose(search, slot, turn.value);
    if (choice === undefined) continue;
    slot.choice = choice;
    search.frames.push(slot);
    search.conflicts.add(decidedAs(slot, choice.version, choice.released));
    for (const edge of choice.edges) request(search, slot, edge);
    return true;
  }
  for (const one of slot.requests) if (one.by !== undefined) blameOf(slot).add(one.by);
  return false;
}

function blameOf(slot: Slot): Set<Slot> {
  return (slot.blame ??= new Set());
}

function request(search: Search, by: Slot, edge: DependencyEdge): void {
  for (const rangeText of edge.ranges) {
    ask(search, edge, { by, range: rangeOf(search, rangeText), rangeText, recipe: edge.recipe });
  }
}

/** The choice of a turn, or undefined when it clashes; who has a part in the clash is blamed. */
function choose(search: Search, slot: Slot, { version, released, ancestors }: Turn): Choice | undefined {
  if (released === undefined) return { released, version, edges: [], optional: [], skipped: [], external: [], ancestors };
  const conflict = search.conflicts.against(decidedAs(slot, version, released));
  if (conflict !== undefined) {
    blameOf(slot).add(conflict.earlier);
    slot.clash ??= conflictClash(search, conflict, rootOf(slot));
    return undefined;
  }
  const asker = { instance: slot.instance, recipes: recipesOf(slot), given: givenTo(slot)?.value };
  const found = dependencyEdges(
    search.input,
    asker,
    released,
    (capsule, dependency) =>
      servedBy(search.slots, { instance: slot.instance, capsule, dependency }) ?? search.sharedBy.get(capsule) ?? toInstanceName(capsule),
  );
  const children = childrenOf(search.input, asker, released);
  if (children.noImport !== undefined) {
    const pointer = `/spec/instances${pointerToken(children.noImport.dependency)}`;
    const asked: Asked = { root: rootOf(slot), capsule: slot.capsule, dependency: undefined, pointer };
    search.absent ??= importClash(slot.capsule, children.noImport, asked);
    return undefined;
  }
  if (children.tooDeep !== undefined) {
    const { instance, pointer } = children.tooDeep;
    slot.clash ??= {
      kind: 'too-deep',
      instance,
      asked: { root: rootOf(slot), capsule: slot.capsule, dependency: undefined, pointer },
    };
    return undefined;
  }
  if (found.unknownType !== undefined) {
    const { type, dependency } = found.unknownType;
    slot.clash ??= { kind: 'unknown-type', who: slot.capsule, type, asked: { root: rootOf(slot), capsule: slot.capsule, dependency } };
    return undefined;
  }
  if (found.noImport !== undefined) {
    const { dependency } = found.noImport;
    search.absent ??= importClash(slot.capsule, found.noImport, { root: rootOf(slot), capsule: slot.capsule, dependency });
    return undefined;
  }
  if (found.tooDeep !== undefined) {
    const { instance, dependency } = found.tooDeep;
    slot.clash ??= { kind: 'too-deep', instance, asked: { root: rootOf(slot), capsule: slot.capsule, dependency } };
    return undefined;
  }
  const clash = firstOf([...children.edges, ...found.mandatory], (edge) => clashOf(search, { slot, version, edge }));
  if (clash !== undefined) {
    slot.clash ??= clash;
    return undefined;
  }
  return {
    released,
    version,
    edges: [...children.edges, ...found.mandatory],
    optional: found.optional,
    skipped: [...children.skipped, ...found.skipped],
    external: found.external,
    ancestors,
  };
}

function decidedAs(slot: Slot, version: string, released: ReleasedCapsule | undefined): Decided<Slot> {
  return { slot, capsule: slot.capsule, version, conflicts: released?.declaration.spec.conflicts };
}

function conflictClash(search: Search, found: FoundConflict<Slot>, root: InstanceName): Clash {
  const { declaring, with: other, index } = found;
  return {
    kind: 'conflict',
    a: labelOf(declaring.slot, declaring.version),
    b: labelOf(other.slot, other.version),
    environment: search.input.environment.name,
    declared: { capsule: declaring.capsule, index },
    asked: { root, capsule: undefined, dependency: undefined },
    chain: [...new Set([...chainOf(declaring.slot, declaring.version), ...chainOf(other.slot, other.version)])],
  };
}

function firstOf<T, R>(items: readonly T[], look: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function clashOf(search: Search, step: { slot: Slot; version: string; edge: DependencyEdge }): Clash | undefined {
  const { slot, version, edge } = step;
  const asked: Asked = { root: rootOf(slot), capsule: slot.capsule, dependency: edge.dependency };
  if (!search.input.index.releases.has(edge.capsule)) return { kind: 'unknown-capsule', who: slot.capsule, capsule: edge.capsule, asked };
  const other = search.slots.get(edge.instance);
  if (other === undefined) return undefined;
  if (other.capsule !== edge.capsule) {
    blameOf(slot).add(other);
    for (const one of other.requests) if (one.by !== undefined) blameOf(slot).add(one.by);
    return { kind: 'name-taken', who: slot.capsule, instance: edge.instance, capsule: other.capsule, asked };
  }
  const decided = other === slot ? version : other.choice?.version;
  if (decided === undefined || edge.ranges.every((range) => fits(search, decided, rangeOf(search, range)))) return undefined;
  if (other !== slot) blameOf(slot).add(other);
  const needs = edge.ranges.map((range) => `${labelOf(slot, version)} needs ${range}`);
  return noVersion(search, other, { needs, asked, chain: chainOf(slot, version) });
}

function noVersion(
  search: Search,
  slot: Slot,
  more: { readonly needs: readonly string[]; readonly asked: Asked; readonly chain: readonly string[] } | undefined,
): Clash {
  const owners = slot.requests.map((one) => (one.by === undefined ? undefined : { slot: one.by, range: one.rangeText }));
  const needs = slot.requests.map((one) => {
    const who = one.by === undefined ? `environment ${search.input.environment.name}` : labelOf(one.by, one.by.choice?.version);
    return `${who} needs ${one.rangeText}`;
  });
  const chain = owners.flatMap((owner) => (owner === undefined ? [] : chainOf(owner.slot, owner.slot.choice?.version)));
  const [first] = slot.requests;
  const asked: Asked = { root: rootOf(slot), capsule: first?.by?.capsule, dependency: undefined };
  if (more === undefined && !search.input.index.releases.has(slot.capsule)) {
    return {
      kind: 'unknown-capsule',
      who: first?.by?.capsule ?? `environment ${search.input.environment.name}`,
      capsule: slot.capsule,
      asked,
    };
  }
  return {
    kind: 'no-version',
    capsule: slot.capsule,
    needs: [...new Set([...needs, ...(more?.needs ?? [])])],
    available: [...sortedVersions(search, slot.capsule)].reverse().map((version) => withState(search, slot.capsule, version)),
    asked: more?.asked ?? asked,
    chain: [...new Set([...chain, ...(more?.chain ?? [])])],
  };
}

/** Versions that are there and never chosen say so. */
function withState(search: Search, capsule: CapsuleName, version: string): string {
  const release = search.input.index.releases.get(capsule)?.get(version);
  const spec = release === undefined ? undefined : search.input.loaded(release)?.declaration.spec;
  return spec?.lifecycle === 'retired' ? `${version} (retired)` : version;
}

/** Takes decisions back to the latest one that `failing` blames, and answers it, ready for its next candidate. */
function jumpBack(search: Search, failing: Slot, floor: number): Slot | undefined {
  const blame = blameOf(failing);
  let at = search.frames.length - 1;
  while (at >= floor && !blame.has(search.frames[at] ?? failing)) at -= 1;
  const goal = search.frames[at];
  if (at < floor || goal === undefined) return undefined;
  const clash = failing.clash ?? noVersion(search, failing, undefined);
  while (search.frames.length > at) takeBack(search, search.frames.length === at + 1);
  reset(failing);
  if (search.slots.get(failing.instance) === failing) search.waiting.push(failing.instance);
  for (const one of blame) if (one !== goal) blameOf(goal).add(one);
  goal.clash ??= clash;
  return goal;
}

function takeBack(search: Search, keep: boolean): void {
  const slot = search.frames.pop();
  if (slot === undefined) return;
  const edges = slot.choice?.edges ?? [];
  search.conflicts.remove(slot);
  slot.choice = undefined;
  for (const { instance } of edges) withdraw(search, slot, instance);
  if (keep) return;
  reset(slot);
  if (search.slots.get(slot.instance) === slot) search.waiting.push(slot.instance);
}

function withdraw(search: Search, by: Slot, from: InstanceName): void {
  const other = search.slots.get(from);
  if (other === undefined) return;
  for (let at = other.requests.length - 1; at >= 0; at -= 1) if (other.requests[at]?.by === by) other.requests.splice(at, 1);
  if (other.requests.length === 0) search.slots.delete(from);
}

function reset(slot: Slot): void {
  slot.turns = undefined;
  slot.blame = undefined;
  slot.clash = undefined;
}

/** Adds optional dependencies, by instance and dependency name, where what is decided allows them. Answers a note for each that is skipped. */
function joinOptional(search: Search): readonly string[] {
  const notes: string[] = [];
  const turns = nameHeap();
  for (const slot of search.frames) if ((slot.choice?.optional.length ?? 0) > 0) turns.push(slot.instance);
  for (let name = turns.pop(); name !== undefined; name = turns.pop()) {
    const slot = search.slots.get(toInstanceName(name));
    for (const edge of slot?.choice?.optional ?? []) {
      if (slot?.choice === undefined) continue;
      const floor = search.frames.length;
      const clash = clashOf(search, { slot, version: slot.choice.version, edge }) ?? tryEdge(search, slot, edge);
      if (clash === undefined) {
        slot.choice.edges.push(edge);
        search.frames.slice(floor).forEach((added) => turns.push(added.instance));
      } else notes.push(`${slot.instance} goes without its optional dependency "${edge.dependency}": ${clashText(clash)}`);
    }
  }
  return notes;
}

function tryEdge(search: Search, slot: Slot, edge: DependencyEdge): Clash | undefined {
  const floor = search.frames.length;
  request(search, slot, edge);
  const clash = decideAll(search, floor);
  if (clash === undefined) return undefined;
  while (search.frames.length > floor) takeBack(search, false);
  withdraw(search, slot, edge.instance);
  while (search.waiting.pop() !== undefined);
  return clash;
}
