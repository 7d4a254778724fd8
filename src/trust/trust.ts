import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import type { AskedOfImage, ImageFindings, ImageVerdict } from '#model/image-verdict.ts';
import type { Instant } from '#model/instant.ts';
import { compareText } from '#model/problem.ts';
import type { SignatureFact } from '#model/signature-finding.ts';
import type { SignedObject } from '#model/signed-object.ts';
import type { TrustEntry, TrustPolicy } from '#model/trust-policy.ts';
import type { TrustRoot, TrustState, TrustStep } from '#model/trust.ts';
import type { AllowedSigner, PathVerdict, SignatureVerdict, TrustPurpose } from '#model/verdict.ts';
import { type CommandAnswer, type CommandQuestion, judge } from './command.ts';
import { type Judged as JudgedSignature, judgeObject, judgeSignature } from './commit-signature.ts';
import { judgeFindings } from './image-verdict.ts';
import { type Asked, type FactVerdict, judgeAll, judgeOne } from './judge-fact.ts';
import { isLockUnit, isSelfEvident, judgeTogether, purposeOf, type Together } from './judge-step.ts';
import { advance, judgingPolicy, startState } from './path-trust.ts';
import { entriesOn, policyWords, thresholdsOn, thresholdWords } from './people.ts';
import { readPolicy, type ReadTrust, type TrustFile, trustFilesOf } from './policy-entries.ts';
import { judgeRotation as rotationVerdict, type RotationQuestion, type RotationVerdict } from './rotation.ts';
import { isInWindow, windowOf } from './signers.ts';
import { endorsedBy } from './trailers.ts';

/** Files that a project's trust names, below environments/ and policies/ alone; each with the most bytes that are read of it. */
export function trustFiles(project: Project | undefined): ReadonlyMap<string, number> {
  return trustFilesOf(project);
}

/**
 * The one policy of a project, and every problem of it. `files` has what `trustFiles` names, of the same commit. A row that cannot be
 * used vouches for nothing, and enforces its purposes all the same.
 */
export function readTrustPolicy(project: Declared<Project> | undefined, files: ReadonlyMap<string, TrustFile>): ReadTrust {
  return readPolicy(project, files);
}

/** Usable entries for a purpose at a path, in declared order; entries with paths count nowhere where there is none. */
export function entriesFor(policy: TrustPolicy, purpose: TrustPurpose, path?: string): readonly TrustEntry[] {
  return entriesOn(policy, { purpose, path });
}

/** May the signer of a fact stand for what is asked? One sentence says who signed, allowed by which entry, or why not. */
export function judgeFact(fact: SignatureFact, policy: TrustPolicy, asked: Asked): FactVerdict {
  return judgeOne(fact, policy, asked);
}

/** The same for all verified signatures of one thing, thresholds included. */
export function judgeFacts(facts: readonly SignatureFact[], policy: TrustPolicy, asked: Asked): FactVerdict {
  return judgeAll(facts, policy, asked);
}

/** One commit's signature for one purpose. `firstSeen` decides key windows, never the commit's own date. */
export function judgeCommit(
  commit: Commit,
  signers: readonly AllowedSigner[],
  purpose: TrustPurpose,
  firstSeen: Instant,
): SignatureVerdict {
  return judgeSignature(commit, { signers, purposes: [purpose], firstSeen });
}

/** Several commits' signatures under the same content, judged by a policy with its paths and thresholds; undefined for no commit. */
export function judgeCommits(commits: readonly Commit[], policy: TrustPolicy, asked: Together): SignatureVerdict | undefined {
  return judgeTogether(commits, policy, asked);
}

/** The same for a commit or tag with OpenPGP or X.509 signatures, whose findings were gathered, and with revocations. */
export function judgeSigned(object: SignedObject, judged: JudgedSignature): SignatureVerdict {
  return judgeObject(object, judged);
}

/** The signatures of an image, by keys and identities that were given: one that is right and is what was asked for is enough. */
export function judgeImage(findings: ImageFindings, asked: AskedOfImage): ImageVerdict {
  return judgeFindings(findings, asked);
}

/** May keys of engines alone change who is trusted? Only as a rotation: one key for another, signed by both. */
export function judgeRotation(commit: Commit, question: RotationQuestion): RotationVerdict {
  return rotationVerdict(commit, question);
}

/** May an agent do what an envelope tells it? The answer's memory must be kept before it is done. */
export function judgeCommand(question: CommandQuestion): CommandAnswer {
  return judge(question);
}

/** Whether an entry is in its window. */
export function isGoodAt(signer: AllowedSigner, at: Instant): boolean {
  return isInWindow(signer, at);
}

/** The last moment of an entry's window; undefined where it has none, or cannot be read. */
export function endOf(signer: AllowedSigner): Instant | undefined {
  return windowOf(signer).until;
}

