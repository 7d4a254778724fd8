import { describe, expect, it } from 'vitest';

import type { JsonObject } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { toTargetName } from '#model/names.ts';
import { assembleRendering, assembleTarget, outputsOf, renderUnit } from '#render/render.ts';
import { MAP, problems, render, target, template, unit, WEB } from '#test/render/builders.ts';

describe('V-87', () => {
  it.each([
    ['no kind', 'apiVersion: v1\nmetadata: { name: a }', 'template x.yaml.hbs produced a document without kind'],
    ['no apiVersion', 'kind: A\nmetadata: { name: a }', 'without apiVersion'],
    ['no name', 'apiVersion: v1\nkind: ConfigMap', 'without metadata.name'],
    ['a text', '"just text"', 'that is not an object'],
    [
      'another namespace',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: kube-system }',
      `in namespace "kube-system"; the target's is acme-prod`,
    ],
    [
      'a namespace on a cluster kind',
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: a, namespace: acme-prod }',
      'belongs to the whole cluster',
    ],
    ['an Event', 'apiVersion: v1\nkind: Event\nmetadata: { name: a }', 'cannot be declared'],
    ['a TokenReview', 'apiVersion: authentication.k8s.io/v1\nkind: TokenReview\nmetadata: { name: a }', 'cannot be declared'],
    [
      'a Binding in a List',
      'apiVersion: v1\nkind: List\nitems: [{ apiVersion: v1, kind: Binding, metadata: { name: a } }]',
      'cannot be declared',
    ],
    ['a Secret with values', 'apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringData: { a: b }', 'with values in stringData'],
    [
      'a private key',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { k: "-----BEGIN RSA PRIVATE KEY-----" }',
      'with a private key',
    ],
    [
      'too much text',
      `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { k: "${'x'.repeat(1_048_600)}" }`,
      'is larger than 1048576 bytes',
    ],
    [
      'the same object twice',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }',
      'produced, too',
    ],
    ['a name that is a path', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ../../a }', 'no name of an object'],
    ['broken YAML', 'a: [', 'output of'],
    ['a label that is not text', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, labels: { a: yes } }', 'labels that are not texts'],
  ])('refuses %s', (_, text, message) => {
    expect(problems('{}', template(text))).toEqual([expect.stringContaining(message)]);
  });

  it('refuses an object of a mebibyte', () => {
    const big = 'x'.repeat(1_048_600);

    expect(problems('{}', template(`${MAP}data: { v: {{config.big}} }\n`, { big }))).toEqual([
      expect.stringContaining('the limit is 1 MiB'),
    ]);
  });
});

describe('the configuration', () => {
  const SCHEMA =
    'config: { schema: { type: object, additionalProperties: false, properties: { replicas: { type: integer, maximum: 20 } } }, assertions: [{ expression: "config.replicas != 13", message: not thirteen }] }';

  it('V-77: must obey the schema of its capsule, and the problem names the layer that set the value', () => {
    const one = unit(SCHEMA, { config: { replicas: 50 } });
    const place = { file: 'environments/prod/environment.yaml', line: 31, column: 5, pointer: '/spec/capsules/web/config/replicas' };

    const result = renderUnit({ ...one, configuration: { ...one.configuration, origins: new Map([['/replicas', place]]) } });

    expect(result.ok ? [] : result.problems).toEqual([
      expect.objectContaining({
        rule: 'V-77',
        message: 'prod/eu-1 web: /replicas must be ≤ 20 (value 50 from environments/prod/environment.yaml:31)',
        place: { ...place, pointer: '/replicas' },
      }),
    ]);
  });

  it('V-77: never shows a sensitive value', () => {
    const schema =
      'config: { schema: { type: object, properties: { db: { type: object, properties: { password: { type: string, maxLength: 3, x-sensitive: true }, port: { type: integer, x-sensitive: true } } } } } }';

    const found = problems(schema, { config: { db: { password: 'hunter2', port: 'hunter3' } } });

    expect(found).toHaveLength(2);
    expect(found.join()).not.toContain('hunter');
  });

  it('V-77: must satisfy the assertions', () => {
    expect(problems(SCHEMA, { config: { replicas: 13 } })).toEqual(['config-assertion-failed V-77 prod/eu-1 web: not thirteen']);
    expect(problems(SCHEMA, { config: { replicas: 12 } })).toEqual([]);
    expect(problems(SCHEMA, { config: { replica: 12 } })).toEqual([
      'config-invalid V-77 prod/eu-1 web: unknown field "replica" in the configuration; did you mean "replicas"? (from capsules/web/capsule.yaml)',
    ]);
  });

  it('changes the pods only where it is not dynamic', () => {
    const hash = (config: JsonObject): string =>
      /config-hash: (.*)/.exec(render(WEB, { config, dynamic: ['greeting'] }).objects[0]?.text ?? '')?.[1] ?? '';

    expect(hash({ a: 1, greeting: 'x' })).toBe(hash({ a: 1, greeting: 'y' }));
    expect(hash({ a: 1 })).not.toBe(hash({ a: 2 }));
    expect(hash({ a: 1 })).toMatch(/^"?[0-9a-f]{64}"?$/);
  });
});

