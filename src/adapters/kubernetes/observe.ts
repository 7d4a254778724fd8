import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { groupAndVersion, keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { Inventory, InventoryObject, LiveObject, Observation, ObservedObject, PlannedObject } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import { changedBy } from './changed-by.ts';
import type { Cluster, Found } from './cluster.ts';
import type { Row } from './inventory-rows.ts';
import type { HeldInventory } from './inventory.ts';
import { lookAround } from './look-around.ts';
import type { Workload } from './pods.ts';
import type { SeenObject } from './seen-object.ts';
import { stateOf } from './state.ts';
import type { ObjectState } from './state.ts';
import { findStrays } from './strays.ts';

/** An object to look at: wanted, in the inventory, or both. */
export interface Asked {
  readonly key: ObjectKey;
  readonly path: string;
  /** Of the wanted object; undefined: whichever the server prefers. */
  readonly version: string | undefined;
  readonly row: Row | undefined;
  /** The rendered object, where git wants it. */
  readonly object?: JsonObject;
}

/** What there is of the wanted objects and of those of the inventory. In a process that stays, nothing is asked where nothing changed. */
export async function observeCluster(
  cluster: Cluster,
  wanted: readonly PlannedObject[],
  signal: AbortSignal | undefined,
): Promise<Observation> {
  cluster.wanted = new WeakRef(wanted);
  const held = await loadInventory(cluster, signal);
  const asked = askedFor(wanted, held);
  const { isComplete, unseen } = await lookAround(cluster, asked, signal);
  const pods = await cluster.pods.of(workloads(cluster, asked), signal);
  const rows: InventoryObject[] = [];
  const objects: ObservedObject[] = [];
  for (const each of asked) {
    const found = foundOf(cluster, each.key);
    const state = found && stateOf(found, each.row, cluster.marks);
    rows.push(...rowsOf(each, state));
    if (found !== undefined && state !== undefined) objects.push(withPods(observed(cluster, each, state), pods.get(keyText(each.key))));
  }
  const strays = isLost(held) ? await findStrays(cluster, new Set(asked.map(({ key }) => keyText(key))), signal) : [];
  for (const { key, found, live } of strays) {
    const { sha256 } = stateOf(found, undefined, cluster.marks);
    rows.push({ key, path: strayPath(key), sha256, pending: true });
    objects.push({ key, path: strayPath(key), sha256, ...(live === undefined ? {} : { live }) });
  }
  return {
    inventory: inventoryOf(cluster, held, rows),
    objects: objects.toSorted((a, b) => compareText(a.path, b.path)),
    reports: [],
    // What nobody wrote down was found again by its marks; once that is written, it may be pruned.
    complete: isComplete && !(isLost(held) && objects.some(({ key }) => key !== undefined)),
    ...(unseen.length === 0 ? {} : { unseen }),
    reportsHealth: true,
  };
}

/** Reads the inventory, unless what is seen of its ConfigMaps is what was read. */
export async function loadInventory(cluster: Cluster, signal: AbortSignal | undefined): Promise<HeldInventory> {
  const { inventory, marks, views } = cluster;
  const place = { group: '', kind: 'ConfigMap', namespace: marks.namespace };
  return inventory.load((name, version) => {
    const view = views.of({ ...place, name });
    return view?.isCurrent() === true && (view.get(marks.namespace, name)?.resourceVersion ?? '') === version;
  }, signal);
}

/** An object in whichever way the last look found it. */
export function foundOf(cluster: Cluster, key: ObjectKey): Found | undefined {
  const seen = cluster.views.seen(key);
  // Whoever put our labels on an object of theirs: of its fields a view keeps nothing.
  if (seen?.owned === undefined) return cluster.lookups.get(key);
  return { ...seen, version: cluster.views.resourceOf(key)?.version, holders: undefined };
}

function askedFor(wanted: readonly PlannedObject[], held: HeldInventory): readonly Asked[] {
  const asked: Asked[] = [];
  const named = new Set<string>();
  for (const { key, path, object } of wanted) {
    const text = keyText(key);
    const row = held.rows.get(text);
    named.add(text);
    asked.push({ key, path: row?.path ?? path, version: groupAndVersion(object.apiVersion).version, row, object });
  }
  for (const [text, row] of held.rows) {
    if (!named.has(text)) asked.push({ key: row.key, path: row.path, version: undefined, row });
  }
  return asked;
}

function rowsOf({ key, path, row }: Asked, state: ObjectState | undefined): readonly InventoryObject[] {
  // An object that somebody else made under the name of ours is not ours, whatever the inventory says of the name.
  const own = row === undefined || (state?.kind === 'foreign' && !row.pending) ? [] : [rowAs(row)];
  return state?.kind === 'unconfirmed' ? [...own, { key, path, sha256: state.sha256, pending: true }] : own;
}

function rowAs({ key, path, sha256, pending }: Row): InventoryObject {
  return { key, path, sha256, pending };
}

function observed(cluster: Cluster, { key, path, object }: Asked, state: ObjectState): ObservedObject {
  const seen = cluster.views.seen(key);
  return {
    key: state.kind === 'foreign' ? undefined : key,
    path,
    sha256: state.sha256,
    ...(seen === undefined ? {} : { live: liveOf(seen, state, object) }),
  };
}

function* workloads({ views }: Cluster, asked: readonly Asked[]): Generator<Workload> {
  for (const { key, object } of asked) {
    const seen = object === undefined ? undefined : views.seen(key);
    if (seen !== undefined && object !== undefined)
      yield { key, resourceVersion: seen.resourceVersion, live: seen.live.object, wanted: object };
  }
}

function withPods(object: ObservedObject, pods: readonly JsonObject[] | undefined): ObservedObject {
  return object.live === undefined || pods === undefined ? object : { ...object, live: { ...object.live, pods } };
}

function liveOf(seen: SeenObject, state: ObjectState, object: JsonObject | undefined): LiveObject {
  if (state.kind !== 'changed') return seen.live.changedBy.length === 0 ? seen.live : { ...seen.live, changedBy: [] };
  return object === undefined ? seen.live : { ...seen.live, changedBy: changedBy(seen, object) };
}

function isLost(held: HeldInventory): boolean {
  return held.rendering === undefined || held.isDamaged;
}

/** The path that it had is not known any more; this one no rendering has. */
function strayPath({ group, kind, namespace, name }: ObjectKey): string {
  const parts = [group || 'core', 'unknown', kind.toLowerCase(), namespace || '-', name];
  return `lost/${parts.map((part) => encodeURIComponent(part)).join('_')}.yaml`;
}

function inventoryOf(cluster: Cluster, held: HeldInventory, rows: readonly InventoryObject[]): Inventory | undefined {
  if (held.rendering === undefined && rows.length === 0) return undefined;
  const { environment, target } = cluster.owner;
  const sorted = rows.toSorted((a, b) => compareText(a.path, b.path) || Number(a.pending) - Number(b.pending));
  return { environment, target, rendering: held.rendering ?? sha256Of(''), objects: sorted };
}
