import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { kubernetesTargets } from '#adapters/kubernetes/kubernetes.ts';
import { systemChance, systemTimers } from '#adapters/machine/machine.ts';
import type { ReconcileResult } from '#loops/reconcile.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { PROJECT_FILE } from '#test/stories/shop.ts';
import type { Files } from '#test/stories/shop.ts';
import { accessTo } from './cluster-bench.ts';
import { clusterWorld } from './cluster-world.ts';
import type { ClusterWorld } from './cluster-world.ts';

const DIGEST = `sha256:${'1f0a3c2b7e5d4896'.repeat(4)}`;

interface AppVersion {
  readonly version: string;
  readonly image?: string;
  readonly greeting?: string;
  /** Objects beside the Deployment, one document each. */
  readonly extra?: string;
  /** Image of a job that runs before everything else. */
  readonly before?: string;
}

/** A web server of two replicas that needs a store. */
function app({ version, image = 'registry.example.com/app', greeting = 'hello', extra, before }: AppVersion): Files {
  return {
    'capsules/app/capsule.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: app
  version: ${version}
  title: App
  description: Greets.
spec:
  type: service
  components:
    app:
      kind: Deployment
      primary: true
      image: ${image}@${DIGEST}
      ports:
        http:
          port: 8080
      scaling:
        replicas: 2
${before === undefined ? '' : `    prepare:\n      kind: Job\n      image: ${before}@${DIGEST}\n  hooks:\n    preSync: prepare\n`}\
  dependencies:
    store:
      capsule: store
      version: ^1.0.0
`,
    'capsules/app/templates/greeting.yaml.hbs': `apiVersion: v1
kind: ConfigMap
metadata:
  name: greeting
data:
  text: ${greeting}
${extra === undefined ? '' : `---\n${extra}`}`,
  };
}

const STORE: Files = {
  'capsules/store/capsule.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: store
  version: 1.0.0
  title: Store
  description: Keeps.
spec:
  type: service
  components:
    store:
      kind: StatefulSet
      image: registry.example.com/store@${DIGEST}
      ports:
        tcp:
          port: 6379
`,
};

const WIDGETS = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.shop.example.com
spec:
  group: shop.example.com
  names:
    kind: Widget
    plural: widgets
    singular: widget
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size:
                  type: integer
`;

const WIDGET = `apiVersion: shop.example.com/v1
kind: Widget
metadata:
  name: small
spec:
  size: 3
`;

function environment({ isOrdered }: { readonly isOrdered: boolean } = { isOrdered: true }): Files {
  const rollout = `  rollout:
    partitions:
      - name: canary
        selector:
          matchLabels:
            partition: canary
    maxUnavailable: 0
`;
  return {
    'environments/live/environment.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Environment
metadata:
  name: live
spec:
  risk: low
  targets:
    eu:
      driver: kubernetes
      credentials: eu
      namespace: shop
      labels:
        partition: canary
    us:
      driver: kubernetes
      credentials: us
      namespace: shop
  capsules:
    app:
      version: '>=1.0.0'
  promotion:
    from:
      environments: []
    merge: auto
  gates:
    - name: signed
      type: signature
${isOrdered ? rollout : ''}`,
  };
}

const SCRATCH = mkdtempSync(join(tmpdir(), 'capstan-clusters-'));
let clusters: Readonly<Record<'eu' | 'us', RunningKubernetes>>;
let engine: ClusterWorld;

beforeAll(async () => {
  const [eu, us] = await Promise.all(
    ['eu', 'us'].map((name) => startKubernetes(mkdtempSync(join(SCRATCH, name)), { controllers: true, nodes: 1 })),
  );
  if (eu === undefined || us === undefined) throw new Error('two were started');
  clusters = { eu, us };
  await Promise.all([eu, us].map((cluster) => cluster.kubectl(['create', 'namespace', 'shop'])));
  engine = openEngine();
  await engine.push({ 'environments/project.yaml': PROJECT_FILE, ...environment(), ...STORE, ...app({ version: '1.0.0' }) });
}, 300_000);

