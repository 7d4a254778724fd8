import { expect, test } from 'vitest';

import { allowsClusterObject, chooseAccess, allowsNamespace, type ClusterAccess, USUAL_CLUSTER_RESOURCES } from '#model/cluster-access.ts';

const ACCESS: ClusterAccess = {
  source: { kind: 'in-cluster' },
  environments: undefined,
  namespaces: undefined,
  clusterResources: USUAL_CLUSTER_RESOURCES,
  impersonate: undefined,
};

function chosen(entries: Readonly<Record<string, Partial<ClusterAccess>>>, credentials: string | undefined): string {
  const all = new Map(Object.entries(entries).map(([name, entry]) => [name, { ...ACCESS, ...entry }]));
  const choice = chooseAccess(all, { environment: 'dev', target: 'eu', credentials });
  return choice.kind === 'found' ? 'found' : choice.message;
}

test('an entry without environments is for all, an empty list for none', () => {
  expect(chosen({ 'eu-1': {} }, 'eu-1')).toBe('found');
  expect(chosen({ 'eu-1': { environments: ['prod', 'dev'] } }, 'eu-1')).toBe('found');
  expect(chosen({ 'eu-1': { environments: [] } }, 'eu-1')).toBe(
    'credentials eu-1 may not be used by dev (allowed: no environment). Add dev to credentials.eu-1.environments in capstan.yaml, or use other credentials.',
  );
  expect(chosen({ 'eu-1': { environments: ['prod'] } }, 'eu-1')).toContain('(allowed: prod)');
});

test('credentials that the configuration does not have are named, with what it has', () => {
  expect(chosen({ 'us-1': {}, 'eu-1': {} }, 'eu1')).toBe(
    'the configuration has no credentials "eu1" (known: eu-1, us-1); did you mean "eu-1"? Add credentials.eu1 to capstan.yaml, or correct the name in git.',
  );
  expect(chosen({}, 'eu-1')).toBe(
    'the configuration has no credentials "eu-1" (it has none). Add credentials.eu-1 to capstan.yaml, or correct the name in git.',
  );
  expect(chosen({}, undefined)).toBe('target eu of dev is a cluster and names no credentials');
});

test('without patterns only the declared namespaces are written to; with them, they decide', () => {
  expect(allowsNamespace(ACCESS, 'acme-dev', ['acme-dev'])).toBe(true);
  expect(allowsNamespace(ACCESS, 'kube-system', ['acme-dev'])).toBe(false);
  expect(allowsNamespace({ ...ACCESS, namespaces: [] }, 'acme-dev', ['acme-dev'])).toBe(false);
});

test.each([
  ['acme-*', 'acme-dev', true],
  ['acme-*', 'acme-', true],
  ['acme-*', 'acme', false],
  ['*-dev', 'acme-dev', true],
  ['*', 'kube-system', true],
  ['a*b*c', 'axxbyyc', true],
  ['a*b*c', 'acb', false],
  ['ab*ba', 'aba', false],
  ['*a*a', 'a', false],
  ['acme', 'acme-dev', false],
])('the pattern %s and the namespace %s: %s', (pattern, namespace, fits) => {
  expect(allowsNamespace({ ...ACCESS, namespaces: [pattern] }, namespace, [])).toBe(fits);
});

test('usually a namespace of its own and definitions of kinds are written, and nothing that gives rights', () => {
  const key = (group: string, kind: string, name = 'x') => ({ group, kind, namespace: '', name });

  expect(allowsClusterObject(ACCESS, key('', 'Namespace', 'acme-dev'), ['acme-dev'])).toBe(true);
  expect(allowsClusterObject(ACCESS, key('', 'Namespace', 'kube-system'), ['acme-dev'])).toBe(false);
  expect(allowsClusterObject(ACCESS, key('apiextensions.k8s.io', 'CustomResourceDefinition'), [])).toBe(true);
  expect(allowsClusterObject(ACCESS, key('rbac.authorization.k8s.io', 'ClusterRole'), [])).toBe(false);
  expect(allowsClusterObject({ ...ACCESS, clusterResources: ['ClusterRole'] }, key('rbac.authorization.k8s.io', 'ClusterRole'), [])).toBe(
    true,
  );
  expect(
    allowsClusterObject({ ...ACCESS, clusterResources: ['ClusterRole.acme.example'] }, key('rbac.authorization.k8s.io', 'ClusterRole'), []),
  ).toBe(false);
  expect(allowsClusterObject({ ...ACCESS, clusterResources: ['*'] }, key('', 'Namespace', 'kube-system'), ['acme-dev'])).toBe(false);
});
