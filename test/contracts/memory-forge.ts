import { mergeTrees } from '#forge/tree-merge.ts';
import { sha256Of, type CommitId } from '#model/digest.ts';
import { branchRef, toRefName } from '#model/names.ts';
import type { ChangeRequest, CheckReading, Review } from '#model/promotion.ts';
import type { Forge, Protection } from '#ports/forge.ts';
import type { Clock } from '#ports/machine.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { Repository } from '#ports/repository.ts';

interface Pull {
  readonly request: ChangeRequest;
  readonly comments: readonly string[];
  readonly reviews: readonly Review[];
  /** Tip of the base when it was merged. */
  readonly mergedOnto: CommitId | undefined;
}

/** What a forge keeps beside the repository; survives every kill of the engine. */
export interface ForgeState {
  readonly pulls: Map<number, Pull>;
  /** `<commit> <name>`, in the order of publication. */
  readonly statuses: Map<string, { readonly commit: CommitId; readonly check: CheckReading }>;
  readonly protections: Map<string, Protection>;
  readonly webhooks: Set<string>;
  /** `<team> <login>` */
  readonly members: Set<string>;
  /** The one way in which it merges. */
  mergeMethod: 'merge' | 'squash' | 'rebase';
}

export function forgeState(from?: ForgeState): ForgeState {
  return {
    pulls: new Map(from?.pulls),
    statuses: new Map(from?.statuses),
    protections: new Map(from?.protections),
    webhooks: new Set(from?.webhooks),
    members: new Set(from?.members),
    mergeMethod: from?.mergeMethod ?? 'merge',
  };
}

export interface MemoryForgeOptions {
  /** The bare repository behind the forge. */
  readonly repository: Repository;
  readonly state: ForgeState;
  readonly clock: Clock;
  /** Who is logged in. */
  readonly login: string;
  /** Told between two writes of one call: a kill can come there. */
  readonly pause?: (where: string) => void;
}

/** A forge in memory, with what only people do. */
export interface MemoryForge extends Forge {
  /** Reviews in the name of the login; the author of a request cannot approve it. */
  review(number: number, state: Review['state']): Promise<void>;
  comments(number: number): readonly string[];
  /** Follows branches that were pushed: heads of requests move, and a request whose branch is gone is closed. */
  follow(): Promise<void>;
}

const LONGEST = 140;

