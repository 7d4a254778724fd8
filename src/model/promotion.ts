import type { CommitId } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import type { EnvironmentName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { ChangeSet } from '#model/resolution.ts';

/** `passed` is the only state that lets a change through. */
export interface GateReading {
  readonly name: string;
  readonly type: string;
  readonly status: 'passed' | 'waiting' | 'failed' | 'inconclusive';
  /** `4m of 10m`, `ada approved; 1 of 2`. */
  readonly detail: string;
  readonly until: Instant | undefined;
}

/** What a policy says of a change; its denials are the gate's. */
export interface PolicyReading {
  readonly policy: string;
  /** False where only a gate asked for it. */
  readonly inForce: boolean;
  readonly status: GateReading['status'];
  readonly detail: string;
  readonly problems: readonly Problem[];
}

/** A change not yet opened, or opened under `branch`. */
export interface PromotionDraft {
  readonly environment: EnvironmentName;
  readonly from: EnvironmentName | undefined;
  readonly changeSet: ChangeSet;
  /** `promote/<env>/<changeSet id>`: the idempotency key. */
  readonly branch: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  /** Path and whole new content of the one lock it edits. */
  readonly file: { readonly path: string; readonly content: string; readonly patch: string };
  readonly gates: readonly GateReading[];
}

/** A pull request on the forge, in the words we need. */
export interface ChangeRequest {
  readonly number: number;
  readonly state: 'open' | 'closed' | 'merged';
  readonly title: string;
  readonly body: string;
  readonly author: string;
  /** Branch name without refs/heads/. */
  readonly head: string;
  readonly headCommit: CommitId;
  readonly base: string;
  readonly mergeCommit: CommitId | undefined;
  readonly closedBy: string | undefined;
  readonly labels: readonly string[];
  readonly url: string;
  readonly updatedAt: Instant;
}

export interface Review {
  readonly reviewer: string;
  readonly state: 'approved' | 'changes-requested' | 'commented' | 'dismissed';
  readonly commit: CommitId | undefined;
  readonly at: Instant;
}

export interface CheckReading {
  readonly name: string;
  readonly state: 'success' | 'pending' | 'failure';
  readonly detail: string;
}
