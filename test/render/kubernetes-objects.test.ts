import { describe, expect, test } from 'vitest';

import type { JsonObject } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { openKubernetes } from '#model/kubernetes-shapes.ts';
import { customKinds, judgeObject } from '#render/render.ts';
import { kubernetesTexts } from './kubernetes-texts.ts';

const API = openKubernetes(kubernetesTexts(), '1.35');
const OLDER = openKubernetes(kubernetesTexts(), '1.34');

function object(apiVersion: string, kind: string, rest: JsonObject): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'web', namespace: 'shop' }, ...rest };
}

function deployment(container: JsonObject, spec: JsonObject = {}): KubernetesObject {
  return object('apps/v1', 'Deployment', {
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web', ...container }] } },
      ...spec,
    },
  });
}

/** `code pointer message`. */
function found(judged: KubernetesObject, custom: readonly KubernetesObject[] = [], api = API): readonly string[] | 'unknown' {
  const judgement = judgeObject(api, customKinds(custom), judged);
  if (judgement.kind === 'unknown') return 'unknown';
  return judgement.findings.map(({ code, pointer, message }) => `${code} ${pointer} ${message}`);
}

const CONTAINER = '/spec/template/spec/containers/0';

describe('an object of Kubernetes', () => {
  test('may have every field that its kind has, and null for what is not given', () => {
    expect(
      found(
        deployment(
          {
            imagePullPolicy: 'Always',
            ports: [{ containerPort: 8080 }, { containerPort: 8080, protocol: 'UDP' }],
            env: [{ name: 'A', value: 'x' }],
            resources: { limits: { cpu: 1, memory: '96Mi' }, requests: { cpu: 0.5 } },
            livenessProbe: { httpGet: { port: 'http' } },
            readinessProbe: { httpGet: { port: 8080 } },
          },
          { replicas: null, strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } } },
        ),
      ),
    ).toEqual([]);
  });

  test('that read yes as true is to be quoted as it was written, for nobody knows here how', () => {
    const judged = judgeObject(API, customKinds([]), deployment({ env: [{ name: 'A', value: true }] }));
    expect(judged).toMatchObject({ findings: [{ remedy: 'Put quotes around what is written there.' }] });
  });

  test.each([
    [
      'a field of another name',
      { imagePullPolcy: 'Always' },
      `object-field-unknown ${CONTAINER}/imagePullPolcy is no field of Container; did you mean "imagePullPolicy"?`,
    ],
    [
      'a text where a list belongs',
      { args: '--verbose' },
      `object-value-invalid ${CONTAINER}/args is the text "--verbose"; it must be a list`,
    ],
    [
      'a number where a text belongs',
      { env: [{ name: 'A', value: 1 }] },
      `object-value-invalid ${CONTAINER}/env/0/value is the number 1; it must be a text`,
    ],
    [
      'a value that is none of its choices',
      { imagePullPolicy: 'always' },
      `object-value-invalid ${CONTAINER}/imagePullPolicy is "always"; it must be one of Always, IfNotPresent, Never; did you mean "Always"?`,
    ],
    [
      'a quantity with a unit that is none',
      { resources: { limits: { memory: '96MB' } } },
      `object-value-invalid ${CONTAINER}/resources/limits/memory is the text "96MB"; it must be a quantity like 250m or 96Mi`,
    ],
    [
      'a port beyond 32 bits',
      { ports: [{ containerPort: 2 ** 31 }] },
      `object-value-invalid ${CONTAINER}/ports/0/containerPort is the number 2147483648; it must be a whole number`,
    ],
    [
      'an item without what it needs',
      { ports: [{ name: 'http' }] },
      `object-field-missing ${CONTAINER}/ports/0 lacks containerPort, which ContainerPort needs`,
    ],
    [
      'two variables of one name',
      { env: [{ name: 'A' }, { name: 'B' }, { name: 'A' }] },
      `object-item-repeated ${CONTAINER}/env/2 has the same name as item 0: when this is applied, one of them is lost`,
    ],
    [
      'two ports that are one',
      { ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'TCP' }] },
      `object-item-repeated ${CONTAINER}/ports/1 has the same containerPort and protocol as item 0: when this is applied, one of them is lost`,
    ],
  ])('may not have %s', (_, container, expected) => {
    expect(found(deployment(container))).toEqual([expected]);
  });

  test('lacks nothing below its status, which the server fills in', () => {
    const budget = object('policy/v1', 'PodDisruptionBudget', { spec: {}, status: { currentHealthy: 1 } });

    expect(found(budget)).toEqual([]);
    expect(found({ ...budget, status: { curentHealthy: 1 } })).toEqual([
      'object-field-unknown /status/curentHealthy is no field of PodDisruptionBudgetStatus; did you mean "currentHealthy"?',
    ]);
  });

  test('shows nothing of a Secret', () => {
    expect(found(object('v1', 'Secret', { data: { token: 'not base64!' }, stringData: { pin: 1234 } }))).toEqual([
      'object-value-invalid /data/token is a text; it must be base64',
      'object-value-invalid /stringData/pin is a number; it must be a text',
    ]);
  });

  test('is judged by the minor that is asked for', () => {
    const workload = object('scheduling.k8s.io/v1alpha1', 'Workload', { spec: { podGroups: [] } });

    expect(found(workload)).toEqual([]);
    expect(found(workload, [], OLDER)).toEqual([
      'object-kind-unknown /apiVersion is scheduling.k8s.io/v1alpha1 Workload, which Kubernetes 1.34 does not have',
    ]);
  });

  test.each([
    [
      'a version that was removed',
      'policy/v1beta1',
      'PodDisruptionBudget',
      'object-api-removed /apiVersion is policy/v1beta1 PodDisruptionBudget, which Kubernetes has no more since 1.25; policy/v1 PodDisruptionBudget replaces it',
    ],
    [
      'a group that was removed',
      'extensions/v1beta1',
      'Ingress',
      'object-api-removed /apiVersion is extensions/v1beta1 Ingress, which Kubernetes has no more since 1.22; networking.k8s.io/v1 Ingress replaces it',
    ],
    [
      'a kind that nothing replaces',
      'policy/v1beta1',
      'PodSecurityPolicy',
      'object-api-removed /apiVersion is policy/v1beta1 PodSecurityPolicy, which Kubernetes has no more since 1.25',
    ],
    ['a kind of another group', 'apps/v1', 'Job', 'object-kind-unknown /apiVersion is apps/v1 Job, which Kubernetes 1.35 does not have'],
    [
      'a kind of another name',
      'apps/v1',
      'Deploymnet',
      'object-kind-unknown /kind is apps/v1 Deploymnet, which Kubernetes 1.35 does not have; did you mean "Deployment"?',
    ],
    ['a version that will go', 'v1', 'Endpoints', 'object-api-deprecated /apiVersion is deprecated since Kubernetes 1.33'],
  ])('may not be of %s', (_, apiVersion, kind, expected) => {
    expect(found(object(apiVersion, kind, {}))).toEqual([expected]);
  });

  test.each([
    [
      'a selector that misses its own pods',
      deployment({}, { selector: { matchLabels: { app: 'wbe' } } }),
      'object-value-invalid /spec/selector/matchLabels/app is not among the labels of its own pods, so it would find none of them',
    ],
    ['a container without image', deployment({ image: null }), `object-field-missing ${CONTAINER} lacks image, which a container needs`],
    [
      'a volume that is nowhere',
      deployment({ volumeMounts: [{ name: 'dta', mountPath: '/data' }] }),
      `object-value-invalid ${CONTAINER}/volumeMounts/0/name is "dta", which is no volume of the pod (known: none)`,
    ],
    [
      'several ports of which one has no name',
      object('v1', 'Service', { spec: { ports: [{ port: 80 }, { port: 81, name: 'b' }] } }),
      'object-field-missing /spec/ports/0 lacks name, which each of several ports needs',
    ],
  ])('may not have %s', (_, judged, expected) => {
    expect(found(judged)).toEqual([expected]);
  });

  test('may mount what its claims bring, and have one port without a name', () => {
    const set = deployment(
      { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      { serviceName: 'web', volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }] },
    );

    expect(found({ ...set, kind: 'StatefulSet' })).toEqual([]);
    expect(found(object('v1', 'Service', { spec: { ports: [{ port: 80 }] } }))).toEqual([]);
  });

  test('says at most twenty things', () => {
    const env = Array.from({ length: 100 }, (__, at) => ({ nme: `A${at}` }));

    expect(found(deployment({ env }))).toHaveLength(20);
  });
});

