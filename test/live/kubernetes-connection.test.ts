import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { apiPath } from '#adapters/kubernetes/api.ts';
import type { Connection } from '#adapters/kubernetes/connection.ts';
import { openConnection } from '#adapters/kubernetes/connection.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';

let server: RunningKubernetes;
let connection: Connection;
const scratch = mkdtempSync(join(tmpdir(), 'capstan-connection-'));

beforeAll(async () => {
  server = await startKubernetes(scratch);
  connection = await openConnection({ source: { kind: 'kubeconfig', file: server.kubeconfig } });
});

afterAll(async () => {
  await connection?.close();
  await server?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

it('applies an object of a kind that discovery knows, and sees it in a watch', async () => {
  const { api, discovery } = connection;
  const configMap = await discovery.resource('', 'ConfigMap', undefined);
  if (configMap === undefined) throw new Error('no ConfigMap');
  const watching = new AbortController();
  const events: unknown[] = [];
  const applied = await api.request({
    method: 'PATCH',
    path: `${apiPath(configMap, 'default', 'first')}?fieldManager=capstan&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'first' }, data: { a: 'ü€😀' } }),
  });
  for await (const event of api.watch(
    `${apiPath(configMap, 'default')}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dfirst`,
    watching.signal,
  )) {
    events.push(event);
    break;
  }

  expect(applied.status).toBe(201);
  expect(configMap).toEqual({
    group: '',
    version: 'v1',
    kind: 'ConfigMap',
    resource: 'configmaps',
    namespaced: true,
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  });
  expect(events).toMatchObject([{ type: 'ADDED', object: { kind: 'ConfigMap', data: { a: 'ü€😀' } } }]);
  expect(await discovery.serverVersion()).toMatch(/^v1\.35\./);
  expect(api.counts()).toEqual({ requests: 4, watches: 1, retries: 0 });
});
