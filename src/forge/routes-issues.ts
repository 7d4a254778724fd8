import { actor, alone, appMust, notAccessible, now, openRepository, permissionOf } from './access.ts';
import type { Answer } from './answer.ts';
import { created, invalid, noContent, notFound, ok, refuse } from './answer.ts';
import { oneOf, optionalText, text, texts } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import { raise } from './events.ts';
import { paged } from './page.ts';
import type { Pull, Stored } from './records.ts';
import { pullOf, savePull } from './routes-pulls.ts';
import { api, nodeId } from './view-account.ts';
import { accountView, association, issueView, labelView } from './view-pull.ts';
import { repositoryPath } from './view-repository.ts';

const BASE = '/repos/{owner}/{repo}';

/** The forge has no issues of their own: these are pull requests seen as issues, for comments and labels. */
export const ISSUE_ROUTES: readonly Route[] = [
  { method: 'GET', path: `${BASE}/issues/{issue_number}`, resource: 'Issue', handle: getIssue },
  { method: 'PATCH', path: `${BASE}/issues/{issue_number}`, resource: 'Issue', handle: alone(updateIssue) },
  { method: 'GET', path: `${BASE}/issues/{issue_number}/comments`, resource: 'IssueComment', handle: listComments },
  { method: 'POST', path: `${BASE}/issues/{issue_number}/comments`, resource: 'IssueComment', handle: alone(createComment) },
  { method: 'GET', path: `${BASE}/issues/comments/{comment_id}`, resource: 'IssueComment', handle: getComment },
  { method: 'PATCH', path: `${BASE}/issues/comments/{comment_id}`, resource: 'IssueComment', handle: updateComment },
  { method: 'DELETE', path: `${BASE}/issues/comments/{comment_id}`, resource: 'IssueComment', handle: deleteComment },
  { method: 'GET', path: `${BASE}/issues/{issue_number}/labels`, resource: 'Label', handle: listIssueLabels },
  { method: 'POST', path: `${BASE}/issues/{issue_number}/labels`, resource: 'Label', handle: alone(addLabels) },
  { method: 'PUT', path: `${BASE}/issues/{issue_number}/labels`, resource: 'Label', handle: alone(setLabels) },
  { method: 'DELETE', path: `${BASE}/issues/{issue_number}/labels/{name}`, resource: 'Label', handle: alone(removeLabel) },
  { method: 'GET', path: `${BASE}/labels`, resource: 'Label', handle: listLabels },
  { method: 'POST', path: `${BASE}/labels`, resource: 'Label', handle: createLabel },
  { method: 'GET', path: `${BASE}/labels/{name}`, resource: 'Label', handle: getLabel },
];

const LARGEST_COMMENT = 65_536;

async function issueOf(call: Call): Promise<{ readonly opened: Opened; readonly pull: Pull }> {
  const opened = await openRepository(call, 'read');
  return { opened, pull: pullOf(call, opened, 'issue_number') };
}

async function getIssue(call: Call): Promise<Answer> {
  const { opened, pull } = await issueOf(call);
  return ok(issueView(call.world, opened, pull));
}

async function updateIssue(call: Call): Promise<Answer> {
  const { opened, pull } = await issueOf(call);
  mayWrite(call, opened);
  const state = oneOf(call.body, 'state', ['open', 'closed']) ?? pull.state;
  if (state === 'open' && pull.merge !== undefined) throw invalid('Issue', 'state', 'invalid');
  const labels = texts(call.body, 'labels');
  const at = now(call.world);
  const next: Pull = {
    ...pull,
    title: optionalText(call.body, 'title') ?? pull.title,
    body: optionalText(call.body, 'body') ?? pull.body,
    state,
    labels: labels ?? pull.labels,
    closedAt: state === 'closed' ? (pull.closedAt ?? at) : undefined,
    closedBy: state === 'closed' ? (pull.closedBy ?? actor(call).id) : undefined,
    updatedAt: at,
  };
  if (labels !== undefined) ensureLabels(call, opened, labels);
  const action = state === pull.state ? (labels === undefined ? 'edited' : 'labeled') : state === 'closed' ? 'closed' : 'reopened';
  await savePull(call, opened, next, { action });
  return ok(issueView(call.world, opened, next));
}

function mayWrite(call: Call, opened: Opened): void {
  actor(call);
  if (call.caller.kind === 'installation' && call.caller.app.permissions['pull_requests'] !== 'write') appMust(call, 'issues');
  if (!permissionOf(call.world, call.caller, opened.row, opened.owner).push) throw notAccessible(call);
}

