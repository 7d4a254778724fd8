import { mkdir, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';

import { PortError } from '#ports/port-error.ts';
import type { Target } from '#ports/target.ts';
import { applyPlan } from './apply.ts';
import type { TargetDirectory } from './apply.ts';
import { isPlain, OWN_FOLDER, placeBelow } from './below.ts';
import type { Digests } from './digests.ts';
import type { DirectoryOptions } from './directory.ts';
import { codeOf, machineDisk } from './disk.ts';
import { directoryDrift } from './drift.ts';
import { diskFailure } from './failures.ts';
import { thisProcess } from './lock-file.ts';
import { observeDirectory } from './observe.ts';

/** One of the directories below the root. */
export function directoryTarget(
  options: DirectoryOptions,
  digests: Digests,
  declared: { readonly path: string; readonly leavesPruned?: boolean },
): Target {
  const { path, leavesPruned = false } = declared;
  const { disk = machineDisk, owner = thisProcess, secrets } = options;
  placeBelow(resolve(options.root), path);

  async function below(root: string): Promise<TargetDirectory> {
    const { base, folders } = placeBelow(root, path);
    if ((await isPlain(root, [...folders, OWN_FOLDER])) === false) {
      throw new PortError(
        'denied',
        `directory target: something on the way to ${JSON.stringify(path)} is not a plain directory; links are not followed`,
      );
    }
    return { root, base, folders, disk, digests, owner, secrets, leavesPruned };
  }
  return {
    async observe(wanted, signal) {
      return inWords('observing', async () => {
        const root = await realRoot(options.root);
        if (root === undefined) return { inventory: undefined, objects: [], reports: [], complete: true };
        const { base } = await below(root);
        return observeDirectory(base, digests, wanted, signal);
      });
    },
    async drift(objects, signal) {
      return inWords('observing', async () => {
        const root = await realRoot(options.root);
        return root === undefined ? new Map() : directoryDrift((await below(root)).base, objects, signal);
      });
    },
    async apply(plan, next, signal) {
      return inWords('applying', async () => {
        await mkdir(options.root, { recursive: true });
        return applyPlan(await below(await realpath(options.root)), { plan, next }, signal);
      });
    },
  };
}

async function realRoot(root: string): Promise<string | undefined> {
  try {
    return await realpath(root);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function inWords<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError')
      throw new PortError('transient', `directory target: ${doing} was stopped`, error);
    throw diskFailure(error, doing);
  }
}
