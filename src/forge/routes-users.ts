import { accountByLogin, actor, siteAdmin } from './access.ts';
import { created, invalid, noContent, notFound, ok, refuse } from './answer.ts';
import { oneOf, optionalText, text, texts } from './body.ts';
import type { Call, Route, World } from './call.ts';
import { param } from './call.ts';
import { paged } from './page.ts';
import type { Account, Stored } from './records.ts';
import { issueToken } from './tokens.ts';
import { api, organizationView, privateUser, publicUser, simpleUser, teamView } from './view-account.ts';

const LOGIN = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/;

export const USER_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/user', resource: 'User', handle: (call) => ok(privateUser(call.world, person(call))) },
  { method: 'GET', path: '/users/{username}', resource: 'User', handle: (call) => ok(publicUser(call.world, accountOf(call, 'username'))) },
  { method: 'POST', path: '/admin/users', resource: 'User', handle: createUser },
  { method: 'POST', path: '/admin/users/{username}/authorizations', resource: 'OauthAccess', handle: createAuthorization },
  { method: 'POST', path: '/admin/organizations', resource: 'Organization', handle: createOrganization },
  { method: 'GET', path: '/orgs/{org}', resource: 'Organization', handle: (call) => ok(fullOrganization(call, organizationOf(call))) },
  { method: 'GET', path: '/orgs/{org}/members/{username}', resource: 'Organization', handle: checkMember },
  { method: 'PUT', path: '/orgs/{org}/memberships/{username}', resource: 'Organization', handle: setMembership },
  { method: 'GET', path: '/orgs/{org}/teams', resource: 'Team', handle: listTeams },
  { method: 'POST', path: '/orgs/{org}/teams', resource: 'Team', handle: createTeam },
  { method: 'GET', path: '/orgs/{org}/teams/{team_slug}', resource: 'Team', handle: (call) => ok(fullTeam(call)) },
  { method: 'GET', path: '/orgs/{org}/teams/{team_slug}/members', resource: 'Team', handle: listTeamMembers },
  { method: 'GET', path: '/orgs/{org}/teams/{team_slug}/memberships/{username}', resource: 'Team', handle: getTeamMembership },
  { method: 'PUT', path: '/orgs/{org}/teams/{team_slug}/memberships/{username}', resource: 'Team', handle: setTeamMembership },
  { method: 'DELETE', path: '/orgs/{org}/teams/{team_slug}/memberships/{username}', resource: 'Team', handle: removeTeamMembership },
];

/** `GET /user` is for people; an installation token is told so, as on GitHub. */
function person(call: Call): Account {
  if (call.caller.kind === 'installation') throw refuse(403, 'Resource not accessible by integration');
  return actor(call);
}

function accountOf(call: Call, name: string): Account {
  const account = accountByLogin(call.world, param(call, name));
  if (account === undefined) throw notFound();
  return account;
}

/** Adds a person, or returns the one of that name. */
export function addAccount(
  world: Pick<World, 'store' | 'clock'>,
  login: string,
  facts: { readonly email: string | undefined; readonly type: Account['type']; readonly admin: boolean },
): Account {
  const createdAt = `${new Date(world.clock.now()).toISOString().slice(0, 19)}Z`;
  const email = facts.email ?? (facts.type === 'Organization' ? undefined : `${login}@users.noreply.localhost`);
  return world.store.insert(
    'account',
    { parent: 0, key: login.toLowerCase() },
    { login, type: facts.type, admin: facts.admin, email, createdAt },
  );
}

export function isLogin(login: string): boolean {
  return LOGIN.test(login);
}

function freeLogin(call: Call, field: string): string {
  const login = text(call.body, field);
  if (!isLogin(login)) throw invalid(call.body.resource, field, 'invalid');
  if (accountByLogin(call.world, login) !== undefined) throw invalid(call.body.resource, field, 'already_exists');
  return login;
}

function createUser(call: Call) {
  siteAdmin(call);
  const login = freeLogin(call, 'login');
  const account = addAccount(call.world, login, { email: optionalText(call.body, 'email'), type: 'User', admin: false });
  return created(simpleUser(call.world, account));
}

function createAuthorization(call: Call) {
  siteAdmin(call);
  const account = accountOf(call, 'username');
  const scopes = texts(call.body, 'scopes') ?? [];
  const { token, row } = issueToken(call.world, account, { scopes, note: optionalText(call.body, 'note') ?? '' });
  return created({
    id: row.id,
    url: api(call.world, `/authorizations/${row.id}`),
    app: { name: 'GitHub API', url: 'https://docs.github.com/rest', client_id: '00000000000000000000' },
    token,
    hashed_token: row.lastEight,
    token_last_eight: row.lastEight,
    note: row.note === '' ? null : row.note,
    note_url: null,
    created_at: row.createdAt,
    updated_at: row.createdAt,
    scopes,
    fingerprint: null,
    expires_at: null,
  });
}

function createOrganization(call: Call) {
  siteAdmin(call);
  const login = freeLogin(call, 'login');
  const admin = accountByLogin(call.world, text(call.body, 'admin'));
  if (admin === undefined) throw invalid('Organization', 'admin', 'invalid');
  const organization = call.world.store.transaction(() => {
    const account = addAccount(call.world, login, { email: undefined, type: 'Organization', admin: false });
    call.world.store.insert('membership', { parent: account.id, key: String(admin.id) }, { account: admin.id, role: 'admin' });
    return account;
  });
  return created(organizationView(call.world, organization));
}

