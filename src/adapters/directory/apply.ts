import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { sha256Of } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { Inventory, InventoryObject, Outcome, Step, TargetPlan } from '#model/plan.ts';
import { PortError } from '#ports/port-error.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import { announce, pathsOf, removals, whatIsThere } from './announced.ts';
import { isObjectPath, isPlain, makePlain, OWN_FOLDER, STAGING } from './below.ts';
import { codeOf } from './disk.ts';
import { inventoryPath, inventoryText, readInventory } from './inventory-file.ts';
import { takeLock } from './lock-file.ts';
import type { HeldLock, LockOwner } from './lock-file.ts';
import { movedProblem, skippedProblem } from './outcome-problems.ts';
import { outcome, placeObject, pruneObject, stageText } from './place.ts';
import type { Directory, WritingStep } from './place.ts';
import { renderedDigests, unseal, withApplied } from './unsealed.ts';

export interface TargetDirectory extends Omit<Directory, 'opened'> {
  /** Root of all directory targets, and this one's folders below it. */
  readonly root: string;
  readonly folders: readonly string[];
  readonly owner: () => Promise<LockOwner>;
  readonly secrets: SealedSecrets | undefined;
  /** What is pruned stays where it is, and is nobody's from then on. */
  readonly leavesPruned: boolean;
}

/** The same while a plan is carried out. */
type Applying = TargetDirectory & Directory;

/** One plan and what it leaves behind. */
export interface Assignment {
  readonly plan: TargetPlan;
  readonly next: Inventory;
}

/** How many files are staged before they are moved to their places, in order. */
const STAGED_AT_ONCE = 64;

/**
 * Lock; announce (superset inventory, durable); write in the plan's order; prune; write down exactly what is there; unlock.
 * A process that dies anywhere leaves whole files, all of them named by the inventory, and a lock that the next one takes over.
 */
export async function applyPlan(
  directory: TargetDirectory,
  work: Assignment,
  signal: AbortSignal | undefined,
): Promise<readonly Outcome[]> {
  const { plan, next } = work;
  refuseOddSteps(work);
  const before = await heldInventory(directory, next);
  const nothingToDo = plan.steps.every((step) => step.action === 'keep');
  if (nothingToDo && before !== undefined && inventoryText(before) === inventoryText(asHeld(work, before))) {
    return plan.steps.map((step) => outcome(step, 'unchanged'));
  }
  await makePlain(directory.disk, directory.root, [...directory.folders, OWN_FOLDER, STAGING]);
  const lock = await takeLock(directory.disk, directory.base, await directory.owner());
  try {
    return await applyLocked(directory, work, lock, signal);
  } finally {
    await lock.release();
  }
}

/** What is written down at the end where nothing has to be done. */
function asHeld({ plan, next }: Assignment, before: Inventory): Inventory {
  return { ...next, objects: withApplied(next.objects, { plan, opened: new Map(), held: before.objects }) };
}

async function applyLocked(
  found: TargetDirectory,
  { plan, next }: Assignment,
  lock: HeldLock,
  signal: AbortSignal | undefined,
): Promise<readonly Outcome[]> {
  await sweepStaging(found);
  // Read again: until the lock was ours, another process may have written.
  const held = await heldInventory(found, next);
  const opened = await unseal(found.secrets, plan, signal);
  const noted = (rows: readonly InventoryObject[]) => withApplied(rows, { plan, opened, held: held?.objects ?? [] });
  const announced = noted(announce(plan, held));
  const directory: Applying = { ...found, opened, digests: renderedDigests(found.digests, found.base, announced) };
  await writeInventory(directory, lock, { ...next, objects: announced });

  const outcomes = new Map<Step, Outcome>();
  const writes = plan.steps.filter((step) => 'text' in step);
  for (let start = 0; start < writes.length; start += STAGED_AT_ONCE) {
    signal?.throwIfAborted();
    await placeSome(directory, lock, writes.slice(start, start + STAGED_AT_ONCE), outcomes);
  }
  await syncFolders(directory, writes);

  const ours = new Set(held?.objects.map((row) => row.path));
  const allWritten = [...outcomes.values()].every((became) => became.result === 'done');
  for (const step of plan.steps) {
    if (step.action !== 'prune') continue;
    signal?.throwIfAborted();
    await lock.check();
    // Only what the inventory on disk names is ours to delete, whatever the plan says.
    if (!ours.has(step.path)) outcomes.set(step, outcome(step, 'refused', movedProblem(step, undefined)));
    else if (allWritten && directory.leavesPruned) outcomes.set(step, outcome(step, 'done'));
    else outcomes.set(step, allWritten ? await pruneObject(directory, step) : outcome(step, 'refused', skippedProblem(plan, step)));
  }
  await removeEmptyFolders(directory, plan.steps);
  await writeInventory(directory, lock, { ...next, objects: noted(whatIsThere(next, { held, announced }, outcomes)) });
  return plan.steps.map((step) => outcomes.get(step) ?? outcome(step, 'unchanged'));
}

