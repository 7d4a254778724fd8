import type { CommitId } from '#model/digest.ts';
import { actor, appMust, now, openRepository } from './access.ts';
import type { Answer } from './answer.ts';
import { created, invalid, ok, refuse } from './answer.ts';
import { oneOf, optionalText } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import { combinedState, commitShelf, latestStatuses, statusesOf } from './checks-state.ts';
import { raise } from './events.ts';
import { paged, windowOf } from './page.ts';
import type { Stored } from './records.ts';
import { api, nodeId } from './view-account.ts';
import { commitView } from './view-commit.ts';
import { accountView } from './view-pull.ts';
import { minimalRepository, repositoryPath } from './view-repository.ts';

export const STATUS_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/repos/{owner}/{repo}/statuses/{sha}', resource: 'Status', handle: createStatus },
  { method: 'GET', path: '/repos/{owner}/{repo}/commits/{ref}/status', resource: 'Status', handle: combinedStatus },
  { method: 'GET', path: '/repos/{owner}/{repo}/commits/{ref}/statuses', resource: 'Status', handle: listStatuses },
];

const MOST_STATUSES = 1000;

/** The commit a route names by id, branch or tag. */
export async function commitNamed(call: Call, opened: Opened, name: string): Promise<CommitId> {
  const text = param(call, name).replace(/^(?:refs\/)?(?:heads|tags)\//, '');
  const commit = await opened.git.resolve(text);
  if (commit === undefined) throw refuse(422, `No commit found for SHA: ${text}`);
  return commit;
}

function statusView(call: Call, opened: Opened, status: Stored<'status'>) {
  const creator = accountView(call.world, status.creator);
  return {
    url: api(call.world, `${repositoryPath(opened.owner, opened.row)}/statuses/${status.commit}`),
    avatar_url: creator?.['avatar_url'] ?? null,
    id: status.id,
    node_id: nodeId('StatusContext', status.id),
    state: status.state,
    description: status.description ?? null,
    target_url: status.targetUrl ?? null,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator,
  };
}

async function createStatus(call: Call): Promise<Answer> {
  const { world, body } = call;
  const opened = await openRepository(call, 'write');
  appMust(call, 'statuses');
  const commit = await commitNamed(call, opened, 'sha');
  const state = oneOf(body, 'state', ['error', 'failure', 'pending', 'success']);
  if (state === undefined) throw invalid('Status', 'state', 'missing_field');
  const description = optionalText(body, 'description');
  if (description !== undefined && description.length > 140) {
    throw refuse(422, 'Validation Failed', [
      { resource: 'Status', code: 'custom', field: 'description', message: 'description is too long (maximum is 140 characters)' },
    ]);
  }
  const context = optionalText(body, 'context') ?? 'default';
  if (statusesOf(world, opened.row.id, commit).filter((row) => row.context === context).length >= MOST_STATUSES) {
    throw refuse(422, 'Validation Failed', ['This SHA and context has reached the maximum number of statuses.']);
  }
  const whole = commitView(world, opened, await opened.git.commit(commit));
  const branches = [...(await opened.git.refs())].filter(([name, id]) => name.startsWith('refs/heads/') && id === commit);
  const status = world.store.transaction(() => {
    const row = world.store.insert(
      'status',
      { parent: commitShelf(commit), key: undefined },
      {
        repository: opened.row.id,
        commit,
        state,
        context,
        description,
        targetUrl: optionalText(body, 'target_url'),
        creator: actor(call).id,
        createdAt: now(world),
      },
    );
    const { creator: _creator, url: _url, node_id: _node, ...shown } = statusView(call, opened, row);
    raise(world, opened, actor(call), {
      event: 'status',
      payload: {
        ...shown,
        sha: commit,
        name: `${opened.owner.login}/${opened.row.name}`,
        commit: whole,
        branches: branches.map(([name, id]) => ({
          name: name.slice('refs/heads/'.length),
          commit: { sha: id, url: api(world, `${repositoryPath(opened.owner, opened.row)}/commits/${id}`) },
          protected: false,
        })),
      },
    });
    return row;
  });
  world.deliver();
  return created(statusView(call, opened, status));
}

async function combinedStatus(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const commit = await commitNamed(call, opened, 'ref');
  const latest = latestStatuses(call.world, opened.row.id, commit);
  const { page, size } = windowOf(call);
  const path = repositoryPath(opened.owner, opened.row);
  const shown = latest.slice((page - 1) * size, page * size).map((status) => {
    const { creator: _creator, ...simple } = statusView(call, opened, status);
    return { ...simple, required: false };
  });
  const { headers = {} } = await paged(call, latest, () => undefined);
  const body = {
    state: combinedState(latest.map((status) => status.state)),
    statuses: shown,
    sha: commit,
    total_count: latest.length,
    repository: minimalRepository(call.world, opened.row, opened.owner),
    commit_url: api(call.world, `${path}/commits/${commit}`),
    url: api(call.world, `${path}/commits/${commit}/status`),
  };
  return ok(body, headers);
}

async function listStatuses(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const commit = await commitNamed(call, opened, 'ref');
  return paged(call, statusesOf(call.world, opened.row.id, commit), (status) => statusView(call, opened, status));
}
