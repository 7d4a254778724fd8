import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import type { Capsule } from '#model/declarations.generated.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { sha256Of, toBlobId, toTreeId } from '#model/digest.ts';
import { toCapsuleName } from '#model/names.ts';
import { checkCapsuleTemplates } from '#render/render.ts';

const SPEC = `
type: service
dependencies: { cache: { capsule: redis, version: ^7.0.0, optional: true } }
provides: { http: { protocol: http, outputs: { url: "http://x" } } }
config:
  schema:
    type: object
    additionalProperties: false
    properties:
      greeting: { type: string }
      tls: { type: object, additionalProperties: false, properties: { cert: { type: string } } }
      hosts: { type: array, items: { type: object, additionalProperties: false, properties: { name: { type: string } } } }
      byName: { type: object, additionalProperties: { $ref: "#/$defs/size" } }
    $defs: { size: { type: object, additionalProperties: false, properties: { cpu: { type: string } } } }
`;

function check(files: Readonly<Record<string, string>>): readonly string[] {
  const value = {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'Capsule',
    metadata: { name: 'web', version: '1.0.0' },
    spec: parse(SPEC) as Capsule['spec'],
  } as Capsule;
  const contents = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
  const source: CapsuleSource = {
    name: toCapsuleName('web'),
    directory: 'capsules/web',
    gitTree: toTreeId('b'.repeat(40)),
    sha256: sha256Of(''),
    declared: {
      value,
      file: 'capsules/web/capsule.yaml',
      blob: toBlobId('c'.repeat(40)),
      at: (pointer) => ({ file: 'x', line: 1, column: 1, pointer }),
    },
    files: [],
    contents,
  };
  return checkCapsuleTemplates(source).map(
    ({ rule, place, message }) => `${rule} ${place.line}:${place.column} ${message.replace(/^[^:]*: /, '')}`,
  );
}

function template(text: string): readonly string[] {
  return check({
    'templates/x.yaml.hbs': text,
    'templates/_labels.hbs': 'app: {{name}}\n',
    'templates/_loop.hbs': '{{> loop}}',
    'templates/_bad.hbs': '{{config.nope}}',
  });
}

describe('V-88', () => {
  it.each([
    '{{name}} {{namespace}} {{environment}} {{version}} {{target.facts.kubernetes}} {{target.labels.region}}',
    '{{config.greeting}} {{config.global.anything}} {{config.tls.cert}} {{config.hosts.length}} {{config.hosts.0.name}}',
    '{{#each config.hosts}}{{name}} {{this.name}} {{../config.greeting}} {{@index}} {{@root.name}}{{/each}}',
    '{{#each config.byName as |size key|}}{{size.cpu}} {{key}}{{/each}}',
    '{{#with config.tls}}{{cert}}{{else}}{{config.greeting}}{{/with}}',
    '{{#if capabilities.cache}}{{dependencies.cache.outputs.url}}{{/if}} {{outputs.http.url}}',
    '{{concat name "-" (lower config.greeting)}} {{default config.tls.cert "x"}} {{file "files/a.txt"}}',
    '{{> labels}}',
  ])('accepts %s', (text) => {
    expect(template(text)).toEqual([]);
  });

  it.each([
    ['{{{name}}}', 'V-88 1:1 {{{name}}} is not allowed; values are JSON-encoded by default'],
    ['{{&name}}', 'V-88 1:1 {{{name}}} is not allowed; values are JSON-encoded by default'],
    [
      '\n {{config.greting}}',
      'V-88 2:4 {{config.greting}} names "greting", which nothing declares (known: byName, global, greeting, hosts, tls)',
    ],
    [
      '{{concat name config.nope}}',
      'V-88 1:15 {{config.nope}} names "nope", which nothing declares (known: byName, global, greeting, hosts, tls)',
    ],
    ['{{#each config.hosts}}{{port}}{{/each}}', 'V-88 1:25 {{port}} names "port", which nothing declares (known: name)'],
    ['{{#each config.byName}}{{memory}}{{/each}}', 'V-88 1:26 {{memory}} names "memory", which nothing declares (known: cpu)'],
    ['{{dependencies.db.outputs.url}}', 'V-88 1:3 {{dependencies.db.outputs.url}} names "db", which nothing declares (known: cache)'],
    ['{{config.greeting.length.x}}', 'V-88 1:3 {{config.greeting.length.x}} names "x", which nothing declares'],
    ['{{#with (lookup config "greeting")}}{{/with}}', expect.stringContaining('lookup is not a helper')],
    ['{{log name}}', expect.stringContaining('log is not a helper')],
    ['{{now}}', expect.stringContaining('names "now"')],
    ['{{random 1}}', expect.stringContaining('random is not a helper')],
    ['{{#config.greeting}}x{{/config.greeting}}', expect.stringContaining('is not a block')],
    ['{{> nothing}}', expect.stringContaining('partial nothing does not exist')],
    ['{{> (concat "a" "b")}}', expect.stringContaining('by a plain name only')],
    ['{{> loop}}', expect.stringContaining('partial loop includes itself')],
    ['{{> bad}}', expect.stringContaining('{{config.nope}}')],
    ['{{#> labels}}x{{/labels}}', expect.stringContaining('partial blocks')],
    ['{{#*inline "x"}}y{{/inline}}', expect.stringContaining('inline partials')],
    ['{{@level}}', expect.stringContaining('is not known here')],
    ['{{../name}}', expect.stringContaining('above the outermost context')],
    ['{{#if name}}', expect.stringContaining('does not parse')],
    ['{{constructor}}', expect.stringContaining('names "constructor"')],
    ['{{config.__proto__}}', expect.stringContaining('names "__proto__"')],
  ])('refuses %s', (text, message) => {
    expect(template(text)).toEqual([message]);
  });

  it.each([
    ['a\n{{#if name}} b', '2:undefined does not parse: a block is open at the end: its {{/...}} is missing'],
    ['{{/if}}', '1:undefined does not parse: a {{/...}} closes a block that is not open'],
    ['{{#if name}}{{/each}}', '1:4 does not parse: {{#if}} is closed by {{/each}}'],
    ['{{else}}', '1:undefined does not parse: an {{else}} stands outside of a block, or a second time in one'],
    ['{{#if', '1:undefined does not parse: a tag is not finished, or holds what does not belong into one'],
    ['{{name}', '1:undefined does not parse: a tag is not finished, or holds what does not belong into one'],
    ['{{{name}}', '1:undefined does not parse: a tag ends before it says enough, or with braces unlike those it began with'],
    ['{{config/../name}}', '1:3 does not parse: config/.. is no path'],
  ])('speaks of tags and blocks, not of tokens: %s', (text, message) => {
    expect(template(text)).toEqual([`V-88 ${message}`]);
  });
});