describe('components', () => {
  it('says which kinds this version does not render', () => {
    expect(problems('components: { a: { kind: Terraform } }')).toEqual([
      'not-supported - component a is a Terraform, which this version does not render',
    ]);
  });

  it.each([['availability: { failover: [eu] }', 'availability.failover of component web']])(
    'refuses what it would have to leave out: %s',
    (field, what) => {
      expect(problems(`components: { web: { kind: Deployment, image: x, ${field} } }`)).toEqual([
        `not-supported - ${what} is not rendered by this version`,
      ]);
    },
  );

  it('renders what is declared but off', () => {
    const off =
      'resilience: {}, startAfter: [], stop: { order: none }, scaling: { vertical: { mode: off }, schedule: [], cluster: { priority: normal, placeholderReplicas: 0 } }, availability: { leaderElection: false, failover: [] }';

    expect(problems(`components: { web: { kind: Deployment, image: x, ${off} } }`)).toEqual([]);
    expect(problems(`{ strategy: { type: canary }, components: {} }`)).toEqual([
      'not-supported - the strategy canary is not rendered by this version',
    ]);
  });

  it('names objects of a private instance with dashes, and keeps its identity in labels', () => {
    const objects = render(WEB, { instance: 'shop.cache' }).objects;

    expect(objects.map((object) => object.path)).toEqual([
      'shop.cache/apps_v1_deployment_acme-prod_shop-cache.yaml',
      'shop.cache/core_v1_service_acme-prod_shop-cache.yaml',
    ]);
    expect(objects[0]?.text).toContain('app.kubernetes.io/instance: shop.cache');
  });

  it('V-28: a variable of an optional dependency that is not there has to say when', () => {
    expect(problems('components: { web: { kind: Deployment, image: x, env: { A: { dependency: db } } } }')).toEqual([
      'dependency-unguarded V-28 dependency db is not there',
    ]);
  });

  it('V-28 near miss: a variable that says when', () => {
    const web = 'components: { web: { kind: Deployment, image: x, env: { A: { dependency: db, when: capabilities.db } } } }';
    expect(problems(web, { capabilities: { db: false } })).toEqual([]);
  });

  it('says which wiring leads nowhere', () => {
    const web = (env: string): string => `components: { web: { kind: Deployment, image: x, env: { A: ${env} } } }`;

    expect(problems(web('{ config: nothing }'))).toEqual(['config-unset V-77 config nothing is not set']);
    expect(problems(web('{ dependency: db }'))).toEqual(['dependency-unguarded V-28 dependency db is not there']);
    expect(problems(web('{ dependency: db, output: dsn }'), { dependencies: { db: { instance: 'pg', outputs: { url: 'x' } } } })).toEqual([
      'wiring-mismatch V-18 pg has no output dsn (it has: url)',
    ]);
    expect(problems(web('{ value: "{{config.nope}}" }'))).toEqual([
      'substitution-unknown - {{config.nope}} names nothing that is known here',
    ]);
    expect(problems(web('{ value: a, when: "config.x >" }'))).toEqual([expect.stringContaining('expression-failed')]);
  });
});

describe('a target', () => {
  it('V-55: an object belongs to one instance', () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: same }\n';
    const units = ['a', 'b'].map((instance) => {
      const one = unit('{}', template(text, {}, { instance }));
      return { ...one, rendered: render('{}', template(text, {}, { instance })) };
    });

    const assembled = assembleTarget(target(), units);

    expect(assembled.ok ? [] : assembled.problems.map(({ rule, message }) => `${rule} ${message}`)).toEqual([
      'V-55 v1 ConfigMap acme-prod/same is rendered by a and b on prod/eu-1',
    ]);
  });

  it('has a digest of its files alone, and the environment one of its targets', () => {
    const one = unit(WEB);
    const rendered = render(WEB);
    const assembled = assembleTarget(target(), [{ ...one, rendered }]);
    const other = assembleTarget(target({ name: toTargetName('a-1') }), [{ ...one, wave: 7, rendered }]);
    if (!assembled.ok || !other.ok) throw new Error('the builder does not assemble');

    const joined = assembleRendering(one.target.environment, [assembled.value, other.value]);

    expect(assembled.value.digest).toBe(other.value.digest);
    expect(assembled.value.objects.map((object) => keyText(object.key))).toEqual([
      'apps/Deployment/acme-prod/web',
      'core/Service/acme-prod/web',
    ]);
    expect(joined.targets.map((each) => each.target.name)).toEqual(['a-1', 'eu-1']);
    expect(joined.digest).not.toBe(assembled.value.digest);
  });

  it('gives dependents the outputs of what it provides', () => {
    const {
      capsule,
      target: where,
      pin,
      configuration,
    } = unit(
      'provides: { b: { protocol: x, outputs: { url: "b://{{name}}.{{namespace}}" } }, a: { protocol: x, outputs: { url: "a://{{instance}}" } } }',
      {
        instance: 'shop.cache',
      },
    );

    expect(outputsOf({ declaration: capsule.declaration, instance: pin.instance, target: where, configuration })).toEqual({
      'a.url': 'a://shop.cache',
      'b.url': 'b://shop-cache.acme-prod',
      url: 'a://shop.cache',
    });
  });
});

it('row 20: a large-file pointer in place of a manifest is said to be one', () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n';
  const raw = 'components: { raw: { kind: Manifests, source: { path: manifests } } }';

  expect(problems(raw, { files: { 'manifests/m.yaml': pointer } })).toEqual([
    'rendered-object-invalid V-87 manifest manifests/m.yaml is a pointer to a large file, not the file (web 1.0.0 for prod/eu-1)',
  ]);
});
