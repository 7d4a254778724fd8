import type { CommitId } from '#model/digest.ts';
import type { CheckReading } from '#model/promotion.ts';
import type { Evidence } from '#ports/forge.ts';
import type { GithubClient } from './client.ts';
import { checkRuns, statusReadings, toReading } from './evidence.ts';
import { asking } from './failures.ts';

interface Published {
  readonly state: CheckReading['state'];
  readonly detail: string;
  /** Of the check run, where it is one. */
  readonly run: number | undefined;
}

/** GitHub cuts nothing: a longer description is refused. */
const LONGEST_DESCRIPTION = 140;
/** Commits whose checks are remembered; an older one is read again before it is written. */
const REMEMBERED = 1000;

/** Publishes a check run as an App, a commit status as a user. What stands there already is not sent again, also after a restart. */
export function publishing(client: GithubClient): Evidence['publish'] {
  const last = new Map<string, Published>();

  async function remembered(commit: CommitId, name: string): Promise<Published | undefined> {
    const key = `${commit} ${name}`;
    const known = last.get(key) ?? (await standing(client, commit, name));
    if (known !== undefined) remember(key, known);
    return known;
  }

  function remember(key: string, published: Published): void {
    last.delete(key);
    last.set(key, published);
    const [oldest] = last.keys();
    if (last.size > REMEMBERED && oldest !== undefined) last.delete(oldest);
  }

  return (commit, check) =>
    asking(`publishing ${check.name}`, async () => {
      const detail = shortened(check.detail);
      const before = await remembered(commit, check.name);
      if (before?.state === check.state && before.detail === detail) return;
      const run = await send(client, commit, { ...check, detail }, before?.run);
      remember(`${commit} ${check.name}`, { state: check.state, detail, run });
    });
}

async function standing(client: GithubClient, commit: CommitId, name: string): Promise<Published | undefined> {
  const { auth } = client.options;
  switch (auth.kind) {
    case 'token': {
      const status = (await statusReadings(client, commit)).find((one) => one.name === name);
      return status === undefined ? undefined : { state: status.state, detail: status.detail, run: undefined };
    }
    case 'app': {
      const run = (await checkRuns(client, commit, name)).find((one) => one.name === name && one.app?.id === auth.id);
      if (run === undefined) return undefined;
      const { state, detail } = toReading(run);
      return { state, detail, run: run.id };
    }
  }
}

async function send(client: GithubClient, commit: CommitId, check: CheckReading, run: number | undefined): Promise<number | undefined> {
  const octokit = await client.octokit();
  const { auth } = client.options;
  switch (auth.kind) {
    case 'token':
      await octokit.repos.createCommitStatus({
        ...client.at,
        sha: commit,
        context: check.name,
        state: check.state,
        description: check.detail,
      });
      return undefined;
    case 'app': {
      const output = { title: check.detail === '' ? check.name : check.detail, summary: check.detail };
      const state =
        check.state === 'pending' ? ({ status: 'in_progress' } as const) : ({ status: 'completed', conclusion: check.state } as const);
      // A completed run cannot go back to pending by an update; a new one takes its place.
      if (run !== undefined && check.state !== 'pending') {
        await octokit.checks.update({ ...client.at, check_run_id: run, ...state, output });
        return run;
      }
      const { data } = await octokit.checks.create({ ...client.at, name: check.name, head_sha: commit, ...state, output });
      return data.id;
    }
  }
}

function shortened(text: string): string {
  return text.length <= LONGEST_DESCRIPTION ? text : `${text.slice(0, LONGEST_DESCRIPTION - 1)}…`;
}
