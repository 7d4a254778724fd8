import { describe, expect, it } from 'vitest';

import type { JsonObject } from '#model/json.ts';
import { compareRenderings, renderUnit } from '#render/render.ts';
import { MAP, problems, render, template, unit, WEB } from '#test/render/builders.ts';
import type { UnitOptions } from '#test/render/builders.ts';

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

it('a block without what it needs fails in words of ours', () => {
  for (const text of ['{{#each}}{{name}}{{/each}}', '{{#with}}{{/with}}', '{{#if}}{{/if}}'])
    expect(problems('{}', template(`${MAP}data: { v: "${text}" }\n`)).join('\n')).not.toMatch(/Cannot read|undefined \(|is not a function/);
});
