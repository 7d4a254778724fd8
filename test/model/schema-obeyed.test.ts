import { readFileSync, readdirSync } from 'node:fs';

import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

import { isJsonObject, jsonText } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { obeys } from '#model/schema-obeyed.ts';

const ROOT = new URL('../../', import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

const SCHEMAS = new Map(
  readdirSync(new URL('schemas/', ROOT))
    .filter((file) => file.endsWith('.schema.json'))
    .map((file) => {
      const { $id: _, ...schema } = JSON.parse(read(`schemas/${file}`)) as JsonObject & { $id?: string };
      return [jsonText(schema['title']), schema] as const;
    }),
);

/** Declarations of this repository and of the starter, by kind. */
const DOCUMENTS = ['environments', 'capsules', 'policies', 'src/cli/starter']
  .flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => parse(read(`${folder}/${file}`)) as Json),
  )
  .filter((value) => isJsonObject(value) && SCHEMAS.has(jsonText(value['kind'])));

const EXAMPLE = parse(/```yaml\n([^]*?)```/.exec(read('docs/configuration.md'))?.[1] ?? '') as Json;

/** Everything a place may hold: fitting, nearly fitting and wrong. */
const piece: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    null,
    true,
    0,
    1,
    -1,
    1.5,
    1e9,
    '',
    'a',
    'A b',
    '1.0.0',
    '^1.2.0',
    '10m',
    '20%',
    '500m',
    '/etc/x',
    'x'.repeat(300),
    [],
    {},
  ),
  fc.constantFrom<Json[]>(
    '😀'.repeat(20),
    ['a', 'a'],
    ['a', 1],
    [{}],
    { 'x-note': 1 },
    { name: 'a' },
    { env: 'A' },
    { env: 'A', file: 'b' },
    { a: {} },
  ),
  fc.string({ maxLength: 8 }),
  fc.integer(),
);

interface Change {
  readonly path: readonly number[];
  readonly key: string;
  readonly act: 'replace' | 'remove' | 'add';
  readonly piece: Json;
}

const change: fc.Arbitrary<Change> = fc.record({
  path: fc.array(fc.nat(20), { maxLength: 7 }),
  key: fc.constantFrom('x-note', 'name', 'unknown', 'version', 'a.b', 'config', '0'),
  act: fc.constantFrom('replace', 'remove', 'add'),
  piece,
});

/** The value with one place changed; the numbers of the path choose among what is there. */
function changed(value: Json, { path, key, act, piece: put }: Change, depth = 0): Json {
  const choice = path[depth];
  if (choice === undefined || typeof value !== 'object' || value === null) return put;
  if (!isJsonObject(value)) {
    const items = value;
    if (items.length === 0 || (act === 'add' && depth === path.length - 1)) return [...items, put];
    const at = choice % items.length;
    if (act === 'remove' && depth === path.length - 1) return items.filter((_, index) => index !== at);
    return items.map((item, index) => (index === at ? changed(item, { path, key, act, piece: put }, depth + 1) : item));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || (act === 'add' && depth === path.length - 1)) return { ...value, [key]: put };
  const [chosen] = entries[choice % entries.length] ?? [];
  if (act === 'remove' && depth === path.length - 1) return Object.fromEntries(entries.filter(([name]) => name !== chosen));
  return Object.fromEntries(
    entries.map(([name, item]) => [name, name === chosen ? changed(item, { path, key, act, piece: put }, depth + 1) : item]),
  );
}

test('every declaration here obeys its schema without the real validator', () => {
  expect(DOCUMENTS.length).toBeGreaterThan(20);
  for (const value of [...DOCUMENTS, EXAMPLE]) {
    const kind = isJsonObject(value) ? jsonText(value['kind']) : '';
    expect([kind, obeys(SCHEMAS.get(kind) ?? {}, value)]).toEqual([kind, true]);
  }
});

test.each([...SCHEMAS])('the verdict about a %s is that of ajv, for whatever is changed in one', (kind, schema) => {
  const validate = new Ajv2020({ strict: false, validateSchema: false }).compile(schema);
  const documents = [...DOCUMENTS, EXAMPLE].filter((value) => isJsonObject(value) && value['kind'] === kind);
  expect(documents.length).toBeGreaterThan(0);
  fc.assert(
    fc.property(fc.constantFrom(...documents), fc.array(change, { minLength: 1, maxLength: 2 }), (document, changes) => {
      const value = changes.reduce<Json>((before, one) => changed(before, one), document);
      return obeys(schema, value) === validate(value);
    }),
    { numRuns: 1500, seed: 20_261_121 },
  );
});

test('a keyword that is not known decides nothing', () => {
  expect(obeys({ type: 'string', format: 'date' }, 'x')).toBe(false);
  expect(obeys({ type: 'string', not: {} }, 'x')).toBe(false);
  expect(obeys({ $ref: 'elsewhere.json' }, 'x')).toBe(false);
});
