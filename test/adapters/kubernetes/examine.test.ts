import { expect, test } from 'vitest';

import type { Api, ApiRequest } from '#adapters/kubernetes/api.ts';
import type { Cluster } from '#adapters/kubernetes/cluster.ts';
import type { Connection } from '#adapters/kubernetes/connection.ts';
import { examineCluster } from '#adapters/kubernetes/examine.ts';
import { toInstant } from '#model/instant.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const DAY = 86_400_000;

interface Scene {
  readonly ahead?: number;
  readonly certificateEnds?: number;
  readonly allowed?: (spec: string) => boolean;
}

async function examined({ ahead, certificateEnds, allowed = () => true }: Scene) {
  const asked: string[] = [];
  const request = ({ path, body = '' }: ApiRequest) => {
    asked.push(path);
    const status = path.endsWith('selfsubjectreviews')
      ? { userInfo: { username: 'system:serviceaccount:capstan:capstan' } }
      : { allowed: allowed(body) };
    return Promise.resolve({ status: 201, body: { status }, warnings: [] });
  };
  const api = { request, ahead: () => ahead } as unknown as Api;
  const resource = { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespaced: true, verbs: [] };
  const cluster = {
    api,
    discovery: { serverVersion: () => Promise.resolve('v1.35.4'), resource: () => Promise.resolve(resource) },
    marks: { namespace: 'acme' },
    clock: { now: () => toInstant(NOW) },
    allows: () => true,
  } as unknown as Cluster;
  const connection = { certificateEnds: () => Promise.resolve(certificateEnds) } as unknown as Connection;
  const findings = await examineCluster(cluster, connection, [], undefined);
  return {
    findings: findings.map(({ state, detail }) => `${state} ${detail}`),
    remedies: findings.flatMap(({ remedy }) => remedy ?? []),
    asked,
  };
}

const REACHED = 'ok Kubernetes v1.35.4 answers, as system:serviceaccount:capstan:capstan';
const MAY = 'ok may do all that its 1 kinds and namespaces need';

test('a server that lets us do everything is asked for reviews, and for nothing else', async () => {
  const { findings, asked } = await examined({ ahead: 3000, certificateEnds: NOW + 15 * DAY });

  expect(findings).toEqual([REACHED, MAY]);
  expect(new Set(asked.map((path) => path.split('/').at(-1)))).toEqual(new Set(['selfsubjectreviews', 'selfsubjectaccessreviews']));
});

test('clocks that differ and a certificate that ends soon are told with what to do', async () => {
  expect((await examined({ ahead: -120_000, certificateEnds: NOW + 3.5 * DAY })).findings).toEqual([
    REACHED,
    MAY,
    "warning The clock of this machine is 120 s behind the server's: set the wrong one first.",
    'warning the client certificate ends at 2026-11-25T00:00:00.000Z, in 3 days',
  ]);
});

test('a right that is missing comes with the commands that give it to this account', async () => {
  const { findings, remedies } = await examined({ allowed: (spec) => !spec.includes('"verb":"watch"') });

  expect(findings).toEqual([REACHED, 'failed system:serviceaccount:capstan:capstan may not watch configmaps in namespace acme']);
  expect(remedies).toEqual([
    'kubectl create role capstan-configmaps --verb watch --resource configmaps --namespace acme && kubectl create rolebinding capstan-configmaps --role capstan-configmaps --serviceaccount capstan:capstan --namespace acme',
  ]);
});
