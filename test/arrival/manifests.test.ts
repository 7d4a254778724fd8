import { expect, test } from 'vitest';

import { object, planned, writtenBy } from './luggage.ts';

const HELD = 'data:\n  key: value\n';

test('each folder becomes a capsule with its files as they are, and an environment runs them all', async () => {
  const web = `# the web\n${object('ConfigMap', 'web', { body: HELD })}---\n${object('ConfigMap', 'more', { body: "data: { 'no': 'off', mode: '0644' }\n" })}`;
  const cache = object('ConfigMap', 'cache', { body: HELD });

  const plan = await planned('manifests', { 'web/all.yaml': web, 'deploy/cache/cache.yml': cache });

  expect(plan.problems).toEqual([]);
  expect(writtenBy(plan)).toEqual({
    'capsules/cache/capsule.yaml': expect.stringContaining('kind: Manifests'),
    'capsules/cache/files/cache.yml': cache,
    'capsules/web/capsule.yaml': `# yaml-language-server: $schema=../../schemas/capsule.schema.json
apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata:
  name: web
  version: 1.0.0
  description: The manifests of web, as they were applied.
spec:
  type: configuration
  components:
    manifests:
      kind: Manifests
      source:
        path: files
`,
    'capsules/web/files/all.yaml': web,
    'environments/dev/environment.yaml': `# yaml-language-server: $schema=../../schemas/environment.schema.json
# What was applied from shop. Objects that name no namespace are in default.
apiVersion: capstan.dev/v1alpha1
kind: Environment
metadata:
  name: dev
spec:
  risk: low
  tenancy:
    mode: shared
    namespace: default
  targets:
    local:
      driver: directory
      path: dev
      namespace: default
  capsules:
    cache:
      version: ^1.0.0
      updatePolicy: latest
    web:
      version: ^1.0.0
      updatePolicy: latest
  promotion:
    from:
      environments: []
    merge: auto
  sync:
    interval: 1m
`,
    'environments/project.yaml': expect.stringContaining('name: shop'),
  });
  expect(plan.arrival.leftOut).toEqual([]);
  expect(plan.differences).toEqual([
    { file: 'deploy/cache/cache.yml', line: 1, object: 'ConfigMap cache', what: 'metadata.namespace is default' },
    { file: 'web/all.yaml', line: 2, object: 'ConfigMap web', what: 'metadata.namespace is default' },
    { file: 'web/all.yaml', line: 9, object: 'ConfigMap more', what: 'metadata.namespace is default' },
  ]);
});

test('what lies at the top is a capsule for each app label', async () => {
  const plan = await planned('manifests', {
    'a.yaml': object('ConfigMap', 'a', { app: 'cart' }),
    'b.yaml': object('ConfigMap', 'b', { app: 'web' }),
    'c.yaml': object('ConfigMap', 'c', { app: 'web' }),
    'd.yaml': object('ConfigMap', 'd'),
  });

  expect(Object.keys(writtenBy(plan)).filter((path) => path.includes('/files/'))).toEqual([
    'capsules/cart/files/a.yaml',
    'capsules/shop/files/d.yaml',
    'capsules/web/files/b.yaml',
    'capsules/web/files/c.yaml',
  ]);
});

test('objects of other namespaces go to a target of that namespace, cut out byte for byte', async () => {
  const [one, two, three] = [
    object('ConfigMap', 'one', { namespace: 'shop' }),
    `---\n${object('ConfigMap', 'two', { namespace: 'kube-system' })}`,
    `---\n# third\n${object('ConfigMap', 'three', { namespace: 'shop' })}`,
  ];

  const plan = await planned('manifests', { 'web/all.yaml': one + two + three });

  expect(plan.problems).toEqual([]);
  const written = writtenBy(plan);
  expect(written['capsules/web/files/all.yaml']).toBe(one + three);
  expect(written['capsules/web-kube-system/files/all.yaml']).toBe(two);
  expect(written['environments/dev/environment.yaml']).toContain(`    web-kube-system:
      version: ^1.0.0
      targets:
        matchLabels:
          namespace: kube-system
`);
  expect(plan.differences).toEqual([]);
});

