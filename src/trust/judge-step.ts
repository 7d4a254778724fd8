import type { Project } from '#model/declarations.generated.ts';
import type { ObjectId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import { isOnPaths } from '#model/path-pattern.ts';
import { visibleText } from '#model/quoted.ts';
import type { Threshold, TrustPolicy } from '#model/trust-policy.ts';
import type { AcceptedContent, MergedSide, RangeCommit, TrustStep, UnitChange } from '#model/trust.ts';
import type { PathVerdict, SignatureVerdict, TrustPurpose, Vouching } from '#model/verdict.ts';
import { judgeSignature } from './commit-signature.ts';
import { firstShortage, thresholdsOn } from './people.ts';
import { judgeRotation } from './rotation.ts';
import { endorsedBy } from './trailers.ts';

const LOCK = /^environments\/[^/]+\/environment\.lock\.yaml$/;
const PROJECT = /^environments\/project\.ya?ml$/;
const POLICY = /^(policies($|\/)|environments\/project\.ya?ml$)/;

export function isLockUnit(path: string): boolean {
  return LOCK.test(path);
}

/** The purpose that decides whether a unit is judged at all: who may sign what decides who may sign is asked first. */
export function purposeOf(policy: Pick<TrustPolicy, 'enforced' | 'files'>, unit: string): TrustPurpose {
  if (unit.startsWith('capsules/')) return 'capsule';
  return policy.enforced.has('policy') && (POLICY.test(unit) || policy.files.has(unit)) ? 'policy' : 'commit';
}

/** A verdict, and whoever may sign here and did, whether that was enough or not. */
export interface Judgement {
  readonly verdict: PathVerdict;
  readonly vouching: readonly Vouching[];
}

/** Asks each commit for each purpose and set of entries once. */
export interface SignatureJudge {
  (commit: Commit, purposes: readonly TrustPurpose[], path: string | undefined): SignatureVerdict;
}

export function signatureJudge(step: Pick<TrustStep, 'firstSeen' | 'findings'>, policy: TrustPolicy): SignatureJudge {
  const known = new Map<string, SignatureVerdict>();
  const { firstSeen, findings } = step;
  const trustedRoot = policy.trustedRoot?.sha256;
  const ofGit = policy.entries.filter((entry) => entry.namespaces?.includes('git') ?? true);
  const isNarrow = ofGit.some((entry) => entry.paths !== undefined);

  function judged(commit: Commit, purposes: readonly TrustPurpose[], path: string | undefined): SignatureVerdict {
    const here = isNarrow ? ofGit.filter((entry) => isOnPaths(entry.paths, path)) : ofGit;
    const verdict = judgeSignature(commit, { signers: here, purposes, firstSeen, findings, trustedRoot });
    if (verdict.kind !== 'refused' || here.length === policy.entries.length) return verdict;
    const anywhere = judgeSignature(commit, { signers: policy.entries, purposes, firstSeen, findings, trustedRoot });
    if (anywhere.kind !== 'accepted') return verdict;
    const sentence = `the signature of commit ${commit.id.slice(0, 10)} does not count: trust entry ${anywhere.signer} is not for ${visibleText(path ?? 'everything')}`;
    return { kind: 'refused', commit: commit.id, code: 'wrong-purpose', sentence };
  }

  return (commit, purposes, path) => {
    const where = isNarrow ? ofGit.map((entry) => (isOnPaths(entry.paths, path) ? '1' : '0')).join('') : '';
    const key = `${commit.id} ${purposes.join(' ')} ${where}`;
    const verdict = known.get(key) ?? judged(commit, purposes, path);
    known.set(key, verdict);
    return verdict;
  };
}

/** Judges one commit's units by the trust of its first parent. */
export function stepJudge(
  step: TrustStep,
  policy: TrustPolicy,
  inForce: Project | undefined,
): (change: UnitChange, before: ReadonlyMap<ObjectId, AcceptedContent>) => Judgement {
  const signatureFor = signatureJudge(step, policy);
  /** Commits by which one engine key follows another; both signed, and nothing else may change, so no threshold is asked. */
  const rotations = new Set<string>();
  const locksOnly = step.changes.every((change) => isLockUnit(change.path));

  /** Where a key of engines changes the project it must be by a rotation; what its signature says otherwise stays what it is. */
  function ask(commit: Commit, purposes: readonly TrustPurpose[], path: string | undefined): SignatureVerdict {
    const verdict = signatureFor(commit, purposes, path);
    if (path === undefined || !PROJECT.test(path) || verdict.kind !== 'refused' || verdict.code !== 'wrong-purpose') return verdict;
    const question = { before: inForce, after: step.next?.value, signers: policy.entries, firstSeen: step.firstSeen };
    const rotation = judgeRotation(commit, question);
    const short = commit.id.slice(0, 10);
    if (rotation.kind === 'refused')
      return { ...verdict, sentence: `${verdict.sentence}, and commit ${short} is no rotation of its key: ${rotation.reason}` };
    rotations.add(commit.id);
    const { from, to } = rotation.change;
    const sentence = `commit ${short} lets ${to.name} follow ${from.name}, signed by both`;
    return { kind: 'accepted', commit: commit.id, signer: from.name, fingerprint: '', sentence };
  }

  return (change, before) => {
    const { path } = change;
    const purpose = purposeOf(policy, path);
    const own = ask(step.commit, isLockUnit(path) && locksOnly ? ['commit', 'engine'] : [purpose], path);
    const sides = step.sides.flatMap((side) => judgeSide({ side, change, policy, signatureFor: ask }) ?? []);
    const signed = [judgementOf(own), ...sides];
    const vouching = uniqueOf(signed.flatMap((one) => one.vouching));
    const first = [own, ...sides.map((side) => side.verdict)].flatMap((verdict) => (verdict.kind === 'accepted' ? [verdict] : []))[0];
    const reason = `${path} was changed by ${step.commit.id.slice(0, 10)}`;
    const thresholds = thresholdsFor(policy, change);
    if (first !== undefined) {
      const missing =
        isEngines(policy, path, first.signer) || rotations.has(first.commit) ? undefined : firstShortage(policy, thresholds, vouching);
      if (missing === undefined)
        return { verdict: acceptedOf(step.commit, first.signer, thresholds.length > 0 ? vouching : undefined), vouching };
      return { verdict: { kind: 'refused', commit: step.commit.id, sentence: `${reason}: ${missing}` }, vouching };
    }
    const earlier = change.after === undefined ? undefined : before.get(change.after);
    if (earlier !== undefined) return { verdict: acceptedOf(step.commit, earlier.by, undefined), vouching };
    if (step.unread !== undefined) {
      const sentence = `${reason}, and its pull request could not be read: ${step.unread}`;
      return { verdict: { kind: 'could-not-look', commit: step.commit.id, sentence }, vouching };
    }
    const weightiest = sides[0]?.verdict ?? own;
    const rest = sides.length > 0 ? '' : otherPlaces(step, change);
    const kind = weightiest.kind === 'accepted' ? 'refused' : weightiest.kind;
    return { verdict: { kind, commit: step.commit.id, sentence: `${reason}: ${weightiest.sentence}${rest}` }, vouching };
  };
}

/** Whether a commit's own signature decides for all its changes, so that nobody asks where they came from. */
export function isSelfEvident(step: Omit<TrustStep, 'sides' | 'unread'>, policy: TrustPolicy): boolean {
  const signatureFor = signatureJudge(step, policy);
  return step.changes.every((change) => {
    if (thresholdsFor(policy, change).length > 0) return false;
    return signatureFor(step.commit, [purposeOf(policy, change.path)], change.path).kind === 'accepted';
  });
}

/** What an engine signs may be said of locks alone; what people must sign together is then asked by gates. */
function isEngines(policy: TrustPolicy, path: string, signer: string): boolean {
  return isLockUnit(path) && policy.entries.find((entry) => entry.name === signer)?.purposes.includes('engine') === true;
}

function thresholdsFor(policy: TrustPolicy, { path }: UnitChange): readonly Threshold[] {
  return thresholdsOn(policy, { purpose: purposeOf(policy, path), path });
}

interface SideAsked {
  readonly side: MergedSide;
  readonly change: UnitChange;
  readonly policy: TrustPolicy;
  readonly signatureFor: SignatureJudge;
}

interface SideJudgement {
  readonly verdict: SignatureVerdict;
  readonly vouching: readonly Vouching[];
}

/** Undefined where the branch has another content. Every commit of it that changes the unit must be signed, and its head. */
function judgeSide({ side, change, policy, signatureFor }: SideAsked): SideJudgement | undefined {
  const { path, after } = change;
  const isEqual = side.contents.has(path) && side.contents.get(path) === after;
  const isLockChange = side.equalLocks.has(path);
  if (!isEqual && !isLockChange) return undefined;
  const touching = side.range.filter((item) => item.units === undefined || item.units.includes(path));
  if (touching.length === 0) return refused(side, `branch ${side.head.id.slice(0, 10)} does not change ${visibleText(path)} itself`);
  if (!isLockChange && !side.knows.has(path))
    return refused(
      side,
      `branch ${side.head.id.slice(0, 10)} is older than what was accepted at ${visibleText(path)}, or was merged before`,
    );
  const purposes: readonly TrustPurpose[] = isLockUnit(path) ? ['commit', 'engine'] : [purposeOf(policy, path)];
  const ask = (commit: Commit): SignatureVerdict => signatureFor(commit, purposes, path);
  const verdicts = [side.head, ...touching.map((item) => item.commit)].map(ask);
  const bad = verdicts.find((verdict) => verdict.kind !== 'accepted');
  const [head] = verdicts;
  if (bad !== undefined || head === undefined) return bad === undefined ? undefined : { verdict: bad, vouching: [] };
  const makers = touching.filter((item) => isLockChange || has(item, path, after));
  const endorsers = side.range.filter(
    (item) => item.units?.length === 0 && endorsedBy(item.commit) !== undefined && has(item, path, after),
  );
  const vouching = [...makers, ...endorsers].flatMap((item) => judgementOf(ask(item.commit)).vouching);
  return { verdict: head, vouching };
}

function has(item: RangeCommit, path: string, content: ObjectId | undefined): boolean {
  return item.contents?.has(path) === true && item.contents.get(path) === content;
}

function refused({ head }: MergedSide, sentence: string): SideJudgement {
  return { verdict: { kind: 'refused', commit: head.id, code: 'stale-branch', sentence }, vouching: [] };
}

function judgementOf(verdict: SignatureVerdict): { readonly vouching: readonly Vouching[] } {
  return { vouching: verdict.kind === 'accepted' ? [{ by: verdict.signer, commit: verdict.commit }] : [] };
}

function uniqueOf(vouching: readonly Vouching[]): readonly Vouching[] {
  return [...new Map(vouching.map((one) => [`${one.by} ${one.commit}`, one])).values()];
}

function otherPlaces(step: TrustStep, change: UnitChange): string {
  const content = change.after === undefined ? 'its removal' : 'this content';
  return step.sides.length === 0 ? '' : `, and ${content} is not what the merged branch or pull request has`;
}

function acceptedOf(commit: Commit, by: string, vouching: readonly Vouching[] | undefined): PathVerdict {
  return { kind: 'accepted', by, commit: commit.id, ...(vouching === undefined ? {} : { vouching }) };
}

/** Signatures that vouched once, asked again by another policy: one at least, and what thresholds ask for. */
export function judgeTogether(commits: readonly Commit[], policy: TrustPolicy, asked: Together): SignatureVerdict | undefined {
  const signatureFor = signatureJudge(asked, policy);
  const verdicts = commits.map((commit) => signatureFor(commit, [asked.purpose], asked.path));
  const first = verdicts.find((verdict) => verdict.kind === 'accepted');
  if (first === undefined) return verdicts[0];
  const missing = firstShortage(
    policy,
    thresholdsOn(policy, asked),
    verdicts.flatMap((verdict) => judgementOf(verdict).vouching),
  );
  return missing === undefined ? first : { kind: 'refused', commit: first.commit, code: 'too-few-signatures', sentence: missing };
}

export interface Together extends Pick<TrustStep, 'firstSeen' | 'findings'> {
  readonly purpose: TrustPurpose;
  readonly path: string;
}
