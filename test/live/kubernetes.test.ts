import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-kubernetes-'));
let kubernetes: RunningKubernetes | undefined;

beforeAll(async () => {
  kubernetes = await startKubernetes(scratch);
});

afterAll(async () => {
  await kubernetes?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

test('kubectl applies a ConfigMap to a real API server', async () => {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'greeting', namespace: 'default' }, data: { hello: 'world' } };

  await kubernetes?.kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(configMap));

  expect(await kubernetes?.kubectl(['get', 'configmap', 'greeting', '-o', 'jsonpath={.data.hello}'])).toBe('world');
  expect(JSON.parse((await kubernetes?.kubectl(['version', '-o', 'json'])) ?? '')).toMatchObject({
    clientVersion: { gitVersion: 'v1.35.4' },
    serverVersion: { gitVersion: 'v1.35.4' },
  });
});
