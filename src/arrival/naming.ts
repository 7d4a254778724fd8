import { sha256Of } from '#model/digest.ts';
import { compareText } from '#model/problem.ts';

const LONGEST = 40;
/** Folders that say how things are kept, not what they are. */
const GENERIC: ReadonlySet<string> = new Set([
  'manifests',
  'manifest',
  'k8s',
  'kubernetes',
  'deploy',
  'deployment',
  'deployments',
  'deploys',
  'yaml',
  'yamls',
  'resources',
  'kubernetes-manifests',
  'files',
  'src',
]);

/** The name closest to a text: lower case, `-` for everything else, at most 40 characters, a digest where it had to be cut. */
export function nameOf(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  if (plain === '') return `n-${sha256Of(text).slice(0, 6)}`;
  return plain.length <= LONGEST ? plain : `${plain.slice(0, LONGEST - 7).replace(/-+$/, '')}-${sha256Of(plain).slice(0, 6)}`;
}

/** Each folder's name: its last telling part, with as many parts above it as tell it from the others. */
export function folderNames(root: string, folders: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const parts = new Map(folders.map((folder) => [folder, tellingParts(root, folder)]));
  const open = new Set(folders);
  for (let depth = 1; open.size > 0 && depth <= 40; depth += 1) {
    const wanted = new Map<string, string[]>();
    for (const folder of [...open].sort(compareText)) {
      const name = nameOf((parts.get(folder) ?? []).slice(-depth).join('-'));
      wanted.set(name, [...(wanted.get(name) ?? []), folder]);
    }
    for (const [name, claimants] of wanted) {
      const [only] = claimants;
      if (claimants.length > 1 || only === undefined || [...names.values()].includes(name)) continue;
      names.set(only, name);
      open.delete(only);
    }
  }
  for (const folder of [...open].sort(compareText))
    names.set(folder, unused(nameOf(folder === '' ? root : folder), new Set(names.values())));
  return names;
}

function tellingParts(root: string, folder: string): readonly string[] {
  const all = folder === '' ? [root] : [root, ...folder.split('/')];
  return all.filter((part, at) => at === 0 || !GENERIC.has(part.toLowerCase()));
}

/** The name, or the first of `name-2`, `name-3` ... that is free. */
export function unused(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) {
    const next = nameOf(`${name.slice(0, LONGEST - 4)}-${number}`);
    if (!taken.has(next)) return next;
  }
}
