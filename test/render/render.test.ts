import { describe, expect, it } from 'vitest';

import type { JsonObject } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { toTargetName } from '#model/names.ts';
import type { RenderedUnit } from '#model/rendering.ts';
import { assembleRendering, assembleTarget, compareRenderings, outputsOf, renderUnit } from '#render/render.ts';
import { target, unit } from '#test/render/builders.ts';
import type { UnitOptions } from '#test/render/builders.ts';

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{name}}\n';
const WEB = 'components: { web: { kind: Deployment, image: r/x, ports: { http: { port: 80 } } } }';

function render(yaml: string, options: UnitOptions = {}): RenderedUnit {
  const result = renderUnit(unit(yaml, options));
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
  return result.value;
}

function problems(yaml: string, options: UnitOptions = {}): readonly string[] {
  const result = renderUnit(unit(yaml, options));
  return result.ok ? [] : result.problems.map(({ code, rule, message }) => `${code} ${rule ?? '-'} ${message}`);
}

function template(text: string, config: JsonObject = {}, more: UnitOptions = {}): UnitOptions {
  return { ...more, config, files: { 'templates/x.yaml.hbs': text, ...more.files } };
}

/** The data of the one ConfigMap that a template gives. */
function data(text: string, config: JsonObject = {}, more: UnitOptions = {}): unknown {
  return render('{}', template(`${MAP}data:\n  ${text.replaceAll('\n', '\n  ')}\n`, config, more)).objects[0]?.object['data'];
}

