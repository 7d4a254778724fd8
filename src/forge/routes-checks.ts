import { actor, notAccessible, now, openRepository } from './access.ts';
import type { Answer } from './answer.ts';
import { created, invalid, notFound, ok, refuse } from './answer.ts';
import { has, nested, oneOf, optionalText, text } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import { checkRunsOf, commitShelf } from './checks-state.ts';
import { raise } from './events.ts';
import { pagedUnder } from './page.ts';
import type { CheckRunRecord, Stored } from './records.ts';
import { commitNamed } from './routes-statuses.ts';
import { api, appView, nodeId } from './view-account.ts';
import { pullReference } from './view-pull.ts';
import { minimalRepository, repositoryPath } from './view-repository.ts';

const BASE = '/repos/{owner}/{repo}';
const STATUSES = ['queued', 'in_progress', 'completed', 'waiting', 'requested', 'pending'] as const;
const CONCLUSIONS = ['action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'timed_out', 'stale'] as const;

export const CHECK_ROUTES: readonly Route[] = [
  { method: 'POST', path: `${BASE}/check-runs`, resource: 'CheckRun', handle: createRun },
  { method: 'GET', path: `${BASE}/check-runs/{check_run_id}`, resource: 'CheckRun', handle: getRun },
  { method: 'PATCH', path: `${BASE}/check-runs/{check_run_id}`, resource: 'CheckRun', handle: updateRun },
  { method: 'GET', path: `${BASE}/commits/{ref}/check-runs`, resource: 'CheckRun', handle: listRuns },
  { method: 'GET', path: `${BASE}/commits/{ref}/check-suites`, resource: 'CheckSuite', handle: listSuites },
  { method: 'GET', path: `${BASE}/check-suites/{check_suite_id}`, resource: 'CheckSuite', handle: getSuite },
  { method: 'GET', path: `${BASE}/check-suites/{check_suite_id}/check-runs`, resource: 'CheckRun', handle: listRunsOfSuite },
];

/** Check runs are written by Apps only; whoever else asks hears GitHub's own words. */
async function asApp(call: Call): Promise<{ readonly opened: Opened; readonly app: Stored<'app'> }> {
  const opened = await openRepository(call, 'read');
  if (call.caller.kind !== 'installation') {
    actor(call);
    throw refuse(403, 'You must authenticate via a GitHub App.');
  }
  if (call.caller.app.permissions['checks'] !== 'write') throw notAccessible(call);
  return { opened, app: call.caller.app };
}

function pullsAt(call: Call, opened: Opened, commit: string) {
  const pulls = call.world.store.list('pull', opened.row.id).filter((pull) => pull.state === 'open' && pull.headSha === commit);
  return pulls.map((pull) => pullReference(call.world, opened, pull));
}

function runView(call: Call, opened: Opened, run: Stored<'check'>) {
  const path = repositoryPath(opened.owner, opened.row);
  const html = `${call.world.url()}/${opened.owner.login}/${opened.row.name}/runs/${run.id}`;
  const app = call.world.store.get('app', run.app);
  const url = api(call.world, `${path}/check-runs/${run.id}`);
  return {
    id: run.id,
    node_id: nodeId('CheckRun', run.id),
    head_sha: run.commit,
    external_id: run.externalId,
    name: run.name,
    url,
    html_url: html,
    details_url: run.detailsUrl ?? html,
    status: run.status,
    conclusion: run.conclusion ?? null,
    started_at: run.startedAt ?? null,
    completed_at: run.completedAt ?? null,
    output: {
      title: run.title ?? null,
      summary: run.summary ?? null,
      text: run.text ?? null,
      annotations_count: 0,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suite },
    app: app === undefined ? null : appView(call.world, app),
    pull_requests: pullsAt(call, opened, run.commit),
  };
}

async function suiteView(call: Call, opened: Opened, suite: Stored<'suite'>) {
  const path = repositoryPath(opened.owner, opened.row);
  const runs = checkRunsOf(call.world, opened.row.id, suite.commit).filter((run) => run.suite === suite.id);
  const commit = await opened.git.commit((await opened.git.resolve(suite.commit)) ?? never());
  const app = call.world.store.get('app', suite.app);
  const url = api(call.world, `${path}/check-suites/${suite.id}`);
  const { status, conclusion } = suiteState(runs);
  const second = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
  return {
    id: suite.id,
    node_id: nodeId('CheckSuite', suite.id),
    head_branch: suite.branch ?? null,
    head_sha: suite.commit,
    status,
    conclusion,
    url,
    before: commit.parents[0] ?? null,
    after: suite.commit,
    pull_requests: pullsAt(call, opened, suite.commit),
    app: app === undefined ? null : appView(call.world, app),
    repository: minimalRepository(call.world, opened.row, opened.owner),
    created_at: suite.createdAt,
    updated_at: suite.updatedAt,
    head_commit: {
      id: commit.id,
      tree_id: commit.tree,
      message: commit.message,
      timestamp: second(commit.committer.at),
      author: { name: commit.author.name, email: commit.author.email },
      committer: { name: commit.committer.name, email: commit.committer.email },
    },
    latest_check_runs_count: runs.length,
    check_runs_url: `${url}/check-runs`,
    rerequestable: true,
    runs_rerequestable: true,
  };
}

function never(): never {
  throw new Error('the commit of a check suite is gone');
}

const WORST_FIRST = ['failure', 'timed_out', 'cancelled', 'action_required', 'stale', 'neutral', 'skipped', 'success'];

function suiteState(runs: readonly CheckRunRecord[]): { readonly status: string; readonly conclusion: string | null } {
  if (runs.length === 0) return { status: 'queued', conclusion: null };
  if (runs.some((run) => run.status !== 'completed')) {
    return { status: runs.every((run) => run.status === 'queued') ? 'queued' : 'in_progress', conclusion: null };
  }
  return { status: 'completed', conclusion: WORST_FIRST.find((word) => runs.some((run) => run.conclusion === word)) ?? 'success' };
}

interface Fields {
  readonly status: string;
  readonly conclusion: string | undefined;
  readonly startedAt: string | undefined;
  readonly completedAt: string | undefined;
}

/** A conclusion completes a run; completing one without a conclusion is refused. */
function progress(call: Call, before: Fields | undefined): Fields {
  const conclusion = oneOf(call.body, 'conclusion', CONCLUSIONS) ?? (has(call.body, 'status') ? undefined : before?.conclusion);
  const status = conclusion === undefined ? (oneOf(call.body, 'status', STATUSES) ?? before?.status ?? 'queued') : 'completed';
  if (status === 'completed' && conclusion === undefined) throw invalid('CheckRun', 'conclusion', 'missing_field');
  const at = now(call.world);
  const completedAt = status === 'completed' ? (optionalText(call.body, 'completed_at') ?? before?.completedAt ?? at) : undefined;
  return { status, conclusion, startedAt: optionalText(call.body, 'started_at') ?? before?.startedAt ?? at, completedAt };
}

function output(call: Call, before: Pick<CheckRunRecord, 'title' | 'summary' | 'text'> | undefined) {
  const given = nested(call.body, 'output');
  if (given === undefined) return { title: before?.title, summary: before?.summary, text: before?.text };
  return {
    title: optionalText(given, 'title') ?? before?.title,
    summary: text(given, 'summary'),
    text: optionalText(given, 'text') ?? before?.text,
  };
}

async function createRun(call: Call): Promise<Answer> {
  const { world, body } = call;
  const { opened, app } = await asApp(call);
  const name = text(body, 'name');
  const commit = await opened.git.resolve(text(body, 'head_sha'));
  if (commit === undefined) throw refuse(422, `No commit found for SHA: ${text(body, 'head_sha')}`);
  const branch = [...(await opened.git.refs())]
    .find(([ref, id]) => ref.startsWith('refs/heads/') && id === commit)?.[0]
    .slice('refs/heads/'.length);
  const record = {
    repository: opened.row.id,
    commit,
    app: app.id,
    name,
    externalId: optionalText(body, 'external_id') ?? '',
    detailsUrl: optionalText(body, 'details_url'),
    ...progress(call, undefined),
    ...output(call, undefined),
  };
  const suite = suiteFor(call, opened, { commit, branch, app: app.id });
  const view = await suiteView(call, opened, suite.row);
  const run = world.store.transaction(() => {
    const row = world.store.insert('check', { parent: commitShelf(commit), key: undefined }, { ...record, suite: suite.row.id });
    if (suite.fresh) raise(world, opened, actor(call), { event: 'check_suite', action: 'requested', payload: { check_suite: view } });
    tell(call, opened, row, 'created');
    return row;
  });
  await tellSuite(call, opened, suite.row);
  world.deliver();
  return created(runView(call, opened, run), runView(call, opened, run).url);
}

function suiteFor(
  call: Call,
  opened: Opened,
  of: { readonly commit: string; readonly branch: string | undefined; readonly app: number },
): { readonly row: Stored<'suite'>; readonly fresh: boolean } {
  const { store } = call.world;
  const known = store
    .list('suite', commitShelf(of.commit))
    .find((suite) => suite.repository === opened.row.id && suite.commit === of.commit && suite.app === of.app);
  if (known !== undefined) return { row: known, fresh: false };
  const at = now(call.world);
  const row = store.insert(
    'suite',
    { parent: commitShelf(of.commit), key: undefined },
    {
      ...of,
      repository: opened.row.id,
      createdAt: at,
      updatedAt: at,
    },
  );
  return { row, fresh: true };
}

function tell(call: Call, opened: Opened, run: Stored<'check'>, action: string): void {
  raise(call.world, opened, actor(call), { event: 'check_run', action, payload: { check_run: runView(call, opened, run) } });
}

/** A suite whose runs have all ended is told about once more, as `completed`. */
async function tellSuite(call: Call, opened: Opened, suite: Stored<'suite'>): Promise<void> {
  const view = await suiteView(call, opened, suite);
  if (view.status !== 'completed') return;
  call.world.store.transaction(() => {
    raise(call.world, opened, actor(call), { event: 'check_suite', action: 'completed', payload: { check_suite: view } });
  });
}

function runOf(call: Call, opened: Opened): Stored<'check'> {
  const run = call.world.store.get('check', Number(param(call, 'check_run_id')));
  if (run === undefined || run.repository !== opened.row.id) throw notFound();
  return run;
}

async function getRun(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  return ok(runView(call, opened, runOf(call, opened)));
}

async function updateRun(call: Call): Promise<Answer> {
  const { world, body } = call;
  const { opened, app } = await asApp(call);
  const run = runOf(call, opened);
  if (run.app !== app.id)
    throw refuse(403, 'Invalid app_id `' + String(run.app) + '` - check run can only be modified by the GitHub App that created it.');
  const saved = {
    ...run,
    name: optionalText(body, 'name') ?? run.name,
    externalId: optionalText(body, 'external_id') ?? run.externalId,
    detailsUrl: optionalText(body, 'details_url') ?? run.detailsUrl,
    ...progress(call, run),
    ...output(call, run),
  };
  world.store.transaction(() => {
    world.store.save('check', saved);
    if (saved.status === 'completed' && run.status !== 'completed') tell(call, opened, saved, 'completed');
  });
  const suite = world.store.get('suite', run.suite);
  if (suite !== undefined) await tellSuite(call, opened, suite);
  world.deliver();
  return ok(runView(call, opened, saved));
}

async function listRuns(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const runs = checkRunsOf(call.world, opened.row.id, await commitNamed(call, opened, 'ref'));
  return pagedUnder(call, 'check_runs', filtered(call, runs), (run) => runView(call, opened, run));
}

/** `filter=latest` (the default) shows the newest run of each name and App. */
function filtered(call: Call, runs: readonly Stored<'check'>[]): readonly Stored<'check'>[] {
  const [name, status, app] = [call.query.get('check_name'), call.query.get('status'), call.query.get('app_id')];
  const newest = new Map(runs.map((run) => [`${run.app}/${run.name}`, run.id]));
  return runs
    .filter((run) => call.query.get('filter') === 'all' || newest.get(`${run.app}/${run.name}`) === run.id)
    .filter((run) => (name === undefined || run.name === name) && (status === undefined || run.status === status))
    .filter((run) => app === undefined || String(run.app) === app);
}

async function listSuites(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const commit = await commitNamed(call, opened, 'ref');
  const suites = call.world.store
    .list('suite', commitShelf(commit))
    .filter((suite) => suite.repository === opened.row.id && suite.commit === commit);
  return pagedUnder(call, 'check_suites', suites, (suite) => suiteView(call, opened, suite));
}

async function suiteOf(call: Call): Promise<{ readonly opened: Opened; readonly suite: Stored<'suite'> }> {
  const opened = await openRepository(call, 'read');
  const suite = call.world.store.get('suite', Number(param(call, 'check_suite_id')));
  if (suite === undefined || suite.repository !== opened.row.id) throw notFound();
  return { opened, suite };
}

async function getSuite(call: Call): Promise<Answer> {
  const { opened, suite } = await suiteOf(call);
  return ok(await suiteView(call, opened, suite));
}

async function listRunsOfSuite(call: Call): Promise<Answer> {
  const { opened, suite } = await suiteOf(call);
  const runs = checkRunsOf(call.world, opened.row.id, suite.commit).filter((run) => run.suite === suite.id);
  return pagedUnder(call, 'check_runs', filtered(call, runs), (run) => runView(call, opened, run));
}
