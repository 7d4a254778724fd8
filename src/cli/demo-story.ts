import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { queryAt } from '#loops/ledger-queries.ts';
import { statusOf } from '#loops/status.ts';
import type { EnvironmentStatus } from '#loops/status.ts';
import { verifyClone } from '#loops/verify.ts';
import { toInstant } from '#model/instant.ts';
import { demoFiles, git, until } from './demo-stage.ts';
import type { Stage } from './demo-stage.ts';

export interface Step {
  readonly title: string;
  /** Later steps make no sense without it. */
  readonly isNeeded: boolean;
  /** Answers what was seen; throws what was not. */
  readonly run: (stage: Stage) => Promise<string>;
}

export const STORY: readonly Step[] = [
  { title: 'declare', isNeeded: true, run: declare },
  { title: 'first sync', isNeeded: true, run: firstSync },
  { title: 'release 1.1.0 to dev', isNeeded: true, run: releaseToDev },
  { title: 'promote to staging', isNeeded: true, run: promoteToStaging },
  { title: 'prod waits for a person', isNeeded: true, run: waitForReview },
  { title: 'approve, merge, sync prod', isNeeded: true, run: approveAndMerge },
  { title: 'drift is put right', isNeeded: false, run: drift },
  { title: 'unhealthy 1.2.0 stays in dev', isNeeded: false, run: unhealthy },
  { title: 'unsigned 1.3.0 is refused', isNeeded: false, run: unsigned },
  { title: '1.4.0 would delete too much', isNeeded: false, run: budget },
  { title: 'verify --full from a clone', isNeeded: false, run: verify },
  { title: 'history --at', isNeeded: false, run: history },
];

const CAPSULE = 'capsules/hello/capsule.yaml';

interface Pull {
  readonly number: number;
  readonly title: string;
  readonly state: string;
  readonly merged_at: string | null;
  readonly head: { readonly ref: string; readonly sha: string };
  readonly user: { readonly login: string };
}

async function declare(stage: Stage): Promise<string> {
  const files = stage.targets.declared(await demoFiles(stage.keys));
  await stage.push({ message: 'Declare the platform', files });
  const locks = await stage.locks();
  await stage.push({ message: 'Lock versions', files: locks });
  await protect(stage, 'main', ['capstan/promote']);
  return `${Object.keys(files).length} files and ${Object.keys(locks).length} locks, signed by ada, pushed with stock git`;
}

async function firstSync(stage: Stage): Promise<string> {
  await stage.startService();
  for (const environment of ['dev', 'staging', 'prod'])
    await until(`${environment} to run hello 1.0.0`, 60, () => runs(stage, environment, '1.0.0'));
  for (const branch of ['rendered/prod', 'audit']) await until(`branch ${branch}`, 60, () => stage.branch(branch));
  for (const branch of ['rendered/dev', 'rendered/staging', 'rendered/prod', 'audit']) await protect(stage, branch, undefined);
  return 'dev, staging and prod run hello 1.0.0; rendered/* and audit are protected';
}

async function releaseToDev(stage: Stage): Promise<string> {
  await release(stage, { version: '1.1.0', from: 'greeting: Hello', to: 'greeting: Hello again' });
  await until('dev to run hello 1.1.0', 60, () => runs(stage, 'dev', '1.1.0'));
  const pull = await until('the pull request to dev', 30, () => pullOf(stage, 'dev', '1.1.0'));
  const rendered = await until('rendered/dev', 30, () =>
    stage.fileAt('rendered/dev', `local/hello/apps_v1_deployment_${stage.targets.namespace('dev')}_hello.yaml`),
  );
  if (!rendered.includes('1.1.0')) throw new Error('rendered/dev does not hold hello 1.1.0');
  return `push -> webhook -> pull request #${pull.number} (${pull.head.ref}) merged -> rendered/dev -> ${stage.targets.place('dev')}`;
}

async function promoteToStaging(stage: Stage): Promise<string> {
  const pull = await until('the pull request to staging', 120, () => pullOf(stage, 'staging', '1.1.0'));
  const files = (await stage.api(stage.ada, 'GET', `/repos/ada/platform/pulls/${pull.number}/files`)) as readonly {
    filename: string;
    additions: number;
    deletions: number;
  }[];
  const [only] = files;
  if (files.length !== 1 || only?.filename !== 'environments/staging/environment.lock.yaml' || only.additions !== 4)
    throw new Error(`the pull request changes ${JSON.stringify(files.map((file) => file.filename))}`);
  await until('staging to run hello 1.1.0', 120, () => runs(stage, 'staging', '1.1.0'));
  return `pull request #${pull.number} changed 4 lines of one lock, soaked 3 s and merged itself; staging runs 1.1.0`;
}