test('secret values, files of tools, broken documents and files that are no manifests are named and left out', async () => {
  const good = object('ConfigMap', 'good');
  const plan = await planned('manifests', {
    'web/README.md': '# read me\n',
    'web/broken.yaml': 'a: [1\n',
    'web/chart.yaml': 'name: {{ .Values.x }}\n',
    'web/good.yaml': `${good}---\n${object('Secret', 'token', { body: 'stringData:\n  token: swordfish\n' })}`,
    'web/job.yaml': 'apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: once-\n',
    'web/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n',
    'web/package.json': '{"name": "web"}\n',
    'web/review.yaml': 'apiVersion: authorization.k8s.io/v1\nkind: SubjectAccessReview\nmetadata:\n  name: may-i\n',
  });

  expect(plan.problems).toEqual([]);
  expect(Object.keys(writtenBy(plan)).filter((path) => path.includes('/files/'))).toEqual(['capsules/web/files/good.yaml']);
  expect(writtenBy(plan)['capsules/web/files/good.yaml']).toBe(good);
  expect(JSON.stringify(plan)).not.toContain('swordfish');
  expect(plan.arrival.leftOut.map(({ file, line, what }) => `${file}:${line ?? '-'} ${what}`)).toEqual([
    'web/README.md:- a file',
    'web/broken.yaml:2 a document',
    'web/chart.yaml:1 a document',
    'web/good.yaml:6 Secret token',
    'web/job.yaml:1 Job',
    'web/kustomization.yaml:1 "kustomize.config.k8s.io/v1beta1" "Kustomization"',
    'web/package.json:1 a document',
    'web/review.yaml:1 SubjectAccessReview may-i',
  ]);
  expect(plan.arrival.leftOut.at(-1)?.why).toBe(
    'is SubjectAccessReview may-i: an object of kind SubjectAccessReview is a message to the server and cannot be declared. Correct the template or manifest so that it gives a complete object of this target.',
  );
});

test('of an object that stands twice the one that kubectl applies last is kept', async () => {
  const [before, after] = [object('ConfigMap', 'web', { body: 'data:\n  key: a\n' }), object('ConfigMap', 'web', { body: HELD })];

  const plan = await planned('manifests', { 'a/web.yaml': before, 'b/web.yaml': after, 'c/web.yaml': after });

  expect(Object.keys(writtenBy(plan)).filter((path) => path.includes('/files/'))).toEqual(['capsules/c/files/web.yaml']);
  expect(plan.arrival.leftOut.map(({ file, why }) => `${file} ${why}`)).toEqual([
    'b/web.yaml c/web.yaml:1 has the same core/ConfigMap/default/web and is applied after it',
    'a/web.yaml c/web.yaml:1 has another core/ConfigMap/default/web and is applied after it',
  ]);
});

test('a list whose items go different ways is written item by item', async () => {
  const list = `apiVersion: v1
kind: List
items:
  - ${object('ConfigMap', 'one', { namespace: 'a' }).replaceAll('\n', '\n    ').trimEnd()}
  - ${object('Secret', 'two', { body: 'data:\n  x: eA==\n' }).replaceAll('\n', '\n    ').trimEnd()}
`;

  const plan = await planned('manifests', { 'web/list.yaml': list });

  expect(plan.problems).toEqual([]);
  expect(writtenBy(plan)['capsules/web/files/list.yaml']).toBe(
    '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  namespace: a\n',
  );
  expect(plan.arrival.leftOut.map(({ what }) => what)).toEqual(['Secret two']);
  expect(plan.differences).toEqual([]);
});

test('a typed list is its items, as for kubectl', async () => {
  const list = 'apiVersion: v1\nkind: ConfigMapList\nitems:\n  - metadata:\n      name: one\n      namespace: a\n';

  const plan = await planned('manifests', { 'web/list.yaml': list });

  expect(plan.problems).toEqual([]);
  expect(writtenBy(plan)['capsules/web/files/list.yaml']).toBe(list);
  expect(plan.differences).toEqual([]);
});
