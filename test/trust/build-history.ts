import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { ObjectId } from '#model/digest.ts';
import { toBlobId, toCommitId, toTreeId } from '#model/digest.ts';
import { encodeCommit, parseCommit } from '#model/git-commit.ts';
import type { Commit, Person } from '#model/git-objects.ts';
import { objectIdOf } from '#model/git-objects.ts';
import { toInstant } from '#model/instant.ts';
import { placeInFile } from '#model/problem.ts';
import { encodeSshPrivateKey, parseSshPrivateKey, sshPublicKeyText, type SshPrivateKey } from '#model/ssh-key.ts';
import { signWithSshKey } from '#model/ssh-signature.ts';
import type { MergedSide, TrustStep, UnitChange } from '#model/trust.ts';
import { readTrustPolicy } from '#trust/trust.ts';

export const NOW = toInstant(Date.UTC(2026, 5, 1));
const MALLORY: Person = { name: 'Ada Lovelace', email: 'ada@example.org', at: NOW, zone: '+0000' };

/** The same key for the same letter, always. */
export function keyOf(letter: string): SshPrivateKey {
  const parsed = parseSshPrivateKey(encodeSshPrivateKey(Buffer.alloc(32, letter), letter, 7));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

type Entry = NonNullable<Project['spec']['trust']>[number];

/** A trust entry for the key of `name`'s first letter. */
export function entry(name: string, purposes: Entry['for'], window: Pick<Entry, 'validFrom' | 'validUntil'> = {}): Entry {
  return { name, sshKey: sshPublicKeyText(keyOf(name.charAt(0)).publicKey), for: purposes, ...window };
}

export function project(...trust: readonly Entry[]): Declared<Project> {
  const file = 'environments/project.yaml';
  const value: Project = { apiVersion: 'capstan.dev/v1alpha1', kind: 'Project', metadata: { name: 'shop' }, spec: { trust } };
  return { value, file, blob: toBlobId('0'.repeat(40)), at: (pointer) => ({ ...placeInFile(file), pointer }) };
}

/** The same with thresholds. */
export function withThresholds(by: Declared<Project>, ...thresholds: NonNullable<Project['spec']['thresholds']>): Declared<Project> {
  return { ...by, value: { ...by.value, spec: { ...by.value.spec, thresholds } } };
}

export interface CommitFacts {
  readonly parents?: readonly Commit[];
  /** First letter of the signing key's owner. */
  readonly by?: string | undefined;
  readonly message?: string;
  readonly author?: Person;
}

export function commit(facts: CommitFacts): Commit {
  const author = facts.author ?? MALLORY;
  const tree = toTreeId(objectIdOf('tree', new Uint8Array()));
  const parents = (facts.parents ?? []).map((parent) => parent.id);
  const content = { tree, parents, author, committer: author, message: facts.message ?? 'change\n' };
  const payload = encodeCommit(content, undefined);
  const signature = facts.by === undefined ? undefined : signWithSshKey(keyOf(facts.by), payload);
  return commitOf(Buffer.from(encodeCommit(content, signature)));
}

export function commitOf(raw: Buffer): Commit {
  const parsed = parseCommit(toCommitId(objectIdOf('commit', raw)), raw);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** Content ids by a word. */
export function content(word: string): ObjectId {
  return toBlobId(objectIdOf('blob', Buffer.from(word)));
}

export function change(path: string, before: string | undefined, after: string | undefined): UnitChange {
  return {
    path,
    before: before === undefined ? undefined : content(before),
    after: after === undefined ? undefined : content(after),
  };
}

/** A commit that changes nothing. */
export function emptyStep(of: Commit, by: Declared<Project> | undefined): TrustStep {
  return step(of, by, []);
}

/** A commit that adds the signature of `by` under whatever its parent brings. */
export function endorsement(parent: Commit, by: string | undefined): Commit {
  return commit({ parents: [parent], by, message: `Endorse\n\nEndorses: ${parent.id}\n` });
}

/** What a project declares, without any file that it may name. */
export function declared(by: Declared<Project> | undefined): Pick<TrustStep, 'policy' | 'project'> {
  return { policy: readTrustPolicy(by, new Map()).policy, project: by };
}

export function step(of: Commit, by: Declared<Project> | undefined, changes: readonly UnitChange[]): TrustStep {
  return { commit: of, firstSeen: NOW, ...declared(by), isEmpty: changes.length === 0, changes, sides: [], unread: undefined };
}

/** A merged branch of these commits, oldest first, whose head has the given contents. */
export function side(commits: readonly Commit[], contents: Readonly<Record<string, string>>): MergedSide {
  const head = commits.at(-1);
  if (head === undefined) throw new Error('a side has a head');
  const range = commits.map((item) => ({ commit: item, units: undefined }));
  const found = new Map(Object.entries(contents).map(([path, word]) => [path, content(word)]));
  return { head, range, contents: found, equalLocks: new Set(), knows: new Set(found.keys()) };
}
