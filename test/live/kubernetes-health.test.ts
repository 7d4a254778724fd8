import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { assess } from '#health/health.ts';
import { sha256Of } from '#model/digest.ts';
import type { Patience } from '#model/health.ts';
import { toInstant } from '#model/instant.ts';
import type { JsonObject } from '#model/json.ts';
import { objectFileName, objectKey } from '#model/kubernetes-object.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { toInstanceName } from '#model/names.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { bring } from '#test/contracts/target.contract.ts';
import { targetRendering } from '#test/plan/build-target.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { openClusterBench } from './cluster-bench.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-health-'));
const WITHIN = { timeout: 60_000, interval: 250 };
let kubernetes: RunningKubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch, { controllers: true, nodes: 1 });
}, 300_000);

afterAll(async () => {
  await kubernetes?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** Objects applied to a namespace of their own, and how they are each time somebody asks. */
async function applied(namespace: string, ...objects: readonly KubernetesObject[]) {
  const { target } = await openClusterBench(kubernetes, { namespace });
  const rendering = targetRendering(objects.map(toRendered), { web: 0 });
  const outcomes = await bring(target, rendering);
  expect(outcomes.map(({ problem }) => problem).filter((problem) => problem !== undefined)).toEqual([]);
  /** State of all, then each object that is not well. */
  const said = async (patience?: Patience): Promise<string> => {
    const health = assess(rendering, await target.observe(rendering.objects), patience);
    const reasons = health.instances.flatMap((instance) => instance.reasons.map(({ key, reason }) => `${key.kind} ${reason}`));
    return [health.state, ...reasons].join(': ');
  };
  return { said };
}

function toRendered(object: KubernetesObject): RenderedObject {
  const text = writeKubernetesYaml(object);
  const instance = toInstanceName('web');
  return { key: objectKey(object), instance, path: `web/${objectFileName(object)}`, sha256: sha256Of(text), object, text };
}

function objectOf(apiVersion: string, kind: string, metadata: JsonObject, rest: JsonObject): KubernetesObject {
  return { apiVersion, kind, metadata, ...rest };
}

/** One that runs `image`, with what its pods ask for beside. */
function workload(
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
  namespace: string,
  { image = 'registry.example.com/web:1', pods = {} } = {},
) {
  return objectOf(
    'apps/v1',
    kind,
    { name: 'web', namespace },
    {
      spec: {
        ...(kind === 'DaemonSet' ? {} : { replicas: 2 }),
        ...(kind === 'StatefulSet' ? { serviceName: 'web' } : {}),
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { ...pods, containers: [{ name: 'web', image }] } },
      },
    },
  );
}

function job(namespace: string, image: string, rest: JsonObject = {}): KubernetesObject {
  return objectOf(
    'batch/v1',
    'Job',
    { name: 'migrate', namespace },
    {
      spec: { ...rest, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } } },
    },
  );
}

const DECADES: Patience = { now: toInstant(Date.parse('2099-01-01T00:00:00Z')), deadline: 600_000 };