function organizationOf(call: Call): Account {
  const account = accountOf(call, 'org');
  if (account.type !== 'Organization') throw notFound();
  return account;
}

function ownedOrganization(call: Call): Account {
  const account = actor(call);
  const organization = organizationOf(call);
  const role = call.world.store.find('membership', organization.id, String(account.id))?.role;
  if (role !== 'admin' && !account.admin) throw refuse(403, 'You must be an owner of this organization.');
  return organization;
}

function checkMember(call: Call) {
  const member = call.world.store.find('membership', organizationOf(call).id, String(accountOf(call, 'username').id));
  if (member === undefined) throw notFound();
  return noContent();
}

function setMembership(call: Call) {
  const organization = ownedOrganization(call);
  const account = accountOf(call, 'username');
  const role = oneOf(call.body, 'role', ['admin', 'member']) ?? 'member';
  const known = call.world.store.find('membership', organization.id, String(account.id));
  if (known === undefined)
    call.world.store.insert('membership', { parent: organization.id, key: String(account.id) }, { account: account.id, role });
  else call.world.store.save('membership', { ...known, role });
  const url = api(call.world, `/orgs/${organization.login}`);
  return ok({
    url: `${url}/memberships/${account.login}`,
    state: 'active',
    role,
    organization_url: url,
    organization: organizationView(call.world, organization),
    user: simpleUser(call.world, account),
    permissions: { can_create_repository: true },
  });
}

function fullOrganization(call: Call, organization: Account): Readonly<Record<string, unknown>> {
  return {
    ...organizationView(call.world, organization),
    html_url: `${call.world.url()}/${organization.login}`,
    has_organization_projects: false,
    has_repository_projects: false,
    public_repos: call.world.store.list('repository', organization.id).filter((row) => !row.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: organization.createdAt,
    updated_at: organization.createdAt,
    archived_at: null,
    type: 'Organization',
  };
}

function teamOf(call: Call): { organization: Account; team: Stored<'team'> } {
  const organization = organizationOf(call);
  const team = call.world.store.find('team', organization.id, param(call, 'team_slug'));
  if (team === undefined) throw notFound();
  return { organization, team };
}

function createTeam(call: Call) {
  const organization = ownedOrganization(call);
  const name = text(call.body, 'name');
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  if (call.world.store.find('team', organization.id, slug) !== undefined) throw invalid('Team', 'name', 'already_exists');
  const team = call.world.store.insert(
    'team',
    { parent: organization.id, key: slug },
    {
      name,
      slug,
      description: optionalText(call.body, 'description'),
      members: {},
    },
  );
  return created(detailed(call, organization, team));
}

function fullTeam(call: Call): Readonly<Record<string, unknown>> {
  const { organization, team } = teamOf(call);
  return detailed(call, organization, team);
}

function detailed(call: Call, organization: Account, team: Stored<'team'>): Readonly<Record<string, unknown>> {
  return {
    ...teamView(call.world, team, organization),
    created_at: organization.createdAt,
    updated_at: organization.createdAt,
    members_count: Object.keys(team.members).length,
    repos_count: 0,
    organization: fullOrganization(call, organization),
  };
}

function listTeams(call: Call) {
  const organization = organizationOf(call);
  return paged(call, call.world.store.list('team', organization.id), (team) => teamView(call.world, team, organization));
}

function listTeamMembers(call: Call) {
  const { team } = teamOf(call);
  const members = Object.keys(team.members).flatMap((id) => call.world.store.get('account', Number(id)) ?? []);
  return paged(call, members, (account) => simpleUser(call.world, account));
}

function membershipView(call: Call, team: Stored<'team'>, account: Account) {
  const organization = organizationOf(call);
  return {
    url: api(call.world, `/organizations/${organization.id}/team/${team.id}/memberships/${account.login}`),
    role: team.members[String(account.id)] ?? 'member',
    state: 'active',
  };
}

function getTeamMembership(call: Call) {
  const { team } = teamOf(call);
  const account = accountOf(call, 'username');
  if (!Object.hasOwn(team.members, String(account.id))) throw notFound();
  return ok(membershipView(call, team, account));
}

function setTeamMembership(call: Call) {
  const organization = ownedOrganization(call);
  const { team } = teamOf(call);
  const account = accountOf(call, 'username');
  const role = oneOf(call.body, 'role', ['member', 'maintainer']) ?? 'member';
  const saved = call.world.store.transaction(() => {
    if (call.world.store.find('membership', organization.id, String(account.id)) === undefined) {
      call.world.store.insert('membership', { parent: organization.id, key: String(account.id) }, { account: account.id, role: 'member' });
    }
    return call.world.store.save('team', { ...team, members: { ...team.members, [String(account.id)]: role } });
  });
  return ok(membershipView(call, saved, account));
}

function removeTeamMembership(call: Call) {
  ownedOrganization(call);
  const { team } = teamOf(call);
  const id = String(accountOf(call, 'username').id);
  const members = Object.fromEntries(Object.entries(team.members).filter(([member]) => member !== id));
  call.world.store.save('team', { ...team, members });
  return noContent();
}