async function waitForReview(stage: Stage): Promise<string> {
  // Health is recorded at most once a minute, and pods take a moment.
  const pull = await until('the pull request to prod', 120, () => pullOf(stage, 'prod', '1.1.0'));
  const status = await until('the status capstan/promote to wait for the approval alone', 60, async () => {
    const found = await promoteStatus(stage, pull.head.sha);
    return found?.state === 'pending' && found.description.startsWith('approval') ? found : undefined;
  });
  if ((await runs(stage, 'prod', '1.1.0')) !== undefined) throw new Error('prod runs 1.1.0 without an approval');
  return `pull request #${pull.number} of ${pull.user.login}: ${status.description}`;
}

async function approveAndMerge(stage: Stage): Promise<string> {
  const pull = await until('the pull request to prod', 30, () => pullOf(stage, 'prod', '1.1.0'));
  await stage.api(stage.bob, 'POST', `/repos/ada/platform/pulls/${pull.number}/reviews`, { event: 'APPROVE', body: 'Looks good.' });
  await until('capstan/promote to succeed', 60, async () =>
    (await promoteStatus(stage, pull.head.sha))?.state === 'success' ? true : undefined,
  );
  await stage.api(stage.bob, 'PUT', `/repos/ada/platform/pulls/${pull.number}/merge`, { sha: pull.head.sha, merge_method: 'merge' });
  await until('prod to run hello 1.1.0', 60, () => runs(stage, 'prod', '1.1.0'));
  const seen = await until('the record of prod', 60, async () => {
    const [row] = await queryAt(await stage.world(), 'prod', now());
    return row?.version === '1.1.0' ? row : undefined;
  });
  return `bob approved and merged #${pull.number}; prod runs ${seen.version}, ${seen.health}`;
}

async function drift(stage: Stage): Promise<string> {
  await stage.targets.meddle('staging');
  return 'replicas: 7, set by hand in staging, was found and put right';
}

async function unhealthy(stage: Stage): Promise<string> {
  const before = await stage.fileAt('main', 'environments/staging/environment.lock.yaml');
  await release(stage, { version: '1.2.0', from: 'greeting: Hello again', to: 'greeting: Hello once more', isSpoiled: true });
  const running = await until('dev to get hello 1.2.0', 60, () => runs(stage, 'dev', '1.2.0'));
  const why = await stage.targets.spoil('dev', running);
  const status = await until('dev to be unwell', 60, async () => {
    const found = await environmentStatus(stage, 'dev');
    return found.targets.some((target) => target.health === 'degraded' || target.health === 'progressing') ? found : undefined;
  });
  await new Promise((done) => setTimeout(done, 4000));
  if ((await stage.fileAt('main', 'environments/staging/environment.lock.yaml')) !== before)
    throw new Error('staging moved to the unhealthy version');
  if ((await runs(stage, 'dev', '1.2.0')) !== running) throw new Error('dev lost the version that is to be looked at');
  return `it is ${status.capsules[0]?.health ?? ''} (${why}); after more than the soak staging still runs 1.1.0`;
}

async function unsigned(stage: Stage): Promise<string> {
  const commit = await release(stage, { version: '1.3.0', from: 'greeting: Hello once more', to: 'greeting: Trust me', signed: false });
  const held = await until('1.3.0 to be held', 60, async () => {
    const found = (await environmentStatus(stage, 'dev')).capsules
      .flatMap((capsule) => capsule.waiting)
      .find((text) => text.includes('1.3.0'));
    return found;
  });
  const status = await until('the status on the release commit', 60, async () => {
    const all = (await stage.api(stage.ada, 'GET', `/repos/ada/platform/commits/${commit}/statuses`)) as readonly {
      context: string;
      state: string;
      description: string;
    }[];
    return all.find((item) => item.context === 'capstan/release' && item.state === 'failure');
  });
  if ((await runs(stage, 'dev', '1.3.0')) !== undefined) throw new Error('dev runs the unsigned release');
  return `${status.context} failed: ${held}`;
}

