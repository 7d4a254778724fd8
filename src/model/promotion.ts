import type { CommitId, Sha256 } from '#model/digest.ts';
import type { FieldDifference } from '#model/field-change.ts';
import type { Instant } from '#model/instant.ts';
import type { EnvironmentName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { EnvironmentDifference } from '#model/rendered-diff.ts';
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

/** What a change does beside moving capsules, as people who approve it should see it. */
export interface PromotionEffect {
  readonly rendered: RenderedEffect;
  /** By instance; those without anything to tell are left out. */
  readonly changelogs: readonly Changelog[];
  /** By instance; undefined where it could not be resolved, and so is not known. */
  readonly schemas: readonly SchemaDifference[] | undefined;
}

/** `difference` is undefined where nothing rendered differs. */
export type RenderedEffect =
  | { readonly kind: 'rendered'; readonly difference: EnvironmentDifference | undefined }
  | { readonly kind: 'unknown'; readonly side: 'now' | 'proposed'; readonly reasons: readonly string[] };

/** The sections of one capsule's changelog above the version that is left, up to the one that comes, newest first: text of strangers. */
export interface Changelog {
  readonly instance: string;
  readonly capsule: string;
  readonly sections: readonly ChangelogSection[];
  /** True where there was more than is kept. */
  readonly cut: boolean;
}

export interface ChangelogSection {
  readonly version: string;
  /** Without its heading. */
  readonly text: string;
}

/** How the configuration that an instance accepts differs. */
export interface SchemaDifference {
  readonly instance: string;
  readonly keys: readonly KeyChange[];
}

export interface KeyChange {
  /** `replicas`, `database.host`, `ports[].name`; empty for the whole schema. */
  readonly key: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Keywords of its schema, and `required`. A default that is sensitive is not told. */
  readonly keywords: readonly FieldDifference[];
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
  readonly risk: 'low' | 'medium' | 'high' | 'critical';
  readonly effect: PromotionEffect;
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
  /** sha256 of the review as the forge gave it, as canonical JSON; absent where a forge gives none. */
  readonly sha256?: Sha256;
}

/** Approvals that people signed over one change set, and why others do not count. */
export interface SignedApprovals {
  /** Forge login of the trust entry, or its name where it has none. */
  readonly counted: readonly { readonly person: string; readonly at: Instant }[];
  readonly refused: readonly string[];
  /** Why not all of them could be looked at. */
  readonly unread: string | undefined;
}

export interface CheckReading {
  readonly name: string;
  readonly state: 'success' | 'pending' | 'failure';
  readonly detail: string;
}
