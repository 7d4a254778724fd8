import { expect, test } from 'vitest';

import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { placeInFile } from '#model/problem.ts';
import type { ObjectOrigin } from '#model/rendering.ts';
import { placeOfPointer } from '#render/render.ts';
import { unit } from './builders.ts';

const CAPSULE = `apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata: { name: web, version: 1.0.0 }
spec:
  type: service
  components:
    web:
      kind: Deployment
      image: registry.example.com/web:1
      env: { A: { value: x } }
`;

const TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{name}}
data:
  a: {{config.a}}
---
apiVersion: v1
kind: Service
metadata:
  name: {{name}}
spec:
  ports:
    - name: http
      port: {{config.port}}
`;

const MANIFEST = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata: { name: a }
  - apiVersion: v1
    kind: Service
    metadata: { name: b }
    spec:
      ports: [{ port: 80, nme: x }]
---
apiVersion: v1
kind: Secret
`;

const { capsule } = unit(CAPSULE, { files: { 'templates/all.yaml.hbs': TEMPLATE, 'deploy/all.yaml': MANIFEST } });
const at = (file: string): string => `${capsule.directory}/${file}`;

/** `file:line:column pointer` of what stands at a pointer of an object of this kind. */
function placed(kind: string, origin: Omit<ObjectOrigin, 'patches' | 'source'> & Partial<ObjectOrigin>, pointer: string): string {
  const object: KubernetesObject = { apiVersion: 'v1', kind, metadata: { name: 'x' } };
  const place = placeOfPointer(capsule, { object, origin: { source: 'it', patches: [], ...origin } }, pointer);
  return `${[place.file, place.line, place.column].filter((part) => part !== undefined).join(':')} ${place.pointer ?? '-'}`;
}

test('a field of a workload is the field of its component, where that is declared', () => {
  const place = { ...placeInFile(at('capsule.yaml')), pointer: '/spec/components/web' };

  expect(placed('Deployment', { place }, '/spec/template/spec/containers/0/env/0/value')).toBe(
    `${at('capsule.yaml')} /spec/components/web/env`,
  );
  expect(placed('Deployment', { place }, '/spec/template/spec/containers/0/args')).toBe(`${at('capsule.yaml')} /spec/components/web`);
});

test('a field that a patch touched is the last operation that touched it', () => {
  const place = { ...placeInFile(at('capsule.yaml')), pointer: '/spec/components/web' };
  const op = (index: number, pointer: string) => ({ pointer, place: { ...place, pointer: `/spec/patches/0/ops/${index}` } });
  const patches = [op(0, '/spec'), op(1, '/spec/ports/-'), op(2, '/metadata')];

  expect(placed('Service', { place, patches }, '/spec/ports/1/port')).toBe(`${at('capsule.yaml')} /spec/patches/0/ops/1`);
  expect(placed('Service', { place, patches }, '/spec/type')).toBe(`${at('capsule.yaml')} /spec/patches/0/ops/0`);
  expect(placed('Service', { place, patches }, '/status')).toBe(`${at('capsule.yaml')} /spec/components/web`);
});

test('a field of a manifest is where it stands, or what it would stand in', () => {
  const place = { file: at('deploy/all.yaml'), line: 1, column: 1, pointer: '/items/1' };

  expect(placed('Service', { place }, '/spec/ports/0/nme')).toBe(`${at('deploy/all.yaml')}:11:27 /items/1/spec/ports/0/nme`);
  expect(placed('Service', { place }, '/spec/type')).toBe(`${at('deploy/all.yaml')}:10:5 /items/1/spec/type`);
  expect(placed('Secret', { place: { ...place, line: 13, pointer: '' } }, '/kind')).toBe(`${at('deploy/all.yaml')}:14:1 /kind`);
});

test('a field of a template is the line that has its keys, in the document of its kind', () => {
  const place = placeInFile(at('templates/all.yaml.hbs'));

  expect(placed('ConfigMap', { place }, '/metadata/name')).toBe(`${at('templates/all.yaml.hbs')}:4 -`);
  expect(placed('Service', { place }, '/metadata/name')).toBe(`${at('templates/all.yaml.hbs')}:11 -`);
  expect(placed('Service', { place }, '/spec/ports/0/port')).toBe(`${at('templates/all.yaml.hbs')}:15 -`);
  expect(placed('Pod', { place: placeInFile(at('templates/gone.yaml.hbs')) }, '/spec')).toBe(`${at('templates/gone.yaml.hbs')} -`);
});
