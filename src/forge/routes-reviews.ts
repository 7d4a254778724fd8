import { toCommitId } from '#model/digest.ts';
import { actor, appMust, now, openRepository } from './access.ts';
import type { Answer } from './answer.ts';
import { notFound, ok, refuse } from './answer.ts';
import { oneOf, optionalText, text } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import { raise } from './events.ts';
import { paged } from './page.ts';
import type { Pull, Stored } from './records.ts';
import { pullOf } from './routes-pulls.ts';
import { api, nodeId } from './view-account.ts';
import { accountView, association, pullSummary } from './view-pull.ts';
import { repositoryPath } from './view-repository.ts';

const BASE = '/repos/{owner}/{repo}/pulls/{pull_number}/reviews';
type Verdict = 'APPROVE' | 'REQUEST_CHANGES' | 'COMMENT';
const STATES = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' } as const;

export const REVIEW_ROUTES: readonly Route[] = [
  { method: 'GET', path: BASE, resource: 'PullRequestReview', handle: listReviews },
  { method: 'POST', path: BASE, resource: 'PullRequestReview', handle: createReview },
  { method: 'GET', path: `${BASE}/{review_id}`, resource: 'PullRequestReview', handle: getReview },
  { method: 'POST', path: `${BASE}/{review_id}/events`, resource: 'PullRequestReview', handle: submitReview },
  { method: 'PUT', path: `${BASE}/{review_id}/dismissals`, resource: 'PullRequestReview', handle: dismissReview },
];

function reviewView(call: Call, opened: Opened, pull: Pull, review: Stored<'review'>) {
  const html = `${call.world.url()}/${opened.owner.login}/${opened.row.name}/pull/${pull.number}#pullrequestreview-${review.id}`;
  const url = api(call.world, `${repositoryPath(opened.owner, opened.row)}/pulls/${pull.number}`);
  return {
    id: review.id,
    node_id: nodeId('PullRequestReview', review.id),
    user: accountView(call.world, review.author),
    body: review.body,
    state: review.state,
    html_url: html,
    pull_request_url: url,
    author_association: association(call.world, opened, review.author),
    _links: { html: { href: html }, pull_request: { href: url } },
    ...(review.state === 'PENDING' ? {} : { submitted_at: review.submittedAt }),
    commit_id: review.commit,
  };
}

function reviewOf(call: Call, pull: Pull): Stored<'review'> {
  const review = call.world.store.get('review', Number(param(call, 'review_id')));
  if (review === undefined || review.pull !== pull.id) throw notFound();
  return review;
}

async function listReviews(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const pull = pullOf(call, opened);
  const mine = call.caller.kind === 'user' || call.caller.kind === 'installation' ? call.caller.account.id : undefined;
  const reviews = call.world.store.list('review', pull.id).filter((review) => review.state !== 'PENDING' || review.author === mine);
  return paged(call, reviews, (review) => reviewView(call, opened, pull, review));
}

async function getReview(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const pull = pullOf(call, opened);
  return ok(reviewView(call, opened, pull, reviewOf(call, pull)));
}

function mayReview(call: Call, pull: Pull, verdict: Verdict | undefined): void {
  const account = actor(call);
  appMust(call, 'pull_requests');
  if (account.id !== pull.author) return;
  if (verdict === 'APPROVE') throw refuse(422, 'Unprocessable Entity', ['Review Can not approve your own pull request']);
  if (verdict === 'REQUEST_CHANGES') throw refuse(422, 'Unprocessable Entity', ['Review Can not request changes on your own pull request']);
}

async function createReview(call: Call): Promise<Answer> {
  const { world, body } = call;
  const opened = await openRepository(call, 'read');
  const pull = pullOf(call, opened);
  const verdict = oneOf(body, 'event', ['APPROVE', 'REQUEST_CHANGES', 'COMMENT']);
  mayReview(call, pull, verdict);
  const words = optionalText(body, 'body') ?? '';
  if (words === '' && verdict !== 'APPROVE' && verdict !== undefined) throw refuse(422, 'Unprocessable Entity', ['Body can’t be blank']);
  const commit = optionalText(body, 'commit_id') ?? pull.headSha;
  if (commit !== pull.headSha && (await opened.git.resolve(commit)) === undefined)
    throw refuse(422, 'Unprocessable Entity', ['The commit is not part of the pull request']);
  const review = world.store.transaction(() => {
    const row = world.store.insert(
      'review',
      { parent: pull.id, key: undefined },
      {
        pull: pull.id,
        author: actor(call).id,
        state: verdict === undefined ? 'PENDING' : STATES[verdict],
        body: words,
        commit: toCommitId(commit),
        submittedAt: now(world),
      },
    );
    if (verdict !== undefined) tell(call, opened, pull, { review: row, action: 'submitted' });
    return row;
  });
  world.deliver();
  return ok(reviewView(call, opened, pull, review));
}

async function submitReview(call: Call): Promise<Answer> {
  const { world, body } = call;
  const opened = await openRepository(call, 'read');
  const pull = pullOf(call, opened);
  const review = reviewOf(call, pull);
  const verdict = oneOf(body, 'event', ['APPROVE', 'REQUEST_CHANGES', 'COMMENT']);
  if (verdict === undefined) throw refuse(422, 'Unprocessable Entity', ['Event is required']);
  mayReview(call, pull, verdict);
  if (review.author !== actor(call).id || review.state !== 'PENDING')
    throw refuse(422, 'Unprocessable Entity', ['Can not submit this review']);
  const saved = { ...review, state: STATES[verdict], body: optionalText(body, 'body') ?? review.body, submittedAt: now(world) };
  world.store.transaction(() => {
    world.store.save('review', saved);
    tell(call, opened, pull, { review: saved, action: 'submitted' });
  });
  world.deliver();
  return ok(reviewView(call, opened, pull, saved));
}

async function dismissReview(call: Call): Promise<Answer> {
  const { world } = call;
  const opened = await openRepository(call, 'write');
  const pull = pullOf(call, opened);
  const review = reviewOf(call, pull);
  text(call.body, 'message');
  if (review.state !== 'APPROVED' && review.state !== 'CHANGES_REQUESTED')
    throw refuse(422, 'Unprocessable Entity', ['Can not dismiss this review']);
  const saved = { ...review, state: 'DISMISSED' } as const;
  world.store.transaction(() => {
    world.store.save('review', saved);
    tell(call, opened, pull, { review: saved, action: 'dismissed' });
  });
  world.deliver();
  return ok(reviewView(call, opened, pull, saved));
}

function tell(call: Call, opened: Opened, pull: Pull, of: { readonly review: Stored<'review'>; readonly action: string }): void {
  const view = reviewView(call, opened, pull, of.review);
  raise(call.world, opened, actor(call), {
    event: 'pull_request_review',
    action: of.action,
    payload: { review: { ...view, state: of.review.state.toLowerCase() }, pull_request: pullSummary(call.world, opened, pull) },
  });
}
