import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { workbench } from '#test/programs/capstan-program.ts';
import type { Ended } from '#test/programs/capstan-program.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-bad-input-'));
const bench = await workbench();
let started: RunningKubernetes | undefined;
let platform = '';

beforeAll(async () => {
  started = await startKubernetes(scratch, { users: { weak: [] } });
  platform = await bench.platform();
  const path = join(platform, 'environments/dev/environment.yaml');
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(
      '      driver: directory\n      path: dev\n',
      '      driver: kubernetes\n      credentials: eu-1\n      namespace: hello-dev\n',
    ),
  );
  await started.kubectl(['create', 'namespace', 'hello-dev']);
  await bench.git(platform, 'commit', '--quiet', '--all', '--message', 'dev is a cluster');
}, 240_000);

afterAll(async () => {
  await bench.close();
  await started?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function cluster(): RunningKubernetes {
  if (started === undefined) throw new Error('no server');
  return started;
}

const ENVIRONMENT = 'environments/dev/environment.yaml:15:5';

/** A kubeconfig that is the tester's with something changed. */
function kubeconfig(name: string, change: (text: string) => string): string {
  const file = join(scratch, name);
  writeFileSync(file, change(readFileSync(cluster().kubeconfig, 'utf8')), { mode: 0o600 });
  return file;
}

async function plan(...args: readonly string[]): Promise<Ended> {
  return bench.capstan(platform, 'plan', 'dev', ...args);
}

test('the kubeconfig as it should be: a plan, asked of the server and written nowhere', { timeout: 60_000 }, async () => {
  const ended = await plan('--kubeconfig', cluster().kubeconfig, '-o', 'json');

  expect([ended.code, ended.err]).toEqual([0, expect.not.stringContaining('error')]);
  expect(JSON.parse(ended.out)).toMatchObject({ kind: 'Plan', summary: { create: 3 } });
  expect(await cluster().kubectl(['get', 'deployments,services', '--namespace', 'hello-dev', '-o', 'name'])).toBe('');
});

test.each<readonly [string, string, (text: string) => string, RegExp]>([
  [
    'an exec plugin in the configuration',
    'exec',
    (text) => text.replace(/"token":"[^"]*"/, '"exec":{"apiVersion":"client.authentication.k8s.io/v1","command":"/bin/false"}'),
    /exec.*not allowed/,
  ],
  [
    'insecure-skip-tls-verify',
    'insecure',
    (text) => text.replace('"server"', '"insecure-skip-tls-verify":true,"server"'),
    /turns the check of the server's certificate off/,
  ],
  [
    'a token that the server does not know',
    'stranger',
    (text) => text.replace(/"token":"[^"]*"/, '"token":"nobodys"'),
    /does not accept user.*401/,
  ],
  [
    'a context that is not there',
    'context',
    (text) => text.replace('"current-context":"test"', '"current-context":"tset"'),
    /there is no context "tset"/,
  ],
])('a kubeconfig with %s', { timeout: 60_000 }, async (_, name, change, said) => {
  writeFileSync(
    join(scratch, 'capstan.yaml'),
    `apiVersion: capstan.dev/v1alpha1\nkind: Configuration\nrepository: { url: "https://forge.example/acme/platform.git" }\ncredentials: { eu-1: { kubeconfig: { file: ${JSON.stringify(kubeconfig(name, change))} } } }\n`,
  );
  const ended = await plan('--repo', platform, '--config', join(scratch, 'capstan.yaml'));

  expect([1, 3]).toContain(ended.code);
  expect(ended.err).toContain(ENVIRONMENT);
  expect(ended.err).toMatch(said);
  expect(ended.out + ended.err).not.toContain('nobodys');
});

test('a kubeconfig that is not there, and credentials that nobody has', { timeout: 60_000 }, async () => {
  const absent = await plan('--kubeconfig', join(scratch, 'nowhere'));
  expect([absent.code, absent.out]).toEqual([1, '']);
  expect(absent.err).toContain(`kubeconfig ${join(scratch, 'nowhere')} cannot be used`);

  const none = await plan();
  expect(none.err).toContain(ENVIRONMENT);
  expect(none.err).toContain(
    'the configuration has no credentials "eu-1" (it has none). Add credentials.eu-1 to capstan.yaml, or correct the name in git.',
  );
});

/** Commits one template beside the component, plans, and takes it back. */
async function planned(template: string, ...args: readonly string[]): Promise<Ended> {
  const before = await bench.git(platform, 'rev-parse', 'HEAD');
  const capsule = join(platform, 'capsules/hello/capsule.yaml');
  writeFileSync(capsule, readFileSync(capsule, 'utf8').replace('version: 1.0.0', 'version: 1.0.1'));
  await bench.run(platform, 'mkdir', '-p', 'capsules/hello/templates');
  writeFileSync(join(platform, 'capsules/hello/templates/more.yaml.hbs'), template);
  await bench.git(platform, 'add', '--all');
  await bench.git(platform, 'commit', '--quiet', '--message', 'hello 1.0.1');
  await bench.run(platform, 'rm', 'environments/dev/environment.lock.yaml');
  await bench.capstan(platform, 'lock', 'dev');
  await bench.git(platform, 'commit', '--quiet', '--all', '--message', 'Lock');
  try {
    return await plan('--kubeconfig', cluster().kubeconfig, ...args);
  } finally {
    await bench.git(platform, 'reset', '--quiet', '--hard', before);
  }
}

test('a manifest that the server rejects, at the line that wrote the field', { timeout: 60_000 }, async () => {
  const ended = await planned(
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: more\nspec:\n  clusterIP: 192.0.2.1\n  ports:\n    - port: 80\n',
  );

  expect(ended.code).toBe(1);
  expect(ended.err).toMatch(/capsules\/hello\/templates\/more\.yaml\.hbs:5(?::\d+)?: error: .*was rejected by the server/);
});

test('an object of a kind that these credentials may not write, at its line', { timeout: 60_000 }, async () => {
  const ended = await planned(
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: more\nrules:\n  - apiGroups: [""]\n    resources: [pods]\n    verbs: [get]\n',
  );

  expect(ended.code).toBe(3);
  expect(ended.err).toMatch(/capsules\/hello\/templates\/more\.yaml\.hbs:2(?::\d+)?: error: .*ClusterRole/);
});

async function doctor(
  file: string,
): Promise<readonly { readonly subject: string; readonly state: string; readonly detail: string; readonly remedy?: string }[]> {
  const ended = await bench.capstan(platform, 'doctor', '--kubeconfig', file, '-o', 'json');
  const { items } = JSON.parse(ended.out) as { readonly items: Awaited<ReturnType<typeof doctor>> };
  return items.filter(({ subject }) => subject === 'target dev/local');
}

test('doctor says of a cluster who we are there, what we may not do, and the command that mends it', { timeout: 60_000 }, async () => {
  expect(await doctor(cluster().kubeconfig)).toEqual([
    { subject: 'target dev/local', state: 'ok', detail: 'Kubernetes v1.35.4 answers, as tester' },
    { subject: 'target dev/local', state: 'ok', detail: 'may do all that its 3 kinds and namespaces need' },
  ]);

  const weak = cluster().user('weak');
  const rules = ['--verb', 'get,list,watch', '--resource', 'configmaps,services,deployments.apps', '--namespace', 'hello-dev'];
  await cluster().kubectl(['create', 'role', 'looks', ...rules]);
  await cluster().kubectl(['create', 'rolebinding', 'looks', '--role', 'looks', '--user', 'weak', '--namespace', 'hello-dev']);
  const [reached, ...denied] = await doctor(weak.kubeconfig);
  expect(reached).toEqual({ subject: 'target dev/local', state: 'ok', detail: 'Kubernetes v1.35.4 answers, as weak' });
  expect(denied.map(({ state, detail }) => `${state} ${detail}`)).toEqual([
    'failed weak may not create, patch, delete, update configmaps in namespace hello-dev',
    'failed weak may not create, patch, delete deployments.apps in namespace hello-dev',
    'failed weak may not create, patch, delete services in namespace hello-dev',
  ]);

  for (const { remedy = '' } of denied) {
    const kubectl = {
      ...bench.env,
      PATH: `${dirname(programPath('kubectl'))}:${bench.env['PATH'] ?? ''}`,
      KUBECONFIG: cluster().kubeconfig,
    };
    await promisify(execFile)('bash', ['-c', remedy], { env: kubectl });
  }
  expect((await doctor(weak.kubeconfig)).map(({ state }) => state)).toEqual(['ok', 'ok']);
});

test(
  'a saved plan is applied as it was shown, and not once something moved; status and get say what is there',
  { timeout: 120_000 },
  async () => {
    const saved = join(scratch, 'plan.json');
    const as = ['--kubeconfig', cluster().kubeconfig];

    expect((await plan(...as, '--save', saved)).code).toBe(0);
    expect(await bench.capstan(platform, 'apply', saved, ...as)).toMatchObject({
      code: 0,
      out: expect.stringContaining('3 of 3 steps done'),
    });

    const status = JSON.parse((await bench.capstan(platform, 'status', 'dev', ...as, '-o', 'json')).out) as object;
    expect(status).toMatchObject({ targets: [{ name: 'local', sync: 'Synced', health: 'progressing' }] });
    expect((await bench.capstan(platform, 'get', 'targets', ...as)).out).toMatch(/local +.*progressing/);

    await cluster().kubectl([
      'patch',
      'deployment',
      'hello',
      '--namespace',
      'hello-dev',
      '--type',
      'merge',
      '-p',
      '{"spec":{"replicas":3}}',
    ]);
    const drifted = await plan(...as, '--save', saved, '--detailed-exitcode');
    expect([drifted.code, drifted.out]).toEqual([2, expect.stringMatching(/- \/spec\/replicas: 3\n +\+ \/spec\/replicas: 1/)]);
    await cluster().kubectl(['delete', 'service', 'hello', '--namespace', 'hello-dev']);
    const refused = await bench.capstan(platform, 'apply', saved, ...as);
    expect([refused.code, refused.err]).toEqual([4, expect.stringContaining('what is there changed since the plan')]);

    const late = await bench.capstan(platform, 'reconcile', 'dev', ...as, '--wait=2s');
    expect([late.code, late.err]).toEqual([1, expect.stringContaining('dev is not settled within 2s')]);
    expect(await cluster().kubectl(['get', 'deployment', 'hello', '--namespace', 'hello-dev', '-o', 'jsonpath={.spec.replicas}'])).toBe(
      '1',
    );
  },
);
