import { expect, test } from 'vitest';

import { fieldChanges } from '#model/field-change.ts';
import type { Json } from '#model/json.ts';
import { objectKey, type KubernetesObject } from '#model/kubernetes-object.ts';
import { dangersOf } from '#model/object-danger.ts';

function object(apiVersion: string, kind: string, rest: Readonly<Record<string, Json>> = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'one', namespace: 'acme' }, ...rest };
}

function dangers(before: KubernetesObject | undefined, after: KubernetesObject | undefined): readonly string[] {
  const some = after ?? before;
  if (some === undefined) throw new Error('one side is needed');
  return dangersOf({ key: objectKey(some), before, after, fields: before && after ? fieldChanges(before, after) : [] });
}

const changes: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  [
    'a selector of a Deployment',
    dangers(
      object('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { a: '1' } } } }),
      object('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { a: '2' } } } }),
    ),
    ['immutable'],
  ],
  [
    'the template of a Deployment',
    dangers(
      object('apps/v1', 'Deployment', { spec: { template: { a: 1 } } }),
      object('apps/v1', 'Deployment', { spec: { template: { a: 2 } } }),
    ),
    [],
  ],
  [
    'the template of a Job',
    dangers(object('batch/v1', 'Job', { spec: { template: { a: 1 } } }), object('batch/v1', 'Job', { spec: { template: { a: 2 } } })),
    ['immutable'],
  ],
  [
    'replicas and service name of a StatefulSet',
    dangers(
      object('apps/v1', 'StatefulSet', { spec: { replicas: 1, serviceName: 'a' } }),
      object('apps/v1', 'StatefulSet', { spec: { replicas: 0, serviceName: 'b' } }),
    ),
    ['immutable', 'replicas-to-zero'],
  ],
  [
    'replicas alone of a StatefulSet',
    dangers(object('apps/v1', 'StatefulSet', { spec: { replicas: 1 } }), object('apps/v1', 'StatefulSet', { spec: { replicas: 2 } })),
    [],
  ],
  [
    'claims of a StatefulSet',
    dangers(
      object('apps/v1', 'StatefulSet', { spec: { volumeClaimTemplates: [{ metadata: { name: 'a' }, size: 1 }] } }),
      object('apps/v1', 'StatefulSet', { spec: { volumeClaimTemplates: [{ metadata: { name: 'a' }, size: 2 }] } }),
    ),
    ['immutable', 'storage'],
  ],
  [
    'a StatefulSet with claims that goes',
    dangers(object('apps/v1', 'StatefulSet', { spec: { volumeClaimTemplates: [] } }), undefined),
    ['delete', 'storage'],
  ],
  ['a Deployment that goes', dangers(object('apps/v1', 'Deployment'), undefined), ['delete']],
  [
    'a claim that grows',
    dangers(
      object('v1', 'PersistentVolumeClaim', { spec: { resources: { requests: { storage: '1Gi' } } } }),
      object('v1', 'PersistentVolumeClaim', { spec: { resources: { requests: { storage: '2Gi' } } } }),
    ),
    ['storage'],
  ],
  [
    'a claim of another class',
    dangers(
      object('v1', 'PersistentVolumeClaim', { spec: { storageClassName: 'a' } }),
      object('v1', 'PersistentVolumeClaim', { spec: { storageClassName: 'b' } }),
    ),
    ['immutable', 'storage'],
  ],
  ['a new claim', dangers(undefined, object('v1', 'PersistentVolumeClaim')), []],
  [
    'a sealed ConfigMap',
    dangers(
      object('v1', 'ConfigMap', { immutable: true, data: { a: '1' } }),
      object('v1', 'ConfigMap', { immutable: true, data: { a: '2' } }),
    ),
    ['immutable'],
  ],
  ['an open ConfigMap', dangers(object('v1', 'ConfigMap', { data: { a: '1' } }), object('v1', 'ConfigMap', { data: { a: '2' } })), []],
  ['a new role', dangers(undefined, object('rbac.authorization.k8s.io/v1', 'Role')), ['rbac']],
  [
    'a binding to another role',
    dangers(
      object('rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { name: 'view' } }),
      object('rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { name: 'admin' } }),
    ),
    ['immutable', 'rbac'],
  ],
  [
    'the schema of a definition',
    dangers(
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { spec: { versions: [{ name: 'v1' }] } }),
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { spec: { versions: [{ name: 'v2' }] } }),
    ),
    ['crd'],
  ],
  ['a namespace that goes', dangers(object('v1', 'Namespace'), undefined), ['delete', 'namespace']],
  [
    'the image of a Pod',
    dangers(
      object('v1', 'Pod', { spec: { containers: [{ name: 'a', image: 'a:1' }] } }),
      object('v1', 'Pod', { spec: { containers: [{ name: 'a', image: 'a:2' }] } }),
    ),
    [],
  ],
  [
    'the command of a Pod',
    dangers(
      object('v1', 'Pod', { spec: { containers: [{ name: 'a', command: ['a'] }] } }),
      object('v1', 'Pod', { spec: { containers: [{ name: 'a', command: ['b'] }] } }),
    ),
    ['immutable'],
  ],
];

test.each(changes)('%s', (_, found, expected) => {
  expect(found).toEqual(expected);
});
