import { toCommitId } from '#model/digest.ts';
import { parseInstant, toInstant, type Instant } from '#model/instant.ts';
import type { ChangeRequest } from '#model/promotion.ts';
import type { ChangeRequests } from '#ports/forge.ts';
import { PortError } from '#ports/port-error.ts';
import type { GithubClient } from './client.ts';
import { asking, forgeWords, statusOf } from './failures.ts';

/** A pull request as lists and single answers of the forge both give it. */
export interface PullAnswer {
  readonly number: number;
  readonly state: string;
  readonly title: string;
  readonly body?: string | null;
  readonly user: { readonly login: string } | null;
  readonly head: { readonly ref: string; readonly sha: string; readonly repo?: { readonly id: number } | null };
  readonly base: { readonly ref: string; readonly repo: { readonly id: number } };
  readonly merged_at?: string | null;
  readonly merge_commit_sha?: string | null;
  readonly labels: readonly { readonly name?: string }[];
  readonly html_url: string;
  readonly updated_at: string;
}

const PAGE = 100;
/** Closed requests are read newest first and no further than this. */
const MOST_CLOSED = 1000;

export function changeRequests(client: GithubClient): ChangeRequests {
  async function findByHead(head: string): Promise<ChangeRequest | undefined> {
    const octokit = await client.octokit();
    const { data } = await octokit.pulls.list({ ...client.at, head: `${client.at.owner}:${head}`, state: 'all', per_page: PAGE });
    // An old server may not know the filter; the branch's name is compared in any case.
    const own = data.filter((pull) => pull.head.ref === head && isOwnBranch(pull));
    const pull = own.find((one) => one.state === 'open') ?? own[0];
    return pull === undefined ? undefined : describe(pull);
  }

  async function describe(pull: PullAnswer): Promise<ChangeRequest> {
    const request = toChangeRequest(pull);
    if (request.state !== 'closed') return request;
    return { ...request, closedBy: await closerOf(client, pull.number) };
  }

  async function addLabels(number: number, wanted: readonly string[], present: readonly string[]): Promise<void> {
    const missing = wanted.filter((label) => !present.includes(label));
    if (missing.length === 0) return;
    const octokit = await client.octokit();
    await octokit.issues.addLabels({ ...client.at, issue_number: number, labels: missing });
  }

  return {
    findByHead: (head) => asking(`looking for the pull request of ${head}`, () => findByHead(head)),

    list: (headPrefix, since) =>
      asking('listing pull requests', async () => {
        const pulls = [...(await openPulls(client)), ...(await closedPulls(client, since))];
        const own = pulls.filter((pull) => pull.head.ref.startsWith(headPrefix) && isOwnBranch(pull));
        return Promise.all(own.map(describe));
      }),

    open: (draft) =>
      asking(`opening a pull request for ${draft.head}`, async () => {
        // Whoever opens one has just found none: asking again would cost a request each time, being refused costs one after a crash.
        let request: ChangeRequest | undefined;
        const octokit = await client.octokit();
        const { head, base, title, body } = draft;
        try {
          const { data } = await octokit.pulls.create({ ...client.at, head, base, title, body });
          request = toChangeRequest(data);
        } catch (error) {
          // Somebody else, or we before a crash, was quicker.
          if (statusOf(error) !== 422) throw error;
          request = await findByHead(head);
          if (request?.state !== 'open') throw error;
        }
        await addLabels(request.number, draft.labels, request.labels);
        return { ...request, labels: [...new Set([...request.labels, ...draft.labels])] };
      }),

    edit: (number, change) =>
      asking(`editing pull request ${number}`, async () => {
        const octokit = await client.octokit();
        const { title, body, state, comment } = change;
        if (comment !== undefined) await commentOnce(client, number, comment);
        if (title === undefined && body === undefined && state === undefined) return;
        await octokit.pulls.update({
          ...client.at,
          pull_number: number,
          ...(title === undefined ? {} : { title }),
          ...(body === undefined ? {} : { body }),
          ...(state === undefined ? {} : { state }),
        });
      }),

    merge: (number, request) => asking(`merging pull request ${number}`, () => merge(client, number, request)),
  };
}