const SCHEMA: JsonObject = {
  type: 'object',
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: {
      type: 'object',
      required: ['size', 'mode'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 9 },
        mode: { type: 'string', enum: ['fast', 'safe'], default: 'safe' },
        port: { 'x-kubernetes-int-or-string': true },
        host: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
        tags: { type: 'object', additionalProperties: { type: 'string' } },
        items: { type: 'array', maxItems: 2, items: { type: 'object', properties: { name: { type: 'string' } } } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: { type: 'boolean' } } },
        pod: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
        one: {
          type: 'object',
          properties: { a: { type: 'string' }, b: { type: 'string' } },
          oneOf: [{ required: ['a'] }, { required: ['b'] }],
        },
      },
    },
    status: { type: 'object', required: ['ready'], properties: { ready: { type: 'boolean' } } },
  },
};

const DEFINITION: KubernetesObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'ovens.bakery.example' },
  spec: {
    group: 'bakery.example',
    names: { kind: 'Oven', plural: 'ovens' },
    scope: 'Namespaced',
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: SCHEMA } },
      { name: 'v1beta1', served: true, storage: false, deprecated: true, schema: { openAPIV3Schema: SCHEMA } },
      { name: 'v1alpha1', served: false, storage: false },
    ],
  },
};

function oven(spec: JsonObject, version = 'v1'): KubernetesObject {
  return object(`bakery.example/${version}`, 'Oven', { spec: { size: 1, ...spec } });
}

