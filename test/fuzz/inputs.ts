import { readdirSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import { parse, stringify } from 'yaml';

import type { Json } from '#model/json.ts';

/** What is run on one input: the problems a person would see, or nothing. */
export interface Told {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface Fuzzed {
  readonly kind: FuzzKind;
  readonly text: string;
}

export type FuzzKind = 'yaml' | 'schema' | 'template';
export const FUZZ_KINDS: readonly FuzzKind[] = ['yaml', 'schema', 'template'];

const ROOT = new URL('../../', import.meta.url);

function textsOf(ending: RegExp): readonly string[] {
  return ['environments', 'capsules', 'policies', 'src/cli/starter'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((file) => ending.test(file))
      .toSorted()
      .map((file) => readFileSync(new URL(`${folder}/${file}`, ROOT), 'utf8')),
  );
}

const YAML_PIECES = [
  '&a ',
  '*a',
  '<<: ',
  '!!binary ',
  '!x ',
  '%YAML 1.1\n',
  '---\n',
  '...\n',
  '? ',
  ': ',
  '- ',
  '|\n',
  '>-\n',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  ',',
  '	',
  '  ',
  '\n',
  '\r\n',
  '\r',
  '#',
  ' #',
  '\0',
  '﻿',
  '\u2028',
  '‮',
  '\ud800',
  '😀',
  '',
  '__proto__: ',
  'constructor: ',
  '0x1F',
  '1e400',
  '-0',
  '.nan',
  '~',
  'null',
  'yes',
  'no',
  '2026-01-01',
  '1_000',
  '0o17',
  '12:30:45',
  `${'9'.repeat(400)}`,
  'a'.repeat(5e3),
  '[['.repeat(60),
  '{a: '.repeat(60),
  `${'- '.repeat(120)}x`,
  'x: &x [*x, *x]\n',
];

const TEMPLATE_PIECES = [
  '{{',
  '}}',
  '{{{',
  '}}}',
  '{{&',
  '{{!--',
  '--}}',
  '{{~',
  '~}}',
  '{{#if ',
  '{{/if}}',
  '{{else}}',
  '{{#each config}}',
  '{{/each}}',
  '{{#with config}}',
  '{{/with}}',
  '{{> _x}}',
  '{{#> _x}}',
  '{{/_x}}',
  '{{#*inline "x"}}',
  '{{/inline}}',
  '{{* x}}',
  '{{lookup config "x"}}',
  '{{log 1}}',
  '{{this}}',
  '{{../x}}',
  '{{@root}}',
  '{{@index}}',
  '{{@key}}',
  '{{config.x}}',
  '{{config.[x]}}',
  '{{config.constructor}}',
  '{{config.__proto__}}',
  '{{json config}}',
  '{{truncate "x" -1}}',
  '{{replace "a" "(a+)+$" "b"}}',
  '{{join config ","}}',
  '{{concat 1 2}}',
  '{{file "../../etc/passwd"}}',
  '{{file "x"}}',
  '{{base64 name}}',
  '{{default config.x 1}}',
  '{{#each @root}}{{#each @root}}{{name}}{{/each}}{{/each}}',
  '{{#unless x}}',
  '{{/unless}}',
  '(',
  ')',
  '"',
  "'",
  '.',
  '/',
  ' as |a b| ',
  '|',
  '- ',
  ': ',
  '\n',
  '  ',
  'apiVersion: v1\n',
  'kind: ConfigMap\n',
  'metadata: { name: x }\n',
  '---\n',
  'data: {}\n',
  '\0',
  '‮',
];

/** A text with pieces put in, taken out, doubled and swapped. */
function mutated(seeds: readonly string[], pieces: readonly string[]): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat({ max: 1_000_000 }),
    length: fc.oneof(fc.constant(0), fc.nat({ max: 40 })),
    piece: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...pieces) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
    ),
    again: fc.boolean(),
  });
  return fc.record({ seed: fc.constantFrom(...seeds), edits: fc.array(edit, { minLength: 1, maxLength: 6 }) }).map(({ seed, edits }) => {
    let text = seed;
    for (const { at, length, piece, again } of edits) {
      const start = at % (text.length + 1);
      text = text.slice(0, start) + piece + (again ? text.slice(start, start + length) : '') + text.slice(start + (again ? 0 : length));
    }
    return text;
  });
}

const ODD: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e21,
    '',
    'a',
    '1.0.0',
    '^1.0.0',
    '>=1 <2 || *',
    '10m',
    '20%',
    '500m',
    '9'.repeat(300),
    '/a~1b',
    '../x',
    '{{config.x}}',
    'FREQ=DAILY',
    'Europe/Madrid',
    '0 7 * * 1-5',
    'config.x <= 1',
    'self.all(x, x)',
    '(a+)+$',
    '\u202e',
    'x'.repeat(3000),
    [],
    {},
    [[]],
    { $ref: '#' },
    { type: 'object' },
  ),
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json),
);

interface Swap {
  readonly walk: readonly number[];
  readonly value: Json;
  readonly act: 'replace' | 'remove' | 'add';
}

/** The value with one place replaced, removed or added to, found by walking down from the top. */
function swapped(value: Json, { walk, value: odd, act }: Swap): Json {
  const [step, ...rest] = walk;
  if (step === undefined || typeof value !== 'object' || value === null) return odd;
  const isList = Array.isArray(value);
  const entries = Object.entries(value) as [string, Json][];
  if (entries.length === 0) return odd;
  const at = step % entries.length;
  const [key = '', child = null] = entries[at] ?? [];
  const next: [string, Json][] = entries.map((entry, index) =>
    index === at ? [key, swapped(child, { walk: rest, value: odd, act })] : entry,
  );
  if (rest.length === 0 && act === 'remove') next.splice(at, 1);
  if (rest.length === 0 && act === 'add') next.push([`x${step}`, odd]);
  return isList ? next.map(([, item]) => item) : Object.fromEntries(next);
}

function documents(): fc.Arbitrary<string> {
  const seeds = textsOf(/\.yaml$/).flatMap((text) => {
    const value = parse(text) as Json;
    return typeof value === 'object' && value !== null && 'kind' in value ? [value] : [];
  });
  const swap: fc.Arbitrary<Swap> = fc.record({
    walk: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 8 }),
    value: ODD,
    act: fc.constantFrom('replace', 'replace', 'remove', 'add'),
  });
  return fc.record({ seed: fc.constantFrom(...seeds), swaps: fc.array(swap, { minLength: 1, maxLength: 4 }) }).map(({ seed, swaps }) =>
    stringify(
      swaps.reduce<Json>((value, one) => swapped(value, one), seed),
      { aliasDuplicateObjects: false },
    ),
  );
}

/** Inputs of one kind, hostile by construction and near to what people write. */
export function inputs(kind: FuzzKind): fc.Arbitrary<Fuzzed> {
  return textOf(kind).map((text) => ({ kind, text }));
}

function textOf(kind: FuzzKind): fc.Arbitrary<string> {
  switch (kind) {
    case 'yaml':
      return mutated(textsOf(/\.yaml$/), YAML_PIECES);
    case 'schema':
      return documents();
    case 'template':
      return mutated([...textsOf(/\.hbs$/), '{{name}}', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{name}}\n'], TEMPLATE_PIECES);
  }
}
