import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import { type BlobId, toBlobId, type TreeId } from '#model/digest.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import { createMemo } from '#model/memo.ts';
import type { Problem } from '#model/problem.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import { isPortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';
import { readTrustPolicy, trustFiles } from '#trust/trust.ts';
import type { Reading } from './reading.ts';
import { entriesOf } from './unit-changes.ts';
import type { Level } from './unit-changes.ts';

/** What one commit declares of trust. */
export interface DeclaredTrust {
  readonly project: Declared<Project> | undefined;
  /** Undefined where a project is declared that cannot be read: that is no policy, and not the absence of one. */
  readonly policy: TrustPolicy | undefined;
  readonly problems: readonly Problem[];
}

/** Reads trust as commits declare it, once for each content of the project's file and of the files that it names. */
export interface TrustPolicies {
  at(roots: Pick<Level['roots'], 'environments' | 'policies'>): Promise<DeclaredTrust>;
  /** How many policies were put together. */
  counts(): { readonly policies: number };
}

type TrustFiles = Parameters<typeof readTrustPolicy>[1];
type Roots = Parameters<TrustPolicies['at']>[0];

const NAMES = ['project.yaml', 'project.yml'];

export function createTrustPolicies(repository: ObjectReader, documents: Reading['documents']): TrustPolicies {
  const byTrees = createMemo<DeclaredTrust>(1_000);
  const byFiles = createMemo<DeclaredTrust>(256);
  let policies = 0;
  const none: DeclaredTrust = { project: undefined, ...readTrustPolicy(undefined, new Map()) };
  const unreadable: DeclaredTrust = { project: undefined, policy: undefined, problems: [] };

  async function at(roots: Roots): Promise<DeclaredTrust> {
    const key = `${roots.environments ?? '-'} ${roots.policies ?? '-'}`;
    return byTrees.get(key) ?? byTrees.set(key, await read(roots));
  }

  async function read(roots: Roots): Promise<DeclaredTrust> {
    if (roots.environments === undefined) return none;
    const entries = await entriesOf(repository, roots.environments);
    if (entries === undefined) return unreadable;
    const [file, ...others] = entries.filter((entry) => NAMES.includes(entry.name));
    if (file === undefined) return none;
    // Two of them are an error of the snapshot; neither is believed.
    if (file.kind !== 'blob' || !isRegular(file) || others.length > 0) return unreadable;
    const [parsed] = await documents([{ path: `environments/${file.name}`, id: file.id }]);
    if (parsed?.document?.kind !== 'project') return unreadable;
    const project = parsed.document.declared;
    const named = new Map<string, { readonly id: BlobId; readonly most: number } | string>();
    for (const [path, most] of trustFiles(project.value)) {
      const found = await blobAt(roots, path);
      named.set(path, typeof found === 'string' && !isBlob(found) ? found : { id: toBlobId(found), most });
    }
    const key = [`${file.name} ${file.id}`, ...[...named].map(([path, to]) => `${path} ${typeof to === 'string' ? to : to.id}`)].join('\n');
    return byFiles.get(key) ?? byFiles.set(key, await together(project, named));
  }

  async function together(
    project: Declared<Project>,
    named: ReadonlyMap<string, { readonly id: BlobId; readonly most: number } | string>,
  ): Promise<DeclaredTrust> {
    policies += 1;
    const files = new Map<string, { readonly text: string } | { readonly unread: string }>();
    for (const [path, to] of named) files.set(path, typeof to === 'string' ? { unread: to } : await textOf(to));
    return { project, ...readTrustPolicy(project, files satisfies TrustFiles) };
  }

  async function textOf({ id, most }: { readonly id: BlobId; readonly most: number }): Promise<{ text: string } | { unread: string }> {
    try {
      const bytes = await repository.blob(id);
      if (bytes.byteLength > most) return { unread: `it is longer than ${most} bytes` };
      return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
    } catch (error) {
      if (isPortError(error) && error.kind === 'invalid') return { unread: error.message };
      if (error instanceof TypeError) return { unread: 'it is no text in UTF-8' };
      throw error;
    }
  }

  /** The blob at a path below environments/ or policies/, or why there is none. */
  async function blobAt(roots: Roots, path: string): Promise<string> {
    const [root, ...names] = path.split('/');
    let tree: TreeId | undefined = root === 'policies' ? roots.policies : roots.environments;
    for (const [index, name] of names.entries()) {
      const entries: readonly TreeEntry[] | undefined = tree === undefined ? undefined : await entriesOf(repository, tree);
      const entry = entries?.find((item) => item.name === name);
      if (entry === undefined) return 'it is not there';
      if (index < names.length - 1) {
        if (entry.kind !== 'tree') return 'it is not there';
        tree = entry.id;
        continue;
      }
      return entry.kind === 'blob' && isRegular(entry) ? entry.id : 'it is not a regular file';
    }
    return 'it is not there';
  }

  return { at, counts: () => ({ policies }) };
}

function isRegular(entry: TreeEntry): boolean {
  return entry.kind === 'blob' && entry.mode.startsWith('100');
}

function isBlob(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}
