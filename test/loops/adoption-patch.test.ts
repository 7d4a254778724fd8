import { expect, test } from 'vitest';

import { adoptingPatch, withPatches } from '#loops/adoption-patch.ts';
import { driftChanges } from '#model/drift-change.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { renderedObject } from '#test/plan/build-target.ts';

const PATCH = {
  target: { kind: 'Deployment', name: 'web', group: 'apps' },
  ops: [
    { op: 'replace' as const, path: '/spec/replicas', value: 3 },
    { op: 'remove' as const, path: '/metadata/annotations/a~1b' },
    { op: 'add' as const, path: '/metadata/labels/on', value: 'yes: "no"' },
  ],
};

const ADDED = `      patches:
        - target:
            kind: Deployment
            name: web
            group: apps
          ops:
            - op: replace
              path: /spec/replicas
              value: 3
            - op: remove
              path: /metadata/annotations/a~1b
            - op: add
              path: /metadata/labels/on
              value: "yes: \\"no\\""
`;

const HEAD = 'spec:\n  # people write here\n  capsules:\n';

test('patches are added below what an instance has already, and every other byte stays', () => {
  const before = `${HEAD}    web: # the shop\n      version: ^1.0.0\n      # ours\n      config:\n        a: 1 # why\n    cache:\n      version: ^7.0.0\n`;
  expect(withPatches(before, 'web', [PATCH])).toBe(
    `${HEAD}    web: # the shop\n      version: ^1.0.0\n      # ours\n      config:\n        a: 1 # why\n${ADDED}    cache:\n      version: ^7.0.0\n`,
  );
});

test('they are added to patches that are there, at the indentation of these', () => {
  const before = `${HEAD}    web:\n      patches:\n      - target: { kind: Service }\n        ops: [{ op: test, path: /a, value: 1 }]\n      version: ^1.0.0`;
  const after = withPatches(before, 'web', [{ ...PATCH, ops: PATCH.ops.slice(0, 1) }]);
  expect(after).toBe(
    `${HEAD}    web:\n      patches:\n      - target: { kind: Service }\n        ops: [{ op: test, path: /a, value: 1 }]\n      - target:\n          kind: Deployment\n          name: web\n          group: apps\n        ops:\n          - op: replace\n            path: /spec/replicas\n            value: 3\n      version: ^1.0.0`,
  );
});

test('an instance and patches in flow style get them in flow style', () => {
  const one = { target: { kind: 'Service' }, ops: [{ op: 'remove' as const, path: '/a' }] };
  const text = JSON.stringify(one);
  expect(withPatches(`${HEAD}    web: { version: ^1.0.0 }\n`, 'web', [one])).toBe(
    `${HEAD}    web: { version: ^1.0.0 , "patches": [${text}]}\n`,
  );
  expect(withPatches(`${HEAD}    web: {}\n`, 'web', [one])).toBe(`${HEAD}    web: {"patches": [${text}]}\n`);
  expect(withPatches(`${HEAD}    web:\n      patches: []\n`, 'web', [one])).toBe(`${HEAD}    web:\n      patches: [${text}]\n`);
});

test('a file without a last line end, and a child of a bundle, are added to as well', () => {
  const one = { target: { kind: 'Service' }, ops: [{ op: 'remove' as const, path: '/a' }] };
  const before = `${HEAD}    shop:\n      instances:\n        web:\n          config: {}`;
  expect(withPatches(before, 'shop.web', [one])).toBe(
    `${before}\n          patches:\n            - target:\n                kind: Service\n              ops:\n                - op: remove\n                  path: /a\n`,
  );
});

test('what cannot be added to stays as it is', () => {
  for (const before of [
    `${HEAD}    cache: {}\n`,
    `${HEAD}    web:\n`,
    'spec: [',
    `${HEAD}    web: { patches: [] }\n`,
    `${HEAD}    web:\n      patches: null\n`,
  ])
    expect(withPatches(before, 'web', [PATCH])).toBeUndefined();
});

function patchFor(live: (object: KubernetesObject) => object) {
  const wanted = renderedObject('web');
  const object = { ...wanted.object, spec: { list: [{ name: 'a', value: 1 }, { name: 'b' }] } } as KubernetesObject;
  return adoptingPatch({ ...wanted, object }, driftChanges(object, JSON.parse(JSON.stringify(live(object)))))?.ops;
}

test('fields that were changed, added and removed become operations; a list of another length is replaced whole', () => {
  expect(patchFor((object) => ({ ...object, data: { content: 'two', 'a/b': 'new' } }))).toEqual([
    { op: 'add', path: '/data/a~1b', value: 'new' },
    { op: 'replace', path: '/data/content', value: 'two' },
  ]);
  expect(patchFor((object) => ({ ...object, data: {} }))).toEqual([{ op: 'remove', path: '/data/content' }]);
  expect(patchFor((object) => ({ ...object, spec: { list: [{ name: 'a', value: 2 }, { name: 'b' }] } }))).toEqual([
    { op: 'replace', path: '/spec/list/0/value', value: 2 },
  ]);
  expect(patchFor((object) => ({ ...object, spec: { list: [{ name: 'b' }] } }))).toEqual([
    { op: 'replace', path: '/spec/list', value: [{ name: 'b' }] },
  ]);
});

test('a change of something that is not rendered at all has no patch', () => {
  const wanted = renderedObject('web');
  expect(adoptingPatch(wanted, [{ path: '/status/phase', before: 'a', after: 'b' }])).toBeUndefined();
  expect(adoptingPatch(wanted, [{ path: '', before: {}, after: {} }])).toBeUndefined();
});
