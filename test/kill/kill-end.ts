import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';

import { Octokit } from '@octokit/rest';

import { git, type Stage } from '#cli/demo-stage.ts';
import { historyRows } from '#ledger/ledger.ts';
import { toInstant } from '#model/instant.ts';

/** What a story leaves, without times, run ids and the commits that hold them. */
export interface End {
  /** Tree of every branch that people or consumers read. */
  readonly trees: Readonly<Record<string, string>>;
  /** Commits of a branch along first parents, by subject: a commit made twice is here twice. */
  readonly commits: Readonly<Record<string, readonly string[]>>;
  /** `state merged title, comments, last capstan/promote`. */
  readonly requests: readonly string[];
  /** Files of every target, with their text; the engine's own folder without its lock. */
  readonly files: Readonly<Record<string, string>>;
  /** Moves of the ledger by environment, in its order. */
  readonly moves: Readonly<Record<string, readonly string[]>>;
  /** Exit code of `capstan verify --full` in a fresh clone. */
  readonly verified: number;
}

export async function endOf(stage: Stage): Promise<End> {
  const clone = join(stage.directory, 'auditor');
  const remote = `${stage.forge.url.replace('://', `://ada:${stage.ada.token}@`)}/ada/platform.git`;
  await git(stage.directory, ['clone', '--quiet', remote, clone]);
  const branches = (await git(clone, ['for-each-ref', '--format=%(refname:lstrip=3)', 'refs/remotes/origin'])).split('\n');
  const read = branches.filter((branch) => /^(main|audit|rendered\/.*)$/.test(branch));
  const entries = await Promise.all(
    read.map(async (branch) => {
      const tree = (await git(clone, ['rev-parse', `refs/remotes/origin/${branch}^{tree}`])).trim();
      const subjects = (await git(clone, ['log', '--first-parent', '--format=%s', `refs/remotes/origin/${branch}`])).trim().split('\n');
      return { branch, tree, subjects };
    }),
  );
  return {
    trees: Object.fromEntries(entries.filter((one) => one.branch !== 'audit').map((one) => [one.branch, one.tree])),
    commits: Object.fromEntries(entries.map((one) => [one.branch, one.branch === 'audit' ? one.subjects.toSorted() : one.subjects])),
    requests: await requestsOf(stage),
    files: await filesOf(join(stage.directory, 'targets')),
    moves: await movesOf(stage, clone),
    verified: await verify(clone),
  };
}

/** Ids of deliveries that the forge got a 2xx for, and what the inbox has of them. */
export async function deliveriesOf(stage: Stage): Promise<{ readonly accepted: readonly string[]; readonly unsettled: readonly string[] }> {
  const client = clientOf(stage);
  const at = { owner: 'ada', repo: 'platform' };
  const { data: hooks } = await client.rest.repos.listWebhooks(at);
  const all = await client.paginate(client.rest.repos.listWebhookDeliveries, { ...at, hook_id: hooks[0]?.id ?? 0, per_page: 100 });
  const accepted = [...new Set(all.filter((one) => one.status_code >= 200 && one.status_code < 300).map((one) => one.guid))];
  const database = new DatabaseSync(join(stage.directory, '.capstan', 'state.db'), { readOnly: true });
  const done = new Set(
    database
      .prepare('SELECT id FROM delivery WHERE done = 1')
      .all()
      .map((row) => String(row['id'])),
  );
  const open = database
    .prepare('SELECT id FROM delivery WHERE done = 0')
    .all()
    .map((row) => `${String(row['id'])} is not done`);
  database.close();
  return { accepted, unsettled: [...open, ...accepted.filter((id) => !done.has(id)).map((id) => `${id} is lost`)] };
}

function clientOf(stage: Stage): Octokit {
  return new Octokit({ baseUrl: `${stage.forge.url}/api/v3`, auth: stage.ada.token });
}

async function requestsOf(stage: Stage): Promise<readonly string[]> {
  const client = clientOf(stage);
  const at = { owner: 'ada', repo: 'platform' };
  const pulls = await client.paginate(client.rest.pulls.list, { ...at, state: 'all', per_page: 100 });
  const lines = await Promise.all(
    pulls.map(async (pull) => {
      const { data: comments } = await client.rest.issues.listComments({ ...at, issue_number: pull.number });
      const { data: statuses } = await client.rest.repos.listCommitStatusesForRef({ ...at, ref: pull.head.sha, per_page: 100 });
      const promote = statuses.find((status) => status.context === 'capstan/promote')?.state ?? 'no status';
      const merged = pull.merged_at === null ? 'not merged' : 'merged';
      return `${pull.head.ref}: ${pull.state}, ${merged}, ${pull.title}, ${comments.length} comments, ${promote}`;
    }),
  );
  return lines.sort();
}

async function filesOf(root: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.endsWith('.capstan/lock'));
  const texts = await Promise.all(names.sort().map(async (path) => [path.slice(root.length), await readFile(path, 'utf8')] as const));
  return Object.fromEntries(texts);
}

async function movesOf(stage: Stage, clone: string): Promise<End['moves']> {
  const world = await stage.openClone(clone);
  try {
    const { records } = await world.ledger.at(await world.repository.resolve('audit'));
    const rows = historyRows(records, { at: toInstant(Date.now()) });
    const moves: Record<string, string[]> = {};
    for (const row of rows) {
      const line = `${row.target}/${row.instance ?? ''} ${row.from ?? '-'} -> ${row.to ?? '-'} ${row.health} ${row.outcome}`;
      (moves[row.environment] ??= []).push(line);
    }
    return moves;
  } finally {
    await world.close();
  }
}

async function verify(clone: string): Promise<number> {
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const answer = await promisify(execFile)(process.execPath, [main, 'verify', '--full', '--repo', clone]).then(
    () => 0,
    (error: { readonly code?: number; readonly stdout?: string }) => {
      console.error(error.stdout);
      return error.code ?? 1;
    },
  );
  return answer;
}
