import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { demoFiles, until, type Stage } from '#cli/demo-stage.ts';
import type { KillStage } from './kill-stage.ts';
import type { Moment } from './moments.ts';

/** Seconds that anything may take while the service is killed and comes back on a busy machine. */
const PATIENCE = 90;
const CAPSULE = 'capsules/hello/capsule.yaml';

interface Pull {
  readonly number: number;
  readonly title: string;
  readonly head: { readonly ref: string; readonly sha: string };
}

interface Step {
  readonly title: string;
  readonly run: (stage: Stage) => Promise<void>;
}

/** The demo's path without its detours: what a release passes from the first push to prod. */
export const STEPS: readonly Step[] = [
  { title: 'first sync', run: firstSync },
  { title: 'release 1.1.0 reaches dev', run: releaseToDev },
  { title: 'staging soaks, merges itself and syncs', run: promoteToStaging },
  { title: 'prod waits for a review', run: waitForReview },
  { title: 'bob approves and merges, prod syncs', run: approveAndMerge },
  { title: 'what is left is worked off', run: comeToRest },
];

/** Tells the story, kills the service at the given moments, and answers how many milliseconds each step took. */
export async function tellWithKills(told: KillStage, moments: readonly Moment[], deadFor: () => number): Promise<readonly number[]> {
  await declare(told.stage);
  const durations: number[] = [];
  for (const [index, step] of STEPS.entries()) {
    const began = performance.now();
    let isOver = false;
    const running = step.run(told.stage).finally(() => {
      isOver = true;
    });
    // Until it is awaited below, its failure is nobody's.
    running.catch(() => undefined);
    for (const moment of moments.filter((one) => one.step === index)) {
      while (!isOver && performance.now() < began + moment.after) await sleep(5);
      await told.killService(deadFor());
    }
    await running.catch((error: unknown) => {
      throw new Error(`${step.title}: ${error instanceof Error ? error.message : String(error)}`);
    });
    durations.push(performance.now() - began);
  }
  return durations;
}

async function declare(stage: Stage): Promise<void> {
  const files = { ...(await demoFiles(stage.keys)) };
  const prod = 'environments/prod/environment.yaml';
  // Protected branches, which a high risk asks for, exist only after the first sync; they are not what is killed here.
  files[prod] = (files[prod] ?? '').replace('risk: high', 'risk: medium');
  const staging = 'environments/staging/environment.yaml';
  files[staging] = (files[staging] ?? '').replace('soak: 3s', 'soak: 2s');
  await stage.push({ message: 'Declare the platform', files });
  await stage.push({ message: 'Lock versions', files: await stage.locks() });
  await stage.api(stage.ada, 'PUT', '/repos/ada/platform/branches/main/protection', {
    required_status_checks: { strict: false, contexts: ['capstan/promote'] },
    enforce_admins: false,
    required_pull_request_reviews: null,
    restrictions: null,
  });
  // Whoever may read a hook's deliveries can have failed ones sent again.
  await stage.api(stage.ada, 'PUT', '/repos/ada/platform/collaborators/capstan-engine', { permission: 'admin' });
}

async function firstSync(stage: Stage): Promise<void> {
  await stage.startService();
  for (const environment of ['dev', 'staging', 'prod']) await runs(stage, environment, '1.0.0');
  await until('the ledger to begin', PATIENCE, () => stage.branch('audit'));
}

async function releaseToDev(stage: Stage): Promise<void> {
  const capsule = await readFile(join(stage.clone, CAPSULE), 'utf8');
  const next = capsule.replace('greeting: Hello', 'greeting: Hello again').replace(/version: .*/, 'version: 1.1.0');
  await stage.push({ message: 'hello 1.1.0', files: { [CAPSULE]: next } });
  await runs(stage, 'dev', '1.1.0');
}

async function promoteToStaging(stage: Stage): Promise<void> {
  await until('the pull request to staging', PATIENCE, () => pullOf(stage, 'staging'));
  await runs(stage, 'staging', '1.1.0');
}

async function waitForReview(stage: Stage): Promise<void> {
  const pull = await until('the pull request to prod', PATIENCE, () => pullOf(stage, 'prod'));
  await until('the status to wait for the approval alone', PATIENCE, async () => {
    const status = await promoteStatus(stage, pull.head.sha);
    return status?.state === 'pending' && status.description.startsWith('approval') ? true : undefined;
  });
}

async function approveAndMerge(stage: Stage): Promise<void> {
  const pull = await until('the pull request to prod', PATIENCE, () => pullOf(stage, 'prod'));
  await stage.api(stage.bob, 'POST', `/repos/ada/platform/pulls/${pull.number}/reviews`, { event: 'APPROVE', body: 'Looks good.' });
  await until('the status to succeed', PATIENCE, async () =>
    (await promoteStatus(stage, pull.head.sha))?.state === 'success' ? true : undefined,
  );
  await stage.api(stage.bob, 'PUT', `/repos/ada/platform/pulls/${pull.number}/merge`, { sha: pull.head.sha, merge_method: 'merge' });
  await runs(stage, 'prod', '1.1.0');
}

/** Nothing moves in the repository for longer than a poll and a drift check take. */
async function comeToRest(stage: Stage): Promise<void> {
  let last = '';
  let since = performance.now();
  await until('the repository to rest', PATIENCE, async () => {
    const now = JSON.stringify(await stage.api(stage.ada, 'GET', '/repos/ada/platform/git/matching-refs/heads/'));
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > 3000 ? true : undefined;
  });
}

async function runs(stage: Stage, environment: string, version: string): Promise<void> {
  await until(`${environment} to run hello ${version}`, PATIENCE, () => stage.targets.runs(environment, version));
}

async function pullOf(stage: Stage, environment: string): Promise<Pull | undefined> {
  const all = (await stage.api(stage.ada, 'GET', '/repos/ada/platform/pulls?state=all&per_page=100')) as readonly Pull[];
  return all.find((pull) => pull.head.ref.startsWith(`promote/${environment}/`) && pull.title.includes('1.1.0'));
}

async function promoteStatus(stage: Stage, commit: string): Promise<{ readonly state: string; readonly description: string } | undefined> {
  const all = (await stage.api(stage.ada, 'GET', `/repos/ada/platform/commits/${commit}/statuses`)) as readonly {
    readonly context: string;
    readonly state: string;
    readonly description: string;
  }[];
  return all.find((item) => item.context === 'capstan/promote');
}
