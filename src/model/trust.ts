import type { CommitFindings } from '#model/commit-finding.ts';
import type { Project } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { CommitId, ObjectId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import type { Instant } from '#model/instant.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import type { PathVerdict, Vouching } from '#model/verdict.ts';

/**
 * What is judged as one: a capsule's directory (`capsules/<name>`, its tree id) or one file below `environments/` or `policies/`
 * (its blob id). `trustUnit(path)` says which unit a path belongs to.
 */
export interface UnitContent {
  readonly path: string;
  /** Undefined: it is not there. */
  readonly id: ObjectId | undefined;
}

export interface UnitChange {
  readonly path: string;
  readonly before: ObjectId | undefined;
  readonly after: ObjectId | undefined;
}

/** A commit of a merged branch. */
export interface RangeCommit {
  readonly commit: Commit;
  /** Units it changes against its first parent; undefined when unknown: then it counts for every unit. */
  readonly units: readonly string[] | undefined;
  /**
   * What units hold after it: those that it changes, and all of the step's units where it changes none (an endorsement). Absent when
   * unknown: then it is nobody's second signature.
   */
  readonly contents?: ReadonlyMap<string, ObjectId | undefined>;
}

/** Another parent of the commit, or the head of its pull request (squash, rebase). */
export interface MergedSide {
  readonly head: Commit;
  /** Commits of `merge base..head`, the head included, in any order. */
  readonly range: readonly RangeCommit[];
  /** The step's changed units as they stand in `head`; a unit that is not in the map was not looked up. */
  readonly contents: ReadonlyMap<string, ObjectId | undefined>;
  /** Locks among them that stand otherwise in `head`, but that the branch changed just as the step does (another promotion came in between). */
  readonly equalLocks: ReadonlySet<string>;
  /**
   * Units whose last accepted content the branch knew, so that what it brings was made for it. A branch that did not may be an old one
   * that somebody merges to turn back what came since.
   */
  readonly knows: ReadonlySet<string>;
}

/** One commit along first parents. */
export interface TrustStep {
  readonly commit: Commit;
  /** When it was first seen here; key windows hold at this time, never at the date the commit claims. */
  readonly firstSeen: Instant;
  /** What its first parent declares; undefined where a declaration stands there that cannot be read. */
  readonly policy: TrustPolicy | undefined;
  /** The document that the policy was read from. */
  readonly project: Declared<Project> | undefined;
  /** The project that the commit itself declares, where it changes that; absent where it does not. */
  readonly next?: Declared<Project> | undefined;
  /** Whether it leaves every file of its first parent as it is. */
  readonly isEmpty: boolean;
  /** Units that differ from the first parent. */
  readonly changes: readonly UnitChange[];
  readonly sides: readonly MergedSide[];
  /** Why the head of its pull request could not be read; undefined when it was read, or there is none. */
  readonly unread: string | undefined;
  /** What was looked up about OpenPGP and X.509 signatures of this commit and of its sides; absent where there are none. */
  readonly findings?: CommitFindings | undefined;
}

export interface TrustRoot {
  readonly commit: Commit;
  readonly policy: TrustPolicy | undefined;
  readonly project: Declared<Project> | undefined;
  readonly units: readonly UnitContent[];
}

export interface AcceptedContent {
  readonly by: string;
  readonly commit: CommitId;
  /** Commits whose signatures it was accepted for; none where nobody had to sign. */
  readonly signed: readonly CommitId[];
}

/** What stands at a unit and is not accepted, with whoever signed it so far: others may add theirs. */
export interface HeldContent {
  readonly content: ObjectId | undefined;
  readonly commit: CommitId;
  readonly vouching: readonly Vouching[];
}

/** A commit that accepts everything as it stood, by somebody who may: history before it need not be signed. */
export interface Seal {
  readonly commit: CommitId;
  readonly by: string;
  readonly reason: string;
}

/** What is known along first parents up to `head`. */
export interface TrustState {
  readonly root: CommitId;
  readonly head: CommitId;
  /** The last declaration that was itself accepted: the one that judges. */
  readonly policy: TrustPolicy;
  readonly project: Declared<Project> | undefined;
  readonly units: ReadonlyMap<string, PathVerdict>;
  /** What was accepted last at a unit, so that putting right a change that was refused needs nobody's key. */
  readonly accepted: ReadonlyMap<string, ReadonlyMap<ObjectId, AcceptedContent>>;
  readonly held: ReadonlyMap<string, HeldContent>;
  /** The newest seal. */
  readonly seal: Seal | undefined;
  /** A seal that stands at the head and still lacks signatures. */
  readonly openSeal: (Seal & { readonly vouching: readonly Vouching[] }) | undefined;
  /** The commit that does not follow `head`; from then on nothing is accepted. */
  readonly rewrittenBy: CommitId | undefined;
}
