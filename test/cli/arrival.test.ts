import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { runCli } from '#cli/cli.ts';
import type { Terminal } from '#cli/powers.ts';
import { object } from '#test/arrival/luggage.ts';
import { NO_POWERS } from '#test/no-powers.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-arrival-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function plant(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function capstan(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', ''];
  const terminal: Terminal = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    say: (text) => void (err += text),
    isVerbose: false,
    env: { PATH: join(folder, 'bin') },
    cwd: folder,
    isTerminal: false,
    signal: new AbortController().signal,
  };
  const code = await runCli(args, async () => NO_POWERS, terminal);
  return { code, out, err };
}

test('into an existing folder nothing is overwritten: what is there is kept, or refuses everything', async () => {
  await plant({ 'k8s/web/web.yaml': object('ConfigMap', 'web'), 'mine/.gitignore': 'mine\n', 'mine/src/main.go': 'package main\n' });

  const first = await capstan('init', '--from', 'k8s', 'mine');
  const second = await capstan('init', '--from', 'k8s', 'mine');

  expect([first.code, first.err]).toEqual([0, expect.stringContaining('Left as they are: .gitignore')]);
  expect(await readFile(join(folder, 'mine/.gitignore'), 'utf8')).toBe('mine\n');
  expect(await readFile(join(folder, 'mine/capsules/web/files/web.yaml'), 'utf8')).toBe(object('ConfigMap', 'web'));
  expect([second.code, second.err]).toEqual([1, expect.stringContaining('already; nothing was written')]);
});

test('a dry run writes nothing', async () => {
  await plant({ 'k8s/web/web.yaml': object('ConfigMap', 'web'), 'mine/x': '' });

  const ended = await capstan('init', '--dry-run', '--from', 'k8s', 'mine');

  expect([ended.code, ended.out.split('\n').includes('capsules/web/files/web.yaml')]).toEqual([0, true]);
  await expect(stat(join(folder, 'mine/capsules'))).rejects.toThrow('ENOENT');
});

test.each([
  [[], 'helm 3.22.0 is not here'],
  [['helm'], 'init runs no helm: `capstan validate` renders it with helm 3.22.0'],
])('a chart that nobody rendered is said not to be compared, with %j on PATH', async (programs, why) => {
  await plant({ 'apps/web/Chart.yaml': 'name: web\nversion: 1.0.0\n', 'mine/x': '', 'bin/x': '' });
  for (const name of programs) await writeFile(join(folder, 'bin', name), '', { mode: 0o755 });

  const { code, out, err } = await capstan('init', '--dry-run', '--from', 'helm', 'apps', 'mine', '-o', 'json');

  expect([code, (JSON.parse(out) as { notCompared: unknown }).notCompared]).toEqual([0, [{ file: 'capsules/web/capsule.yaml', why }]]);
  expect(err).toContain(`not compared: ${why} (1 capsule)\n`);
});

test('links are not followed, hidden folders and what is too large not read; each is named', async () => {
  await plant({
    'k8s/web/web.yaml': object('ConfigMap', 'web'),
    'k8s/.hidden/a.yaml': 'a: 1\n',
    'k8s/big.yaml': '#'.repeat(5_000_000),
    'mine/x': '',
  });
  await symlink('/etc', join(folder, 'k8s/etc'));
  await symlink('../../../outside', join(folder, 'k8s/web/outside.yaml'));

  const { code, out } = await capstan('init', '--dry-run', '--from', 'k8s', 'mine', '-o', 'json');

  const report = JSON.parse(out) as { leftOut: { file: string; why: string }[]; mapped: { file: string }[] };
  expect(code).toBe(0);
  expect(report.mapped.map(({ file }) => file)).toEqual(['web/web.yaml']);
  expect(report.leftOut.map(({ file, why }) => `${file} ${why}`)).toEqual([
    '.hidden is hidden: not looked at',
    'big.yaml is larger than 4194304 bytes',
    'etc is a symbolic link, which is never followed: put the file itself there',
    'web/outside.yaml is a symbolic link, which is never followed: put the file itself there',
  ]);
});

test.each([
  [['init', '--from', 'helm'], 64, '--from helm needs the folder to read'],
  [['init', '--namespace', 'x'], 64, '--namespace says something about --from'],
  [['init', '--from', 'k8s', '--environment', 'No Name'], 64, '--environment takes a name'],
  [['init', '--from', 'gone'], 1, 'gone is not there'],
  [['init', '--from', 'empty', 'mine'], 1, 'could come along; nothing was written'],
  [['init', 'a', 'b'], 64, 'b is too many'],
  [['schema', '--check'], 64, '--check needs --out'],
  [['fmt', '--stdin', 'a.yaml'], 64, '--stdin reads one declaration'],
  [['fmt', 'gone.yaml'], 1, 'gone.yaml is not there'],
] as const)('%s: %s', async (args, code, message) => {
  await plant({ 'empty/README.md': '# nothing\n' });

  const ended = await capstan(...args);

  expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(message)]);
});

