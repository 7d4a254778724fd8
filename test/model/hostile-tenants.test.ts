import { expect, test } from 'vitest';

import { allowsClusterObject, allowsNamespace, chooseAccess, USUAL_CLUSTER_RESOURCES, type ClusterAccess } from '#model/cluster-access.ts';

const ACME: ClusterAccess = {
  source: { kind: 'in-cluster' },
  environments: ['acme-prod'],
  namespaces: ['acme-*'],
  clusterResources: USUAL_CLUSTER_RESOURCES,
  impersonate: 'system:serviceaccount:capstan:acme',
};

test.each(['kube-system', 'default', 'acme', 'acm', 'Acme-web', 'xacme-web', 'other-acme-web', '', 'acme', ' acme-web'])(
  'row 102: a tenant writes nothing in namespace %j',
  (namespace) => {
    expect(allowsNamespace(ACME, namespace, ['kube-system'])).toBe(false);
    expect(allowsClusterObject(ACME, { group: '', kind: 'Namespace', namespace: '', name: namespace }, ['kube-system'])).toBe(false);
  },
);

test.each([
  ['rbac.authorization.k8s.io', 'ClusterRole'],
  ['rbac.authorization.k8s.io', 'ClusterRoleBinding'],
  ['admissionregistration.k8s.io', 'ValidatingWebhookConfiguration'],
  ['admissionregistration.k8s.io', 'MutatingWebhookConfiguration'],
  ['apiregistration.k8s.io', 'APIService'],
  ['', 'PersistentVolume'],
  ['', 'Node'],
  ['certificates.k8s.io', 'CertificateSigningRequest'],
  ['policy.example', 'CustomResourceDefinition'],
  ['policy.example', 'Namespace'],
])('row 102: a tenant writes no %s/%s outside of namespaces', (group, kind) => {
  expect(allowsClusterObject(ACME, { group, kind, namespace: '', name: 'acme-web' }, [])).toBe(false);
});

test('row 102: credentials of a tenant serve no environment of another one', () => {
  const asked = { environment: 'other-prod', target: 'eu', credentials: 'acme' };

  expect(chooseAccess(new Map([['acme', ACME]]), asked)).toMatchObject({ kind: 'refused' });
  expect(chooseAccess(new Map([['acme', ACME]]), { ...asked, environment: 'acme-prod' })).toMatchObject({ kind: 'found' });
  expect(chooseAccess(new Map([['acme', ACME]]), { ...asked, credentials: '__proto__' })).toMatchObject({ kind: 'refused' });
});
