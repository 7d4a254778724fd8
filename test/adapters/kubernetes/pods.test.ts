import { describe, expect, test } from 'vitest';

import type { Api, ApiAnswer } from '#adapters/kubernetes/api.ts';
import { withPods } from '#adapters/kubernetes/pods.ts';
import { sha256Of } from '#model/digest.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { objectKey } from '#model/kubernetes-object.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import type { ObservedObject, PlannedObject } from '#model/plan.ts';
import { PortError } from '#ports/port-error.ts';

/** A server that knows nothing but pods: `answer` by the text of the selector. */
function serverOf(answer: (selector: string) => Partial<ApiAnswer>): { readonly api: Api; readonly asked: readonly string[] } {
  const asked: string[] = [];
  const api: Api = {
    request: async ({ path }) => {
      const { pathname, searchParams } = new URL(path, 'https://cluster');
      const selector = searchParams.get('labelSelector') ?? '';
      asked.push(`${pathname} ${selector} ${searchParams.get('limit') ?? 'all'}`);
      return { status: 200, body: {}, warnings: [], ...answer(selector) };
    },
    watch: () => {
      throw new Error('nothing is watched');
    },
    counts: () => ({ requests: asked.length, watches: 0, retries: 0 }),
    close: () => Promise.resolve(),
  };
  return { api, asked };
}

function workload(kind: string, name: string, status: JsonObject): { readonly seen: ObservedObject; readonly wanted: PlannedObject } {
  const object: KubernetesObject = {
    apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { name, namespace: 'shop' },
    spec: { replicas: 2, selector: { matchLabels: { app: name, part: 'web' } } },
  };
  const path = `web/${kind}-${name}.yaml`;
  const live = { uid: name, appliedAt: undefined, object: { spec: { replicas: 2 }, status }, changedBy: [] };
  const key = objectKey(object);
  const sha256 = sha256Of(name);
  return { seen: { key, path, sha256, live }, wanted: { key, path, sha256, text: '', object } };
}

function listOf(...items: readonly Json[]): Partial<ApiAnswer> {
  return { body: { items } };
}

const SHORT = { updatedReplicas: 2, availableReplicas: 1 };
const WHOLE = { updatedReplicas: 2, availableReplicas: 2 };

async function podsOf(server: { readonly api: Api }, ...given: readonly ReturnType<typeof workload>[]) {
  const told = await withPods(server.api, { objects: given.map(({ seen }) => seen), wanted: given.map(({ wanted }) => wanted) }, undefined);
  return told.map(({ live }) => live?.pods);
}

describe('the pods of a workload that is not well', () => {
  test('are asked for by its selector, and kept with name and status', async () => {
    const server = serverOf(() =>
      listOf({ metadata: { name: 'web-1', labels: { a: 'b' } }, spec: { containers: [] }, status: { phase: 'Pending' } }),
    );

    expect(await podsOf(server, workload('Deployment', 'web', SHORT))).toEqual([
      [{ metadata: { name: 'web-1' }, status: { phase: 'Pending' } }],
    ]);
    expect(server.asked).toEqual(['/api/v1/namespaces/shop/pods app=web,part=web 50']);
  });

  test('of a Job are found by its name', async () => {
    const server = serverOf(() => listOf());

    expect(await podsOf(server, workload('Job', 'migrate', { failed: 1 }))).toEqual([[]]);
    expect(server.asked).toEqual(['/api/v1/namespaces/shop/pods batch.kubernetes.io/job-name=migrate 50']);
  });

  test('are not asked for where all is well, and of ten workloads at most', async () => {
    const server = serverOf(() => listOf());

    await podsOf(server, workload('Deployment', 'web', WHOLE));
    expect(server.asked).toEqual([]);

    const many = Array.from({ length: 30 }, (_, index) => workload('Deployment', `web-${index}`, SHORT));
    const told = await podsOf(server, ...many);
    expect(server.asked.length).toBe(10);
    expect(told.filter((pods) => pods !== undefined).length).toBe(10);
  });

  test('that are being deleted are left out, and what is no pod', async () => {
    const leaving = { metadata: { name: 'web-0', deletionTimestamp: '2026-11-21T20:00:00Z' }, status: { phase: 'Failed' } };
    const server = serverOf(() => listOf(leaving, null, 'pod', [], {}));

    expect(await podsOf(server, workload('Deployment', 'web', SHORT))).toEqual([[{ metadata: { name: '' }, status: {} }]]);
  });

  test.each<[string, () => Partial<ApiAnswer>]>([
    ['does not allow it', () => ({ status: 403, body: { kind: 'Status' } })],
    ['answers nonsense', () => ({ body: { items: 'none' } })],
    [
      'is away',
      () => {
        throw new PortError('transient', 'the connection broke');
      },
    ],
  ])('are unknown where the server %s', async (_, answer) => {
    expect(await podsOf(serverOf(answer), workload('Deployment', 'web', SHORT))).toEqual([undefined]);
  });
});