async function budget(stage: Stage): Promise<string> {
  const before = await stage.branch('rendered/dev');
  const capsule = await readFile(join(stage.clone, CAPSULE), 'utf8');
  const smaller = capsule
    .replace(/ {6}files:\n(?: {8}.*\n)+/, '')
    .replace(/ {6}ports:\n(?: {8}.*\n)+/, '')
    .replace(/ {6}probes:\n(?: {8}.*\n)+/, '')
    .replace(/ {2}provides:\n(?: {4}.*\n)+/, '');
  await stage.push({ message: 'hello 1.4.0 without its service', files: { [CAPSULE]: smaller.replace(/version: .*/, 'version: 1.4.0') } });
  const stuck = await until('dev to be stopped by the deletion budget', 60, async () => {
    const { ending } = await environmentStatus(stage, 'dev');
    const lock = await stage.fileAt('main', 'environments/dev/environment.lock.yaml');
    if (ending.kind !== 'stuck' || lock?.includes('1.4.0') !== true) return undefined;
    return ending.problems.find((problem) => problem.code.startsWith('deletion-budget'));
  });
  if ((await stage.branch('rendered/dev')) !== before) throw new Error('rendered/dev moved');
  if (!(await stage.targets.hasService('dev'))) throw new Error('dev lost its service');
  return stuck.message;
}

async function verify(stage: Stage): Promise<string> {
  const clone = join(stage.directory, 'auditor');
  await git(stage.directory, [
    'clone',
    '--quiet',
    `${stage.forge.url.replace('://', `://ada:${stage.ada.token}@`)}/ada/platform.git`,
    clone,
  ]);
  const world = await stage.openClone(clone);
  try {
    const result = await verifyClone(world, { full: true, report: () => undefined });
    const [first] = result.problems;
    if (first !== undefined) throw new Error(`${result.problems.length} problems; ${first.message}`);
    return `${result.commits} commits signed by the engine, ${result.records} records in one chain, ${result.rendered} renderings rendered again and equal, offline`;
  } finally {
    await world.close();
  }
}

async function history(stage: Stage): Promise<string> {
  const world = await stage.world();
  const today = await queryAt(world, 'prod', now());
  const [row] = today;
  if (row === undefined) throw new Error('the ledger does not know what runs in prod');
  let since = row.since;
  let before = row;
  // How it was may have changed since it came.
  for (let records = 0; before.version === row.version && records < 20; records += 1) {
    since = before.since;
    const [older] = await queryAt(world, 'prod', toInstant(Date.parse(since) - 1));
    if (older === undefined) break;
    before = older;
  }
  if (row.version !== '1.1.0' || before.version !== '1.0.0')
    throw new Error(`the ledger says ${row.version}, and ${before.version} before`);
  return `prod runs ${row.version} since ${since}; a moment before it ran ${before.version}`;
}

interface Release {
  readonly version: string;
  readonly from: string;
  readonly to: string;
  readonly signed?: boolean;
  readonly isSpoiled?: boolean;
}

async function release(stage: Stage, change: Release): Promise<string> {
  const capsule = await readFile(join(stage.clone, CAPSULE), 'utf8');
  if (!capsule.includes(change.from)) throw new Error(`the capsule does not say "${change.from}"`);
  const changed = capsule.replace(change.from, change.to).replace(/version: .*/, `version: ${change.version}`);
  const next = change.isSpoiled === true ? stage.targets.spoiled(changed) : changed;
  return stage.push({
    message: `hello ${change.version}`,
    files: { [CAPSULE]: next },
    ...(change.signed === undefined ? {} : { signed: change.signed }),
  });
}

/** Something once that version is there. */
async function runs(stage: Stage, environment: string, version: string): Promise<string | undefined> {
  return stage.targets.runs(environment, version);
}

async function pullOf(stage: Stage, environment: string, version: string): Promise<Pull | undefined> {
  const all = (await stage.api(stage.ada, 'GET', '/repos/ada/platform/pulls?state=all&per_page=100')) as readonly Pull[];
  return all.find((pull) => pull.head.ref.startsWith(`promote/${environment}/`) && pull.title.includes(version));
}

async function promoteStatus(stage: Stage, commit: string): Promise<{ readonly state: string; readonly description: string } | undefined> {
  const all = (await stage.api(stage.ada, 'GET', `/repos/ada/platform/commits/${commit}/statuses`)) as readonly {
    context: string;
    state: string;
    description: string;
  }[];
  return all.find((item) => item.context === 'capstan/promote');
}

async function environmentStatus(stage: Stage, environment: string): Promise<EnvironmentStatus> {
  return statusOf(await stage.world(), environment);
}

async function protect(stage: Stage, branch: string, checks: readonly string[] | undefined): Promise<void> {
  await stage.api(stage.ada, 'PUT', `/repos/ada/platform/branches/${encodeURIComponent(branch)}/protection`, {
    required_status_checks: checks === undefined ? null : { strict: false, contexts: checks },
    enforce_admins: false,
    required_pull_request_reviews: null,
    restrictions: null,
  });
}

function now() {
  return toInstant(Date.now());
}
