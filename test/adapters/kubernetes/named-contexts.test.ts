import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { credentialsIn } from '#adapters/kubernetes/kubernetes.ts';
import { chooseAccess, USUAL_CLUSTER_RESOURCES, type ClusterAccess } from '#model/cluster-access.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-contexts-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function kubeconfig(...contexts: readonly string[]): string {
  const file = join(scratch, `${contexts.join('-')}.yaml`);
  writeFileSync(file, JSON.stringify({ contexts: contexts.map((name) => ({ name, context: { cluster: 'c', user: 'u' } })) }));
  return file;
}

const CONFIGURED: ClusterAccess = {
  source: { kind: 'in-cluster' },
  environments: ['dev'],
  namespaces: ['acme-*'],
  clusterResources: ['*'],
  impersonate: 'x',
};

async function chosen(file: string, credentials: string, configured: ReadonlyMap<string, ClusterAccess> = new Map()) {
  const choice = chooseAccess(await credentialsIn(file, configured), { environment: 'dev', target: 'one', credentials });
  return choice.kind === 'found' ? choice.access : choice.message;
}

test('of several contexts each is for the credentials of its name', async () => {
  const file = kubeconfig('eu-1', 'us-1');

  expect(await chosen(file, 'us-1')).toEqual({
    source: { kind: 'kubeconfig', file, context: 'us-1', allowExec: true },
    environments: undefined,
    namespaces: undefined,
    clusterResources: USUAL_CLUSTER_RESOURCES,
    impersonate: undefined,
  });
  expect(await chosen(file, 'ap-1')).toContain('no credentials "ap-1" (known: eu-1, us-1)');
});

test('an only context is for all names', async () => {
  const file = kubeconfig('kind');

  expect(await chosen(file, 'eu-1')).toMatchObject({ source: { context: 'kind' }, environments: undefined });
});

test('what the configuration says beside the login stays', async () => {
  const file = kubeconfig('kind-2');
  const configured = new Map([['eu-1', CONFIGURED]]);

  expect(await chosen(file, 'eu-1', configured)).toEqual({
    ...CONFIGURED,
    source: { kind: 'kubeconfig', file, context: 'kind-2', allowExec: true },
  });
  expect(await chosen(file, 'eu-1', new Map([['eu-1', { ...CONFIGURED, environments: [] }]]))).toContain('may not be used by dev');
});
