import { branchRef } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import { accountByLogin, actor, now, permissionOf, repositoryRow } from './access.ts';
import type { Answer } from './answer.ts';
import { created, invalid, noContent, notFound, ok, refuse } from './answer.ts';
import { flag, oneOf, optionalText, text } from './body.ts';
import type { Call, Route } from './call.ts';
import { param } from './call.ts';
import { makeCommit, person } from './commit-writer.ts';
import { paged } from './page.ts';
import type { Account, RepositoryRow } from './records.ts';
import { syncRefs } from './ref-sync.ts';
import { simpleUser } from './view-account.ts';
import { fullRepository, minimalRepository } from './view-repository.ts';

const NAME = /^[A-Za-z0-9_.-]{1,100}$/;

export const REPOSITORY_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/user/repos', resource: 'Repository', handle: (call) => createRepository(call, actor(call)) },
  { method: 'GET', path: '/user/repos', resource: 'Repository', handle: listMine },
  { method: 'POST', path: '/orgs/{org}/repos', resource: 'Repository', handle: createInOrganization },
  { method: 'GET', path: '/orgs/{org}/repos', resource: 'Repository', handle: listOfOrganization },
  { method: 'GET', path: '/repos/{owner}/{repo}', resource: 'Repository', handle: getRepository },
  { method: 'PATCH', path: '/repos/{owner}/{repo}', resource: 'Repository', handle: updateRepository },
  { method: 'DELETE', path: '/repos/{owner}/{repo}', resource: 'Repository', handle: deleteRepository },
  { method: 'PUT', path: '/repos/{owner}/{repo}/collaborators/{username}', resource: 'Repository', handle: addCollaborator },
  { method: 'GET', path: '/repos/{owner}/{repo}/collaborators/{username}', resource: 'Repository', handle: checkCollaborator },
  { method: 'DELETE', path: '/repos/{owner}/{repo}/collaborators/{username}', resource: 'Repository', handle: removeCollaborator },
  {
    method: 'GET',
    path: '/repos/{owner}/{repo}/collaborators/{username}/permission',
    resource: 'Repository',
    handle: collaboratorPermission,
  },
];

function createInOrganization(call: Call): Promise<Answer> {
  const account = actor(call);
  const organization = accountByLogin(call.world, param(call, 'org'));
  if (organization?.type !== 'Organization') throw notFound();
  const member = call.world.store.find('membership', organization.id, String(account.id));
  if (member === undefined && !account.admin)
    throw refuse(403, 'You need admin access to the organization before adding a repository to it.');
  return createRepository(call, organization);
}

async function createRepository(call: Call, owner: Account): Promise<Answer> {
  const { world, body } = call;
  if (call.caller.kind === 'installation') throw refuse(403, 'Resource not accessible by integration');
  const name = text(body, 'name');
  if (!NAME.test(name) || name === '.' || name === '..' || name.endsWith('.git'))
    throw invalid('Repository', 'name', 'custom', 'name is invalid');
  if (world.store.find('repository', owner.id, name.toLowerCase()) !== undefined) {
    throw refuse(422, 'Repository creation failed.', [
      { resource: 'Repository', code: 'custom', field: 'name', message: 'name already exists on this account' },
    ]);
  }
  const at = now(world);
  const row = world.store.insert(
    'repository',
    { parent: owner.id, key: name.toLowerCase() },
    {
      owner: owner.id,
      name,
      private: flag(body, 'private') ?? false,
      description: optionalText(body, 'description'),
      defaultBranch: 'main',
      allowMerge: flag(body, 'allow_merge_commit') ?? true,
      allowSquash: flag(body, 'allow_squash_merge') ?? true,
      allowRebase: flag(body, 'allow_rebase_merge') ?? true,
      deleteBranchOnMerge: flag(body, 'delete_branch_on_merge') ?? false,
      lastNumber: 0,
      createdAt: at,
      updatedAt: at,
      pushedAt: at,
    },
  );
  await world.repositories.create(row.id, row.defaultBranch);
  if (flag(body, 'auto_init') === true) await firstCommit(call, { row, owner });
  return created(fullRepository(world, row, owner, call.caller), `${world.url()}/api/v3/repos/${owner.login}/${name}`);
}

async function firstCommit(call: Call, at: { readonly row: RepositoryRow; readonly owner: Account }): Promise<void> {
  const { world } = call;
  const git = await world.repositories.open(at.row.id);
  const content = Buffer.from(`# ${at.row.name}${at.row.description === undefined ? '' : `\n${at.row.description}`}`);
  const commit = await makeCommit(world, git, {
    base: undefined,
    changes: [{ kind: 'file', path: 'README.md', content }],
    parents: [],
    author: person(world, actor(call)),
    message: 'Initial commit',
  });
  await git.push([{ ref: branchRef(at.row.defaultBranch), expected: undefined, next: commit }]);
  await world.repositories.exclusive(at.row.id, () => syncRefs(world, at, actor(call)));
}

