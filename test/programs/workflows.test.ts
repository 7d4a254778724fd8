import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';

import { workbench } from './capstan-program.ts';
import type { Ended, Workbench } from './capstan-program.ts';
import { ROOT } from './readme-blocks.ts';

let bench: Workbench;

beforeAll(async () => {
  bench = await workbench();
});

afterAll(() => bench.close());

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
}

interface Workflow {
  readonly on: unknown;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

async function stepsOf(file: string): Promise<readonly Step[]> {
  const { jobs } = parse(await readFile(join(ROOT, file), 'utf8')) as Workflow;
  return Object.values(jobs).flatMap((job) => job.steps);
}

/** Runs one step as the runner does: `bash -e` on a file, with the variables it sets. */
async function runStep(folder: string, script: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  const file = join(folder, '..', 'step.sh');
  await writeFile(file, script);
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-e', file], { cwd: folder, env: { ...bench.env, CI: 'true', GITHUB_ACTIONS: 'true', ...env } });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, out, err }));
  });
}

async function judge(folder: string, file: string, change: { readonly base: string; readonly head: string }) {
  const summary = join(folder, '..', 'summary.md');
  await writeFile(summary, '');
  const env = { BASE: await bench.git(folder, 'rev-parse', change.base), HEAD: await bench.git(folder, 'rev-parse', change.head) };
  const ended: Ended[] = [];
  for (const { run } of (await stepsOf(file)).filter((step) => step.name === 'Declarations' || step.name === 'Rendered difference'))
    ended.push(await runStep(folder, run ?? '', { ...env, GITHUB_STEP_SUMMARY: summary, GITHUB_WORKSPACE: folder }));
  const artifact = JSON.parse(await readFile(join(folder, 'rendered-diff.json'), 'utf8').catch(() => 'null')) as unknown;
  return { ended, summary: await readFile(summary, 'utf8'), artifact };
}

const OWN = '.github/workflows/validate.yaml';
const STARTER = 'src/cli/starter/.github/workflows/validate.yaml';

test('every action is pinned by commit, nothing runs with more than reading rights', async () => {
  for (const file of [OWN, STARTER, '.github/workflows/ci.yaml']) {
    const { permissions, on } = parse(await readFile(join(ROOT, file), 'utf8')) as Workflow;
    expect([file, permissions, Object.keys(on as object)]).toEqual([file, { contents: 'read' }, expect.arrayContaining(['pull_request'])]);
    const used = (await stepsOf(file)).flatMap((step) => step.uses ?? []);
    expect(used.filter((action) => !/^[a-z-]+\/[a-z-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
  }
});

test('CI is the one command that a person runs, too', async () => {
  const [run] = (await stepsOf('.github/workflows/ci.yaml')).flatMap((step) => step.run ?? []);
  expect(run).toBe('.ci/run');
  await access(join(ROOT, '.ci/run'), constants.X_OK);
});

test('a pull request to a repository that init wrote is judged by its workflow', async () => {
  const parent = await bench.folder();
  const platform = join(parent, 'platform');
  expect((await bench.capstan(parent, 'init', 'platform')).code).toBe(0);
  await mkdir(join(platform, '.capstan'), { recursive: true });
  await symlink(ROOT, join(platform, '.capstan/engine'));
  await bench.git(platform, 'switch', '--quiet', '--create', 'change');
  const path = join(platform, 'environments/dev/environment.yaml');
  const before = await readFile(path, 'utf8');
  await writeFile(path, before.replace("version: '>=1.0.0'", "version: '>=1.0.0'\n      config:\n        replicas: 2"));
  await bench.git(platform, 'commit', '-qam', 'dev: two replicas');

  const good = await judge(platform, STARTER, { base: 'main', head: 'change' });
  expect(good.ended.map(({ code, out, err }) => [code, out, code === 0 ? '' : err])).toEqual([
    [0, '', ''],
    [0, '', ''],
  ]);
  expect(good.summary).toMatch(/\n### dev\n\n0 created, \d updated, 0 deleted/);
  expect(good.artifact).toMatchObject({ kind: 'RenderedDiff', environments: [{ name: 'dev' }] });

  await writeFile(path, before.replace('risk: low', 'risk: lwo'));
  await bench.git(platform, 'commit', '-qam', 'dev: a mistake');
  const bad = await judge(platform, STARTER, { base: 'main', head: 'change' });
  expect(bad.ended.map(({ code }) => code)).toEqual([1, 1]);
  expect(bad.ended[0]?.out).toMatch(/^::error file=environments\/dev\/environment\.yaml,line=10,col=9,title=value-not-allowed::/);
});

test('a pull request to this repository is judged by its own workflow', async () => {
  const parent = await bench.folder();
  const clone = join(parent, 'clone');
  await bench.git(parent, 'clone', '--quiet', `file://${ROOT}`, 'clone');
  await bench.git(clone, 'switch', '--quiet', '--create', 'change');
  await bench.git(clone, 'branch', '--force', 'main', 'HEAD');
  const path = join(clone, 'environments/dev/environment.yaml');
  await writeFile(path, `${await readFile(path, 'utf8')}# A comment changes nothing.\n`);
  await bench.git(clone, 'commit', '-qam', 'dev: a comment');
  // The program that is judged by this test, not the one that was committed last.
  await rm(join(clone, 'src'), { recursive: true });
  await symlink(join(ROOT, 'src'), join(clone, 'src'));

  const judged = await judge(clone, OWN, { base: 'main', head: 'change' });
  expect(judged.ended.map(({ code, err }) => [code, code === 0 ? '' : err])).toEqual([
    [0, ''],
    [0, ''],
  ]);
  expect(judged.ended[0]?.out).toMatch(/^(::warning [^\n]*\n)*$/);
  expect(judged.summary).toMatch(/^### Declarations\n```\n[^]*exit code 0\n```\n### Rendered difference\nNothing rendered changes\.\n$/);
  expect(judged.artifact).toMatchObject({ kind: 'RenderedDiff', environments: [] });
});
