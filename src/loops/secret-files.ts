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

  function scan(id: BlobId, bytes: Uint8Array): readonly FoundSecret[] {
    const found = findSecrets(bytes);
    return scanned.set(id, found.length === 0 ? CLEAN : found);
  }

  function ofCapsule(capsule: CapsuleSource): readonly Problem[] {
    const known = told.get(capsule);
    if (known !== undefined) return known;
    const found = capsule.files.flatMap(({ id, path }) => {
      const bytes = capsule.contents.get(path);
      const secrets = scanned.get(id) ?? (bytes === undefined ? CLEAN : scan(id, bytes));
      return secrets.map((secret) => secretProblem(`${capsule.directory}/${path}`, secret));
    });
    told.set(capsule, found);
    return found;
  }

  async function problems(root: readonly TreeEntry[], capsules: readonly CapsuleSource[]): Promise<readonly Problem[]> {
    const files: FoundFile[] = [];
    for (const name of ['environments', 'policies'] as const) files.push(...(await lister.declared(root, name)).files);
    files.push(...(await otherCapsules(root, new Set(capsules.map((capsule) => capsule.directory)))));
    // Kept here, too: what the memory lets go while others are looked through must not count as clean.
    const found = new Map(
      files.flatMap(({ id }) => [scanned.get(id)].flatMap((known) => (known === undefined ? [] : [[id, known] as const]))),
    );
    const unread = files.filter((file) => isRegular(file) && !found.has(file.id));
    for (const [id, bytes] of await lister.contents(unread)) found.set(id, scan(id, bytes));
    const ofFiles = files.flatMap(({ id, path }) => (found.get(id) ?? CLEAN).map((secret) => secretProblem(path, secret)));
    return [...capsules.flatMap(ofCapsule), ...ofFiles];
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
