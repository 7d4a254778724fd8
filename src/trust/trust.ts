import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { CommitId, ObjectId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import type { AskedOfImage, ImageFindings, ImageVerdict } from '#model/image-verdict.ts';
import type { Instant } from '#model/instant.ts';
import type { SignatureFact } from '#model/signature-finding.ts';
import type { SignedObject } from '#model/signed-object.ts';
import type { TrustEntry, TrustPolicy } from '#model/trust-policy.ts';
import type { AcceptedContent, TrustRoot, TrustState, TrustStep, UnitChange } from '#model/trust.ts';
import type { AllowedSigner, PathVerdict, SignatureVerdict, TrustPurpose } from '#model/verdict.ts';
import { type Judged as JudgedSignature, judgeObject, judgeSignature } from './commit-signature.ts';
import { judgeFindings } from './image-verdict.ts';
import { type Asked, entriesOn, type FactVerdict, judgeAll, judgeOne } from './judge-fact.ts';
import { isLockUnit, PROJECT, purposeOf, stepJudge } from './judge-step.ts';
import { readPolicy, type ReadTrust, type TrustFile, trustFilesOf } from './policy-entries.ts';
import { judgeRotation as rotationVerdict, type RotationQuestion, type RotationVerdict } from './rotation.ts';
import { enforcedPurposes, readSigners, type Signers } from './signers.ts';

const NOTHING: ReadonlyMap<ObjectId, AcceptedContent> = new Map();

/** SSH keys of the project's trust entries; an entry whose key cannot be used is a problem and vouches for nothing. */
export function allowedSigners(project: Declared<Project> | undefined): Signers {
  return readSigners(project);
}

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
  return entriesOn(policy, purpose, path);
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
  const by = { by: 'the trust root', commit: root.commit.id };
  const enforced = enforcedPurposes(root.project);
  return {
    root: root.commit.id,
    head: root.commit.id,
    project: root.project,
    enforced,
    units: new Map(
      root.units.map(({ path }) => [path, enforced.has(purposeOf(path)) ? { kind: 'accepted', ...by } : { kind: 'not-enforced' }]),
    ),
    accepted: new Map(root.units.flatMap(({ path, id }) => (id === undefined ? [] : [[path, new Map([[id, by]])]]))),
    rewrittenBy: undefined,
  };
}

/**
 * Judges the commits that follow, oldest first. Each is judged by what its first parent declares, if that declaration was itself
 * accepted, else by the last one that was. A commit that does not follow the head ends trust: history was rewritten.
 */
export function advanceTrust(state: TrustState, steps: readonly TrustStep[]): TrustState {
  const units = new Map(state.units);
  const accepted = new Map(state.accepted);
  let { head, project, enforced, rewrittenBy } = state;
  let { signers } = readSigners(project);
  for (const step of steps) {
    if (rewrittenBy !== undefined) break;
    if (step.commit.parents[0] !== head) {
      rewrittenBy = step.commit.id;
      break;
    }
    if (isHonoured(units.get(PROJECT)) && step.project !== project) {
      project = step.project;
      ({ signers } = readSigners(project));
    }
    const now = enforcedPurposes(project);
    beginOrEndEnforcing(units, { before: enforced, now, head });
    enforced = now;
    const judge = stepJudge(step, signers, project?.value);
    for (const change of step.changes) {
      const verdict = enforced.has(purposeOf(change.path)) ? judge(change, repairOf(units, accepted, change.path)) : NOT_ENFORCED;
      note(units, accepted, { change, verdict, commit: step.commit.id });
    }
    head = step.commit.id;
  }
  return { root: state.root, head, project, enforced, units, accepted, rewrittenBy };
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
      return `${path} is accepted: ${verdict.by} vouches for it in ${verdict.commit.slice(0, 10)}`;
    case 'not-enforced':
      return `${path} runs unverified: no trust entry of the project is for ${purposeOf(path)}`;
    case 'unsigned':
    case 'refused':
    case 'could-not-look':
      return verdict.sentence;
  }
}

const NOT_ENFORCED: PathVerdict = { kind: 'not-enforced' };
const GRAVITY = { accepted: 0, 'not-enforced': 1, 'could-not-look': 2, unsigned: 3, refused: 4 } as const;

function isHonoured(verdict: PathVerdict | undefined): boolean {
  return verdict === undefined || verdict.kind === 'accepted' || verdict.kind === 'not-enforced';
}

interface Enforcing {
  readonly before: ReadonlySet<TrustPurpose>;
  readonly now: ReadonlySet<TrustPurpose>;
  readonly head: CommitId;
}

/** What was in place when trust was declared stays accepted, until it changes; and what nobody judges any more is not held. */
function beginOrEndEnforcing(units: Map<string, PathVerdict>, { before, now, head }: Enforcing): void {
  if (before.size === now.size && [...now].every((purpose) => before.has(purpose))) return;
  for (const [unit, verdict] of units) {
    const purpose = purposeOf(unit);
    if (!now.has(purpose)) units.set(unit, NOT_ENFORCED);
    else if (verdict.kind === 'not-enforced') units.set(unit, { kind: 'accepted', by: 'the commit that declared trust', commit: head });
  }
}

interface Judged {
  readonly change: UnitChange;
  readonly verdict: PathVerdict;
  readonly commit: CommitId;
}

/**
 * Content that a change may bring back without anybody's key: the last accepted one of a unit that was broken since. What stands
 * accepted is turned back to something older only by a signature, else whoever may push could downgrade.
 */
function repairOf(
  units: ReadonlyMap<string, PathVerdict>,
  accepted: TrustState['accepted'],
  path: string,
): ReadonlyMap<ObjectId, AcceptedContent> {
  const now = units.get(path);
  return now === undefined || isHonoured(now) ? NOTHING : (accepted.get(path) ?? NOTHING);
}

function note(
  units: Map<string, PathVerdict>,
  accepted: Map<string, ReadonlyMap<ObjectId, AcceptedContent>>,
  { change, verdict, commit }: Judged,
): void {
  const { path, after } = change;
  if (after === undefined && isHonoured(verdict)) {
    units.delete(path);
    accepted.delete(path);
    return;
  }
  const wasRefused = !isHonoured(units.get(path)) && !accepted.has(path);
  // What was never accepted may go without anybody's word; what was accepted may not.
  if (after === undefined && wasRefused) {
    units.delete(path);
    return;
  }
  units.set(path, verdict);
  if (after === undefined || !isHonoured(verdict)) return;
  const by = verdict.kind === 'accepted' ? verdict.by : 'nobody, before trust was declared';
  accepted.set(path, new Map([[after, { by, commit }]]));
}
