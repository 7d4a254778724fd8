import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { InventoryObject, Step } from '#model/plan.ts';
import { isOurs } from './ground.ts';
import type { Ground } from './ground.ts';

/** What becomes of objects that the inventory names and git does not any more. */
export function planRemovals(ground: Ground): { readonly steps: readonly Step[]; readonly drifted: readonly ObjectKey[] } {
  const steps: Step[] = [];
  const drifted: ObjectKey[] = [];
  for (const [path, rows] of ground.owned) {
    const last = rows.at(-1);
    if (last === undefined || isWanted(last, ground)) continue;
    const found = ground.found.get(path);
    if (found !== undefined && !isOurs(ground, path, found)) continue;
    if (found !== undefined && !rows.some((row) => row.sha256 === found)) drifted.push(last.key);
    if (!ground.complete) steps.push(keep(last, 'no longer in git; not pruned: the target answered in part'));
    else if (found === undefined) continue;
    else if (!ground.prune) steps.push(keep(last, 'no longer in git; not pruned: sync.prune is false'));
    else steps.push({ action: 'prune', key: last.key, path, basis: found, reason: 'no longer in git' });
  }
  return { steps, drifted };
}

/** A path whose object lives on elsewhere is left by that object's own step. */
function isWanted(row: InventoryObject, ground: Ground): boolean {
  return ground.wantedPaths.has(row.path) || ground.wantedKeys.has(keyText(row.key));
}

function keep(row: InventoryObject, reason: string): Step {
  return { action: 'keep', key: row.key, path: row.path, sha256: row.sha256, reason };
}
