import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { loadConfiguration } from '#service/service.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'capstan-credentials-'));
});
afterEach(() => rm(root, { recursive: true }));

const HEAD = 'apiVersion: capstan.dev/v1alpha1\nkind: Configuration\nrepository: { url: "https://github.com/acme/platform.git" }\n';
const FORGE = 'forge: { type: github, token: { env: TOKEN }, webhookSecret: { env: HOOK } }\n';

async function read(yaml: string, env: Readonly<Record<string, string>> = {}, purpose: 'service' | 'command' = 'command') {
  await writeFile(join(root, 'capstan.yaml'), `${HEAD}${FORGE}${yaml}`);
  return loadConfiguration({ path: join(root, 'capstan.yaml'), env: { TOKEN: 'token-text', HOOK: 'correct-horse', ...env }, purpose });
}

async function credentials(yaml: string, env?: Readonly<Record<string, string>>) {
  const result = await read(yaml, env);
  if (!result.ok) throw new Error(inspect(result.problems));
  return Object.fromEntries(result.value.credentials);
}

async function problems(yaml: string, env?: Readonly<Record<string, string>>, purpose?: 'service' | 'command') {
  const result = await read(yaml, env, purpose);
  return result.ok ? [] : result.problems.map(({ code, place, message }) => [code, place.line, message]);
}

const USUAL = ['Namespace', 'CustomResourceDefinition.apiextensions.k8s.io'];

test('a kubeconfig alone may be used by every environment, runs no program and gives nobody rights', async () => {
  expect(await credentials('credentials: { eu-1: { kubeconfig: { file: eu-1.yaml } } }\n')).toEqual({
    'eu-1': {
      source: { kind: 'kubeconfig', file: join(root, 'eu-1.yaml'), context: undefined, allowExec: false },
      environments: undefined,
      namespaces: undefined,
      clusterResources: USUAL,
      impersonate: undefined,
    },
  });
});

test('everything that an entry says is read', async () => {
  const yaml = [
    'credentials:',
    '  eu-1:',
    '    kubeconfig: { file: /etc/capstan/eu-1.yaml }',
    '    context: eu',
    '    allowExec: true',
    '    environments: [dev]',
    '    namespaces: [acme-*, shared]',
    '    clusterResources: ["*"]',
    '    impersonate: system:serviceaccount:acme:gitops',
    '  here: { inCluster: true, environments: [] }',
    '',
  ].join('\n');

  expect(await credentials(yaml)).toEqual({
    'eu-1': {
      source: { kind: 'kubeconfig', file: '/etc/capstan/eu-1.yaml', context: 'eu', allowExec: true },
      environments: ['dev'],
      namespaces: ['acme-*', 'shared'],
      clusterResources: ['*'],
      impersonate: 'system:serviceaccount:acme:gitops',
    },
    here: { source: { kind: 'in-cluster' }, environments: [], namespaces: undefined, clusterResources: USUAL, impersonate: undefined },
  });
});

test('variables name a kubeconfig and a context, and stand above the file', async () => {
  const env = { CAPSTAN_CREDENTIALS_EU_1_KUBECONFIG_FILE: '/run/eu-1.yaml', CAPSTAN_CREDENTIALS_EU_1_CONTEXT: 'other' };

  expect(await credentials('credentials: { eu-1: { kubeconfig: { file: a.yaml }, context: one } }\n', env)).toMatchObject({
    'eu-1': { source: { kind: 'kubeconfig', file: '/run/eu-1.yaml', context: 'other' } },
  });
  expect(await credentials('', env)).toMatchObject({ 'eu-1': { source: { file: '/run/eu-1.yaml', context: 'other' } } });
});

test('every mistake is told at its place, all at once', async () => {
  const yaml = [
    'credentials:',
    '  none: { environments: [dev] }',
    '  both: { kubeconfig: { file: a.yaml }, inCluster: true }',
    '  never: { inCluster: false }',
    '  context: { inCluster: true, context: eu, allowExec: true }',
    '  kinds: { inCluster: true, clusterResources: [namespaces], namespaces: ["Acme"] }',
    '  typo: { kubeconfig: { path: a.yaml }, allowexec: true }',
    '',
  ].join('\n');
  const found = await problems(yaml);

  expect(found.map(([code, line]) => `${line} ${code}`).sort()).toEqual([
    '10 bad-format',
    '10 bad-format',
    '11 missing-field',
    '11 unknown-field',
    '11 unknown-field',
    '6 missing-field',
    '7 fields-exclude-each-other',
    '8 value-not-allowed',
    '9 missing-field',
    '9 missing-field',
  ]);
  expect(found.map(([, , message]) => message)).toContain('/credentials/none needs exactly one of kubeconfig, inCluster; it has none');
});

test('the service does not start with a kubeconfig that it cannot read; a command that does not need it runs', async () => {
  const yaml = 'credentials:\n  eu-1: { kubeconfig: { file: nowhere.yaml } }\n';

  expect(await problems(yaml, {}, 'service')).toEqual([
    ['kubeconfig-unreadable', 6, `the kubeconfig of credentials eu-1, ${join(root, 'nowhere.yaml')}, cannot be read`],
  ]);
  expect(await problems(yaml)).toEqual([]);
});
