import type { Commit, Person } from '#model/git-objects.ts';
import type { World } from './call.ts';
import type { Account, RepositoryRow } from './records.ts';
import { api, nodeId, simpleUser } from './view-account.ts';
import { repositoryPath } from './view-repository.ts';

export interface At {
  readonly row: RepositoryRow;
  readonly owner: Account;
}

export function personDate(person: Person): string {
  return `${new Date(person.at).toISOString().slice(0, 19)}Z`;
}

export function gitPerson(person: Person): Readonly<Record<string, string>> {
  return { name: person.name, email: person.email, date: personDate(person) };
}

/** The account with this e-mail address, as GitHub links commits to people. It proves nothing. */
export function accountOfPerson(world: World, person: Person): Account | undefined {
  const isOwn = ({ email, login }: Account): boolean => (email ?? `${login}@users.noreply.localhost`) === person.email;
  return world.store.all('account').find((account) => account.type !== 'Organization' && isOwn(account));
}

/** The signature and what it is over, as they stand in the commit; whether it holds is for the reader to judge. */
export function verification(commit: Commit): Readonly<Record<string, unknown>> {
  const raw = Buffer.from(commit.raw).toString('utf8');
  const end = raw.indexOf('\n\n');
  const head = raw.slice(0, end);
  const found = /^gpgsig (.*(?:\n .*)*)\n?/m.exec(head);
  if (found === null) return { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };
  const payload = raw.slice(0, found.index) + raw.slice(found.index + found[0].length);
  const signature = (found[1] ?? '').replaceAll('\n ', '\n');
  return { verified: false, reason: 'unknown_key', signature, payload, verified_at: null };
}

export function commitView(world: World, at: At, commit: Commit): Readonly<Record<string, unknown>> {
  const path = repositoryPath(at.owner, at.row);
  const home = `${world.url()}/${at.owner.login}/${at.row.name}`;
  const url = api(world, `${path}/commits/${commit.id}`);
  const [author, committer] = [accountOfPerson(world, commit.author), accountOfPerson(world, commit.committer)];
  return {
    url,
    sha: commit.id,
    node_id: nodeId('Commit', commit.id),
    html_url: `${home}/commit/${commit.id}`,
    comments_url: `${url}/comments`,
    commit: {
      url: api(world, `${path}/git/commits/${commit.id}`),
      author: gitPerson(commit.author),
      committer: gitPerson(commit.committer),
      message: commit.message.replace(/\n$/, ''),
      comment_count: 0,
      tree: { sha: commit.tree, url: api(world, `${path}/git/trees/${commit.tree}`) },
      verification: verification(commit),
    },
    author: author === undefined ? null : simpleUser(world, author),
    committer: committer === undefined ? null : simpleUser(world, committer),
    parents: commit.parents.map((parent) => ({
      sha: parent,
      url: api(world, `${path}/commits/${parent}`),
      html_url: `${home}/commit/${parent}`,
    })),
  };
}

export function gitCommitView(world: World, at: At, commit: Commit): Readonly<Record<string, unknown>> {
  const path = repositoryPath(at.owner, at.row);
  const home = `${world.url()}/${at.owner.login}/${at.row.name}`;
  return {
    sha: commit.id,
    node_id: nodeId('Commit', commit.id),
    url: api(world, `${path}/git/commits/${commit.id}`),
    html_url: `${home}/commit/${commit.id}`,
    author: gitPerson(commit.author),
    committer: gitPerson(commit.committer),
    tree: { sha: commit.tree, url: api(world, `${path}/git/trees/${commit.tree}`) },
    message: commit.message.replace(/\n$/, ''),
    parents: commit.parents.map((parent) => ({
      sha: parent,
      url: api(world, `${path}/git/commits/${parent}`),
      html_url: `${home}/commit/${parent}`,
    })),
    verification: verification(commit),
  };
}
