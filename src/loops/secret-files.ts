import type { CapsuleSource } from '#model/desired.ts';
import type { BlobId } from '#model/digest.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import { createMemo } from '#model/memo.ts';
import type { Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import { findSecrets } from '#model/secret-scan.ts';
import type { FoundSecret } from '#model/secret-scan.ts';
import { isRegular } from './listing.ts';
import type { FoundFile, Lister } from './listing.ts';

export interface SecretScan {
  /** V-80 over every file of the three folders below a snapshot's root; a blob is looked through once. */
  problems(root: readonly TreeEntry[], capsules: readonly CapsuleSource[]): Promise<readonly Problem[]>;
}

const CLEAN: readonly FoundSecret[] = [];
const CHANGE_IT = 'Take it out of the file, declare it in spec.secrets, and change the secret itself: git keeps what it has seen.';

/** Looks for secrets. What capsules hold is there already; the rest is read, if it was not looked through before. */
export function createSecretScan(lister: Lister): SecretScan {
  const scanned = createMemo<readonly FoundSecret[]>(200_000);
  /** A capsule is the same object as long as nothing of it moved. */
  const told = new WeakMap<CapsuleSource, readonly Problem[]>();

  function scan(id: BlobId, bytes: Uint8Array): void {
    const found = findSecrets(bytes);
    scanned.set(id, found.length === 0 ? CLEAN : found);
  }

  function ofCapsule(capsule: CapsuleSource): readonly Problem[] {
    const known = told.get(capsule);
    if (known !== undefined) return known;
    const found = capsule.files.flatMap(({ id, path }) => {
      const bytes = scanned.get(id) === undefined ? capsule.contents.get(path) : undefined;
      if (bytes !== undefined) scan(id, bytes);
      return problemsOf(id, `${capsule.directory}/${path}`);
    });
    told.set(capsule, found);
    return found;
  }

  function problemsOf(id: BlobId, path: string): readonly Problem[] {
    return (scanned.get(id) ?? CLEAN).map((secret) => secretProblem(path, secret));
  }

  async function problems(root: readonly TreeEntry[], capsules: readonly CapsuleSource[]): Promise<readonly Problem[]> {
    const files: FoundFile[] = [];
    for (const name of ['environments', 'policies'] as const) files.push(...(await lister.declared(root, name)).files);
    files.push(...(await otherCapsules(root, new Set(capsules.map((capsule) => capsule.directory)))));
    const unread = files.filter((file) => isRegular(file) && scanned.get(file.id) === undefined);
    for (const [id, bytes] of await lister.contents(unread)) scan(id, bytes);
    return [...capsules.flatMap(ofCapsule), ...files.flatMap(({ id, path }) => problemsOf(id, path))];
  }

  /** What stands below capsules/ in no capsule that could be read. */
  async function otherCapsules(root: readonly TreeEntry[], known: ReadonlySet<string>): Promise<readonly FoundFile[]> {
    const folders = await lister.folders(root, 'capsules');
    const files = [...folders.files];
    for (const [name, tree] of folders.trees) {
      if (!known.has(`capsules/${name}`)) files.push(...(await lister.below(tree, `capsules/${name}`)).files);
    }
    return files;
  }

  return { problems };
}

function secretProblem(path: string, { type, isCertain, line, column }: FoundSecret): Problem {
  const file = visibleText(path, 300);
  return {
    code: isCertain ? 'secret-in-file' : 'secret-suspected',
    rule: 'V-80',
    severity: 'error',
    phase: 'validate',
    message: `${file}:${line} looks like ${type}; use spec.secrets`,
    remedy: isCertain ? CHANGE_IT : `${CHANGE_IT} If it is none, say so in the file: capstan-ignore V-80: why, until 2027-01-31.`,
    place: { file, line, column, pointer: '' },
    related: [],
  };
}
