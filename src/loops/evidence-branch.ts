import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { BlobId, CommitId, TreeId } from '#model/digest.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import { createMemo } from '#model/memo.ts';
import { LARGEST_BUNDLE, MOST_SIGNATURES_LOOKED_AT } from '#model/signature-finding.ts';
import type { ObjectReader } from '#ports/repository.ts';

/** One bundle as it lies there; hostile. */
export interface StoredBundle {
  /** `tests` of `tests-01JD0R1W3Z8M5T9Q2B7N4C6XYZ.sigstore.json`: what it was put there for. */
  readonly answers: string;
  /** When it was put there, by its name; orders, proves nothing. */
  readonly ulid: string;
  readonly path: string;
  readonly blob: BlobId;
  /** A sigstore bundle, or the approval of a person with an SSH key. */
  readonly form: 'sigstore' | 'approval';
}

export interface StoredBundles {
  /** The newest first, at most `MOST_SIGNATURES_LOOKED_AT`. */
  readonly bundles: readonly StoredBundle[];
  readonly isCut: boolean;
}

/** Reads `<sha256[0:2]>/<sha256>/<gate>-<ulid>.sigstore.json`: two trees and the blobs of one content, whatever else lies there. */
export interface EvidenceReader {
  of(head: CommitId | undefined, sha256: string): Promise<StoredBundles>;
  /** Undefined: larger than a bundle may be. */
  bytes(blob: BlobId): Promise<Uint8Array | undefined>;
}

/** What files are called that sign a release: `signature-<ulid>.sigstore.json`. No gate of evidence asks for them. */
export const SIGNATURE = 'signature';

const NAME = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)-([0-9A-HJKMNP-TV-Z]{26})\.(sigstore|approval)\.json$/;
const NONE: StoredBundles = { bundles: [], isCut: false };

export function createEvidenceReader(reader: ObjectReader): EvidenceReader {
  const folders = createMemo<StoredBundles>(2_000);

  async function below(tree: TreeId, name: string): Promise<TreeId | undefined> {
    const entry = (await reader.tree(tree)).find((item) => item.name === name);
    return entry?.kind === 'tree' ? entry.id : undefined;
  }

  return {
    async of(head, sha256) {
      if (head === undefined) return NONE;
      const root = (await reader.commit(head)).tree;
      const shelf = await below(root, sha256.slice(0, 2));
      const folder = shelf === undefined ? undefined : await below(shelf, sha256);
      if (folder === undefined) return NONE;
      const key = `${sha256} ${folder}`;
      return folders.get(key) ?? folders.set(key, storedIn(sha256, await reader.tree(folder)));
    },
    async bytes(blob) {
      const bytes = await reader.blob(blob);
      return bytes.byteLength > LARGEST_BUNDLE ? undefined : bytes;
    },
  };
}

/** The branch that holds evidence, by the last accepted declaration. */
export function evidenceBranch(project: Declared<Project> | undefined): string {
  return project?.value.spec.branches?.evidence ?? 'evidence';
}

/** Where a bundle about a content lies. */
export function evidencePath(sha256: string, name: string, form: StoredBundle['form'] = 'sigstore'): string {
  return `${sha256.slice(0, 2)}/${sha256}/${name}.${form}.json`;
}

/** Other names are nobody's evidence; links are not followed. */
function storedIn(sha256: string, entries: readonly TreeEntry[]): StoredBundles {
  const found = entries.flatMap((entry): readonly StoredBundle[] => {
    const [, answers, ulid, form] = NAME.exec(entry.name) ?? [];
    if (entry.kind !== 'blob' || entry.mode === '120000' || answers === undefined || ulid === undefined) return [];
    const path = `${sha256.slice(0, 2)}/${sha256}/${entry.name}`;
    return [{ answers, ulid, path, blob: entry.id, form: form === 'approval' ? 'approval' : 'sigstore' }];
  });
  const newest = found.sort((a, b) => (a.ulid < b.ulid ? 1 : a.ulid > b.ulid ? -1 : 0));
  return { bundles: newest.slice(0, MOST_SIGNATURES_LOOKED_AT), isCut: newest.length > MOST_SIGNATURES_LOOKED_AT };
}
