import { assess, assessDelegated } from '#health/health.ts';
import { sha256Of, toCommitId, toSha256 } from '#model/digest.ts';
import type { BlobId, CommitId, Sha256, TreeId } from '#model/digest.ts';
import type { HealthState, TargetHealth } from '#model/health.ts';
import { toInstanceName } from '#model/names.ts';
import type { Inventory, InventoryObject, Observation } from '#model/plan.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Ledger } from './audit-branch.ts';
import { driftPolicy } from './drift.ts';
import type { SyncRequest } from './sync-target.ts';
import type { World } from './world.ts';

/** What stays on a target that waits: what the ledger says was put there. */
export interface Standing {
  readonly rendering: Sha256 | undefined;
  readonly commit: CommitId | undefined;
}

/** What the ledger says was put on a target last. */
export function standingOn(ledger: Ledger, { target }: TargetRendering): Standing {
  const last = ledger.targets.get(`${target.environment}/${target.name}`);
  if (last?.rendering === undefined) return { rendering: undefined, commit: undefined };
  return { rendering: toSha256(last.rendering), commit: toCommitId(last.shapedBy) };
}

/** How what stands on a waiting target is: judged by what its inventory says was put there, not by what is to come. */
export function assessStanding(coming: TargetRendering, observation: Observation, standing: Standing): TargetHealth {
  const { inventory } = observation;
  if (inventory === undefined) return { state: standing.rendering === undefined ? 'progressing' : 'degraded', instances: [] };
  const health = assess(standingRendering(coming, inventory), observation);
  // What the ledger calls begun never arrived in whole: nothing of it may be called healthy.
  return inventory.rendering === standing.rendering ? health : notYet(health);
}

/** The same where another tool keeps it: what the tool says of the commit that was given to it. */
export function standingDelegated(coming: TargetRendering, observation: Observation, ledger: Ledger): TargetHealth {
  const key = `${coming.target.environment}/${coming.target.name}`;
  const last = ledger.targets.get(key);
  const { inventory } = observation;
  if (last?.rendering === undefined || inventory?.rendering !== last.rendering)
    return { state: last?.rendering === undefined || inventory !== undefined ? 'progressing' : 'degraded', instances: [] };
  const [facts] = coming.instances.values();
  const names = [...(ledger.instances.get(key)?.keys() ?? [])].map((name) => toInstanceName(name));
  const instances = new Map(facts === undefined ? [] : names.map((name) => [name, facts] as const));
  const delegated = standingRendering(coming, inventory);
  return assessDelegated({ rendering: { ...coming, instances }, delegated }, observation, toCommitId(last.broughtBy));
}

function notYet({ state, instances }: TargetHealth): TargetHealth {
  return { state: doubted(state), instances: instances.map((one) => ({ ...one, state: doubted(one.state) })) };
}

function doubted(state: HealthState): HealthState {
  return state === 'healthy' ? 'progressing' : state;
}

function standingRendering(coming: TargetRendering, inventory: Inventory, texts?: ReadonlyMap<string, string>): TargetRendering {
  const next = new Map(coming.objects.map((object) => [object.path, object]));
  const objects = inventory.objects
    .filter((row) => !row.pending)
    .map((row): RenderedObject => {
      const [instance = ''] = row.path.split('/');
      const { group, kind, name, namespace } = row.key;
      // What its status means follows from the kind; only expressions of a capsule are asked of the version that comes.
      const health = next.get(row.path)?.health;
      const object = { apiVersion: `${group}/${versionOf(row.path)}`.replace(/^\//, ''), kind, metadata: { name, namespace } };
      return {
        key: row.key,
        instance: toInstanceName(instance),
        path: row.path,
        sha256: row.sha256,
        object,
        text: texts?.get(row.path) ?? '',
        ...(health === undefined ? {} : { health }),
      };
    });
  const facts = { capsule: '', version: '', gitTree: '', sha256: inventory.rendering, configSha256: inventory.rendering, wave: 0 };
  const instances = new Map(objects.map(({ instance }) => [instance, coming.instances.get(instance) ?? facts]));
  return { ...coming, digest: inventory.rendering, objects, instances };
}

/** `<group>_<version>_<kind>_...` */
function versionOf(path: string): string {
  return path.split('/').at(-1)?.split('_')[1] ?? 'v1';
}

/**
 * What stands on a waiting target, with the texts that it takes to mend its drift: they lie in the commit that brought it. Undefined where
 * drift is only told, where nobody can say for sure what stood there, or where a value was opened that lies sealed in git.
 */
export async function keptRendering(world: World, request: SyncRequest, observation: Observation): Promise<TargetRendering | undefined> {
  const { inventory } = observation;
  const standing = standingOn(request.ledger, request.rendering);
  if (request.dryRun || request.isManual === true || driftPolicy(request.prepared.environment).onDetect !== 'correct') return undefined;
  if (inventory === undefined || standing.commit === undefined) return undefined;
  if (inventory.rendering !== standing.rendering || !observation.complete) return undefined;
  const found = new Map(observation.objects.map((object) => [object.path, object.sha256]));
  const drifted = inventory.objects.filter((row) => found.get(row.path) !== row.sha256);
  if (inventory.objects.some((row) => row.pending) || drifted.some((row) => row.applied !== undefined)) return undefined;
  const texts = await textsOf(world, standing.commit, { target: request.rendering.target.name, rows: drifted });
  return texts && standingRendering(request.rendering, inventory, texts);
}

/** Texts of the rendered files of a commit, by path; undefined unless each is what the inventory says. */
async function textsOf(
  { repository }: Pick<World, 'repository'>,
  commit: CommitId,
  { target, rows }: { readonly target: string; readonly rows: readonly InventoryObject[] },
): Promise<ReadonlyMap<string, string> | undefined> {
  const texts = new Map<string, string>();
  try {
    const root = (await repository.commit(commit)).tree;
    for (const { path, sha256 } of rows) {
      const id = await blobAt(repository, root, [target, ...path.split('/')]);
      const text = id === undefined ? undefined : Buffer.from(await repository.blob(id)).toString('utf8');
      if (text === undefined || sha256Of(text) !== sha256) return undefined;
      texts.set(path, text);
    }
  } catch (error) {
    if (isPortError(error)) return undefined;
    throw error;
  }
  return texts;
}

async function blobAt(repository: World['repository'], root: TreeId, path: readonly string[]): Promise<BlobId | undefined> {
  let tree = root;
  for (const [depth, name] of path.entries()) {
    const entry = (await repository.tree(tree)).find((item) => item.name === name);
    const isLast = depth === path.length - 1;
    if (entry === undefined || entry.kind !== (isLast ? 'blob' : 'tree')) return undefined;
    if (entry.kind === 'blob') return entry.id;
    if (entry.kind === 'tree') tree = entry.id;
  }
  return undefined;
}