const POLICY = 'kind: Policy\napiVersion: capstan.dev/v1alpha1\nmetadata: { name: a }\nspec: { on: [render] }\n';
const LAID_OUT = 'apiVersion: capstan.dev/v1alpha1\nkind: Policy\nmetadata:\n  name: a\nspec:\n  on:\n    - render\n';

test('fmt writes what differs, keeps modes, and leaves locks, manifests, links and what does not parse alone', async () => {
  const lock = 'kind: EnvironmentLock\napiVersion: capstan.dev/v1alpha1\nmetadata: { environment: dev }\n';
  const broken = 'apiVersion: capstan.dev/v1alpha1\nkind: [\n';
  const manifest = 'kind:    ConfigMap\n';
  await plant({
    'policies/a.yaml': POLICY,
    'policies/broken.yaml': broken,
    'environments/dev/environment.lock.yaml': lock,
    'environments/dev/config/web.yaml': 'b: {c: 1}\na:   2\n',
    'capsules/web/files/web.yaml': manifest,
    'elsewhere.yaml': POLICY,
  });
  await chmod(join(folder, 'policies/a.yaml'), 0o600);
  await symlink('../elsewhere.yaml', join(folder, 'policies/link.yaml'));

  const checked = await capstan('fmt', '--check');
  const untouched = await readFile(join(folder, 'policies/a.yaml'), 'utf8');
  const written = await capstan('fmt', '-o', 'json');
  const again = await capstan('fmt', 'policies/a.yaml', 'policies/link.yaml', 'environments');

  expect([checked.code, checked.out, untouched]).toEqual([1, 'environments/dev/config/web.yaml\npolicies/a.yaml\n', POLICY]);
  expect([written.code, JSON.parse(written.out)]).toEqual([
    1,
    expect.objectContaining({
      changed: ['environments/dev/config/web.yaml', 'policies/a.yaml'],
      unchanged: 0,
      problems: [expect.objectContaining({ code: 'yaml-syntax', file: 'policies/broken.yaml' })],
    }),
  ]);
  expect([again.code, again.out, again.err]).toEqual([
    0,
    '',
    'policies/link.yaml: is no regular file\n0 files changed, 2 as they should be\n',
  ]);
  const read = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');
  expect(await read('policies/a.yaml')).toBe(LAID_OUT);
  expect(await read('environments/dev/config/web.yaml')).toBe('b:\n  c: 1\na: 2\n');
  expect([await read('policies/broken.yaml'), await read('elsewhere.yaml')]).toEqual([broken, POLICY]);
  expect([await read('environments/dev/environment.lock.yaml'), await read('capsules/web/files/web.yaml')]).toEqual([lock, manifest]);
  expect((await stat(join(folder, 'policies/a.yaml'))).mode & 0o777).toBe(0o600);
});

test('schema --all --out writes every schema once, and --check says when one is old', async () => {
  const first = await capstan('schema', '--all', '--out', 'schemas');
  const second = await capstan('schema', '--all', '--out', 'schemas');
  const fresh = await capstan('schema', '--all', '--out', 'schemas', '--check');
  await writeFile(join(folder, 'schemas/capsule.schema.json'), '{}');
  const old = await capstan('schema', '--all', '--out', 'schemas', '--check');

  expect(first.out.split('\n')).toEqual(expect.arrayContaining(['schemas/capsule.schema.json', 'schemas/output/init-report.schema.json']));
  expect([second.code, second.out, fresh.code, fresh.out]).toEqual([0, '', 0, '']);
  expect([old.code, old.out]).toEqual([1, 'schemas/capsule.schema.json\n']);
  expect(await readFile(join(folder, 'schemas/capsule.schema.json'), 'utf8')).toBe('{}');
});

test('settings for VS Code name schemas that init writes', async () => {
  const { out } = await capstan('schema', '--vscode');
  await capstan('schema', '--out', 'schemas');

  const settings = JSON.parse(out) as { 'yaml.schemas': Record<string, readonly string[]> };
  const named = Object.keys(settings['yaml.schemas']);
  expect(named).toHaveLength(8);
  for (const path of named) expect(JSON.parse(await readFile(join(folder, path), 'utf8'))).toMatchObject({ type: 'object' });
});
