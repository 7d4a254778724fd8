import { sha256Of, toTreeId, type CommitId, type TreeId } from './digest.ts';
import { parseCommit } from './git-commit.ts';
import { objectIdOf, type Parsed } from './git-objects.ts';
import { parseTree } from './git-tree.ts';
import { toRefName, type RefName } from './names.ts';

/** A capsule of another repository, pinned: `spec.imports.<name>`. */
export interface ImportPin {
  readonly name: string;
  readonly url: string;
  readonly commit: CommitId;
  /** Of the capsule's directory there. */
  readonly path: string;
}

/** Content is named by commit and path; where it came from does not matter. */
export function importKey({ commit, path }: Pick<ImportPin, 'commit' | 'path'>): string {
  return `${commit} ${path}`;
}

/** Where a clone keeps what it fetched: a commit whose tree has the capsule's directory and the proof that it is what was pinned. */
export function importRef({ commit, path }: Pick<ImportPin, 'commit' | 'path'>): RefName {
  return toRefName(`refs/capstan/imports/${commit}-${sha256Of(path).slice(0, 16)}`);
}

/** Names in the tree of an `importRef`: the directory, and the raw commit and trees on the way to it, in order (`00`, `01`, ...). */
export const IMPORT_DIRECTORY = 'capsule';
export const IMPORT_PROOF = 'proof';

/** Folders above an imported capsule. */
const DEPTH = 64;

/** The names on the way to the directory; undefined for a path that is none. */
export function importSteps(path: string): readonly string[] | undefined {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  return steps.length === 0 || steps.length > DEPTH || steps.includes('..') ? undefined : steps;
}

/** The tree that a pin means, by the raw commit and the raw trees on the way: every id is computed, none is believed. */
export function provenTree(pin: ImportPin, proof: readonly Uint8Array[], maximumEntries: number): Parsed<TreeId> {
  const [raw, ...trees] = proof;
  const steps = importSteps(pin.path);
  if (raw === undefined || steps === undefined || trees.length !== steps.length) return { ok: false, reason: 'the proof is incomplete' };
  if (objectIdOf('commit', raw) !== pin.commit) return { ok: false, reason: `what was fetched is not commit ${pin.commit}` };
  const commit = parseCommit(pin.commit, raw);
  if (!commit.ok) return commit;
  let here = commit.value.tree;
  for (const [depth, step] of steps.entries()) {
    const body = trees[depth];
    if (body === undefined || objectIdOf('tree', body) !== here)
      return { ok: false, reason: `a folder of commit ${pin.commit} has another content` };
    const entries = parseTree(body, maximumEntries);
    if (!entries.ok) return entries;
    const found = entries.value.find((entry) => entry.name === step);
    if (found?.kind !== 'tree') return { ok: false, reason: `commit ${pin.commit} has no directory ${pin.path}` };
    here = toTreeId(found.id);
  }
  return { ok: true, value: here };
}