/** The unit that a repository path is judged with; undefined for paths that nobody judges. */
export function trustUnit(path: string): string | undefined {
  const capsule = /^capsules\/[^/]+/.exec(path)?.[0];
  if (capsule !== undefined) return capsule;
  return /^(environments|policies)\/./.test(path) ? path : undefined;
}

/** A lock is judged by its change where its content cannot tell. */
export function isLock(unit: string): boolean {
  return isLockUnit(unit);
}

/** Everything the root holds is accepted: that is what a trust root is. */
export function startTrust(root: TrustRoot): TrustState {
  return startState(root);
}

/**
 * Judges the commits that follow, oldest first. Each is judged by what its first parent declares, if that declaration was itself
 * accepted, else by the last one that was. A commit that does not follow the head ends trust: history was rewritten.
 */
export function advanceTrust(state: TrustState, steps: readonly TrustStep[]): TrustState {
  return advance(state, steps);
}

/** The policy that judges the commit after the head, given what the head itself declares (undefined: what cannot be read). */
export function policyAfter(state: TrustState, declared: TrustPolicy | undefined): TrustPolicy {
  return judgingPolicy(state, declared);
}

/** Whether a commit's own signature decides for all it changes, so that nobody needs to find out where that came from. */
export function needsNoOrigin(state: TrustState, step: Omit<TrustStep, 'sides' | 'unread'>): boolean {
  return isSelfEvident(step, judgingPolicy(state, step.policy));
}

/** What a signature at a path is for, and what people must sign there together, each as a sentence. */
export function askedOf(
  policy: TrustPolicy | undefined,
  path: string,
): { readonly purpose: TrustPurpose; readonly asks: readonly string[] } {
  if (policy === undefined) return { purpose: 'commit', asks: [] };
  const purpose = purposeOf(policy, path);
  return { purpose, asks: thresholdsOn(policy, { purpose, path }).map(thresholdWords) };
}

/** Units that are held, with the reason. */
export function heldUnits(state: TrustState): readonly { readonly path: string; readonly sentence: string }[] {
  return [...state.held.keys()].sort(compareText).map((path) => ({ path, sentence: explainVerdict(path, verdictOf(state, path)) }));
}

/** Who may sign for what, each purpose as a sentence, in the order of `TrustPurpose`. */
export function describePolicy(policy: TrustPolicy): readonly string[] {
  return policyWords(policy);
}

/** Whether a commit that changes nothing adds its signature to what its parent brings. */
export function isEndorsement(commit: Commit): boolean {
  return endorsedBy(commit) !== undefined;
}

/** `tip` is not a descendant of the head along first parents (a force push): nothing is accepted any more. */
export function rewriteTrust(state: TrustState, tip: CommitId): TrustState {
  return { ...state, rewrittenBy: state.rewrittenBy ?? tip };
}

/** The verdict of a unit, or the gravest below a folder (`environments/prod`). */
export function verdictOf(state: TrustState, path: string): PathVerdict {
  if (state.rewrittenBy !== undefined) {
    const sentence = `accepted history was rewritten: ${state.rewrittenBy.slice(0, 10)} does not follow what came before`;
    return { kind: 'refused', commit: state.rewrittenBy, sentence };
  }
  const own = state.units.get(path);
  if (own !== undefined) return own;
  let gravest: PathVerdict | undefined;
  for (const [unit, verdict] of state.units) {
    if (!unit.startsWith(`${path}/`)) continue;
    if (gravest === undefined || GRAVITY[verdict.kind] > GRAVITY[gravest.kind]) gravest = verdict;
  }
  return gravest ?? { kind: 'could-not-look', commit: state.head, sentence: `no commit since the trust root speaks of ${path}` };
}

/** One sentence for people. */
export function explainVerdict(path: string, verdict: PathVerdict): string {
  switch (verdict.kind) {
    case 'accepted':
      return `${path} is accepted: ${namesOf(verdict)} in ${verdict.commit.slice(0, 10)}`;
    case 'not-enforced':
      return `${path} runs unverified: no trust entry of the project is for ${path.startsWith('capsules/') ? 'capsule' : 'commit'}`;
    case 'unsigned':
    case 'refused':
    case 'could-not-look':
      return verdict.sentence;
  }
}

const GRAVITY = { accepted: 0, 'not-enforced': 1, 'could-not-look': 2, unsigned: 3, refused: 4 } as const;

function namesOf({ by, vouching }: Extract<PathVerdict, { kind: 'accepted' }>): string {
  const names = [...new Set([by, ...(vouching ?? []).map((one) => one.by)])];
  return names.length === 1 ? `${by} vouches for it` : `${names.join(', ')} vouch for it`;
}
