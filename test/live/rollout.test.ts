import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { kubernetesTargets } from '#adapters/kubernetes/kubernetes.ts';
import { systemChance, systemTimers } from '#adapters/machine/machine.ts';
import type { ReconcileResult } from '#loops/reconcile.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { PROJECT_FILE } from '#test/stories/shop.ts';
import type { Files } from '#test/stories/shop.ts';
import { clusterWorld } from './cluster-world.ts';
import type { ClusterWorld } from './cluster-world.ts';

const SCRATCH = mkdtempSync(join(tmpdir(), 'capstan-rollout-'));
let cluster: RunningKubernetes;
let engine: ClusterWorld;

const ENVIRONMENT: Files = {
  'environments/live/environment.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Environment
metadata:
  name: live
spec:
  risk: low
  targets:
    first:
      driver: kubernetes
      credentials: hub
      namespace: first
    second:
      driver: kubernetes
      credentials: hub
      namespace: second
  capsules:
    note:
      version: '>=1.0.0'
  promotion:
    from:
      environments: []
    merge: auto
  gates:
    - name: signed
      type: signature
  rollout:
    autoPartitionSize: 50%
    pauseBetween: 2m
`,
};

function note(version: string): Files {
  return {
    'capsules/note/capsule.yaml': `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: note
  version: ${version}
  title: Note
  description: Says its version.
spec:
  type: service
`,
    'capsules/note/templates/note.yaml.hbs': `apiVersion: v1
kind: ConfigMap
metadata:
  name: note
data:
  text: says ${version}
`,
  };
}

beforeAll(async () => {
  cluster = await startKubernetes(SCRATCH);
  for (const namespace of ['first', 'second']) await cluster.kubectl(['create', 'namespace', namespace]);
  const source = { kind: 'kubeconfig' as const, file: cluster.kubeconfig, context: undefined, allowExec: false };
  const access = { source, environments: undefined, namespaces: undefined, clusterResources: [], impersonate: undefined };
  engine = clusterWorld((clock) =>
    kubernetesTargets({
      credentials: new Map([['hub', access]]),
      secrets: undefined,
      clock,
      timers: systemTimers,
      chance: systemChance,
    }),
  );
  await engine.push({ 'environments/project.yaml': PROJECT_FILE, ...ENVIRONMENT, ...note('1.0.0') });
}, 300_000);

afterAll(async () => {
  await engine?.close();
  await cluster?.stop();
  rmSync(SCRATCH, { recursive: true, force: true });
});

async function texts(): Promise<readonly string[]> {
  const of = (namespace: string) => cluster.kubectl(['get', 'configmap', 'note', '-n', namespace, '-o', 'jsonpath={.data.text}']);
  return Promise.all([of('first'), of('second')]);
}

function isSettled({ ending }: ReconcileResult): boolean {
  return ending.kind === 'settled';
}

test('what waits for a pause is kept in line with what it keeps, and gets its turn', async () => {
  // The pauses of the first installation pass.
  await engine.until('live', isSettled);
  expect(await texts()).toEqual(['says 1.0.0', 'says 1.0.0']);

  await engine.push(note('1.1.0'));
  const waits = await engine.run('live');
  expect(waits.receipts.map(({ target, ending }) => `${target} ${ending.kind}`)).toEqual(['first settled', 'second waiting']);
  expect(await texts()).toEqual(['says 1.1.0', 'says 1.0.0']);

  const patch = JSON.stringify({ data: { text: 'says nothing' } });
  await cluster.kubectl(['patch', 'configmap', 'note', '-n', 'second', '--type=merge', '-p', patch]);
  let seen: ReconcileResult['receipts'][number] | undefined;
  while (seen?.driftDetected !== true) seen = (await engine.run('live')).receipts.find(({ target }) => target === 'second');
  expect(await texts()).toEqual(['says 1.1.0', 'says 1.0.0']);
  expect([seen.ending.kind, seen.health.state]).toEqual(['waiting', 'healthy']);

  await engine.until('live', isSettled);
  expect(await texts()).toEqual(['says 1.1.0', 'says 1.1.0']);
}, 120_000);
