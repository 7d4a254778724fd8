import type { CommitId } from '#model/digest.ts';
import type { Commit, Person } from '#model/git-objects.ts';
import type { Repository } from '#ports/repository.ts';
import type { World } from './call.ts';
import { changedFiles, commitsBetween, commitsFrom } from './history.ts';
import type { Account } from './records.ts';
import type { At } from './view-commit.ts';
import { accountOfPerson, personDate } from './view-commit.ts';

const ZERO = '0'.repeat(40);
const MOST_COMMITS = 100;

export interface Move {
  readonly name: string;
  readonly before: CommitId | undefined;
  readonly after: CommitId | undefined;
  readonly sender: Account;
}

/** The body of GitHub's `push` event, without the parts that all events share. */
export async function pushPayload(world: World, at: At, git: Repository, move: Move): Promise<Readonly<Record<string, unknown>>> {
  const home = `${world.url()}/${at.owner.login}/${at.row.name}`;
  const commits = await newCommits(at, git, move);
  const shown: unknown[] = [];
  for (const commit of commits) shown.push(await pushedCommit(world, home, git, commit));
  const forced = move.before !== undefined && move.after !== undefined && !(await git.isAncestor(move.before, move.after));
  return {
    ref: move.name,
    before: move.before ?? ZERO,
    after: move.after ?? ZERO,
    base_ref: null,
    created: move.before === undefined,
    deleted: move.after === undefined,
    forced,
    compare: `${home}/compare/${(move.before ?? ZERO).slice(0, 12)}...${(move.after ?? ZERO).slice(0, 12)}`,
    commits: shown,
    head_commit: move.after === undefined ? null : await pushedCommit(world, home, git, await git.commit(move.after)),
    pusher: { name: move.sender.login, email: move.sender.email ?? `${move.sender.login}@users.noreply.localhost` },
  };
}

/** Oldest first. A new branch is compared with the default branch. */
async function newCommits(at: At, git: Repository, move: Move): Promise<readonly Commit[]> {
  if (move.after === undefined) return [];
  const trunk = move.before ?? (await git.resolve(at.row.defaultBranch));
  const fresh = trunk === undefined || (move.before === undefined && trunk === move.after);
  const commits = fresh ? await commitsFrom(git, move.after, MOST_COMMITS) : await commitsBetween(git, trunk, move.after);
  return commits.slice(0, MOST_COMMITS).toReversed();
}

async function pushedCommit(world: World, home: string, git: Repository, commit: Commit): Promise<Readonly<Record<string, unknown>>> {
  const parent = commit.parents[0];
  const before = parent === undefined ? undefined : (await git.commit(parent)).tree;
  const changes = await changedFiles(git, before, commit.tree);
  return {
    id: commit.id,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message.replace(/\n$/, ''),
    timestamp: personDate(commit.committer),
    url: `${home}/commit/${commit.id}`,
    author: pushedPerson(world, commit.author),
    committer: pushedPerson(world, commit.committer),
    added: changes.filter((change) => change.before === undefined).map((change) => change.path),
    removed: changes.filter((change) => change.after === undefined).map((change) => change.path),
    modified: changes.filter((change) => change.before !== undefined && change.after !== undefined).map((change) => change.path),
  };
}

function pushedPerson(world: World, person: Person): Readonly<Record<string, string>> {
  const account = accountOfPerson(world, person);
  return { name: person.name, email: person.email, ...(account === undefined ? {} : { username: account.login }) };
}
