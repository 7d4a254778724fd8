import { isObjectId, sha256Of, toCommitId, type CommitId, type Sha256 } from '#model/digest.ts';
import { parseInstant, toInstant } from '#model/instant.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import type { CheckReading, Review } from '#model/promotion.ts';
import type { Evidence } from '#ports/forge.ts';
import { toChangeRequest } from './change-requests.ts';
import type { GithubClient } from './client.ts';
import { asking, statusOf } from './failures.ts';

const PAGE = 100;

export function evidence(client: GithubClient, publish: Evidence['publish']): Evidence {
  return {
    reviews: (number) =>
      asking(`reading reviews of pull request ${number}`, async () => {
        const octokit = await client.octokit();
        const answers = await octokit.paginate(octokit.pulls.listReviews, { ...client.at, pull_number: number, per_page: PAGE });
        return answers.flatMap((one): readonly Review[] => {
          const state = REVIEW_STATES.get(one.state);
          if (state === undefined) return [];
          const commit = one.commit_id !== null && isObjectId(one.commit_id) ? toCommitId(one.commit_id) : undefined;
          const at = parseInstant(one.submitted_at ?? '') ?? toInstant(0);
          return [{ reviewer: one.user?.login ?? 'ghost', state, commit, at, sha256: digestOf(one) }];
        });
      }),

    commitAuthors: (number) =>
      asking(`reading commits of pull request ${number}`, async () => {
        const octokit = await client.octokit();
        const commits = await octokit.paginate(octokit.pulls.listCommits, { ...client.at, pull_number: number, per_page: PAGE });
        return [...new Set(commits.flatMap((one) => [loginOf(one.author), loginOf(one.committer)]).filter((login) => login !== ''))].sort();
      }),

    checks: (commit) =>
      asking(`reading checks of ${commit}`, async () => [
        ...(await statusReadings(client, commit)),
        ...(await runReadings(client, commit)),
      ]),

    publish,

    isMember: (login, team) =>
      asking(`asking whether ${login} is in ${team}`, async () => {
        const octokit = await client.octokit();
        const [org, slug] = team.includes('/') ? team.split('/', 2) : [client.at.owner, team];
        try {
          const { data } = await octokit.teams.getMembershipForUserInOrg({ org: org ?? '', team_slug: slug ?? '', username: login });
          return data.state === 'active';
        } catch (error) {
          if (statusOf(error) === 404) return false;
          throw error;
        }
      }),

    changeRequestOf: (commit) =>
      asking(`looking for the pull request of ${commit}`, async () => {
        const octokit = await client.octokit();
        const { data } = await octokit.repos.listPullRequestsAssociatedWithCommit({ ...client.at, commit_sha: commit, per_page: PAGE });
        const merged = data.filter((pull) => typeof pull.merged_at === 'string');
        const pull = merged.find((one) => one.merge_commit_sha === commit) ?? merged[0];
        return pull === undefined ? undefined : toChangeRequest(pull);
      }),
  };
}

/** Of the review as it was given, in the one order and spacing that a later reading has, too (RFC 8785). */
function digestOf(review: object): Sha256 {
  return sha256Of(canonicalJson(JSON.parse(JSON.stringify(review)) as Json));
}

/** Nobody where the forge knows no account with the address; an empty object is another way to say so. */
function loginOf(user: object | null): string {
  return user !== null && 'login' in user && typeof user.login === 'string' ? user.login : '';
}

const REVIEW_STATES: ReadonlyMap<string, Review['state']> = new Map([
  ['APPROVED', 'approved'],
  ['CHANGES_REQUESTED', 'changes-requested'],
  ['COMMENTED', 'commented'],
  ['DISMISSED', 'dismissed'],
]);

/** The newest status of each context. */
export async function statusReadings(client: GithubClient, commit: CommitId): Promise<readonly CheckReading[]> {
  const octokit = await client.octokit();
  const statuses: { readonly context: string; readonly state: string; readonly description?: string | null }[] = [];
  for (let page = 1; page <= 10; page++) {
    const { data } = await octokit.repos.getCombinedStatusForRef({ ...client.at, ref: commit, per_page: PAGE, page });
    statuses.push(...data.statuses);
    if (data.statuses.length < PAGE) break;
  }
  return statuses.map(({ context, state, description }) => ({
    name: context,
    state: state === 'success' ? 'success' : state === 'pending' ? 'pending' : 'failure',
    detail: description ?? '',
  }));
}

export interface RunAnswer {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly output: { readonly title: string | null };
  readonly app: { readonly id: number } | null;
}

async function runReadings(client: GithubClient, commit: CommitId): Promise<readonly CheckReading[]> {
  return (await checkRuns(client, commit, undefined)).map(toReading);
}

export async function checkRuns(client: GithubClient, commit: CommitId, name: string | undefined): Promise<readonly RunAnswer[]> {
  const octokit = await client.octokit();
  const only = name === undefined ? {} : { check_name: name };
  return octokit.paginate(octokit.checks.listForRef, { ...client.at, ref: commit, filter: 'latest', per_page: PAGE, ...only });
}

const GOOD_CONCLUSIONS: ReadonlySet<string> = new Set(['success', 'neutral', 'skipped']);

export function toReading(run: RunAnswer): CheckReading {
  const state = run.status !== 'completed' ? 'pending' : GOOD_CONCLUSIONS.has(run.conclusion ?? '') ? 'success' : 'failure';
  return { name: run.name, state, detail: run.output.title ?? '' };
}
