import { readdirSync, readFileSync } from 'node:fs';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';

import { isJsonObject, jsonText, type Json, type JsonObject, pointerToken } from '#model/json.ts';

const FOLDER = new URL(import.meta.resolve('#schemas/capsule.schema.json')).pathname.replace('capsule.schema.json', '');
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.schema.json'));

interface Field {
  /** Into the schema. */
  readonly pointer: string;
  readonly schema: JsonObject;
}

/** Every field that a schema declares, where it declares it. */
function fieldsBelow(schema: Json | undefined, pointer: string): readonly Field[] {
  if (!isJsonObject(schema)) return [];
  return Object.entries(schema).flatMap(([key, value]): readonly Field[] => {
    const here = `${pointer}${pointerToken(key)}`;
    if (key === 'properties' || key === '$defs')
      return Object.entries(isJsonObject(value) ? value : {}).flatMap(([name, below]) => {
        const at = `${here}${pointerToken(name)}`;
        const own = key === 'properties' && isJsonObject(below) ? [{ pointer: at, schema: below }] : [];
        return [...own, ...fieldsBelow(below, at)];
      });
    if (key === 'items' || key === 'additionalProperties') return fieldsBelow(value, here);
    if (['anyOf', 'oneOf', 'allOf'].includes(key) && Array.isArray(value))
      return value.flatMap((one: Json, at) => fieldsBelow(one, `${here}/${at}`));
    return [];
  });
}

function definition(root: JsonObject, schema: JsonObject): JsonObject {
  const name = jsonText(schema['$ref']).replace('#/$defs/', '');
  const found = isJsonObject(root['$defs']) ? root['$defs'][name] : undefined;
  return isJsonObject(found) ? found : schema;
}

/** Text, numbers and truth: what somebody types. */
function isTyped(schema: JsonObject): boolean {
  const types: readonly Json[] = Array.isArray(schema['type']) ? schema['type'] : [schema['type'] ?? null];
  return types.some((type) => ['string', 'integer', 'number', 'boolean'].includes(jsonText(type)));
}

describe.each(FILES)('%s', (file) => {
  const root = JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8')) as JsonObject;
  const fields = fieldsBelow(root, '');

  test('has fields', () => {
    expect(fields.length).toBeGreaterThan(10);
  });

  test('says of every field what it is', () => {
    const silent = fields.filter(({ schema }) => jsonText(schema['title']) === '' || jsonText(schema['description']) === '');

    expect(silent.map(({ pointer }) => pointer)).toEqual([]);
  });

  test('shows what may be typed into every field that takes a text, a number or a truth', () => {
    const bare = fields.filter(({ schema }) => isTyped(definition(root, schema)) && !Array.isArray(schema['examples']));

    expect(bare.map(({ pointer }) => pointer)).toEqual([]);
  });

  test('allows each of its examples', () => {
    const ajv = new Ajv2020({ strict: false, validateSchema: false }).addSchema({ ...root, $id: 'schema' });
    const wrong = fields.flatMap(({ pointer, schema }) => {
      const examples: readonly Json[] = Array.isArray(schema['examples']) ? schema['examples'] : [];
      const isValid = ajv.compile({ $ref: `schema#${encodeURI(pointer)}` });
      return examples.filter((example: Json) => !isValid(example)).map((example: Json) => `${pointer}: ${JSON.stringify(example)}`);
    });

    expect(wrong).toEqual([]);
  });
});
