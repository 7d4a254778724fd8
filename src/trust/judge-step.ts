import type { Project } from '#model/declarations.generated.ts';
import type { ObjectId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import type { AcceptedContent, MergedSide, TrustStep, UnitChange } from '#model/trust.ts';
import type { AllowedSigner, PathVerdict, SignatureVerdict, TrustPurpose } from '#model/verdict.ts';
import { judgeSignature } from './commit-signature.ts';
import { judgeRotation } from './rotation.ts';

/** The file whose content decides who may sign. */
export const PROJECT = 'environments/project.yaml';
const LOCK = /^environments\/[^/]+\/environment\.lock\.yaml$/;

export function isLockUnit(path: string): boolean {
  return LOCK.test(path);
}

/** The purpose that decides whether a unit is judged at all. */
export function purposeOf(unit: string): TrustPurpose {
  return unit.startsWith('capsules/') ? 'capsule' : 'commit';
}

/** Judges one commit's units by the trust of its first parent; asks each commit for each purpose once. */
export function stepJudge(
  step: TrustStep,
  signers: readonly AllowedSigner[],
  inForce: Project | undefined,
): (change: UnitChange, before: ReadonlyMap<ObjectId, AcceptedContent>) => PathVerdict {
  const known = new Map<string, SignatureVerdict>();
  const locksOnly = step.changes.every((change) => isLockUnit(change.path));

  function signatureFor(commit: Commit, purposes: readonly TrustPurpose[]): SignatureVerdict {
    const key = `${commit.id} ${purposes.join(' ')}`;
    const verdict = known.get(key) ?? judgeSignature(commit, { signers, purposes, firstSeen: step.firstSeen, findings: step.findings });
    known.set(key, verdict);
    return verdict;
  }

  /** Where a key of engines changes the project it must be by a rotation; what its signature says otherwise stays what it is. */
  function orRotation(commit: Commit, change: UnitChange, verdict: SignatureVerdict): SignatureVerdict {
    if (change.path !== PROJECT || verdict.kind !== 'refused' || verdict.code !== 'wrong-purpose') return verdict;
    const question = { before: inForce, after: step.next?.value, signers, firstSeen: step.firstSeen };
    const rotation = judgeRotation(commit, question);
    const short = commit.id.slice(0, 10);
    if (rotation.kind === 'refused')
      return { ...verdict, sentence: `${verdict.sentence}, and commit ${short} is no rotation of its key: ${rotation.reason}` };
    const { from, to } = rotation.change;
    const sentence = `commit ${short} lets ${to.name} follow ${from.name}, signed by both`;
    return { kind: 'accepted', commit: commit.id, signer: from.name, fingerprint: '', sentence };
  }

  function sideVerdict(side: MergedSide, change: UnitChange): SignatureVerdict | undefined {
    const isEqual = side.contents.has(change.path) && side.contents.get(change.path) === change.after;
    if (!isEqual && !side.equalLocks.has(change.path)) return undefined;
    const purposes = isLockUnit(change.path) ? (['commit', 'engine'] as const) : [purposeOf(change.path)];
    const touching = side.range.filter((item) => item.units === undefined || item.units.includes(change.path));
    const verdicts = [side.head, ...touching.map((item) => item.commit)].map((commit) =>
      orRotation(commit, change, signatureFor(commit, purposes)),
    );
    return verdicts.find((verdict) => verdict.kind !== 'accepted') ?? verdicts[0];
  }

  return (change, before) => {
    const purposes = isLockUnit(change.path) && locksOnly ? (['commit', 'engine'] as const) : [purposeOf(change.path)];
    const own = orRotation(step.commit, change, signatureFor(step.commit, purposes));
    if (own.kind === 'accepted') return accepted(own.signer, step.commit);
    const sides = step.sides.flatMap((side) => sideVerdict(side, change) ?? []);
    for (const verdict of sides) {
      if (verdict.kind === 'accepted') return accepted(verdict.signer, step.commit);
    }
    const earlier = change.after === undefined ? undefined : before.get(change.after);
    if (earlier !== undefined) return accepted(earlier.by, step.commit);
    const reason = `${change.path} was changed by ${step.commit.id.slice(0, 10)}`;
    if (step.unread !== undefined) {
      return {
        kind: 'could-not-look',
        commit: step.commit.id,
        sentence: `${reason}, and its pull request could not be read: ${step.unread}`,
      };
    }
    const weightiest = sides[0] ?? own;
    const rest = sides.length > 0 ? '' : otherPlaces(step, change);
    return {
      kind: weightiest.kind === 'accepted' ? 'refused' : weightiest.kind,
      commit: step.commit.id,
      sentence: `${reason}: ${weightiest.sentence}${rest}`,
    };
  };
}

function otherPlaces(step: TrustStep, change: UnitChange): string {
  const content = change.after === undefined ? 'its removal' : 'this content';
  return step.sides.length === 0 ? '' : `, and ${content} is not what the merged branch or pull request has`;
}

function accepted(by: string, commit: Commit): PathVerdict {
  return { kind: 'accepted', by, commit: commit.id };
}
