import type { CommitId } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import type { ChangeRequest, CheckReading, Review } from '#model/promotion.ts';
import type { Secret } from '#model/secret.ts';

/** Pull requests. Every method can be repeated. */
export interface ChangeRequests {
  /** The open or newest request with this head branch, closed ones included. */
  findByHead(head: string): Promise<ChangeRequest | undefined>;
  /** Open requests whose head begins with `prefix`, plus closed and merged ones updated since. */
  list(headPrefix: string, since: Instant | undefined): Promise<readonly ChangeRequest[]>;
  /** Opens one, or returns the open one that is there already. */
  open(draft: {
    readonly head: string;
    readonly base: string;
    readonly title: string;
    readonly body: string;
    readonly labels: readonly string[];
  }): Promise<ChangeRequest>;
  edit(
    number: number,
    change: { readonly title?: string; readonly body?: string; readonly state?: 'closed'; readonly comment?: string },
  ): Promise<void>;
  /** Merges exactly `head`; a refusal (405, 409) is an answer in the forge's words, never an exception. */
  merge(
    number: number,
    request: { readonly head: CommitId; readonly title: string; readonly message: string },
  ): Promise<{ readonly kind: 'merged'; readonly commit: CommitId } | { readonly kind: 'refused'; readonly reason: string }>;
}

export interface Evidence {
  reviews(number: number): Promise<readonly Review[]>;
  /**
   * Logins that the forge gives as author or committer of a request's commits, sorted. It goes by e-mail addresses, which anybody can write:
   * good for refusing somebody's approval, never for counting it.
   */
  commitAuthors(number: number): Promise<readonly string[]>;
  checks(commit: CommitId): Promise<readonly CheckReading[]>;
  /** Publishes `name` on a commit: a check run where logged in as an App, else a commit status. Repeating an equal one sends nothing. */
  publish(
    commit: CommitId,
    check: { readonly name: string; readonly state: CheckReading['state']; readonly detail: string },
  ): Promise<void>;
  isMember(login: string, team: string): Promise<boolean>;
  /** Pull request a commit came in by; undefined for a direct push. */
  changeRequestOf(commit: CommitId): Promise<ChangeRequest | undefined>;
}

export interface ForgeAccount {
  /** `octo-engine` or `capstan[bot]`. */
  readonly login: string;
  readonly kind: 'user' | 'app';
}

export interface Protection {
  readonly protected: boolean;
  readonly requiredChecks: readonly string[];
  readonly requiredApprovals: number;
}

export interface Administration {
  account(): Promise<ForgeAccount>;
  protection(branch: string): Promise<Protection>;
  /** Asks the forge to send failed deliveries since `since` again; returns how many were asked for. */
  redeliverFailed(webhookUrl: string, since: Instant): Promise<number>;
  /** Whether the repository sends webhooks to this address. */
  hasWebhook(url: string): Promise<boolean>;
  /** What `doctor --fix` does: the webhook (made or brought up to date) and the required check. */
  installWebhook(url: string, secret: Secret): Promise<void>;
  protect(branch: string, requiredChecks: readonly string[]): Promise<void>;
}

export interface Forge extends ChangeRequests, Evidence, Administration {
  counts(): { readonly requests: number };
}
