import { mkdir, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';

import { PortError } from '#ports/port-error.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import type { Target, Targets } from '#ports/target.ts';
import { applyPlan } from './apply.ts';
import type { TargetDirectory } from './apply.ts';
import { isPlain, OWN_FOLDER, placeBelow } from './below.ts';
import { fileDigests } from './digests.ts';
import type { Digests } from './digests.ts';
import { codeOf, machineDisk } from './disk.ts';
import type { Disk } from './disk.ts';
import { diskFailure } from './failures.ts';
import { thisProcess } from './lock-file.ts';
import type { LockOwner } from './lock-file.ts';
import { observeDirectory } from './observe.ts';

export interface DirectoryOptions {
  /** All targets lie below it; made when the first plan is applied. May itself be reached by a link: it is the operator's. */
  readonly root: string;
  readonly disk?: Disk;
  readonly owner?: () => Promise<LockOwner>;
  /** Without it an object whose values are encrypted in git is an outcome that failed. */
  readonly secrets?: SealedSecrets | undefined;
}

export interface DirectoryTargets extends Targets {
  /** Files whose bytes were read, for the counting tests: a look at an unchanged target reads none. */
  counts(): { readonly filesRead: number };
}

/** Targets that are directories: `<root>/<path>/<instance>/<file>`, with our own notes in `<root>/<path>/.capstan`. */
export function directoryTargets(options: DirectoryOptions): DirectoryTargets {
  const digests = fileDigests();
  async function open(_environment: string, target: string, declaration: { readonly driver: string; readonly path?: string | undefined }) {
    if (declaration.driver !== 'directory') {
      throw new PortError('unsupported', `target ${target} has driver ${declaration.driver}; this version delivers to directories`);
    }
    if (declaration.path === undefined) throw new PortError('invalid', `target ${target} has driver directory and no path`);
    return directoryTarget(options, digests, declaration.path);
  }
  return { open, counts: () => digests.counts() };
}

function directoryTarget(options: DirectoryOptions, digests: Digests, path: string): Target {
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
    return { root, base, folders, disk, digests, owner, secrets };
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