describe('a template', () => {
  it('gives canonical objects in the target namespace, with the annotations of the engine', () => {
    const one = unit('{}', template(`${MAP}data: { greeting: {{config.greeting}} }\n`, { greeting: 'Hi' }));

    const result = renderUnit(one);

    expect(result.ok && result.value.objects.map(({ path, text }) => ({ path, text: text.split('\n') }))).toEqual([
      {
        path: 'web/core_v1_configmap_acme-prod_web.yaml',
        text: [
          'apiVersion: v1',
          'data:',
          '  greeting: Hi',
          'kind: ConfigMap',
          'metadata:',
          '  annotations:',
          expect.stringMatching(/^    capstan.dev\/content: "?[0-9a-f]{12}"?$/),
          '    capstan.dev/instance: web',
          '    capstan.dev/version: "1.0.0"',
          '  name: web',
          '  namespace: acme-prod',
          '',
        ],
      },
    ]);
  });

  it('knows its helpers', () => {
    const config = { list: ['b', 'a'], map: { z: 1, y: 2 }, text: 'Some-Text-x', n: 3, none: '' };
    const text = [
      'a: {{concat name "-" config.n}}',
      'b: {{join config.list "+"}}',
      'c: {{lower (trimSuffix config.text "-x")}}',
      'd: {{replace config.text "-" "_"}}',
      'e: {{truncate config.text 4}}',
      'f: {{default config.none "fallback"}}',
      'g: {{json config.map}}',
      'h: {{base64 "hé"}}',
      'i: {{sha256 "abc"}}',
      'j: {{join (keys config.map)}}',
      'k: {{#if (and (gt config.n 2) (lte config.n 3) (not (eq config.n 4)) (has config.map "z") (or false (ne 1 2)))}}"yes"{{else}}"no"{{/if}}',
      'l: {{file "files/a.txt"}}',
      'm: {{#each config.map}}{{#unless @first}} {{/unless}}{{@key}}{{#unless @last}}: {{/unless}}{{/each}}',
      'o: {{upper "ß"}}',
    ].join('\n');

    expect(() => data(text, config)).toThrow('"files/a.txt" is not a text file');
    expect(data(text.replace(/\nm: .*/, ''), config, { files: { 'files/a.txt': 'x: y\n' } })).toEqual({
      a: 'web-3',
      b: 'b+a',
      c: 'some-text',
      d: 'Some_Text_x',
      e: 'Some',
      f: 'fallback',
      g: '{"y":2,"z":1}',
      h: 'aMOp',
      i: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      j: 'y,z',
      k: 'yes',
      l: 'x: y\n',
      o: 'SS',
    });
  });

  it('row 46: a value cannot become structure', () => {
    const hostile = [
      'x\ninjected: true',
      '"}, injected: {',
      '# no',
      '{{name}}',
      '&a',
      '*a',
      '!!tag',
      '- a',
      '\u2028',
      '\u0085',
      '<&"\'=',
      'yes',
      '0644',
      '',
      ' a ',
    ];

    expect(data('v: {{config.list}}', { list: hostile })).toEqual({ v: hostile });
    for (const value of hostile) expect(data('v: {{config.v}}\nw: w', { v: value })).toEqual({ v: value, w: 'w' });
  });

  it.each([
    '{{#with (lookup config "constructor")}}{{/with}}',
    '{{config.constructor}}',
    '{{config.__proto__.x}}',
    '{{constructor.constructor}}',
    '{{#with "s" as |s|}}{{#with s.sub.apply}}{{this}}{{/with}}{{/with}}{{s.constructor}}',
    '{{toString}}',
    '{{config.toString}}',
    '{{helperMissing}}',
    '{{blockHelperMissing}}',
    '{{@root.constructor}}',
    '{{#each config.list}}{{constructor}}{{/each}}',
  ])('row 47: %s reaches no prototype', (text) => {
    expect(problems('{}', template(`${MAP}data: { v: ${text} }\n`, { list: [1] }))).toEqual([
      expect.stringMatching(/^(template-failed|manifest-unreadable) V-87/),
    ]);
  });

  it('row 48: only text is compiled', () => {
    const ast = JSON.stringify({ type: 'Program', body: [{ type: 'MustacheStatement', path: 0, params: [], hash: {} }] });

    expect(data(`v: {{json config.ast}}`, { ast: JSON.parse(ast) as JsonObject })).toEqual({
      v: expect.stringContaining('MustacheStatement'),
    });
  });

  it.each([
    ['a partial that includes itself', '{{> loop}}', 'partial loop includes itself'],
    ['an inline partial', '{{#*inline "a"}}x{{/inline}}', 'inline partials'],
    ['a decorator', '{{* a}}', 'decorators'],
    ['a partial of another place', '{{> ../other}}', ''],
  ])('row 49: %s is refused', (_, text, message) => {
    expect(problems('{}', template(text, {}, { files: { 'templates/_loop.hbs': '{{> loop}}' } }))).toEqual([
      expect.stringContaining(message),
    ]);
  });

  it('row 50: loops within loops have a budget', () => {
    const list = Array.from({ length: 100 }, () => 'x');
    const began = performance.now();

    expect(
      problems(
        '{}',
        template('{{#each config.l}}{{#each @root.config.l}}{{#each @root.config.l}}a{{/each}}{{/each}}{{/each}}', { l: list }),
      ),
    ).toEqual([expect.stringContaining('takes more than 100000 turns of its loops')]);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('row 51: texts cannot be blown up, with or without Buffers', () => {
    const big = 'x'.repeat(600_000);

    expect(problems('{}', template('{{base64 (concat config.big config.big)}}', { big }))).toEqual([
      expect.stringContaining('at most 1048576 characters'),
    ]);
    expect(problems('{}', template('{{replace config.big "x" config.big}}', { big }))).toEqual([
      expect.stringContaining('at most 1048576 characters'),
    ]);
    expect(problems('{}', template('{{#each config.l}}{{@root.config.big}}{{/each}}', { big, l: [1, 2, 3, 4, 5, 6, 7, 8] }))).toEqual([
      expect.stringContaining('gives more than 4194304 characters'),
    ]);
  });

  it.each([
    '{{env "PATH"}}',
    '{{now}}',
    '{{random 1}}',
    '{{uuid}}',
    '{{fetch "http://x"}}',
    '{{process.env.PATH}}',
    '{{file "../../../etc/passwd"}}',
    '{{file "/etc/passwd"}}',
  ])('row 52: %s reaches nothing outside', (text) => {
    expect(problems('{}', template(`v: ${text}`))).toHaveLength(1);
  });

  it.each(['{{config.missing}}', '{{concat "a" config.missing}}', '{{lower config.missing}}', '{{missing}}', '{{config.a.b.c}}'])(
    'row 53: %s without a value is an error',
    (text) => {
      expect(problems('{}', template(`${MAP}data: { v: ${text} }\n`))).toEqual([expect.stringContaining('template-failed V-87')]);
    },
  );

  it('row 54: there is no log helper', () => {
    expect(problems('{}', template('{{log "x"}}'))).toEqual([expect.stringContaining('unknown helper log')]);
  });

  it('row 55: two renderings are byte-equal, and a difference is named', () => {
    const one = unit(WEB, template(`${MAP}data: {{config}}\n`, { b: 'x', a: 'y' }));
    const first = renderUnit(one);
    const second = renderUnit(unit(WEB, template(`${MAP}data: {{config}}\n`, { a: 'y', b: 'x' })));
    if (!first.ok || !second.ok) throw new Error('the builder does not render');

    expect(compareRenderings(one, first.value, second.value)).toEqual([]);
    const [object, ...others] = second.value.objects;
    if (object === undefined) throw new Error('nothing was rendered');
    const changed = { ...second.value, objects: [{ ...object, text: `${object.text}x: 1\n` }, ...others] };
    expect(compareRenderings(one, first.value, changed).map(({ rule, message }) => `${rule} ${message}`)).toEqual([
      `V-89 rendering web for prod/eu-1 is not deterministic: ${object.path} differs at line ${object.text.split('\n').length}`,
    ]);
  });
});

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
    ['too much text', `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { k: "${'x'.repeat(1_048_600)}" }`, 'not UTF-8'],
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

  it('V-77: must satisfy the assertions', () => {
    expect(problems(SCHEMA, { config: { replicas: 13 } })).toEqual(['config-assertion-failed V-77 prod/eu-1 web: not thirteen']);
    expect(problems(SCHEMA, { config: { replicas: 12 } })).toEqual([]);
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

  it('names objects of a private instance with dashes, and keeps its identity in labels', () => {
    const objects = render(WEB, { instance: 'shop.cache' }).objects;

    expect(objects.map((object) => object.path)).toEqual([
      'shop.cache/apps_v1_deployment_acme-prod_shop-cache.yaml',
      'shop.cache/core_v1_service_acme-prod_shop-cache.yaml',
    ]);
    expect(objects[0]?.text).toContain('app.kubernetes.io/instance: shop.cache');
  });

  it('says which wiring leads nowhere', () => {
    const web = (env: string): string => `components: { web: { kind: Deployment, image: x, env: { A: ${env} } } }`;

    expect(problems(web('{ config: nothing }'))).toEqual(['binding-unknown V-77 config nothing is not set']);
    expect(problems(web('{ dependency: db }'))).toEqual(['binding-unknown V-28 dependency db is not there']);
    expect(problems(web('{ dependency: db, output: dsn }'), { dependencies: { db: { instance: 'pg', outputs: { url: 'x' } } } })).toEqual([
      'binding-unknown V-28 pg has no output dsn (it has: url)',
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
