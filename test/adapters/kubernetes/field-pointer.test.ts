import { expect, test } from 'vitest';

import { fieldPointer, undeclaredField } from '#adapters/kubernetes/field-pointer.ts';
import { writeRefusal } from '#adapters/kubernetes/refusals.ts';

test.each([
  ['spec.replicas', '/spec/replicas'],
  ['spec.template.spec.containers[0].image', '/spec/template/spec/containers/0/image'],
  ['metadata.labels[app.kubernetes.io/name]', '/metadata/labels/app.kubernetes.io~1name'],
  ['data[a~b]', '/data/a~0b'],
  ['.spec.replicaz', '/spec/replicaz'],
  ['', undefined],
  ['<nil>', undefined],
  ['spec..replicas', undefined],
  ['spec[', undefined],
  [`spec.${'a'.repeat(600)}`, undefined],
])('the field %s is at %s', (field, pointer) => {
  expect(fieldPointer(field)).toBe(pointer);
});

test('a field that is none is found in the words of the server', () => {
  expect(
    undeclaredField('failed to create typed patch object (a/b; apps/v1, Kind=Deployment): .spec.replicaz: field not declared in schema'),
  ).toBe('spec.replicaz');
  expect(undeclaredField('strict decoding error: unknown field "spec.foo"')).toBe('spec.foo');
  expect(undeclaredField('something else: is wrong')).toBe(undefined);
});

test('what a server refuses names the field that it means', () => {
  const key = { group: 'apps', kind: 'Deployment', namespace: 'acme', name: 'web' };
  const causes = [{ reason: 'FieldValueInvalid', message: 'Invalid value: -1', field: 'spec.replicas' }];
  const body = { message: 'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1', details: { causes } };

  expect(writeRefusal(key, { status: 422, body, warnings: [] })).toMatchObject({
    code: 'object-rejected',
    place: { pointer: '/spec/replicas' },
  });
  expect(writeRefusal(key, { status: 403, body: { message: 'forbidden' }, warnings: [] }).place.pointer).toBe(undefined);
});
