import type { World } from './call.ts';
import type { Account, Stored } from './records.ts';

export function nodeId(kind: string, id: number | string): string {
  return Buffer.from(`${kind}:${id}`).toString('base64url');
}

export function api(world: World, path: string): string {
  return `${world.url()}/api/v3${path}`;
}

export function simpleUser(world: World, account: Account): Readonly<Record<string, unknown>> {
  const url = api(world, `/users/${encodeURIComponent(account.login)}`);
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId('User', account.id),
    avatar_url: `${world.url()}/avatars/u/${account.id}`,
    gravatar_id: '',
    url,
    html_url: `${world.url()}/${account.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: account.admin,
  };
}

export function publicUser(world: World, account: Account): Readonly<Record<string, unknown>> {
  return {
    ...simpleUser(world, account),
    name: null,
    company: null,
    blog: '',
    location: null,
    email: account.email ?? null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: world.store.list('repository', account.id).filter((repository) => !repository.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: account.createdAt,
    updated_at: account.createdAt,
  };
}

export function privateUser(world: World, account: Account): Readonly<Record<string, unknown>> {
  const hidden = world.store.list('repository', account.id).filter((repository) => repository.private).length;
  return {
    ...publicUser(world, account),
    user_view_type: 'private',
    private_gists: 0,
    total_private_repos: hidden,
    owned_private_repos: hidden,
    disk_usage: 0,
    collaborators: 0,
    two_factor_authentication: false,
  };
}

export function organizationView(world: World, account: Account): Readonly<Record<string, unknown>> {
  const url = api(world, `/orgs/${account.login}`);
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId('Organization', account.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${world.url()}/avatars/u/${account.id}`,
    description: null,
  };
}

export function teamView(world: World, team: Stored<'team'>, organization: Account): Readonly<Record<string, unknown>> {
  const url = api(world, `/organizations/${organization.id}/team/${team.id}`);
  return {
    id: team.id,
    node_id: nodeId('Team', team.id),
    url,
    html_url: `${world.url()}/orgs/${organization.login}/teams/${team.slug}`,
    name: team.name,
    slug: team.slug,
    description: team.description ?? null,
    privacy: 'closed',
    notification_setting: 'notifications_enabled',
    permission: 'push',
    members_url: `${url}/members{/member}`,
    repositories_url: `${url}/repos`,
    type: 'organization',
    organization_id: organization.id,
    parent: null,
  };
}

export function appView(world: World, app: Stored<'app'>): Readonly<Record<string, unknown>> {
  const owner = world.store.get('account', app.owner);
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId('Integration', app.id),
    client_id: `Iv1.${app.id}`,
    owner: owner === undefined ? null : simpleUser(world, owner),
    name: app.name,
    description: null,
    external_url: `${world.url()}/apps/${app.slug}`,
    html_url: `${world.url()}/apps/${app.slug}`,
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: app.permissions,
    events: app.events,
    installations_count: world.store.list('installation', app.id).length,
  };
}

export function installationView(
  world: World,
  app: Stored<'app'>,
  installation: Stored<'installation'>,
): Readonly<Record<string, unknown>> {
  const account = world.store.get('account', installation.account);
  return {
    id: installation.id,
    client_id: `Iv1.${app.id}`,
    account: account === undefined ? null : simpleUser(world, account),
    repository_selection: installation.repositories === undefined ? 'all' : 'selected',
    access_tokens_url: api(world, `/app/installations/${installation.id}/access_tokens`),
    repositories_url: api(world, '/installation/repositories'),
    html_url: `${world.url()}/settings/installations/${installation.id}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: installation.account,
    target_type: account?.type ?? 'User',
    permissions: app.permissions,
    events: app.events,
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
    single_file_name: null,
    suspended_by: null,
    suspended_at: null,
  };
}