describe('what a real cluster says of', () => {
  test('a Deployment, a StatefulSet and a DaemonSet that come up', async () => {
    const { said } = await applied('up', workload('Deployment', 'up'));
    const sets = await applied('sets', workload('StatefulSet', 'sets'));
    const daemons = await applied('daemons', workload('DaemonSet', 'daemons'));

    await expect.poll(said, WITHIN).toBe('healthy');
    await expect.poll(sets.said, WITHIN).toBe('healthy');
    await expect.poll(daemons.said, WITHIN).toBe('healthy');
  }, 200_000);

  test('an image that cannot be pulled, and that it never can', async () => {
    const { said } = await applied('pull', workload('Deployment', 'pull', { image: 'unpullable/web:1' }));
    const words =
      /Deployment 0 of 2 replicas are available; pods web-[0-9a-z]+-[0-9a-z]+ and web-[0-9a-z]+-[0-9a-z]+: each is in ImagePullBackOff: Back-off pulling image unpullable\/web:1$/;

    await expect.poll(() => said(), WITHIN).toMatch(words);
    expect(await said()).toMatch(/^progressing: /);
    expect(await said(DECADES)).toMatch(/^degraded: Deployment no progress for 10m: 0 of 2 replicas are available; pods /);
  }, 200_000);

  test('pods that no node takes', async () => {
    const { said } = await applied('nowhere', workload('Deployment', 'nowhere', { pods: { nodeSelector: { disk: 'none' } } }));

    await expect
      .poll(() => said(), WITHIN)
      .toMatch(
        /^progressing: Deployment 0 of 2 replicas are available; pods .*: each cannot be scheduled: 0\/1 nodes are available: 1 node\(s\) didn't match/,
      );
  }, 200_000);

  test('pods that a quota refuses', async () => {
    const hard = { spec: { hard: { pods: '0' } } };
    const quota = objectOf('v1', 'ResourceQuota', { name: 'none', namespace: 'refused' }, hard);
    await kubernetes.kubectl(['create', 'namespace', 'refused']);
    await kubernetes.kubectl(['create', '-f', '-'], JSON.stringify(quota));
    const inForce = () => kubernetes.kubectl(['get', 'quota', 'none', '-n', 'refused', '-o', 'jsonpath={.status.hard.pods}']);
    await expect.poll(inForce, WITHIN).toBe('0');
    const { said } = await applied('refused', workload('Deployment', 'refused'));

    await expect
      .poll(() => said(), WITHIN)
      .toMatch(
        /^progressing: Deployment \d of 2 replicas (?:is|are) available; its pods cannot be created: pods "web-.*" is forbidden: exceeded quota: none/,
      );
  }, 200_000);

  test('a Job that ends, one that fails, and one that git suspends', async () => {
    const ends = await applied('ends', job('ends', 'registry.example.com/migrate:1'));
    const fails = await applied('fails', job('fails', 'unpullable/migrate:1', { activeDeadlineSeconds: 2 }));
    const waits = await applied('waits', job('waits', 'registry.example.com/migrate:1', { suspend: true }));

    await expect.poll(() => ends.said(), WITHIN).toBe('healthy');
    await expect.poll(() => fails.said(), WITHIN).toMatch(/^degraded: Job job failed: DeadlineExceeded/);
    expect(await waits.said()).toBe('healthy');
  }, 200_000);

  test('a volume that nobody gives, and an address that somebody gives late', async () => {
    const claim = objectOf(
      'v1',
      'PersistentVolumeClaim',
      { name: 'data', namespace: 'late' },
      {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    );
    const service = objectOf(
      'v1',
      'Service',
      { name: 'web', namespace: 'address' },
      { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } },
    );
    const volume = await applied('late', claim);
    const address = await applied('address', service);

    expect(await volume.said()).toBe(
      'progressing: PersistentVolumeClaim waits for a volume (some storage classes bind one when the first pod uses it)',
    );
    expect(await address.said()).toBe('progressing: Service waits for a load balancer address');

    const status = { status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } } };
    await kubernetes.kubectl([
      'patch',
      'service',
      'web',
      '-n',
      'address',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify(status),
    ]);
    await expect.poll(() => address.said(), WITHIN).toBe('healthy');
  }, 200_000);

  test('a definition that is established, and one whose names are taken', async () => {
    const definition = (plural: string): KubernetesObject =>
      objectOf(
        'apiextensions.k8s.io/v1',
        'CustomResourceDefinition',
        { name: `${plural}.acme.example` },
        {
          spec: {
            group: 'acme.example',
            scope: 'Namespaced',
            names: { plural, kind: 'Gadget' },
            versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
          },
        },
      );
    const first = await applied('definitions', definition('gadgets'));
    await expect.poll(() => first.said(), WITHIN).toBe('healthy');

    const second = await applied('more-definitions', definition('gizmos'));
    await expect
      .poll(() => second.said(), WITHIN)
      .toMatch(/^degraded: CustomResourceDefinition its names are not accepted: "Gadget(List)?" is already in use$/);
  }, 200_000);

  test('an object that is deleted and does not end', async () => {
    const kept = objectOf('v1', 'ConfigMap', { name: 'kept', namespace: 'leaving', finalizers: ['example.com/x'] }, { data: { a: 'b' } });
    const { said } = await applied('leaving', kept);
    expect(await said()).toBe('healthy');

    await kubernetes.kubectl(['delete', 'configmap', 'kept', '-n', 'leaving', '--wait=false']);

    await expect
      .poll(() => said(), WITHIN)
      .toMatch(/^progressing: ConfigMap is being deleted since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ; finalizer example\.com\/x has not ended$/);
    expect(await said(DECADES)).toMatch(/^degraded: ConfigMap no progress for 10m: is being deleted since /);
    await kubernetes.kubectl(['patch', 'configmap', 'kept', '-n', 'leaving', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  }, 200_000);

  test('an object that somebody changed by hand', async () => {
    const settings = objectOf('v1', 'ConfigMap', { name: 'settings', namespace: 'drift' }, { data: { a: 'b' } });
    const { said } = await applied('drift', settings);
    const patch = JSON.stringify({ data: { a: 'c' } });

    await kubernetes.kubectl([
      'patch',
      'configmap',
      'settings',
      '-n',
      'drift',
      '--type=merge',
      '-p',
      patch,
      '--field-manager=kubectl-edit',
    ]);

    await expect.poll(() => said(), WITHIN).toBe('degraded: ConfigMap was changed outside git by kubectl-edit');
  }, 200_000);
});
