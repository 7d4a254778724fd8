import { join } from 'node:path';

import { toSha256 } from '#model/digest.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import type { Inventory, InventoryObject } from '#model/plan.ts';
import { PortError } from '#ports/port-error.ts';
import { isObjectPath, OWN_FOLDER } from './below.ts';
import { readSmallJson } from './small-file.ts';

const LARGEST_INVENTORY = 64 * 1024 * 1024;

export function inventoryPath(base: string): string {
  return join(base, OWN_FOLDER, 'inventory.json');
}

/**
 * A missing inventory is undefined. One that cannot be understood is refused: deciding ownership from half of it could
 * delete or overwrite what is not ours.
 */
export async function readInventory(base: string): Promise<Inventory | undefined> {
  const file = await readSmallJson(inventoryPath(base), LARGEST_INVENTORY);
  if (file.kind === 'absent') return undefined;
  const inventory = file.kind === 'json' ? toInventory(file.value) : undefined;
  if (inventory !== undefined) return inventory;
  const why = file.kind === 'unreadable' ? file.why : 'it does not have the shape of formatVersion 1';
  throw new PortError(
    'invalid',
    `directory target: ${OWN_FOLDER}/inventory.json cannot be used: ${why}. Without it nothing is pruned, and objects that are there must be adopted.`,
  );
}

/** One row a line, so that people and `diff` can read it. */
export function inventoryText(inventory: Inventory): string {
  const { environment, target, rendering } = inventory;
  const rows = inventory.objects.map(({ key, path, sha256, pending, applied }) => {
    const { group, kind, namespace, name } = key;
    return JSON.stringify({
      key: { group, kind, namespace, name },
      path,
      sha256,
      ...(pending ? { pending } : {}),
      ...(applied === undefined ? {} : { applied }),
    });
  });
  const head = JSON.stringify({ formatVersion: 1, environment, target, rendering }).slice(0, -1);
  return `${head},"objects":[${rows.length === 0 ? '' : `\n${rows.join(',\n')}\n`}]}\n`;
}

function toInventory(value: JsonObject): Inventory | undefined {
  const { formatVersion, environment, target, rendering, objects } = value;
  if (formatVersion !== 1 || typeof environment !== 'string' || typeof target !== 'string' || typeof rendering !== 'string')
    return undefined;
  if (!Array.isArray(objects)) return undefined;
  try {
    const rows = (objects satisfies readonly Json[]).map(toRow);
    if (rows.includes(undefined)) return undefined;
    return {
      environment: toEnvironmentName(environment),
      target: toTargetName(target),
      rendering: toSha256(rendering),
      objects: rows.filter((row) => row !== undefined),
    };
  } catch {
    return undefined;
  }
}

function toRow(value: Json): InventoryObject | undefined {
  if (!isJsonObject(value) || !isJsonObject(value['key'])) return undefined;
  const { path, sha256, pending = false, applied } = value;
  const { group, kind, namespace, name } = value['key'];
  if (typeof path !== 'string' || !isObjectPath(path) || typeof sha256 !== 'string' || typeof pending !== 'boolean') return undefined;
  if (typeof group !== 'string' || typeof kind !== 'string' || typeof namespace !== 'string' || typeof name !== 'string') return undefined;
  const row = { key: { group, kind, namespace, name }, path, sha256: toSha256(sha256), pending };
  return typeof applied === 'string' ? { ...row, applied: toSha256(applied) } : row;
}