/** Merges on the repository that it is given; statuses, reviews and requests are kept in `state`. */
export function memoryForge(options: MemoryForgeOptions): MemoryForge {
  const { repository, state, clock, login } = options;
  let requests = 0;

  function asked(): void {
    requests += 1;
  }

  function pullOf(number: number): Pull {
    const pull = state.pulls.get(number);
    if (pull === undefined) throw new PortError('missing', `there is no pull request ${number}`);
    return pull;
  }

  function change(number: number, fields: Partial<ChangeRequest>, rest: Partial<Pull> = {}): void {
    const pull = pullOf(number);
    state.pulls.set(number, { ...pull, ...rest, request: { ...pull.request, ...fields, updatedAt: clock.now() } });
  }

  async function follow(): Promise<void> {
    const refs = await repository.refs();
    for (const { request } of state.pulls.values()) {
      if (request.state !== 'open') continue;
      const head = refs.get(branchRef(request.head));
      if (head === undefined) change(request.number, { state: 'closed', closedBy: login });
      else if (head !== request.headCommit) {
        await repository.push([{ ref: pullRef(request.number), expected: refs.get(pullRef(request.number)), next: head }]);
        change(request.number, { headCommit: head });
      }
    }
  }

  function newestOf(head: string): ChangeRequest | undefined {
    const own = [...state.pulls.values()].map((pull) => pull.request).filter((request) => request.head === head);
    return own.find((request) => request.state === 'open') ?? own.at(-1);
  }

  async function findOrCreate(draft: Parameters<Forge['open']>[0]): Promise<ChangeRequest> {
    const refs = await repository.refs();
    const [headCommit, base] = [refs.get(branchRef(draft.head)), refs.get(branchRef(draft.base))];
    const isMerged = headCommit !== undefined && base !== undefined && (await repository.isAncestor(headCommit, base));
    const there = newestOf(draft.head);
    if (there?.state === 'open') return there;
    if (headCommit === undefined) throw new PortError('invalid', `there is no branch ${draft.head}`);
    if (isMerged) throw new PortError('invalid', `No commits between ${draft.base} and ${draft.head}`);
    const number = state.pulls.size + 1;
    const request: ChangeRequest = {
      number,
      state: 'open',
      title: draft.title,
      body: draft.body,
      author: login,
      head: draft.head,
      headCommit,
      base: draft.base,
      mergeCommit: undefined,
      closedBy: undefined,
      labels: [],
      url: `https://forge.invalid/pull/${number}`,
      updatedAt: clock.now(),
    };
    state.pulls.set(number, { request, comments: [], reviews: [], mergedOnto: undefined });
    await repository.push([{ ref: pullRef(number), expected: undefined, next: headCommit }]);
    return request;
  }

  function objection(pull: Pull, head: CommitId): string | undefined {
    const { request } = pull;
    if (request.state !== 'open') return 'Pull Request is not mergeable';
    if (request.headCommit !== head) return 'Head branch was modified. Review and try the merge again.';
    const rule = state.protections.get(request.base);
    const missing = (rule?.requiredChecks ?? []).filter((name) => state.statuses.get(`${head} ${name}`)?.check.state !== 'success');
    if (missing.length > 0) return `Required status checks are expected: ${missing.join(', ')}`;
    const approvals = new Set(pull.reviews.filter((review) => review.state === 'approved').map((review) => review.reviewer));
    if (approvals.size < (rule?.requiredApprovals ?? 0)) return 'At least 1 approving review is required by reviewers with write access.';
    return undefined;
  }

  async function mergeInto(pull: Pull, words: { readonly title: string; readonly message: string }) {
    const { number, base, headCommit } = pull.request;
    const tip = (await repository.refs()).get(branchRef(base));
    if (tip === undefined) throw new PortError('missing', `there is no branch ${base}`);
    const parted = await repository.mergeBase(tip, headCommit);
    const [ancestor, ours, theirs] = await Promise.all(
      [parted ?? tip, tip, headCommit].map(async (id) => (await repository.commit(id)).tree),
    );
    if (ours === undefined || theirs === undefined) throw new Error('three trees were asked for');
    const merged = await mergeTrees(repository, { base: ancestor, ours, theirs });
    if (merged.kind === 'conflict') return { kind: 'refused', reason: 'Pull Request is not mergeable' } as const;
    // A rebase of the one commit that a request of the stories has: its author and its words stay, its signature does not.
    const replayed = state.mergeMethod === 'rebase' ? await repository.commit(headCommit) : undefined;
    const commit = await repository.writeCommit(
      {
        base: ours,
        changes: merged.changes,
        parents: state.mergeMethod === 'merge' ? [tip, headCommit] : [tip],
        author: replayed?.author ?? { name: login, email: `${login}@forge.invalid`, at: clock.now(), zone: '+0000' },
        message: replayed?.message ?? `${words.title}\n\n${words.message}`,
      },
      undefined,
    );
    try {
      await repository.push([{ ref: branchRef(base), expected: tip, next: commit }]);
    } catch (error) {
      if (!isPortError(error) || error.kind !== 'conflict') throw error;
      return { kind: 'refused', reason: 'Base branch was modified. Review and try the merge again.' } as const;
    }
    change(number, { state: 'merged', mergeCommit: commit, closedBy: undefined }, { mergedOnto: tip });
    return { kind: 'merged', commit } as const;
  }

  return {
    follow,
    comments: (number) => pullOf(number).comments,
    async review(number, given) {
      const pull = pullOf(number);
      if (given === 'approved' && pull.request.author === login) throw new PortError('invalid', 'Can not approve your own pull request');
      const facts = { reviewer: login, state: given, commit: pull.request.headCommit, at: clock.now() };
      const review: Review = { ...facts, sha256: sha256Of(JSON.stringify({ number, ...facts })) };
      change(number, {}, { reviews: [...pull.reviews, review] });
    },
    async findByHead(head) {
      asked();
      await follow();
      return newestOf(head);
    },
    async list(headPrefix, since) {
      asked();
      await follow();
      return [...state.pulls.values()]
        .map((pull) => pull.request)
        .filter((request) => request.head.startsWith(headPrefix))
        .filter((request) => request.state === 'open' || since === undefined || request.updatedAt >= since);
    },
    async open(draft) {
      asked();
      await follow();
      const request = await findOrCreate(draft);
      const labels = [...new Set([...request.labels, ...draft.labels])];
      options.pause?.('opened, not labelled yet');
      if (labels.length > request.labels.length) change(request.number, { labels });
      return pullOf(request.number).request;
    },
    async edit(number, { comment, ...fields }) {
      asked();
      const pull = pullOf(number);
      if (comment !== undefined && !pull.comments.includes(comment)) change(number, {}, { comments: [...pull.comments, comment] });
      options.pause?.('commented, not edited yet');
      if (pull.request.state === 'merged') return;
      if (Object.keys(fields).length > 0) change(number, { ...fields, ...(fields.state === undefined ? {} : { closedBy: login }) });
    },
    async merge(number, request) {
      asked();
      await follow();
      const pull = pullOf(number);
      const { mergeCommit, headCommit } = pull.request;
      if (mergeCommit !== undefined && headCommit === request.head) return { kind: 'merged', commit: mergeCommit };
      const reason = objection(pull, request.head);
      return reason === undefined ? mergeInto(pull, request) : { kind: 'refused', reason };
    },
    async reviews(number) {
      asked();
      return pullOf(number).reviews;
    },
    async commitAuthors(number) {
      asked();
      const { headCommit, base } = pullOf(number).request;
      const onto = pullOf(number).mergedOnto ?? (await repository.refs()).get(branchRef(base));
      const logins = new Set<string>();
      for (const id of await repository.firstParents(headCommit, undefined, 250)) {
        if (onto !== undefined && (await repository.isAncestor(id, onto))) break;
        const commit = await repository.commit(id);
        for (const { email } of [commit.author, commit.committer]) logins.add(email.replace(/@.*/, ''));
      }
      return [...logins].sort();
    },
    async checks(commit) {
      asked();
      return [...state.statuses.values()].filter((status) => status.commit === commit).map((status) => status.check);
    },
    async publish(commit, check) {
      const detail = check.detail.length <= LONGEST ? check.detail : `${check.detail.slice(0, LONGEST - 1)}…`;
      const there = state.statuses.get(`${commit} ${check.name}`)?.check;
      if (there?.state === check.state && there.detail === detail) return;
      asked();
      state.statuses.set(`${commit} ${check.name}`, { commit, check: { ...check, detail } });
    },
    async isMember(who, team) {
      asked();
      return state.members.has(`${team} ${who}`);
    },
    async changeRequestOf(commit) {
      asked();
      const merged = [...state.pulls.values()].filter((pull) => pull.request.state === 'merged');
      const exact = merged.find((pull) => pull.request.mergeCommit === commit);
      if (exact !== undefined) return exact.request;
      for (const pull of merged) {
        const isBrought = await repository.isAncestor(commit, pull.request.headCommit);
        if (isBrought && pull.mergedOnto !== undefined && !(await repository.isAncestor(commit, pull.mergedOnto))) return pull.request;
      }
      return undefined;
    },
    async account() {
      return { login, kind: 'user' };
    },
    async protection(branch) {
      asked();
      return state.protections.get(branch) ?? { protected: false, requiredChecks: [], requiredApprovals: 0 };
    },
    async protect(branch, requiredChecks) {
      asked();
      const before = state.protections.get(branch);
      state.protections.set(branch, {
        protected: true,
        requiredChecks: [...new Set([...(before?.requiredChecks ?? []), ...requiredChecks])].sort(),
        requiredApprovals: before?.requiredApprovals ?? 0,
      });
    },
    async redeliverFailed() {
      asked();
      return 0;
    },
    async hasWebhook(url) {
      asked();
      return state.webhooks.has(url);
    },
    async installWebhook(url) {
      asked();
      state.webhooks.add(url);
    },
    counts: () => ({ requests }),
  };
}

function pullRef(number: number) {
  return toRefName(`refs/pull/${number}/head`);
}
