import { PortError } from '#ports/port-error.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import type { TargetDeclaration, Targets } from '#ports/target.ts';
import { fileDigests } from './digests.ts';
import type { Disk } from './disk.ts';
import type { LockOwner } from './lock-file.ts';

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

/**
 * Targets that are directories: `<root>/<path>/<instance>/<file>`, with our own notes in `<root>/<path>/.capstan`. Most commands put nothing
 * anywhere: what does is loaded for the first that is opened.
 */
export function directoryTargets(options: DirectoryOptions): DirectoryTargets {
  const digests = fileDigests();
  async function open(_environment: string, target: string, declaration: TargetDeclaration) {
    if (declaration.driver !== 'directory') {
      throw new PortError('unsupported', `target ${target} has driver ${declaration.driver}; this version delivers to directories`);
    }
    if (declaration.path === undefined) throw new PortError('invalid', `target ${target} has driver directory and no path`);
    const { directoryTarget } = await import('./directory-target.ts');
    return directoryTarget(options, digests, { path: declaration.path, leavesPruned: declaration.sync?.deletionPolicy === 'Orphan' });
  }
  return { open, counts: () => digests.counts() };
}