async function placeSome(directory: Applying, lock: HeldLock, steps: readonly WritingStep[], outcomes: Map<Step, Outcome>): Promise<void> {
  const staged = await Promise.all(steps.map((step) => stageText(directory, step)));
  for (const [index, step] of steps.entries()) {
    await lock.check();
    outcomes.set(step, await placeObject(directory, step, staged[index]));
  }
}

async function removeEmptyFolders(directory: TargetDirectory, steps: readonly Step[]): Promise<void> {
  const left = steps.flatMap((step) => removals(step).map(([path]) => dirname(path)));
  for (const name of new Set(left)) {
    const folder = join(directory.base, name);
    if ((await isPlain(directory.base, [name])) !== true) continue;
    if ((await readdir(folder)).length > 0) await directory.disk.syncDirectory(folder);
    else await removeFolder(directory, folder);
  }
}

async function removeFolder(directory: TargetDirectory, folder: string): Promise<void> {
  try {
    await directory.disk.removeDirectory(folder);
    await directory.disk.syncDirectory(directory.base);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'ENOENT') throw error;
  }
}

async function syncFolders(directory: TargetDirectory, writes: readonly WritingStep[]): Promise<void> {
  for (const name of new Set(writes.map((step) => dirname(step.path)))) {
    if ((await isPlain(directory.base, [name])) === true) await directory.disk.syncDirectory(join(directory.base, name));
  }
}

async function writeInventory(directory: TargetDirectory, lock: HeldLock, inventory: Inventory): Promise<void> {
  const own = join(directory.base, OWN_FOLDER);
  const draft = join(own, STAGING, `inventory-${randomUUID()}`);
  await directory.disk.writeNew(draft, inventoryText(inventory));
  await lock.check();
  await directory.disk.rename(draft, inventoryPath(directory.base));
  await directory.disk.syncDirectory(own);
}

async function sweepStaging(directory: TargetDirectory): Promise<void> {
  const staging = join(directory.base, OWN_FOLDER, STAGING);
  for (const name of await readdir(staging)) await directory.disk.remove(join(staging, name));
}

async function heldInventory(directory: TargetDirectory, next: Inventory): Promise<Inventory | undefined> {
  const held = await readInventory(directory.base);
  if (held === undefined || (held.environment === next.environment && held.target === next.target)) return held;
  throw new PortError(
    'conflict',
    `directory target: the inventory belongs to target ${held.target} of environment ${held.environment}, not to ${next.target} of ${next.environment}`,
  );
}

function refuseOddSteps({ plan, next }: Assignment): void {
  const paths = [...plan.steps.flatMap((step) => pathsOf(step)), ...next.objects.map((row) => row.path)];
  const odd = paths.find((path) => !isObjectPath(path));
  if (odd !== undefined) throw new PortError('invalid', `directory target: not a path of an object: ${JSON.stringify(odd.slice(0, 200))}`);
  for (const step of plan.steps) {
    if ('text' in step && sha256Of(step.text) !== step.sha256) {
      throw new PortError('invalid', `directory target: the text of ${keyText(step.key)} does not have the digest the plan names`);
    }
  }
}