function commentView(call: Call, opened: Opened, comment: Stored<'comment'>) {
  const path = repositoryPath(opened.owner, opened.row);
  const url = api(call.world, `${path}/issues/comments/${comment.id}`);
  return {
    url,
    html_url: `${call.world.url()}/${opened.owner.login}/${opened.row.name}/pull/${comment.number}#issuecomment-${comment.id}`,
    issue_url: api(call.world, `${path}/issues/${comment.number}`),
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    user: accountView(call.world, comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: association(call.world, opened, comment.author),
    body: comment.body,
  };
}

async function listComments(call: Call): Promise<Answer> {
  const { opened, pull } = await issueOf(call);
  const since = call.query.get('since') ?? '';
  const comments = call.world.store.list('comment', opened.row.id).filter((row) => row.number === pull.number && row.updatedAt >= since);
  return paged(call, comments, (comment) => commentView(call, opened, comment));
}

function commentText(call: Call): string {
  const body = text(call.body, 'body');
  if (body.length > LARGEST_COMMENT)
    throw invalid('IssueComment', 'body', 'custom', `body is too long (maximum is ${LARGEST_COMMENT} characters)`);
  return body;
}

async function createComment(call: Call): Promise<Answer> {
  const { opened, pull } = await issueOf(call);
  const account = actor(call);
  const body = commentText(call);
  const at = now(call.world);
  const comment = call.world.store.transaction(() => {
    const row = call.world.store.insert(
      'comment',
      { parent: opened.row.id, key: undefined },
      {
        number: pull.number,
        author: account.id,
        body,
        createdAt: at,
        updatedAt: at,
      },
    );
    call.world.store.save('pull', { ...pull, updatedAt: at });
    tell(call, opened, { pull, comment: row, action: 'created' });
    return row;
  });
  call.world.deliver();
  const view = commentView(call, opened, comment);
  return created(view, view.url);
}

function tell(call: Call, opened: Opened, of: { readonly pull: Pull; readonly comment: Stored<'comment'>; readonly action: string }): void {
  raise(call.world, opened, actor(call), {
    event: 'issue_comment',
    action: of.action,
    payload: { issue: issueView(call.world, opened, of.pull), comment: commentView(call, opened, of.comment) },
  });
}

async function commentOf(
  call: Call,
  change: boolean,
): Promise<{ readonly opened: Opened; readonly comment: Stored<'comment'>; readonly pull: Pull }> {
  const opened = await openRepository(call, 'read');
  const comment = call.world.store.list('comment', opened.row.id).find((row) => String(row.id) === param(call, 'comment_id'));
  const pull = comment === undefined ? undefined : call.world.store.find('pull', opened.row.id, String(comment.number));
  if (comment === undefined || pull === undefined) throw notFound();
  if (change && comment.author !== actor(call).id) mayWrite(call, opened);
  return { opened, comment, pull };
}

async function getComment(call: Call): Promise<Answer> {
  const { opened, comment } = await commentOf(call, false);
  return ok(commentView(call, opened, comment));
}

async function updateComment(call: Call): Promise<Answer> {
  const { opened, comment, pull } = await commentOf(call, true);
  const saved = { ...comment, body: commentText(call), updatedAt: now(call.world) };
  call.world.store.transaction(() => {
    call.world.store.save('comment', saved);
    tell(call, opened, { pull, comment: saved, action: 'edited' });
  });
  call.world.deliver();
  return ok(commentView(call, opened, saved));
}

async function deleteComment(call: Call): Promise<Answer> {
  const { opened, comment, pull } = await commentOf(call, true);
  call.world.store.transaction(() => {
    call.world.store.remove('comment', comment.id);
    tell(call, opened, { pull, comment, action: 'deleted' });
  });
  call.world.deliver();
  return noContent();
}

async function listIssueLabels(call: Call): Promise<Answer> {
  const { opened, pull } = await issueOf(call);
  return paged(call, pull.labels, (name) => labelView(call.world, opened, name));
}

/** A label that is not known yet is made, as on GitHub. */
function ensureLabels(call: Call, opened: Opened, names: readonly string[]): void {
  for (const name of names) {
    if (name === '' || name.length > 50) throw invalid('Label', 'name', 'invalid');
    const known = call.world.store.find('label', opened.row.id, name.toLowerCase());
    if (known !== undefined) continue;
    call.world.store.insert('label', { parent: opened.row.id, key: name.toLowerCase() }, { name, color: 'ededed', description: undefined });
  }
}

async function relabel(call: Call, of: { readonly opened: Opened; readonly pull: Pull }, labels: readonly string[]): Promise<Answer> {
  const { opened, pull } = of;
  mayWrite(call, opened);
  ensureLabels(call, opened, labels);
  const added = labels.find((name) => !pull.labels.includes(name));
  const removed = pull.labels.find((name) => !labels.includes(name));
  const next = { ...pull, labels, updatedAt: now(call.world) };
  const moved = added ?? removed;
  if (moved !== undefined) {
    const extra = { label: labelView(call.world, opened, moved) };
    await savePull(call, opened, next, { action: added === undefined ? 'unlabeled' : 'labeled', extra });
  }
  return ok(labels.map((name) => labelView(call.world, opened, name)));
}

async function addLabels(call: Call): Promise<Answer> {
  const of = await issueOf(call);
  return relabel(call, of, [...new Set([...of.pull.labels, ...(texts(call.body, 'labels') ?? [])])]);
}

async function setLabels(call: Call): Promise<Answer> {
  return relabel(call, await issueOf(call), [...new Set(texts(call.body, 'labels') ?? [])]);
}

async function removeLabel(call: Call): Promise<Answer> {
  const of = await issueOf(call);
  const name = param(call, 'name');
  if (!of.pull.labels.includes(name)) throw refuse(404, 'Label does not exist');
  return relabel(
    call,
    of,
    of.pull.labels.filter((label) => label !== name),
  );
}

async function listLabels(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  return paged(call, call.world.store.list('label', opened.row.id), (label) => labelView(call.world, opened, label.name));
}

async function createLabel(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  mayWrite(call, opened);
  const name = text(call.body, 'name');
  const color = optionalText(call.body, 'color') ?? 'ededed';
  if (!/^[0-9a-fA-F]{6}$/.test(color)) throw invalid('Label', 'color', 'invalid');
  if (call.world.store.find('label', opened.row.id, name.toLowerCase()) !== undefined) throw invalid('Label', 'name', 'already_exists');
  const record = { name, color, description: optionalText(call.body, 'description') };
  call.world.store.insert('label', { parent: opened.row.id, key: name.toLowerCase() }, record);
  return created(labelView(call.world, opened, name));
}

async function getLabel(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const label = call.world.store.find('label', opened.row.id, param(call, 'name').toLowerCase());
  if (label === undefined) throw notFound();
  return ok(labelView(call.world, opened, label.name));
}
