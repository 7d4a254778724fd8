import type { CommitId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { SignatureVerdict } from '#model/verdict.ts';
import { judgeCommit } from '#trust/trust.ts';
import type { TrustOf } from './trust-of.ts';
import type { World } from './world.ts';

/**
 * What is wrong with the head of a branch that only engines write. Nobody else's head is built on, recorded from or compared with: its
 * metadata could say that a lock was rendered already, and its records that something is healthy. Not judged where no trust entry is for
 * engines. When a key was valid plays no part here: a head stays good after its key has expired.
 */
export async function strangerAt(
  world: Pick<World, 'repository' | 'signer' | 'clock'>,
  trust: TrustOf,
  branch: string,
  head: CommitId | undefined,
): Promise<Problem | undefined> {
  if (head === undefined || trust.engines.length === 0) return undefined;
  const verdict = engineVerdict(world, trust, await world.repository.commit(head));
  if (verdict.kind === 'accepted') return undefined;
  return {
    code: 'branch-tampered',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `the head of ${branch} was not written by an engine of this project: ${verdict.sentence}`,
    remedy: `Find out who wrote it, then put ${branch} back to its last good commit ('capstan verify' names it); or trust the key: spec.trust with \`for: [engine]\`.`,
    place: NOWHERE,
    related: [],
  };
}

/** Whether an engine of this project signed a commit, this one included; when a key was valid plays no part. */
export function engineVerdict(world: Pick<World, 'signer' | 'clock'>, trust: TrustOf, commit: Commit): SignatureVerdict {
  const credential = { kind: 'ssh-key' as const, key: world.signer.publicKey };
  const own = { name: world.signer.name, credential, purposes: ['engine' as const], place: NOWHERE };
  const keys = [...trust.engines, own].map((key) => ({ ...key, validFrom: undefined, validUntil: undefined }));
  return judgeCommit(commit, keys, 'engine', world.clock.now());
}