function getRepository(call: Call) {
  const { row, owner } = repositoryRow(call, 'read');
  return ok(fullRepository(call.world, row, owner, call.caller));
}

function updateRepository(call: Call) {
  const { world, body } = call;
  const { row, owner } = repositoryRow(call, 'admin');
  const name = optionalText(body, 'name') ?? row.name;
  if (!NAME.test(name)) throw invalid('Repository', 'name', 'custom', 'name is invalid');
  const saved = world.store.transaction(() => {
    if (name !== row.name) world.store.rename('repository', row.id, name.toLowerCase());
    return world.store.save('repository', {
      ...row,
      name,
      private: flag(body, 'private') ?? row.private,
      description: optionalText(body, 'description') ?? row.description,
      defaultBranch: optionalText(body, 'default_branch') ?? row.defaultBranch,
      allowMerge: flag(body, 'allow_merge_commit') ?? row.allowMerge,
      allowSquash: flag(body, 'allow_squash_merge') ?? row.allowSquash,
      allowRebase: flag(body, 'allow_rebase_merge') ?? row.allowRebase,
      deleteBranchOnMerge: flag(body, 'delete_branch_on_merge') ?? row.deleteBranchOnMerge,
      updatedAt: now(world),
    });
  });
  return ok(fullRepository(world, saved, owner, call.caller));
}

async function deleteRepository(call: Call) {
  const { row } = repositoryRow(call, 'admin');
  call.world.store.remove('repository', row.id);
  await call.world.repositories.remove(row.id);
  return noContent();
}

function listMine(call: Call) {
  const account = actor(call);
  const rows = call.world.store.all('repository').flatMap((row) => {
    const owner = call.world.store.get('account', row.owner);
    const seen = owner !== undefined && (owner.id === account.id || permissionOf(call.world, call.caller, row, owner).push);
    return seen ? [{ row, owner }] : [];
  });
  const sorted = rows.toSorted((a, b) => compareText(`${a.owner.login}/${a.row.name}`, `${b.owner.login}/${b.row.name}`));
  return paged(call, sorted, ({ row, owner }) => fullRepository(call.world, row, owner, call.caller));
}

function listOfOrganization(call: Call) {
  const owner = accountByLogin(call.world, param(call, 'org'));
  if (owner?.type !== 'Organization') throw notFound();
  const rows = call.world.store.list('repository', owner.id).filter((row) => permissionOf(call.world, call.caller, row, owner).pull);
  return paged(call, rows, (row) => minimalRepository(call.world, row, owner));
}

function namedAccount(call: Call): Account {
  const account = accountByLogin(call.world, param(call, 'username'));
  if (account === undefined) throw notFound();
  return account;
}

/** The invitation of GitHub is skipped: whoever runs a lab forge wants the person in. */
function addCollaborator(call: Call) {
  const { row } = repositoryRow(call, 'admin');
  const account = namedAccount(call);
  const permission = oneOf(call.body, 'permission', ['pull', 'triage', 'push', 'maintain', 'admin']) ?? 'push';
  const known = call.world.store.find('collaborator', row.id, String(account.id));
  if (known === undefined)
    call.world.store.insert('collaborator', { parent: row.id, key: String(account.id) }, { account: account.id, permission });
  else call.world.store.save('collaborator', { ...known, permission });
  return noContent();
}

function checkCollaborator(call: Call) {
  const { row, owner } = repositoryRow(call, 'write');
  const account = namedAccount(call);
  const known = account.id === owner.id || call.world.store.find('collaborator', row.id, String(account.id)) !== undefined;
  if (!known) throw notFound();
  return noContent();
}

function removeCollaborator(call: Call) {
  const { row } = repositoryRow(call, 'admin');
  const known = call.world.store.find('collaborator', row.id, String(namedAccount(call).id));
  if (known !== undefined) call.world.store.remove('collaborator', known.id);
  return noContent();
}

function collaboratorPermission(call: Call) {
  const { row, owner } = repositoryRow(call, 'read');
  actor(call);
  const account = namedAccount(call);
  const permissions = permissionOf(call.world, { kind: 'user', account, scopes: ['repo'] }, row, owner);
  const permission = permissions.admin ? 'admin' : permissions.push ? 'write' : permissions.pull ? 'read' : 'none';
  return ok({ permission, role_name: permission, user: { ...simpleUser(call.world, account), permissions, role_name: permission } });
}
