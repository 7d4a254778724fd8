import type { CommitId, Sha256 } from '#model/digest.ts';
import type { TargetHealth } from '#model/health.ts';
import type { Instant } from '#model/instant.ts';
import type { Json, JsonObject } from '#model/json.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { DriftedObject, Outcome } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';

/** How a run of a loop ended. Only `service/schedule.ts` turns endings into times. */
export type Ending =
  | { readonly kind: 'settled' }
  | { readonly kind: 'waiting'; readonly reasons: readonly string[]; readonly until: Instant | undefined }
  | { readonly kind: 'retry'; readonly because: string }
  | { readonly kind: 'stuck'; readonly problems: readonly Problem[] };

/** Why we woke. */
export type Trigger = 'webhook' | 'poll' | 'drift' | 'soak' | 'start' | 'person';

/** Why something changed; the trailer `Reason`. */
export type Reason = 'promotion' | 'rollback' | 'drift' | 'config' | 'emergency';

/** The account of one run of the path on one target. */
export interface Receipt {
  readonly runId: string;
  readonly traceId: string;
  readonly environment: EnvironmentName;
  readonly target: TargetName;
  /** The commit of the default branch that was evaluated. */
  readonly revision: CommitId;
  /** Commit of `rendered/<env>` that was applied; undefined when nothing could be rendered. */
  readonly commit: CommitId | undefined;
  readonly rendering: Sha256 | undefined;
  readonly cause: Trigger;
  readonly reason: Reason;
  readonly began: Instant;
  readonly ended: Instant;
  readonly ending: Ending;
  readonly outcomes: readonly Outcome[];
  readonly health: TargetHealth;
  readonly driftDetected: boolean;
  /** Which objects, who changed them, and what became of it. */
  readonly drift?: readonly DriftedObject[];
  /** Undefined when the project enforces commit trust; else the sentence that says it does not. */
  readonly trustNotice: string | undefined;
  /** What stands against the declarations and stopped nothing; told, not recorded. */
  readonly warnings: readonly Problem[];
}

/** One record of the `audit` branch (CloudEvents 1.0, declarations.md 3.9). */
export interface AuditRecord extends JsonObject {
  readonly specversion: '1.0';
  /** ULID. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly traceparent: string;
  readonly data: JsonObject & { readonly seq: number; readonly prev: string; readonly run_id: string } & Readonly<Record<string, Json>>;
}
