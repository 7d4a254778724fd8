import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import type { InClusterOptions } from '#adapters/kubernetes/in-cluster.ts';
import { inClusterAccess } from '#adapters/kubernetes/in-cluster.ts';
import { isPortError } from '#ports/port-error.ts';
import { issue } from './certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'capstan-in-cluster-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CA = issue({ name: 'cluster CA', isAuthority: true });
const OPTIONS: InClusterOptions = { folder, host: '10.0.0.1', port: '443', impersonate: undefined, now: () => 0 };

async function refusal(options: InClusterOptions): Promise<string> {
  try {
    await inClusterAccess(options);
    return 'accepted';
  } catch (error) {
    if (!isPortError(error)) throw error;
    return `${error.kind} ${error.message.replaceAll(`${folder}/`, '')}`;
  }
}

it('is the service account of the pod, whose token and CA are replaced while it runs', async () => {
  let now = 0;
  writeFileSync(join(folder, 'token'), 'one');
  writeFileSync(join(folder, 'ca.crt'), CA.cert);
  const access = await inClusterAccess({ ...OPTIONS, host: 'fd00::1', impersonate: 'anna', now: () => now });
  const first = await access.headers();
  writeFileSync(join(folder, 'token'), 'two');
  now = 60_000;

  expect(access.url.href).toBe('https://[fd00::1]/');
  expect(first).toEqual(['authorization', 'Bearer one', 'impersonate-user', 'anna']);
  expect(await access.headers()).toEqual(['authorization', 'Bearer two', 'impersonate-user', 'anna']);
  expect(await access.tls()).toEqual({ ca: CA.cert, cert: undefined, key: undefined, servername: undefined });
});

it('says what is missing outside of a pod', async () => {
  const remedy = 'inCluster is for an engine that runs in a pod with automountServiceAccountToken; elsewhere name a kubeconfig.';
  const none = `invalid KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT name no server. ${remedy}`;
  writeFileSync(join(folder, 'token'), 'one');
  rmSync(join(folder, 'ca.crt'), { force: true });

  expect(await refusal({ ...OPTIONS, host: undefined })).toBe(none);
  expect(await refusal({ ...OPTIONS, port: '443/..' })).toBe(none);
  expect(await refusal(OPTIONS)).toBe(`invalid the cluster's CA ca.crt cannot be used: it does not exist. ${remedy}`);
  rmSync(join(folder, 'token'));
  writeFileSync(join(folder, 'ca.crt'), CA.cert);
  expect(await refusal(OPTIONS)).toBe('denied the token file token cannot be used: it does not exist. Mount the token there.');
});
