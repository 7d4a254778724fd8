import { describe, expect, test } from 'vitest';

import { ignoredFields } from '#adapters/kubernetes/ignored-fields.ts';
import { withoutIgnored } from '#adapters/kubernetes/left-out.ts';
import { takeOverPatch } from '#adapters/kubernetes/take-over.ts';
import type { JsonObject } from '#model/json.ts';

function entry(manager: string, fieldsV1: JsonObject, rest: JsonObject = {}): JsonObject {
  return { manager, operation: 'Update', apiVersion: 'v1', time: '2026-01-01T00:00:00Z', fieldsType: 'FieldsV1', fieldsV1, ...rest };
}

function live(managedFields: readonly JsonObject[], rest: JsonObject = {}): JsonObject {
  return { metadata: { name: 'a', resourceVersion: '7', managedFields, ...rest } };
}

const helm = entry('helm', { 'f:data': { '.': {}, 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:x': {} } } });
const kubectl = entry('kubectl-client-side-apply', { 'f:data': { 'f:b': {} }, 'f:metadata': { 'f:labels': {} } });
const other = entry('controller', { 'f:data': { 'f:c': {} } });
const status = entry('kubectl', { 'f:status': {} }, { subresource: 'status' });

describe('taking over an object', () => {
  test('is nothing to do where no other tool was', () => {
    expect(takeOverPatch(live([other, status]), {})).toBeUndefined();
    expect(takeOverPatch({ metadata: { resourceVersion: '1' } }, {})).toBeUndefined();
  });

  test('makes what tools held ours, leaves everybody else theirs, and holds for the version that was read', () => {
    expect(takeOverPatch(live([helm, other, kubectl, status]), {})).toEqual([
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [
          other,
          status,
          entry(
            'capstan',
            { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } } },
            { operation: 'Apply' },
          ),
        ],
      },
    ]);
  });

  test('adds to what was ours before', () => {
    const own = entry('capstan', { 'f:data': { 'f:own': {} } }, { operation: 'Apply' });

    expect(takeOverPatch(live([own, kubectl]), {})?.[1]).toMatchObject({
      value: [{ manager: 'capstan', fieldsV1: { 'f:data': { 'f:own': {}, 'f:b': {} } } }],
    });
  });

  test('takes away the signs by which a tool would know the object, and not those that git wants', () => {
    const signs = {
      labels: { 'app.kubernetes.io/managed-by': 'Helm', 'kustomize.toolkit.fluxcd.io/name': 'x', app: 'web' },
      annotations: { 'meta.helm.sh/release-name': 'x', 'argocd.argoproj.io/tracking-id': 'y', note: 'z' },
    };
    const wanted = { metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } } };

    expect(takeOverPatch(live([], signs), wanted)?.slice(1)).toEqual([
      { op: 'remove', path: '/metadata/annotations/meta.helm.sh~1release-name' },
      { op: 'remove', path: '/metadata/annotations/argocd.argoproj.io~1tracking-id' },
      { op: 'remove', path: '/metadata/labels/app.kubernetes.io~1managed-by' },
    ]);
  });

  test('leaves managed-by alone where a person says who manages it', () => {
    expect(takeOverPatch(live([], { labels: { 'app.kubernetes.io/managed-by': 'the-team' } }), {})).toBeUndefined();
  });
});

describe('fields that others may set', () => {
  const key = { group: 'apps', kind: 'Deployment', namespace: 'acme', name: 'web' };
  const ignored = ignoredFields(key, [
    {
      group: 'apps',
      kind: 'Deployment',
      name: undefined,
      paths: ['/spec/replicas', '/spec/template/spec/containers/name=web/image', '/metadata/annotations/note'],
    },
  ]);
  const container = (name: string, image: string) => ({ name, image });
  const deployment = (replicas: number, ...containers: readonly JsonObject[]): JsonObject => ({
    metadata: { annotations: { note: 'git', other: 'x' } },
    spec: { replicas, template: { spec: { containers } } },
  });
  const wanted = deployment(3, container('web', 'web:2'), container('side', 'side:2'));
  const there = deployment(5, container('side', 'side:1'), container('web', 'web:1'));

  test('are left out where they are not ours', () => {
    expect(withoutIgnored(wanted, there, {}, ignored)).toEqual({
      metadata: { annotations: { other: 'x' } },
      spec: { template: { spec: { containers: [{ name: 'web' }, container('side', 'side:2')] } } },
    });
  });

  test('stay as they are where they are ours alone, as leaving them out would remove them', () => {
    const fields = {
      'f:spec': {
        'f:replicas': {},
        'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } },
      },
    };

    expect(withoutIgnored(wanted, there, fields, ignored)).toEqual({
      metadata: { annotations: { other: 'x' } },
      spec: { replicas: 5, template: { spec: { containers: [container('web', 'web:1'), container('side', 'side:2')] } } },
    });
  });

  test('change nothing where no rule fits', () => {
    expect(withoutIgnored(wanted, there, {}, [])).toEqual(wanted);
  });
});
