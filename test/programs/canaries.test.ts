import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { until } from '#cli/demo-stage.ts';
import { searcherOf, told, type Leak, type Searcher } from '#test/canaries/canaries.ts';
import { canaryStage, type CanaryStage, type Said } from '#test/canaries/canary-stage.ts';
import { capsuleFiles } from '#test/stories/shop.ts';

let stage: CanaryStage;
let search: Searcher;

beforeAll(async () => {
  stage = await canaryStage();
  search = searcherOf(stage.canaries);
});

afterAll(() => stage?.close());

/** Where a secret has to be: what the test seeded, the key itself, the forge's own table, and what a target was given. */
const OWN_PLACES = [/^seed\//, /^shims\/sops$/, /^service\/\.capstan\/engine_ed25519$/, /^service\/\.capstan\/targets\/.*_secret_/];

function sweepFiles(): readonly Leak[] {
  const files = readdirSync(stage.root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(30);
  return files.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name).slice(stage.root.length + 1);
    return OWN_PLACES.some((own) => own.test(path)) ? [] : search(path, readFileSync(join(stage.root, path)));
  });
}

/** Every object of every repository there is, inflated. */
function sweepGit(): readonly Leak[] {
  const folders = readdirSync(stage.root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === 'HEAD' && !/logs|refs/.test(entry.parentPath))
    .map((entry) => entry.parentPath);
  expect(folders.length).toBeGreaterThanOrEqual(3);
  return folders.flatMap((folder) =>
    search(
      `objects of ${folder.slice(stage.root.length + 1)}`,
      execFileSync('git', [`--git-dir=${folder}`, 'cat-file', '--batch-all-objects', '--batch'], { maxBuffer: 1 << 28 }),
    ),
  );
}

const COMMANDS = [
  'validate --repo ../clone -o json',
  'validate --repo ../clone -o sarif',
  'render --repo ../clone --all --objects -o json',
  'diff --repo ../clone --base HEAD~1 --head HEAD -o json',
  'plan dev -o json',
  'plan eu -o json',
  'plan us',
  'plan ap',
  'reconcile dev -o json',
  'reconcile eu',
  'reconcile ap -o json',
  'status -o json',
  'get targets -o json',
  'get runs -o json',
  'history -o json',
  'verify -o json',
  'identity -o json',
  'promote staging -o json',
  'doctor -o json',
  'doctor --fix',
  'lock --repo ../clone --all',
];

async function runAll(commands: readonly string[]): Promise<readonly Said[]> {
  const said: Said[] = [];
  for (let next = 0; next < commands.length; next += 2)
    said.push(
      ...(await Promise.all(
        commands
          .slice(next, next + 2)
          .map((line) => stage.capstan(...line.split(' '), ...(line.includes('--repo') ? [] : ['--config', 'capstan.yaml']), '-v')),
      )),
    );
  return said;
}

test('row 103: no secret is in any output, whatever the servers do with what they are sent', async () => {
  const outputs: (readonly [string, string])[] = [];
  const note = (where: string, text: string): void => void outputs.push([where, text]);
  const program = await stage.start();
  for (const path of ['/metrics', '/readyz', '/livez', '/healthz', '/', '/api', '/webhooks/github'])
    note(path, await (await fetch(`${stage.url}${path}`)).text());
  const secret = stage.canaries.get('webhook secret') ?? '';
  for (const [body, signature] of [
    ['{"ref":"refs/heads/main"}', undefined],
    ['{"ref":"refs/heads/main"}', `sha256=${'0'.repeat(64)}`],
    [JSON.stringify({ secret }), `sha1=${secret}`.replaceAll(/[^\x20-\x7e]/g, '')],
  ] as const) {
    const answer = await stage.deliver(body, signature);
    note('webhook', `${answer.status} ${await answer.text()}`);
  }
  await stage.push({ ...bumped('1.1.0') }, 'web: release 1.1.0');

  for (const manner of [401, 403, 422, 500, 'text'] as const) {
    const before = stage.forge.reflected();
    stage.cluster.behave(manner);
    stage.registry.behave(manner);
    const image = `${new URL(stage.registry.url).host}/acme/web@sha256:${'1'.repeat(64)}`;
    stage.forge.behave(manner, (path) => path.startsWith('/api/'));
    await stage.deliver(JSON.stringify({ manner, ref: 'refs/heads/main' }));
    for (const said of await runAll([
      'doctor -o json',
      'promote staging',
      'reconcile eu',
      'plan ap',
      `verify-image ${image} --key ../seed/cosign.pub -o json`,
    ]))
      note(said.command, said.out + said.err);
    stage.forge.behave(manner);
    await until(`a refusal of git by ${manner}`, 60, async () => (stage.forge.reflected() > before + 1 ? true : undefined));
    for (const said of await runAll(['doctor', 'reconcile dev'])) note(said.command, said.out + said.err);
  }
  stage.forge.behave(403, (_path, method) => method !== 'GET');
  await stage.push({ ...bumped('1.2.0') }, 'web: release 1.2.0');
  for (const said of await runAll(['reconcile dev', 'promote staging -o json', 'doctor --fix'])) note(said.command, said.out + said.err);
  stage.forge.behave('hand-on');
  writeFileSync(join(stage.root, 'seed/login.broken'), '');
  const ended = await runAll(COMMANDS);
  for (const said of ended) note(said.command, said.out + said.err);
  note('/metrics', await (await fetch(`${stage.url}/metrics`)).text());
  for (const path of [
    '/repos/ada/platform/pulls?state=all',
    '/repos/ada/platform/issues/comments',
    '/repos/ada/platform/commits/main/status',
  ])
    note(path, await stage.api('GET', path).catch(String));
  await program.stop();
  stage.programs().forEach((one, at) => note(`log of program ${at}`, one.said()));

  expect(told([...outputs.flatMap(([where, text]) => search(where, text)), ...sweepFiles(), ...sweepGit()])).toEqual([]);
  const heard = stage.forge.heard() + stage.cluster.heard() + stage.registry.heard();
  for (const name of ['forge token', 'kubeconfig token', 'login program token', 'registry password'])
    expect([name, heard.includes(stage.canaries.get(name) ?? name)]).toEqual([name, true]);
  expect(ended.filter(({ code }) => code === 0).length).toBeGreaterThan(12);
  expect(outputs.some(([, text]) => text.includes('[secret]'))).toBe(true);
});

test('the sweep finds what is left behind: in a file, in a commit, in a database', () => {
  const [text = ''] = stage.canaries.values();
  writeFileSync(join(stage.root, 'tmp', 'left-behind'), Buffer.from(`x ${text}`).toString('base64'));
  const clone = join(stage.root, 'clone');
  const id = execFileSync('git', ['-C', clone, 'hash-object', '-w', '--stdin'], { input: `x: ${JSON.stringify(text)}`, encoding: 'utf8' });

  expect(id).toMatch(/^[0-9a-f]{40}/);
  expect(sweepFiles().map(({ canary, where }) => `${canary} in ${where}`)).toContain('environment variable in tmp/left-behind');
  expect(sweepGit().map(({ canary, where }) => `${canary} in ${where}`)).toContain('environment variable in objects of clone/.git');
});

function bumped(version: string): Readonly<Record<string, string>> {
  const files = capsuleFiles(version);
  const text = readFileSync(join(stage.root, 'clone/capsules/web/capsule.yaml'), 'utf8');
  expect(Object.keys(files)).toEqual(['capsules/web/capsule.yaml']);
  return { 'capsules/web/capsule.yaml': text.replace(/version: .*/, `version: ${version}`) };
}
