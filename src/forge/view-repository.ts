import { permissionOf } from './access.ts';
import type { Caller, World } from './call.ts';
import type { Account, RepositoryRow } from './records.ts';
import { api, nodeId, simpleUser } from './view-account.ts';

/** GitHub's URL fields of a repository below its API address. */
const TEMPLATES = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
};

export function repositoryPath(owner: Account, row: RepositoryRow): string {
  return `/repos/${owner.login}/${row.name}`;
}

export function minimalRepository(world: World, row: RepositoryRow, owner: Account): Readonly<Record<string, unknown>> {
  const url = api(world, repositoryPath(owner, row));
  return {
    id: row.id,
    node_id: nodeId('Repository', row.id),
    name: row.name,
    full_name: `${owner.login}/${row.name}`,
    private: row.private,
    owner: simpleUser(world, owner),
    html_url: `${world.url()}/${owner.login}/${row.name}`,
    description: row.description ?? null,
    fork: false,
    url,
    ...Object.fromEntries(Object.entries(TEMPLATES).map(([field, template]) => [field, url + template])),
  };
}

/** GitHub's `full-repository`; the settings about merging are shown to those who may push, as there. */
export function fullRepository(world: World, row: RepositoryRow, owner: Account, caller: Caller): Readonly<Record<string, unknown>> {
  const home = `${world.url()}/${owner.login}/${row.name}`;
  const permissions = permissionOf(world, caller, row, owner);
  const pulls = world.store.list('pull', row.id).filter((pull) => pull.state === 'open').length;
  return {
    ...minimalRepository(world, row, owner),
    git_url: `${home}.git`,
    ssh_url: `${home}.git`,
    clone_url: `${home}.git`,
    svn_url: home,
    homepage: null,
    size: 0,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: false,
    has_discussions: false,
    forks_count: 0,
    mirror_url: null,
    archived: false,
    disabled: false,
    open_issues_count: pulls,
    license: null,
    allow_forking: false,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: row.private ? 'private' : 'public',
    forks: 0,
    open_issues: pulls,
    watchers: 0,
    default_branch: row.defaultBranch,
    permissions,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    pushed_at: row.pushedAt,
    network_count: 0,
    subscribers_count: 0,
    ...(permissions.push
      ? {
          allow_merge_commit: row.allowMerge,
          allow_squash_merge: row.allowSquash,
          allow_rebase_merge: row.allowRebase,
          allow_auto_merge: false,
          allow_update_branch: true,
          delete_branch_on_merge: row.deleteBranchOnMerge,
        }
      : {}),
    ...(owner.type === 'Organization' ? { organization: simpleUser(world, owner) } : {}),
  };
}
