import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { fieldChanges } from '#model/field-change.ts';
import { type Json, type JsonObject, pointerKeys } from '#model/json.ts';
import { type KubernetesObject, objectKey } from '#model/kubernetes-object.ts';
import { dangersOf } from '#model/object-danger.ts';
import { startKubernetes, type RunningKubernetes } from '#test/servers/kubernetes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-immutable-'));
let running: RunningKubernetes | undefined;

beforeAll(async () => {
  running = await startKubernetes(scratch);
});
afterAll(async () => {
  await running?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const POD: Json = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } };
const SELECTOR: Json = { matchLabels: { app: 'a' } };
const CLAIM: Json = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

function object(apiVersion: string, kind: string, rest: JsonObject): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'one', namespace: 'default' }, ...rest };
}

const OBJECTS = {
  deployment: object('apps/v1', 'Deployment', { spec: { replicas: 1, selector: SELECTOR, template: POD } }),
  daemons: object('apps/v1', 'DaemonSet', { spec: { selector: SELECTOR, template: POD } }),
  stateful: object('apps/v1', 'StatefulSet', {
    spec: {
      replicas: 1,
      serviceName: 'a',
      selector: SELECTOR,
      template: POD,
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: CLAIM }],
    },
  }),
  job: object('batch/v1', 'Job', {
    spec: { completions: 1, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a:1' }] } } },
  }),
  pod: object('v1', 'Pod', { spec: { containers: [{ name: 'a', image: 'a:1', command: ['a'] }] } }),
  service: object('v1', 'Service', { spec: { clusterIP: '10.0.0.77', ports: [{ port: 80 }] } }),
  claim: object('v1', 'PersistentVolumeClaim', { spec: { storageClassName: 'a', ...(CLAIM as JsonObject) } }),
  settings: object('v1', 'ConfigMap', { immutable: true, data: { a: '1' } }),
  secret: object('v1', 'Secret', { type: 'Opaque', stringData: { a: '1' } }),
  binding: object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  }),
  storage: object('storage.k8s.io/v1', 'StorageClass', { provisioner: 'a.example/b', parameters: { a: '1' }, allowVolumeExpansion: false }),
  priority: object('scheduling.k8s.io/v1', 'PriorityClass', { value: 10, description: 'a' }),
  ingress: object('networking.k8s.io/v1', 'IngressClass', { spec: { controller: 'a.example/b' } }),
  runtime: object('node.k8s.io/v1', 'RuntimeClass', { handler: 'a' }),
  slices: object('discovery.k8s.io/v1', 'EndpointSlice', { addressType: 'IPv4', endpoints: [] }),
  volume: object('v1', 'PersistentVolume', {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: '/a' },
    },
  }),
  definition: {
    ...object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
      spec: {
        group: 'acme.example',
        scope: 'Namespaced',
        names: { plural: 'ones', kind: 'One' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    }),
    metadata: { name: 'ones.acme.example' },
  },
} as const;

/** A change of one field each, and what the real server says of it. */
const CHANGES: readonly (readonly [keyof typeof OBJECTS, string, Json])[] = [
  ['deployment', '/spec/selector/matchLabels/app', 'b'],
  ['deployment', '/spec/replicas', 2],
  ['deployment', '/spec/template/spec/containers/0/image', 'a:2'],
  ['daemons', '/spec/selector/matchLabels/app', 'b'],
  ['daemons', '/spec/template/spec/containers/0/image', 'a:2'],
  ['stateful', '/spec/serviceName', 'b'],
  ['stateful', '/spec/podManagementPolicy', 'Parallel'],
  ['stateful', '/spec/volumeClaimTemplates/0/spec/resources/requests/storage', '2Gi'],
  ['stateful', '/spec/replicas', 3],
  ['stateful', '/spec/template/spec/containers/0/image', 'a:2'],
  ['stateful', '/spec/minReadySeconds', 5],
  ['stateful', '/spec/persistentVolumeClaimRetentionPolicy', { whenDeleted: 'Delete', whenScaled: 'Delete' }],
  ['stateful', '/spec/ordinals', { start: 1 }],
  ['stateful', '/spec/revisionHistoryLimit', 3],
  ['job', '/spec/template/spec/containers/0/image', 'a:2'],
  ['job', '/spec/completions', 2],
  ['job', '/spec/completionMode', 'Indexed'],
  ['job', '/spec/parallelism', 2],
  ['job', '/spec/backoffLimit', 2],
  ['pod', '/spec/containers/0/command', ['b']],
  ['pod', '/spec/containers/0/image', 'a:2'],
  ['pod', '/spec/activeDeadlineSeconds', 10],
  ['service', '/spec/clusterIP', '10.0.0.78'],
  ['service', '/spec/ports/0/port', 81],
  ['claim', '/spec/storageClassName', 'b'],
  ['claim', '/spec/accessModes', ['ReadOnlyMany']],
  ['settings', '/data/a', '2'],
  ['settings', '/immutable', false],
  ['secret', '/type', 'acme.example/other'],
  ['binding', '/roleRef/name', 'edit'],
  ['storage', '/parameters/a', '2'],
  ['storage', '/provisioner', 'a.example/c'],
  ['storage', '/reclaimPolicy', 'Retain'],
  ['storage', '/allowVolumeExpansion', true],
  ['priority', '/value', 11],
  ['priority', '/description', 'b'],
  ['ingress', '/spec/controller', 'a.example/c'],
  ['runtime', '/handler', 'b'],
  ['slices', '/addressType', 'IPv6'],
  ['volume', '/spec/hostPath/path', '/b'],
  ['volume', '/spec/capacity/storage', '2Gi'],
  ['volume', '/spec/persistentVolumeReclaimPolicy', 'Delete'],
  ['definition', '/spec/scope', 'Cluster'],
];

function changed(value: Json, keys: readonly string[], to: Json): Json {
  const [key, ...rest] = keys;
  if (key === undefined) return to;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item, at) => (String(at) === key ? changed(item, rest, to) : item));
  const map = (value ?? {}) as JsonObject;
  return { ...map, [key]: changed(map[key] ?? null, rest, to) };
}

/** What the server adds by itself stays as it is. */
const PATCH = ['patch', '--namespace=default', '--type=merge', '--dry-run=server'];

test('row 93: what is called immutable is what a real API server refuses to change', async () => {
  const kubectl = running?.kubectl;
  if (kubectl === undefined) throw new Error('the API server did not start');
  for (const one of Object.values(OBJECTS)) await kubectl(['create', '-f', '-'], JSON.stringify(one));

  const told = await Promise.all(
    CHANGES.map(async ([name, pointer, to]) => {
      const before: KubernetesObject = OBJECTS[name];
      const after = changed(before, pointerKeys(pointer), to) as KubernetesObject;
      const answer = await kubectl([
        ...PATCH,
        `${before.kind}.${before.apiVersion.includes('/') ? before.apiVersion.replace(/(.*)\/(.*)/, '$2.$1') : `${before.apiVersion}.`}`,
        objectKey(before).name,
        '-p',
        JSON.stringify(after),
      ]).then(
        () => 'accepts',
        () => 'refuses',
      );
      const dangers = dangersOf({ key: objectKey(after), before, after, fields: fieldChanges(before, after) });
      return { change: `${name} ${pointer}`, server: answer, ours: dangers.includes('immutable') ? 'refuses' : 'accepts' };
    }),
  );

  expect(told.filter(({ server, ours }) => server !== ours)).toEqual([]);
  expect(told.filter(({ server }) => server === 'refuses').length).toBeGreaterThan(20);
});
