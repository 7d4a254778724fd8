/** `a/b/../c` -> `a/c`; undefined when it leaves the folder or is absolute. The empty text is the folder itself. */
export function joined(folder: string, path: string): string | undefined {
  if (path.startsWith('/') || path.includes('\\') || path.includes('\0')) return undefined;
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function isBelow(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** A path below `folder` as seen from it. */
export function inside(folder: string, path: string): string {
  if (folder === '') return path;
  return path === folder ? '' : path.slice(folder.length + 1);
}

/** The deepest folder that all of them are in. */
export function commonFolder(folders: readonly string[]): string {
  const [first = '', ...others] = folders;
  let common = first;
  for (const other of others) while (!isBelow(other, common)) common = folderOf(common);
  return common;
}

/** The order of `kubectl apply --recursive`: name by name, folders among files. */
export function comparePaths(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [at, part] of left.entries()) {
    const other = right[at] ?? '';
    if (part !== other) return part < other ? -1 : 1;
  }
  return left.length - right.length;
}

const HOLDERS: ReadonlySet<string> = new Set([
  'overlays',
  'overlay',
  'environments',
  'environment',
  'envs',
  'env',
  'clusters',
  'stages',
  'variants',
]);

/** What a path says behind a folder that holds environments: `apps/overlays/prod/eu` -> `prod-eu`. */
export function environmentIn(path: string): string | undefined {
  const parts = path.split('/');
  const holder = parts.findLastIndex((part) => HOLDERS.has(part.toLowerCase()));
  const own = parts.slice(holder + 1);
  return holder < 0 || own.length === 0 ? undefined : own.join('-');
}