export function toChangeRequest(pull: PullAnswer): ChangeRequest {
  const isMerged = typeof pull.merged_at === 'string';
  const merged = isMerged && typeof pull.merge_commit_sha === 'string' ? toCommitId(pull.merge_commit_sha) : undefined;
  return {
    number: pull.number,
    state: isMerged ? 'merged' : pull.state === 'open' ? 'open' : 'closed',
    title: pull.title,
    body: pull.body ?? '',
    author: pull.user?.login ?? 'ghost',
    head: pull.head.ref,
    headCommit: toCommitId(pull.head.sha),
    base: pull.base.ref,
    mergeCommit: merged,
    closedBy: undefined,
    labels: pull.labels.flatMap((label) => (label.name === undefined ? [] : [label.name])),
    url: pull.html_url,
    updatedAt: parseInstant(pull.updated_at) ?? toInstant(0),
  };
}

/** A fork may name its branch like one of ours; only branches of this repository count. */
function isOwnBranch(pull: PullAnswer): boolean {
  return pull.head.repo !== null && pull.head.repo?.id === pull.base.repo.id;
}

async function openPulls(client: GithubClient): Promise<readonly PullAnswer[]> {
  const octokit = await client.octokit();
  return octokit.paginate(octokit.pulls.list, { ...client.at, state: 'open', per_page: PAGE });
}

async function closedPulls(client: GithubClient, since: Instant | undefined): Promise<readonly PullAnswer[]> {
  const octokit = await client.octokit();
  const order = { state: 'closed', sort: 'updated', direction: 'desc', per_page: PAGE } as const;
  const found: PullAnswer[] = [];
  for await (const { data } of octokit.paginate.iterator(octokit.pulls.list, { ...client.at, ...order })) {
    const recent = data.filter((pull) => since === undefined || Date.parse(pull.updated_at) >= since);
    found.push(...recent);
    if (recent.length < data.length || found.length >= MOST_CLOSED) break;
  }
  return found;
}

async function closerOf(client: GithubClient, number: number): Promise<string | undefined> {
  const octokit = await client.octokit();
  try {
    const { data } = await octokit.issues.get({ ...client.at, issue_number: number });
    return data.closed_by?.login;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

async function commentOnce(client: GithubClient, number: number, body: string): Promise<void> {
  const octokit = await client.octokit();
  const comments = await octokit.paginate(octokit.issues.listComments, { ...client.at, issue_number: number, per_page: PAGE });
  if (comments.some((comment) => comment.body === body)) return;
  await octokit.issues.createComment({ ...client.at, issue_number: number, body });
}

type MergeMethod = 'merge' | 'squash' | 'rebase';

async function merge(
  client: GithubClient,
  number: number,
  request: Parameters<ChangeRequests['merge']>[1],
): Promise<Awaited<ReturnType<ChangeRequests['merge']>>> {
  const octokit = await client.octokit();
  let reason = 'the repository allows no way of merging';
  for (const method of await allowedMethods(client)) {
    const words = method === 'rebase' ? {} : { commit_title: request.title, commit_message: request.message };
    try {
      const target = { ...client.at, pull_number: number, sha: request.head, merge_method: method };
      const { data } = await octokit.pulls.merge({ ...target, ...words });
      return { kind: 'merged', commit: toCommitId(data.sha) };
    } catch (error) {
      const status = statusOf(error);
      if (status !== 405 && status !== 409) throw error;
      reason = forgeWords(error);
      // A rule of the branch may forbid a method that the repository allows.
      if (status === 409 || !/not allowed/i.test(reason)) break;
    }
  }
  return (await mergedBefore(client, number, request.head)) ?? { kind: 'refused', reason };
}

/** Merge commit if allowed, else squash, else rebase. A login that may not see the settings tries the first. */
async function allowedMethods(client: GithubClient): Promise<readonly MergeMethod[]> {
  const octokit = await client.octokit();
  const { data } = await octokit.repos.get(client.at);
  const methods: MergeMethod[] = [];
  if (data.allow_merge_commit !== false) methods.push('merge');
  if (data.allow_squash_merge !== false) methods.push('squash');
  if (data.allow_rebase_merge !== false) methods.push('rebase');
  return methods;
}

/** The answer to a merge that was made before, by us until a crash or by somebody else, of exactly this head. */
async function mergedBefore(
  client: GithubClient,
  number: number,
  head: string,
): Promise<{ readonly kind: 'merged'; readonly commit: ReturnType<typeof toCommitId> } | undefined> {
  const octokit = await client.octokit();
  const { data } = await octokit.pulls.get({ ...client.at, pull_number: number });
  if (!data.merged || data.head.sha !== head) return undefined;
  if (typeof data.merge_commit_sha !== 'string')
    throw new PortError('transient', `pull request ${number} is merged, its commit is not known yet`);
  return { kind: 'merged', commit: toCommitId(data.merge_commit_sha) };
}
