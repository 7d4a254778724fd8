import type { Project } from '#model/declarations.generated.ts';
import type { Commit } from '#model/git-objects.ts';
import type { Instant } from '#model/instant.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import { ROTATION_NAMESPACE, secondSignature } from '#model/rotation.ts';
import { parseSshPublicKey, sshPublicKeyText } from '#model/ssh-key.ts';
import { parseSshSignature, verifySshSignature } from '#model/ssh-signature.ts';
import type { AllowedSigner } from '#model/verdict.ts';
import { judgeSignature } from './commit-signature.ts';

type Entry = NonNullable<Project['spec']['trust']>[number];

/** One engine key that gives way to another. */
interface KeyChange {
  readonly from: Entry;
  readonly to: Entry;
}

export type RotationVerdict =
  | { readonly kind: 'accepted'; readonly change: KeyChange }
  | { readonly kind: 'refused'; readonly reason: string };

export interface RotationQuestion {
  /** The project in force before, and what the commit declares. */
  readonly before: Project | undefined;
  readonly after: Project | undefined;
  readonly signers: readonly AllowedSigner[];
  readonly firstSeen: Instant;
}

/**
 * May an engine's key change who is trusted? Only to bring in its successor: the declaration differs by nothing but a new entry for the
 * same purposes, and an end for the old one, and both keys signed it. So a stolen key gains no more power than it had, and a key that
 * nobody holds is never put in.
 */
export function judgeRotation(commit: Commit, question: RotationQuestion): RotationVerdict {
  const change = keyChange(question.before, question.after);
  if (typeof change === 'string') return { kind: 'refused', reason: change };
  const old = question.signers.filter(
    ({ name, credential }) => name === change.from.name && credential.kind === 'ssh-key' && credential.key === keyText(change.from),
  );
  const first = judgeSignature(commit, { signers: old, purposes: ['engine'], firstSeen: question.firstSeen });
  if (first.kind !== 'accepted') return { kind: 'refused', reason: `the old key did not sign it: ${first.sentence}` };
  const second = secondSignature(commit.raw);
  switch (second.kind) {
    case 'absent':
      return { kind: 'refused', reason: `the new key ${change.to.name} did not sign it (no trailer Signed-Also-By)` };
    case 'malformed':
      return { kind: 'refused', reason: `the signature of the new key cannot be read: ${second.reason}` };
    case 'present': {
      const read = parseSshSignature(second.armoured, ROTATION_NAMESPACE);
      if (!read.ok) return { kind: 'refused', reason: `the signature of the new key does not count: ${read.reason}` };
      if (sshPublicKeyText(read.value.publicKey) !== keyText(change.to))
        return { kind: 'refused', reason: `the second signature is not by the new key ${change.to.name}` };
      if (!verifySshSignature(read.value, second.payload))
        return { kind: 'refused', reason: 'the signature of the new key does not fit its bytes' };
      return { kind: 'accepted', change };
    }
  }
}

/** What changes between two declarations if that is one key of engines and nothing else; else why it is more, or less. */
function keyChange(before: Project | undefined, after: Project | undefined): KeyChange | string {
  if (before === undefined || after === undefined) return 'the project is not declared on both sides';
  if (!same(withoutTrust(before), withoutTrust(after))) return 'it changes more of the project than spec.trust';
  const old = before.spec.trust ?? [];
  const now = after.spec.trust ?? [];
  const known = new Set(old.map((entry) => entry.name));
  const added = now.filter((entry) => !known.has(entry.name));
  const [to] = added;
  const kept = now.filter((entry) => known.has(entry.name));
  if (to === undefined || added.length > 1) return `it adds ${added.length} trust entries; a rotation adds one`;
  if (kept.length !== old.length || kept.some((entry, index) => entry.name !== old[index]?.name))
    return 'it removes or reorders trust entries; a rotation ends the old one with validUntil';
  const changed = kept.flatMap((entry, index) => (same(entry, old[index]) ? [] : [index]));
  const [at] = changed;
  if (at === undefined || changed.length > 1) return `it changes ${changed.length} trust entries; a rotation ends one`;
  const [from, ended] = [old[at], kept[at]];
  if (from === undefined || ended?.validUntil === undefined || !same({ ...ended, validUntil: null }, { ...from, validUntil: null }))
    return `it changes more of ${from?.name ?? 'an entry'} than validUntil`;
  if (from.sshKey === undefined || !from.for.includes('engine')) return `${from.name} is no key of an engine`;
  return isHeir(from, to) ? { from, to } : `${to.name} is not for the same as ${from.name}, with a key of its own and nothing else`;
}

/** The same rights, by another key. */
function isHeir(from: Entry, to: Entry): boolean {
  const rest = { name: null, sshKey: null, validFrom: null, validUntil: null };
  const hasOwnKey = keyText(to) !== undefined && keyText(to) !== keyText(from);
  return hasOwnKey && same({ ...from, ...rest, for: sorted(from) }, { ...to, ...rest, for: sorted(to) });
}

function sorted(entry: Entry): readonly string[] {
  return entry.for.toSorted();
}

function keyText(entry: Entry): string | undefined {
  const key = parseSshPublicKey(entry.sshKey ?? '');
  return key.ok ? sshPublicKeyText(key.value) : undefined;
}

function withoutTrust(project: Project): object {
  return { ...project, spec: { ...project.spec, trust: null } };
}

function same(a: object | undefined, b: object | undefined): boolean {
  return a !== undefined && b !== undefined && canonicalJson(a as Json) === canonicalJson(b as Json);
}
