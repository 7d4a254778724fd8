/** What the forge remembers: one interface per kind of row in the store. Ids are the store's. */
export interface AccountRecord {
  readonly login: string;
  readonly type: 'User' | 'Organization' | 'Bot';
  readonly admin: boolean;
  readonly email: string | undefined;
  readonly createdAt: string;
}

/** `hash` is the sha256 of the token; the token itself is never stored. */
export interface TokenRecord {
  readonly account: number;
  readonly scopes: readonly string[];
  readonly note: string;
  readonly lastEight: string;
  readonly installation: number | undefined;
  readonly expiresAt: string | undefined;
  readonly createdAt: string;
}

export interface TeamRecord {
  readonly name: string;
  readonly slug: string;
  readonly description: string | undefined;
  readonly members: Readonly<Record<string, 'member' | 'maintainer'>>;
}

export interface MembershipRecord {
  readonly account: number;
  readonly role: 'admin' | 'member';
}

export interface AppRecord {
  readonly slug: string;
  readonly name: string;
  readonly owner: number;
  readonly bot: number;
  readonly publicKey: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  readonly createdAt: string;
}

/** `repositories` undefined: all of the account's. */
export interface InstallationRecord {
  readonly app: number;
  readonly account: number;
  readonly repositories: readonly number[] | undefined;
  readonly createdAt: string;
}

export interface RepositoryRecord {
  readonly owner: number;
  readonly name: string;
  readonly private: boolean;
  readonly description: string | undefined;
  readonly defaultBranch: string;
  readonly allowMerge: boolean;
  readonly allowSquash: boolean;
  readonly allowRebase: boolean;
  readonly deleteBranchOnMerge: boolean;
  readonly lastNumber: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly pushedAt: string;
}

export interface CollaboratorRecord {
  readonly account: number;
  readonly permission: 'pull' | 'triage' | 'push' | 'maintain' | 'admin';
}

export interface RefRecord {
  readonly name: string;
  readonly commit: string;
}

export interface PullRecord {
  readonly number: number;
  readonly title: string;
  readonly body: string | undefined;
  readonly state: 'open' | 'closed';
  readonly draft: boolean;
  readonly author: number;
  readonly headRef: string;
  readonly headSha: string;
  readonly baseRef: string;
  /** Tip of the base when the pull request was opened or closed; an open one reads the live tip. */
  readonly baseSha: string;
  readonly labels: readonly string[];
  readonly reviewers: readonly number[];
  readonly teams: readonly number[];
  /** A merge whose ref update was under way: after a crash the branch tells whether it happened. */
  readonly merging: { readonly commit: string; readonly by: number; readonly at: string } | undefined;
  readonly merge: { readonly commit: string; readonly by: number; readonly at: string } | undefined;
  readonly closedBy: number | undefined;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly closedAt: string | undefined;
}

export interface ReviewRecord {
  readonly pull: number;
  readonly author: number;
  readonly state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING';
  readonly body: string;
  readonly commit: string;
  readonly submittedAt: string;
}

export interface CommentRecord {
  readonly number: number;
  readonly author: number;
  readonly body: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface LabelRecord {
  readonly name: string;
  readonly color: string;
  readonly description: string | undefined;
}

export interface StatusRecord {
  readonly repository: number;
  readonly commit: string;
  readonly state: 'error' | 'failure' | 'pending' | 'success';
  readonly context: string;
  readonly description: string | undefined;
  readonly targetUrl: string | undefined;
  readonly creator: number;
  readonly createdAt: string;
}

export interface CheckSuiteRecord {
  readonly repository: number;
  readonly commit: string;
  readonly branch: string | undefined;
  readonly app: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface CheckRunRecord {
  readonly repository: number;
  readonly suite: number;
  readonly commit: string;
  readonly app: number;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | undefined;
  readonly externalId: string;
  readonly detailsUrl: string | undefined;
  readonly title: string | undefined;
  readonly summary: string | undefined;
  readonly text: string | undefined;
  readonly startedAt: string | undefined;
  readonly completedAt: string | undefined;
}

export interface HookRecord {
  readonly url: string;
  readonly contentType: 'json' | 'form';
  readonly secret: string | undefined;
  readonly events: readonly string[];
  readonly active: boolean;
  readonly lastResponse: { readonly code: number | undefined; readonly status: string; readonly message: string | undefined };
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface DeliveryRecord {
  readonly guid: string;
  readonly hook: number;
  readonly repository: number;
  readonly event: string;
  readonly action: string | undefined;
  readonly redelivery: boolean;
  readonly payload: string;
  /** `sending` rows found at start were cut off by a stop; they count as failed, as nobody knows whether they arrived. */
  readonly state: 'waiting' | 'sending' | 'ended';
  readonly status: string;
  readonly statusCode: number;
  readonly duration: number;
  readonly deliveredAt: string;
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly responseBody: string;
}

export interface ProtectionRecord {
  readonly branch: string;
  readonly checks: { readonly strict: boolean; readonly contexts: readonly string[] } | undefined;
  readonly reviews: { readonly count: number; readonly dismissStale: boolean } | undefined;
  readonly enforceAdmins: boolean;
  readonly linearHistory: boolean;
  readonly allowForcePushes: boolean;
  readonly allowDeletions: boolean;
  readonly restrictions:
    | { readonly users: readonly string[]; readonly teams: readonly string[]; readonly apps: readonly string[] }
    | undefined;
}

export interface Rows {
  readonly account: AccountRecord;
  readonly token: TokenRecord;
  readonly team: TeamRecord;
  readonly membership: MembershipRecord;
  readonly app: AppRecord;
  readonly installation: InstallationRecord;
  readonly repository: RepositoryRecord;
  readonly collaborator: CollaboratorRecord;
  readonly ref: RefRecord;
  readonly pull: PullRecord;
  readonly review: ReviewRecord;
  readonly comment: CommentRecord;
  readonly label: LabelRecord;
  readonly status: StatusRecord;
  readonly suite: CheckSuiteRecord;
  readonly check: CheckRunRecord;
  readonly hook: HookRecord;
  readonly delivery: DeliveryRecord;
  readonly protection: ProtectionRecord;
}

export type Kind = keyof Rows;
export type Stored<K extends Kind> = Rows[K] & { readonly id: number };
export type Account = Stored<'account'>;
export type RepositoryRow = Stored<'repository'>;
export type Pull = Stored<'pull'>;
export type Hook = Stored<'hook'>;
export type Delivery = Stored<'delivery'>;
export type Protected = Stored<'protection'>;
