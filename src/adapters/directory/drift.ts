import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { driftChanges } from '#model/drift-change.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { FieldChange, PlannedObject } from '#model/plan.ts';
import { isObjectPath, isPlain } from './below.ts';
import { codeOf } from './disk.ts';

/** What was changed in files, by path; a file that is gone, is no single object, or holds a secret is left out. */
export async function directoryDrift(
  base: string,
  objects: readonly PlannedObject[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly FieldChange[]>> {
  const changes = new Map<string, readonly FieldChange[]>();
  for (const { key, path, object, sealed } of objects) {
    signal?.throwIfAborted();
    if (key.kind === 'Secret' || sealed !== undefined || !isObjectPath(path)) continue;
    if ((await isPlain(base, [path.slice(0, path.indexOf('/'))])) !== true) continue;
    const text = await textOf(join(base, path));
    const read = text === undefined ? undefined : readKubernetesYaml(text, path);
    const [document, more] = read?.ok === true ? read.value : [];
    if (document !== undefined && more === undefined) changes.set(path, driftChanges(object, document.value));
  }
  return changes;
}

const LARGEST = 4 * 1024 * 1024;

async function textOf(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size > LARGEST) return undefined;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(stat.size), 0, stat.size, 0);
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof TypeError || ['ENOENT', 'ELOOP', 'EISDIR', 'ENXIO'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}
