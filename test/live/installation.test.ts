import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { kubernetesTargets, openClusterByHand } from '#adapters/kubernetes/kubernetes.ts';
import { systemChance, systemTimers } from '#adapters/machine/machine.ts';
import { assemble } from '#assembly/assembly.ts';
import { demoCluster } from '#cli/demo-cluster.ts';
import { openStage } from '#cli/demo-stage.ts';
import { STORY } from '#cli/demo-story.ts';
import type { DemoTargets } from '#cli/demo-targets.ts';
import type { Terminal } from '#cli/powers.ts';
import { reconcile } from '#loops/reconcile.ts';
import type { ReconcileResult } from '#loops/reconcile.ts';
import { statusOf } from '#loops/status.ts';
import { USUAL_CLUSTER_RESOURCES } from '#model/cluster-access.ts';
import type { JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { startKubernetes, writeKubeconfig } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { environmentFile, PROJECT_FILE, type Files } from '#test/stories/shop.ts';
import { clusterWorld, type ClusterWorld } from './cluster-world.ts';

const MANIFESTS = new URL('../../docs/install/kubernetes/', import.meta.url).pathname;
const FILES = ['capstan', 'rbac-apply', 'rbac-cluster', 'rbac-read', 'rbac-delegate'].map((name) => `${MANIFESTS}${name}.yaml`);
const scratch = mkdtempSync(join(tmpdir(), 'capstan-installation-'));
let started: RunningKubernetes | undefined;
const open: ClusterWorld[] = [];

beforeAll(async () => {
  started = await startKubernetes(scratch, { controllers: true, nodes: 1 });
  for (const file of FILES) await started.kubectl(['apply', '--server-side', '--validate=strict', '-f', file]);
}, 240_000);

afterAll(async () => {
  for (const world of open) await world.close();
  await started?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function cluster(): RunningKubernetes {
  if (started === undefined) throw new Error('no server');
  return started;
}

/** Documents of a manifest. */
function documents(file: string): readonly JsonObject[] {
  const read = readKubernetesYaml(readFileSync(file, 'utf8'), file);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value.flatMap(({ value }) => (isJsonObject(value) ? [value] : []));
}

test('the pod is one that a namespace of level restricted takes', async () => {
  const deployment = documents(`${MANIFESTS}capstan.yaml`).find(({ kind }) => kind === 'Deployment') ?? {};
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'capstan', namespace: 'capstan' },
    spec: valueAt(deployment, '/spec/template/spec') ?? null,
  };

  expect(await cluster().kubectl(['create', '--dry-run=server', '-o', 'name', '-f', '-'], JSON.stringify(pod))).toBe('pod/capstan\n');
  const careless = { ...pod, spec: { containers: [{ name: 'a', image: 'a' }] } };
  await expect(cluster().kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(careless))).rejects.toThrow('PodSecurity');
});

/** A kubeconfig with a token of the installed service account, as the TokenRequest API makes it. */
async function serviceAccount(name: string): Promise<string> {
  const token = (await cluster().kubectl(['create', 'token', 'capstan', '--namespace', 'capstan'])).trim();
  const file = join(scratch, `${name}.kubeconfig`);
  writeKubeconfig(file, { url: cluster().url, certificateFile: cluster().certificateFile, name: 'capstan', token });
  return file;
}

/** An engine that is the service account, and nobody else. */
async function engine(name: string, clusterResources = USUAL_CLUSTER_RESOURCES): Promise<ClusterWorld> {
  const source = { kind: 'kubeconfig', file: await serviceAccount(name), context: undefined, allowExec: false } as const;
  const here = { source, environments: undefined, namespaces: undefined, clusterResources, impersonate: undefined };
  const credentials = new Map([['here', here]]);
  const world = clusterWorld((clock) =>
    kubernetesTargets({ credentials, secrets: undefined, clock, timers: systemTimers, chance: systemChance }),
  );
  open.push(world);
  return world;
}

/** One environment on one namespace of the cluster, and one capsule of manifests. */
function platform(namespace: string, manifests: string, version = '1.0.0'): Files {
  return {
    'environments/project.yaml': PROJECT_FILE,
    'environments/dev/environment.yaml': environmentFile({ name: 'dev', risk: 'low', from: [] })
      .replace('version: ^1.0.0', `version: ^${version}`)
      .replace('namespace: shop-dev', `namespace: ${namespace}`)
      .replace('driver: directory\n      path: dev/one\n', `driver: kubernetes\n      credentials: here\n      namespace: ${namespace}\n`),
    'capsules/web/capsule.yaml': `apiVersion: capstan.dev/v1alpha1\nkind: Capsule\nmetadata:\n  name: web\n  version: ${version}\n  title: Web\n  description: What is installed.\nspec:\n  type: service\n`,
    'capsules/web/templates/all.yaml.hbs': manifests,
  };
}

