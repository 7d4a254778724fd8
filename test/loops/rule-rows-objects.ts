import { edit, edits } from './garden.ts';
import { DEV, NOTE, release, type Row, WEB } from './rule-changes.ts';

const MANIFEST = 'capsules/web/deploy/all.yaml';
const MANIFESTS = edit('  components:\n', '  components:\n    extra:\n      kind: Manifests\n      source:\n        path: deploy\n');

const WITH_MANIFESTS = edits(MANIFESTS, edit('kind: Deployment\n', 'kind: Deployment\n      primary: true\n'));

function manifest(text: string): ReturnType<typeof release> {
  return release({ [WEB]: WITH_MANIFESTS, [MANIFEST]: text });
}

const NOTED = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twice\n';
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\nstringData:\n  password: hunter2-hunter2\n';
const MISSPELT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: other
spec:
  replica: 2
  selector: { matchLabels: { a: b } }
  template:
    metadata: { labels: { a: b } }
    spec:
      containers: [{ name: a, image: 'registry.example.com/web@sha256:${'1f0a3c2b7e5d4896'.repeat(4)}', ports: [{ containerPort: '80' }] }]
`;

const OVENS = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ovens.bakery.example
spec:
  group: bakery.example
  names: { kind: Oven, plural: ovens }
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: { type: integer }
---
apiVersion: bakery.example/v1
kind: Oven
metadata:
  name: big
spec:
  size: 2
`;

/** V-87 as the schemas of Kubernetes see it. */
export const OBJECT_VIOLATIONS: readonly Row[] = [
  [
    'V-87: a field that its kind does not have',
    release({ [NOTE]: (text) => `${text}dta: {}\n` }),
    ['V-87 object-field-unknown capsules/web/templates/note.yaml.hbs:7'],
  ],
  [
    'V-87: a value of another type',
    release({ [NOTE]: (text) => `immutable: "true"\n${text}` }),
    ['V-87 object-value-invalid capsules/web/templates/note.yaml.hbs:1'],
  ],
  [
    'V-87: a version that was removed',
    manifest('apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n'),
    ['V-87 object-api-removed capsules/web/deploy/all.yaml:1:1'],
  ],
  [
    'V-87: a version that will go',
    manifest('apiVersion: v1\nkind: Endpoints\nmetadata:\n  name: old\n'),
    ['~V-87 object-api-deprecated capsules/web/deploy/all.yaml:1:1'],
  ],
  [
    'V-87: an item of a list that lacks what it needs',
    manifest('apiVersion: v1\nkind: ServiceList\nitems:\n  - metadata:\n      name: one\n    spec:\n      ports:\n        - name: http\n'),
    ['V-87 object-field-missing capsules/web/deploy/all.yaml:8:11'],
  ],
  [
    'V-87: a field that a patch adds',
    release({
      [WEB]: (text) =>
        `${text}  patches:\n    - target:\n        kind: Service\n      ops:\n        - op: add\n          path: /spec/sessionAffinty\n          value: None\n`,
    }),
    ['V-87 object-field-unknown capsules/web/capsule.yaml:53:11'],
  ],
  [
    'V-87: what is wrong beside an object that is there twice',
    manifest(`${NOTED}---\n${MISSPELT}---\n${NOTED}dta: {}\n`),
    [
      'V-87 object-field-unknown capsules/web/deploy/all.yaml:11:3',
      'V-87 object-value-invalid capsules/web/deploy/all.yaml:16:148',
      // Their names have the namespaces of dev and of prod.
      'V-87 rendered-object-invalid capsules/web/deploy/all.yaml:18:1',
      'V-87 rendered-object-invalid capsules/web/deploy/all.yaml:18:1',
      'V-87 object-field-unknown capsules/web/deploy/all.yaml:22:1',
    ],
  ],
  [
    'V-87: what is wrong beside a Secret with values, in another file that cannot be read, and of a version that was removed',
    {
      ...manifest(`${SECRET}---\n${MISSPELT}---\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n`),
      'capsules/web/deploy/broken.yaml': 'a: [\n',
    },
    [
      'V-87 rendered-secret capsules/web/deploy/all.yaml:1:1',
      'V-87 rendered-secret capsules/web/deploy/all.yaml:1:1',
      'V-87 object-field-unknown capsules/web/deploy/all.yaml:13:3',
      'V-87 object-value-invalid capsules/web/deploy/all.yaml:18:148',
      'V-87 object-api-removed capsules/web/deploy/all.yaml:20:1',
      'V-87 manifest-unreadable capsules/web/deploy/broken.yaml:2:1',
    ],
  ],
  [
    'V-87: a patch that matches nothing, and nothing of the objects that it may have been meant for',
    release({
      [WEB]: edits(
        WITH_MANIFESTS,
        (text) => `${text}  patches:\n    - target:\n        kind: Ingress\n      ops:\n        - op: remove\n          path: /spec\n`,
      ),
      [MANIFEST]: MISSPELT,
    }),
    ['patch-unmatched capsules/web/capsule.yaml:55:7'],
  ],
  [
    'V-87: a custom resource that its definition does not allow',
    manifest(OVENS.replace('size: 2', 'size: two')),
    ['V-87 object-value-invalid capsules/web/deploy/all.yaml:27:3'],
  ],
  [
    'health expressions that give no bool, name what is not there, or never say when it is healthy',
    healthy('        inProgress: size(kind)\n        failed: object.status.failed\n'),
    [
      'health-expression-invalid capsules/web/capsule.yaml:51:9',
      'health-expression-invalid capsules/web/capsule.yaml:53:21',
      'health-expression-invalid capsules/web/capsule.yaml:54:17',
    ],
  ],
];

function healthy(expressions: string): ReturnType<typeof release> {
  const health = `  health:\n    expressions:\n      - apiVersion: bakery.example/v1\n        kind: Oven\n${expressions}`;
  return release({ [WEB]: (text) => `${text}${health}` });
}

export const OBJECT_NEAR_MISSES: readonly Row[] = [
  ['V-87: a field that its kind has', release({ [NOTE]: (text) => `${text}immutable: true\n` }), []],
  ['V-87: a custom resource that its definition allows', manifest(OVENS), []],
  ['a health expression over the status', healthy('        current: status.ready == true\n        failed: status.failures > 3\n'), []],
  ['V-87: a kind that nobody knows', manifest('apiVersion: bakery.example/v1\nkind: Oven\nmetadata:\n  name: big\nspec: two\n'), []],
  [
    'V-87: a field that a later Kubernetes may have',
    [
      release({ [NOTE]: (text) => `${text}mutable: true\n` }),
      {
        [DEV]: (text) =>
          text
            .replace(
              '      labels:\n        size: small\n',
              '      labels:\n        size: small\n      facts:\n        kubernetes: "1.99"\n',
            )
            .replace(/ {4}two:\n(?: {6}.*\n)*/, ''),
      },
    ],
    [
      '~V-87 object-field-unknown capsules/web/templates/note.yaml.hbs:7',
      '~kubernetes-minor-not-shipped environments/dev/environment.yaml:15:21',
    ],
  ],
];
