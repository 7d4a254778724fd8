import fc from 'fast-check';
import { expect, test } from 'vitest';

import { schemaNarrowings } from '#desired/rules/schema-narrowing.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { checkAgainst, compileUserSchema, defaultsOf } from '#model/user-schema.ts';

/** Every value that the schemas below could tell apart, and some beyond their ends. */
const VALUES: readonly Json[] = [
  -1,
  0,
  1,
  2,
  3,
  4,
  0.5,
  1.5,
  2.5,
  '',
  'x',
  'xx',
  'xxx',
  'xxxx',
  'y',
  'yy',
  'yyy',
  true,
  false,
  null,
  [],
  ['x'],
  ['xxx'],
  [1],
  ['xx', 'xx'],
  ['x', 'xx', 'xxx', 'xxxx'],
];

function ranged(low: string, high: string): fc.Arbitrary<JsonObject> {
  return fc.record(
    { [low]: fc.integer({ min: 0, max: 2 }), [high]: fc.integer({ min: 2, max: 3 }) },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>;
}

const LEAF: fc.Arbitrary<JsonObject> = fc.oneof(
  ranged('minimum', 'maximum').map((ends) => ({ type: 'integer', ...ends })),
  fc.constant({ type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 4 }),
  fc.constant({ type: 'number', exclusiveMinimum: 1 }),
  ranged('minimum', 'maximum').map((ends) => ({ type: 'number', ...ends, maximum: 3 })),
  ranged('minLength', 'maxLength').map((ends) => ({ type: 'string', ...ends })),
  ranged('minItems', 'maxItems').map((ends) => ({ type: 'array', ...ends })),
  fc.constant({ type: 'boolean' }),
  fc.constant({ type: ['string', 'integer'] }),
  fc.constant({ type: ['string', 'null'] }),
  fc.subarray(['x', 'xx', 'xxx'], { minLength: 1 }).map((values) => ({ enum: values })),
  fc.constant({ type: 'array', items: { type: 'string', maxLength: 2 } }),
  fc.constant({ type: 'array', uniqueItems: true }),
  fc.constant({ anyOf: [{ type: 'string' }, { type: 'integer', maximum: 2 }] }),
  fc.constant({ anyOf: [{ type: 'string', maxLength: 2 }, { type: 'boolean' }, { type: 'integer' }] }),
);

const CONFIGURATION: fc.Arbitrary<JsonObject> = fc
  .record({ a: fc.option(LEAF, { nil: undefined }), b: fc.option(LEAF, { nil: undefined }), required: fc.subarray(['a', 'b']) })
  .map(({ a, b, required }) => {
    const properties: JsonObject = { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) };
    return { type: 'object', additionalProperties: false, properties, required: required.filter((key) => Object.hasOwn(properties, key)) };
  });

function takes(schema: JsonObject): (value: JsonObject) => boolean {
  const compiled = compileUserSchema(schema);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.mistakes));
  return (value) => checkAgainst(compiled.schema, { ...defaultsOf(schema, value), ...value }).length === 0;
}

const CONFIGURATIONS: readonly JsonObject[] = [undefined, ...VALUES].flatMap((a) => [undefined, ...VALUES].map((b) => configuration(a, b)));

function configuration(a: Json | undefined, b: Json | undefined): JsonObject {
  return { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) };
}

/** A configuration that one schema takes and the other does not. */
function lost(before: JsonObject, after: JsonObject): JsonObject | undefined {
  const [was, now] = [takes(before), takes(after)];
  return CONFIGURATIONS.find((value) => was(value) && !now(value));
}

test('a narrowing is told exactly where some configuration is refused that was taken', () => {
  let narrowed = 0;
  fc.assert(
    fc.property(CONFIGURATION, CONFIGURATION, (before, after) => {
      const counterexample = lost(before, after);
      // Of a schema that takes nothing nothing can be lost.
      fc.pre(CONFIGURATIONS.some(takes(before)));
      if (counterexample !== undefined) narrowed += 1;
      expect({ counterexample, told: schemaNarrowings(before, after, undefined).length > 0 }).toEqual({
        counterexample,
        told: counterexample !== undefined,
      });
    }),
    { numRuns: 150, seed: 7 },
  );
  expect(narrowed).toBeGreaterThan(30);
});

test('a schema is not narrower than itself', () => {
  fc.assert(
    fc.property(CONFIGURATION, (schema) => {
      expect(schemaNarrowings(schema, schema, undefined)).toEqual([]);
    }),
  );
});
