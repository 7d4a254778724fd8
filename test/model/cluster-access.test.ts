import { expect, test } from 'vitest';

import {
  allowsClusterObject,
  allowsEnvironment,
  allowsNamespace,
  type ClusterAccess,
  USUAL_CLUSTER_RESOURCES,
} from '#model/cluster-access.ts';

const ACCESS: ClusterAccess = {
  source: { kind: 'inCluster' },
  environments: undefined,
  namespaces: undefined,
  clusterResources: USUAL_CLUSTER_RESOURCES,
  impersonate: undefined,
};

test('an entry without environments is for all, an empty list for none', () => {
  expect(allowsEnvironment(ACCESS, 'dev')).toBe(true);
  expect(allowsEnvironment({ ...ACCESS, environments: [] }, 'dev')).toBe(false);
  expect(allowsEnvironment({ ...ACCESS, environments: ['prod'] }, 'dev')).toBe(false);
  expect(allowsEnvironment({ ...ACCESS, environments: ['prod', 'dev'] }, 'dev')).toBe(true);
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
