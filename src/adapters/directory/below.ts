import { isAbsolute, join, relative, resolve, sep } from 'node:path';

import { PortError } from '#ports/port-error.ts';
import { codeOf, lstatIfThere } from './disk.ts';
import type { Disk } from './disk.ts';

/** Folder of our own files inside a target. No instance can have this name. */
export const OWN_FOLDER = '.capstan';
/** Inside it: files on their way to their place. Whatever is left there when a run begins is litter of one that died. */
export const STAGING = 'staging';
const OBJECT_PATH = /^[a-z0-9][a-z0-9.-]*\/[a-z0-9%][A-Za-z0-9%._-]*$/;
const LONGEST_PATH = 512;

/** Where a declared path lies; refused when it is absolute, leaves `root`, is `root` itself or enters our own folder. */
export function placeBelow(root: string, path: string): { readonly base: string; readonly folders: readonly string[] } {
  const base = resolve(root, path);
  const inside = relative(root, base);
  const folders = inside.split(sep);
  const leaves =
    inside === '' || folders[0] === '..' || isAbsolute(inside) || isAbsolute(path) || path.includes('\0') || path.includes('\\');
  if (leaves || path.split('/').includes('..') || folders.includes(OWN_FOLDER)) {
    throw new PortError('denied', `a directory target must lie below the root of directory targets: ${JSON.stringify(path.slice(0, 200))}`);
  }
  return { base, folders };
}

/** `<instance>/<file>` and nothing else: paths come from renderings, saved plans and inventory files alike. */
export function isObjectPath(path: string): boolean {
  return path.length <= LONGEST_PATH && OBJECT_PATH.test(path);
}

/** Whether `folders` below `base` are plain directories all the way; `undefined` where one is missing. A link is never followed. */
export async function isPlain(base: string, folders: readonly string[]): Promise<boolean | undefined> {
  let here = base;
  for (const folder of folders) {
    here = join(here, folder);
    const there = await lstatIfThere(here);
    if (there === undefined) return undefined;
    if (!there.isDirectory()) return false;
  }
  return true;
}

/** Makes the missing ones of `folders` and makes each new name durable; refuses anything but plain directories on the way. */
export async function makePlain(disk: Disk, base: string, folders: readonly string[]): Promise<void> {
  let here = base;
  for (const folder of folders) {
    const above = here;
    here = join(here, folder);
    if ((await lstatIfThere(here)) === undefined) {
      try {
        await disk.makeDirectory(here);
        await disk.syncDirectory(above);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
    if ((await lstatIfThere(here))?.isDirectory() !== true) {
      throw new PortError(
        'denied',
        `directory target: ${JSON.stringify(folder)} is in the way and is not a plain directory; links are not followed`,
      );
    }
  }
}