const settings = (colour: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: ${colour}\n`;
const SERVICE = '---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    app: web\n  ports:\n    - port: 80\n';
/** So that one in four may go. */
const MORE = '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\ndata: {}\n';
const DEPLOYMENT =
  '---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n        - name: web\n          image: registry.example.com/web@sha256:1f0a3c2b7e5d4896a1b2c3d4e5f60718293a4b5c6d7e8f901234567890abcdef\n';

const isSettled = ({ ending }: ReconcileResult): boolean => ending.kind === 'settled';

async function bind(namespace: string, role = 'capstan-apply'): Promise<void> {
  await cluster().kubectl(['create', 'namespace', namespace]);
  await bindIn(namespace, role);
}

async function bindIn(namespace: string, role: string): Promise<void> {
  await cluster().kubectl([
    'create',
    'rolebinding',
    'capstan',
    '--clusterrole',
    role,
    '--serviceaccount',
    'capstan:capstan',
    '--namespace',
    namespace,
  ]);
}

async function live(namespace: string, what: string, path: string): Promise<string> {
  return cluster().kubectl(['get', what, '--namespace', namespace, '--ignore-not-found', '-o', `jsonpath={${path}}`]);
}

test(
  'bound to one namespace, the service account does the whole of it there: install, update, drift, prune',
  { timeout: 150_000 },
  async () => {
    await bind('acme-dev');
    const world = await engine('whole');
    await world.push(platform('acme-dev', `${settings('red')}${SERVICE}${MORE}${DEPLOYMENT}`));

    const first = await world.until('dev', isSettled);
    expect(first.ending).toEqual({ kind: 'settled' });
    expect(await live('acme-dev', 'deployment/web', '.status.readyReplicas')).toBe('2');

    await world.push(platform('acme-dev', `${settings('blue')}${SERVICE}${MORE}`, '1.1.0'));
    const second = await world.until('dev', isSettled);
    expect(
      second.receipts.flatMap(({ outcomes }) => outcomes.map(({ action, key, result }) => `${action} ${key.kind} ${result}`)).sort(),
    ).toEqual(['prune Deployment done', 'update ConfigMap done', 'update ConfigMap done', 'update Service done']);

    await cluster().kubectl([
      'patch',
      'configmap',
      'settings',
      '--namespace',
      'acme-dev',
      '--type',
      'merge',
      '-p',
      '{"data":{"colour":"green"}}',
    ]);
    const third = await world.until('dev', ({ receipts }) => receipts.some(({ driftDetected }) => driftDetected));
    expect(third.ending).toEqual({ kind: 'settled' });
    expect(await live('acme-dev', 'configmap/settings', '.data.colour')).toBe('blue');
  },
);

/** What the result says of everything that went wrong. */
function words({ ending, receipts }: ReconcileResult): string {
  return [
    ending.kind === 'retry' ? ending.because : '',
    ...(ending.kind === 'stuck' ? ending.problems : []).map(({ message }) => message),
    ...receipts.flatMap(({ outcomes }) => outcomes.map(({ problem }) => problem?.message ?? '')),
  ].join('\n');
}

test('in a namespace that it is not bound to, it is refused, and nothing is there', { timeout: 150_000 }, async () => {
  await cluster().kubectl(['create', 'namespace', 'acme-other']);
  const world = await engine('unbound');
  await world.push(platform('acme-other', settings('red')));

  const result = await world.run('dev');

  expect(['stuck', 'retry']).toContain(result.ending.kind);
  expect(words(result)).toContain('system:serviceaccount:capstan:capstan');
  expect(await live('acme-other', 'configmap/settings', '.data.colour')).toBe('');
});

/** The role without one verb for Services, bound to a new namespace. */
async function bindWithout(verb: string, namespace: string): Promise<void> {
  const [role = {}] = documents(`${MANIFESTS}rbac-apply.yaml`);
  const rules = (Array.isArray(role['rules']) ? role['rules'] : []).flatMap((rule) => (isJsonObject(rule) ? [rule] : []));
  const less = {
    ...role,
    metadata: { name: `without-${verb}` },
    rules: rules.flatMap((rule) => {
      const resources = (Array.isArray(rule['resources']) ? rule['resources'] : []).map((one) => jsonText(one));
      const verbs = (Array.isArray(rule['verbs']) ? rule['verbs'] : []).map((one) => jsonText(one));
      if (!resources.includes('services')) return [rule];
      return [
        { ...rule, resources: resources.filter((one) => one !== 'services') },
        { ...rule, resources: ['services'], verbs: verbs.filter((one) => one !== verb) },
      ];
    }),
  };
  await cluster().kubectl(['apply', '-f', '-'], JSON.stringify(less));
  await bind(namespace, `without-${verb}`);
}

test.each([
  ['get', 'acme-get'],
  ['watch', 'acme-watch'],
  ['create', 'acme-create'],
  ['patch', 'acme-patch'],
])('without the verb %s a run says what it may not do, and to what', { timeout: 150_000 }, async (verb, namespace) => {
  await bindWithout(verb, namespace);
  const world = await engine(verb);
  await world.push(platform(namespace, SERVICE.slice(4)));

  const result = await world.run('dev');

  expect(['stuck', 'retry']).toContain(result.ending.kind);
  expect(words(result)).toMatch(new RegExp(`cannot ${verb}.* "services"|may not ${verb} services`));
  expect(await live(namespace, 'service/web', '.metadata.name')).toBe('');
});

test('without the verb delete, what is not in git any more is told and stays', { timeout: 150_000 }, async () => {
  await bindWithout('delete', 'acme-delete');
  const world = await engine('delete');
  const configuration = `${settings('red')}${MORE}${MORE.replace('more', 'most')}`;
  await world.push(platform('acme-delete', `${configuration}${SERVICE}`));
  await world.until('dev', isSettled);

  await world.push(platform('acme-delete', configuration, '1.1.0'));
  const result = await world.run('dev');

  expect(words(result)).toMatch(/cannot delete.* "services"/);
  expect(await live('acme-delete', 'service/web', '.metadata.name')).toBe('web');
});

test('bound to what may only look, there is a plan and a status, and nothing is written', { timeout: 150_000 }, async () => {
  await bind('acme-read', 'capstan-read');
  const reader = await engine('read');
  const { world } = reader;
  await reader.push(platform('acme-read', `${settings('red')}${SERVICE}`));
  await world.repository.fetch();

  const { runs, ending } = await reconcile(world, {
    environment: 'dev',
    target: undefined,
    trigger: 'person',
    dryRun: true,
    preview: true,
  });
  const status = await statusOf(world, 'dev');

  expect(ending).toEqual({ kind: 'settled' });
  expect(runs.map(({ plan }) => plan.steps.map(({ action, key }) => `${action} ${key.kind}`).sort())).toEqual([
    ['create ConfigMap', 'create Service'],
  ]);
  expect(runs.flatMap(({ problems }) => problems.map(({ severity, message }) => `${severity} ${message}`))).toEqual([
    expect.stringMatching(/^warning the server was not asked what it makes of this plan: .*cannot patch/),
  ]);
  expect(status.targets.map(({ sync }) => sync)).toEqual(['OutOfSync']);
  expect(await live('acme-read', 'configmaps/settings', '.metadata.name')).toBe('');
});

test(
  'the service itself, logged in as the service account and bound to three namespaces, tells its story',
  { timeout: 240_000 },
  async () => {
    const targets = demoCluster({
      cluster: await openClusterByHand(cluster().kubeconfig),
      kubeconfig: await serviceAccount('serve'),
      image: undefined,
      keep: false,
    });
    const bound: DemoTargets = {
      ...targets,
      async open() {
        await targets.open();
        for (const environment of ['dev', 'staging', 'prod']) await bindIn(targets.namespace(environment), 'capstan-apply');
      },
    };
    const terminal: Terminal = {
      out: () => undefined,
      err: () => undefined,
      say: () => undefined,
      isVerbose: false,
      env: process.env,
      cwd: scratch,
      isTerminal: false,
      signal: new AbortController().signal,
    };
    const directory = mkdtempSync(join(scratch, 'serve-'));
    const stage = await openStage({ directory, listen: '127.0.0.1:0', targets: bound, powers: assemble(), terminal });
    try {
      const told = ['declare', 'first sync', 'release 1.1.0 to dev', 'drift is put right'];
      for (const step of STORY.filter(({ title }) => told.includes(title))) await step.run(stage);
      expect(await live('capstan-demo-dev', 'deployment/hello', '.metadata.annotations.capstan\\.dev/version')).toBe('1.1.0');
      const managers = await live('capstan-demo-dev', 'deployment/hello', '.metadata.managedFields[*].manager');
      expect(managers.split(' ')).toContain('capstan');
    } finally {
      await stage.close();
    }
  },
);
