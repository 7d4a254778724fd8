import { join } from 'node:path';

import type { Sha256 } from '#model/digest.ts';
import type { Observation, ObservedObject, PlannedObject } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import { PortError } from '#ports/port-error.ts';
import { isObjectPath, isPlain } from './below.ts';
import { strangeDigest } from './digests.ts';
import type { Digests } from './digests.ts';
import { codeOf } from './disk.ts';
import { readInventory } from './inventory-file.ts';
import { readReports } from './reports.ts';
import { asRendered, renderedDigests } from './unsealed.ts';

/** How many files are looked at in one go; the event loop breathes in between. */
const AT_ONCE = 64;

/** The objects the inventory names and the paths a rendering wants; nothing else in the directory is opened. */
export async function observeDirectory(
  base: string,
  digests: Digests,
  wanted: readonly Pick<PlannedObject, 'path'>[],
  signal: AbortSignal | undefined,
): Promise<Observation> {
  const inventory = await readInventory(base);
  const keys = new Map(inventory?.objects.map((object) => [object.path, object.key]));
  const paths = [...new Set([...wanted.map((object) => object.path), ...keys.keys()])].toSorted(compareText);
  const { found, complete } = await digestsOf(base, renderedDigests(digests, base, inventory?.objects ?? []), paths, signal);
  return {
    inventory,
    objects: [...found].map(([path, sha256]): ObservedObject => ({ key: keys.get(path), path, sha256 })),
    reports: (await readReports(base, wantedOf(wanted, found))).map((report) => ({
      ...report,
      sha256: asRendered(inventory?.objects ?? [], report.path, report.sha256),
    })),
    complete,
  };
}

async function digestsOf(base: string, digests: Digests, paths: readonly string[], signal: AbortSignal | undefined) {
  const found = new Map<string, Sha256>();
  let complete = true;
  for (const [instance, files] of Map.groupBy(paths, instanceOf)) {
    const plain = await isPlain(base, [instance]);
    if (plain === undefined) continue;
    for (let start = 0; start < files.length; start += AT_ONCE) {
      signal?.throwIfAborted();
      const some = files.slice(start, start + AT_ONCE);
      const answers = await Promise.all(some.map((path) => lookAt(base, digests, path, plain)));
      for (const [index, path] of some.entries()) {
        const answer = answers[index];
        if (answer === 'could-not-look') complete = false;
        else if (answer !== undefined) found.set(path, answer);
      }
    }
  }
  return { found, complete };
}

async function lookAt(base: string, digests: Digests, path: string, plain: boolean): Promise<Sha256 | 'could-not-look' | undefined> {
  if (!plain) return strangeDigest('below something that is not a plain directory');
  try {
    return await digests.of(join(base, path));
  } catch (error) {
    if (codeOf(error) === 'EACCES' || codeOf(error) === 'EIO' || codeOf(error) === 'EPERM') return 'could-not-look';
    throw error;
  }
}

function instanceOf(path: string): string {
  if (!isObjectPath(path))
    throw new PortError('invalid', `directory target: not a path of an object: ${JSON.stringify(path.slice(0, 200))}`);
  return path.slice(0, path.indexOf('/'));
}

function wantedOf(wanted: readonly Pick<PlannedObject, 'path'>[], found: ReadonlyMap<string, Sha256>): ReadonlyMap<string, Sha256> {
  const rows = wanted.flatMap(({ path }) => {
    const sha256 = found.get(path);
    return sha256 === undefined ? [] : [[path, sha256] as const];
  });
  return new Map(rows);
}