describe('a custom resource', () => {
  test('is of a kind that nobody knows where nothing defines it', () => {
    expect(found(oven({}))).toBe('unknown');
  });

  test('may have what its definition allows, and what it leaves open', () => {
    const free = { known: true, more: { anything: 1 } };
    const spec = { port: 'http', host: 'abc', tags: { a: 'b' }, free, pod: { apiVersion: 'v1', kind: 'Pod', spec: {} }, one: { a: 'x' } };

    expect(found(oven(spec), [DEFINITION])).toEqual([]);
    expect(found({ ...oven({}), status: {} }, [DEFINITION])).toEqual([]);
    expect(found(DEFINITION)).toEqual([]);
  });

  test.each([
    [
      'a field of another name',
      { sise: 1 },
      'object-field-unknown /spec/sise is a field that its definition does not know; did you mean "size"?',
    ],
    ['a value of another type', { size: '1' }, 'object-value-invalid /spec/size is the text "1"; it must be a whole number'],
    ['a value out of range', { size: 10 }, 'object-value-invalid /spec/size is 10; it must be at most 9'],
    [
      'a value that is no choice',
      { mode: 'fats' },
      'object-value-invalid /spec/mode is the text "fats"; it must be one of fast, safe; did you mean "fast"?',
    ],
    ['a text that does not match', { host: 'A' }, 'object-value-invalid /spec/host does not match ^[a-z]+$'],
    ['a text that is too long', { host: 'abcdef' }, 'object-value-invalid /spec/host has 6 characters; it may have at most 5'],
    [
      'a fraction where a port belongs',
      { port: 1.5 },
      'object-value-invalid /spec/port is the number 1.5; it must be a whole number or a text',
    ],
    ['a wrong value in a map', { tags: { a: 1 } }, 'object-value-invalid /spec/tags/a is the number 1; it must be a text'],
    [
      'an unknown field in a list',
      { items: [{ nam: 'a' }] },
      'object-field-unknown /spec/items/0/nam is a field that its definition does not know; did you mean "name"?',
    ],
    ['too many items', { items: [{}, {}, {}] }, 'object-value-invalid /spec/items has 3 items; it may have at most 2'],
    [
      'a wrong value below what is kept',
      { free: { known: 1 } },
      'object-value-invalid /spec/free/known is the number 1; it must be true or false',
    ],
    [
      'two of what excludes each other',
      { one: { a: 'x', b: 'y' } },
      'object-value-invalid /spec/one fits 2 of the alternatives of its definition; it must fit exactly one (oneOf)',
    ],
    ['nothing where something is needed', { size: null }, 'object-field-missing /spec lacks size, which its definition requires'],
  ])('may not have %s', (_, spec, expected) => {
    expect(found(oven(spec), [DEFINITION])).toEqual([expected]);
  });

  test('has the metadata of every object', () => {
    const labelled = { ...oven({}), metadata: { name: 'a', lables: {} } };

    expect(found(labelled, [DEFINITION])).toEqual([
      'object-field-unknown /metadata/lables is no field of ObjectMeta; did you mean "labels"?',
    ]);
  });

  test('is of a version that its definition serves', () => {
    expect(found(oven({}, 'v1alpha1'), [DEFINITION])).toEqual([
      'object-kind-unknown /apiVersion is bakery.example/v1alpha1 Oven, a version that its definition does not serve',
    ]);
    expect(found(oven({}, 'v1beta1'), [DEFINITION])).toEqual([
      'object-api-deprecated /apiVersion is deprecated: its definition says that it is deprecated',
    ]);
  });

  test('costs no more than a bound, whatever its definition asks', () => {
    const many = Array.from({ length: 2_000 }, (__, at) => ({ pattern: `^${'a?'.repeat(50)}$`, maxLength: 50 + at }));
    const hostile: JsonObject = { type: 'object', properties: { spec: { type: 'array', items: { type: 'string', allOf: many } } } };
    const [spec, ...others] = [DEFINITION['spec']];
    expect(others).toEqual([]);
    const definition = {
      ...DEFINITION,
      spec: { ...(spec as JsonObject), versions: [{ name: 'v1', schema: { openAPIV3Schema: hostile } }] },
    };
    const value = object('bakery.example/v1', 'Oven', { spec: Array.from({ length: 10_000 }, () => 'a'.repeat(50)) });

    expect(found(value, [definition])).toContainEqual('object-too-large  is too large to be judged whole');
  });
});

test.each([
  ['choices', { type: 'string', enum: Array.from({ length: 10_000 }, (_, at) => `choice${at}`) }, 'choice9999'],
  [
    'alternatives with required fields',
    { type: 'object', properties: { a: { type: 'integer' } }, allOf: [{ required: Array.from({ length: 50_000 }, () => 'a') }] },
    { a: 1 },
  ],
])('a definition of many %s is held against many values only so far', (_, items, value) => {
  const definition = object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
    metadata: { name: 'many.a.example' },
    spec: {
      group: 'a.example',
      scope: 'Namespaced',
      names: { kind: 'Many', plural: 'many' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              'x-kubernetes-preserve-unknown-fields': true,
              properties: { spec: { type: 'array', items } },
            },
          },
        },
      ],
    },
  });
  const many = object('a.example/v1', 'Many', { metadata: { name: 'a' }, spec: Array.from({ length: 20_000 }, () => value) });
  const began = process.threadCpuUsage();

  judgeObject(API, customKinds([definition]), many);

  const { user, system } = process.threadCpuUsage(began);
  expect((user + system) / 1000).toBeLessThan(1500);
});