afterAll(async () => {
  await engine?.close();
  await Promise.all(Object.values(clusters ?? {}).map((cluster) => cluster.stop()));
  rmSync(SCRATCH, { recursive: true, force: true });
});

function openEngine(): ClusterWorld {
  const credentials = new Map(Object.entries(clusters).map(([name, cluster]) => [name, accessTo(cluster, { environments: ['live'] })]));
  return clusterWorld((clock) => kubernetesTargets({ credentials, secrets: undefined, clock, timers: systemTimers, chance: systemChance }));
}

function isSettled({ ending }: ReconcileResult): boolean {
  return ending.kind === 'settled';
}

async function imageIn(cluster: RunningKubernetes): Promise<string> {
  return cluster.kubectl(['get', 'deployment', 'app', '-n', 'shop', '-o', 'jsonpath={.spec.template.spec.containers[0].image}']);
}

describe('an environment on two clusters', () => {
  test('is rolled out: first the canary, and in each what others depend on', async () => {
    const first = await engine.run('live');
    const elsewhere = await clusters.us.kubectl([
      'get',
      'statefulsets,deployments,configmaps',
      '-n',
      'shop',
      '-l',
      'capstan.dev/target',
      '-o',
      'name',
    ]);
    const result = await engine.until('live', isSettled);

    expect(first.receipts.map((receipt) => JSON.stringify(receipt.ending))).toEqual([
      expect.stringContaining('Deployment app waits for store'),
      expect.stringContaining('partition canary is not done'),
    ]);
    expect(elsewhere).toBe('');
    expect(result.receipts.map((receipt) => [receipt.target, receipt.health.state])).toEqual([
      ['eu', 'healthy'],
      ['us', 'healthy'],
    ]);
    expect(await Promise.all(Object.values(clusters).map(imageIn))).toEqual(
      Array.from({ length: 2 }, () => `registry.example.com/app@${DIGEST}`),
    );
  }, 300_000);

  test('a version that cannot start stops at the canary, and is told in words', async () => {
    await engine.push(app({ version: '1.1.0', image: 'unpullable/app' }));

    const result = await engine.until('live', (run) => JSON.stringify(run.ending).includes('ImagePullBackOff'));

    expect(result.receipts.map((receipt) => receipt.ending.kind)).toEqual(['waiting', 'waiting']);
    expect(await imageIn(clusters.eu)).toBe(`unpullable/app@${DIGEST}`);
    expect(await imageIn(clusters.us)).toBe(`registry.example.com/app@${DIGEST}`);
  }, 300_000);

  test('the next version rolls over it, everywhere', async () => {
    await engine.push(app({ version: '1.1.1', image: 'registry.example.com/app-two', greeting: 'hi' }));

    await engine.until('live', isSettled);

    expect(await Promise.all(Object.values(clusters).map(imageIn))).toEqual(
      Array.from({ length: 2 }, () => `registry.example.com/app-two@${DIGEST}`),
    );
  }, 300_000);

  test('what a person changes on one cluster is taken back there, and told as drift', async () => {
    await clusters.us.kubectl(['patch', 'configmap', 'greeting', '-n', 'shop', '--type=merge', '-p', '{"data":{"text":"bye"}}']);

    const told = await engine.until('live', ({ receipts }) => receipts.some((receipt) => receipt.driftDetected));
    await engine.until('live', isSettled);

    expect(told.receipts.map((receipt) => [receipt.target, receipt.driftDetected])).toEqual([
      ['eu', false],
      ['us', true],
    ]);
    expect(await clusters.us.kubectl(['get', 'configmap', 'greeting', '-n', 'shop', '-o', 'jsonpath={.data.text}'])).toBe('hi');
  }, 300_000);

  test('a kind and an object of it come in one push', async () => {
    await engine.push(app({ version: '1.2.0', greeting: 'hi', extra: `${WIDGETS}---\n${WIDGET}` }));

    await engine.until('live', isSettled);

    const sizes = await Promise.all(
      Object.values(clusters).map((one) => one.kubectl(['get', 'widget', 'small', '-n', 'shop', '-o', 'jsonpath={.spec.size}'])),
    );
    expect(sizes).toEqual(['3', '3']);
  }, 300_000);

  test('row 89: what leaves git is pruned, and one that does not end is told of, not waited for', async () => {
    const pinned = '{"metadata":{"finalizers":["example.com/never"]}}';
    await clusters.eu.kubectl(['patch', 'widget', 'small', '-n', 'shop', '--type=merge', '-p', pinned]);
    await engine.push(app({ version: '1.3.0', greeting: 'hi', extra: WIDGETS }));

    const told = await engine.until('live', ({ ending }) => JSON.stringify(ending).includes('example.com/never'));

    expect(JSON.stringify(told.ending)).toContain('Widget/shop/small');
    await clusters.eu.kubectl(['patch', 'widget', 'small', '-n', 'shop', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    await engine.until('live', isSettled);
    const left = await Promise.all(Object.values(clusters).map((one) => one.kubectl(['get', 'widgets', '-A', '-o', 'name'])));
    expect(left).toEqual(['', '']);
  }, 300_000);

  test('a job that comes before holds back what comes after, until it has ended well', async () => {
    await engine.push(app({ version: '1.3.1', image: 'registry.example.com/app-three', before: 'unpullable/prepare', extra: WIDGETS }));

    const { receipts } = await engine.until('live', (run) => JSON.stringify(run.ending).includes('ImagePullBackOff'));
    const meanwhile = await imageIn(clusters.eu);
    await engine.push(
      app({ version: '1.3.2', image: 'registry.example.com/app-three', before: 'registry.example.com/prepare', extra: WIDGETS }),
    );
    await engine.until('live', isSettled);

    expect(JSON.stringify(receipts[0]?.ending)).toMatch(/Deployment app waits for Job app-prepare-/);
    expect(meanwhile).toBe(`registry.example.com/app@${DIGEST}`);
    expect(await Promise.all(Object.values(clusters).map(imageIn))).toEqual(
      Array.from({ length: 2 }, () => `registry.example.com/app-three@${DIGEST}`),
    );
  }, 300_000);

  test('a namespace that somebody deletes is named, and filled again once it is back', async () => {
    await clusters.us.kubectl(['delete', 'namespace', 'shop', '--wait=true']);

    const told = await engine.until('live', ({ ending }) => ending.kind !== 'settled' && /namespace/.test(JSON.stringify(ending)));
    await clusters.us.kubectl(['create', 'namespace', 'shop']);
    await engine.until('live', isSettled);

    expect(JSON.stringify(told.ending)).toContain('shop');
    expect(await imageIn(clusters.us)).toBe(`registry.example.com/app-three@${DIGEST}`);
  }, 300_000);

  test('row 96: a cluster that is away is unknown, and the other one goes on', async () => {
    await clusters.us.apiserver.stop('SIGKILL');
    await engine.push({ ...environment({ isOrdered: false }), ...app({ version: '1.4.0', greeting: 'alone', extra: WIDGETS }) });

    const alone = await engine.run('live');
    const text = await clusters.eu.kubectl(['get', 'configmap', 'greeting', '-n', 'shop', '-o', 'jsonpath={.data.text}']);
    await clusters.us.apiserver.start();
    await engine.until('live', isSettled);

    expect(alone.receipts.map((receipt) => [receipt.target, receipt.health.state === 'unknown'])).toEqual([
      ['eu', false],
      ['us', true],
    ]);
    expect(text).toBe('alone');
    expect(await clusters.us.kubectl(['get', 'configmap', 'greeting', '-n', 'shop', '-o', 'jsonpath={.data.text}'])).toBe('alone');
  }, 300_000);
});
