import { expect, test } from 'vitest';

import { capsule, ofRule, problemsOf, shown } from '#test/desired/declarations.ts';

function withSchema(schema: unknown) {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema, undefined, 1);
  return problemsOf({
    'capsules/web/capsule.yaml': capsule('web', '1.0.0', 'config:\n  schema: config.schema.json'),
    'capsules/web/config.schema.json': text,
  });
}

const CLOSED = { type: 'object', additionalProperties: false };

test('V-82: objects that allow unknown keys, at their place', () => {
  expect(ofRule(withSchema({ type: 'object', properties: { cache: { type: 'object', properties: {} } } }), 'V-82')).toEqual([
    'V-82 error capsules/web/config.schema.json:1 the configuration schema allows unknown keys',
    'V-82 error capsules/web/config.schema.json:4 /properties/cache allows unknown keys',
  ]);
});

test('V-82: closed objects, maps and declared openness are fine', () => {
  const properties = {
    a: { ...CLOSED, properties: {} },
    b: { type: 'object', additionalProperties: { type: 'string' } },
    c: { type: 'object', 'x-open': true },
  };
  expect(shown(withSchema({ ...CLOSED, properties }))).toEqual([]);
});

test('V-82: a default that breaks its own schema, nested and by reference', () => {
  const properties = {
    replicas: { type: 'integer', maximum: 20, default: 50 },
    cache: { ...CLOSED, properties: { size: { type: 'string', default: 3 } } },
    level: { $ref: '#/$defs/level', default: 'loud' },
  };
  expect(ofRule(withSchema({ ...CLOSED, properties, $defs: { level: { enum: ['info', 'warn'] } } }), 'V-82')).toEqual([
    'V-82 error capsules/web/config.schema.json:8 default 50 of /properties/replicas does not satisfy its own schema: /replicas must be ≤ 20 (value 50)',
    'V-82 error capsules/web/config.schema.json:16 default 3 of /properties/cache/properties/size does not satisfy its own schema: /cache/size must be a text, not 3',
    'V-82 error capsules/web/config.schema.json:22 default "loud" of /properties/level does not satisfy its own schema: /level cannot be "loud"',
  ]);
});

test('V-82: a default that fits is fine although another field is required', () => {
  expect(
    shown(withSchema({ ...CLOSED, required: ['host'], properties: { host: { type: 'string' }, port: { type: 'integer', default: 80 } } })),
  ).toEqual([]);
});

test('V-82: remote references, unknown keywords and patterns that need backtracking', () => {
  const properties = { a: { $ref: 'https://example.org/s.json' }, b: { typ: 'string' }, c: { type: 'string', pattern: '(a)\\1' } };
  expect(ofRule(withSchema({ ...CLOSED, properties }), 'V-82').map((line) => line.slice(0, 100))).toEqual([
    'V-82 error capsules/web/config.schema.json:6 $ref "https://example.org/s.json" is remote; a schema m',
    'V-82 error capsules/web/config.schema.json:9 unknown keyword "typ"; did you mean "type"?',
    'V-82 error capsules/web/config.schema.json:13 pattern "(a)\\1" cannot be matched in linear time: erro',
  ]);
});

test('V-82: a schema that is not JSON is an error in that file', () => {
  expect(shown(withSchema('type: object\n'))).toEqual([
    'V-82 error capsules/web/config.schema.json: capsules/web/config.schema.json is not a JSON Schema: it must be one JSON object',
  ]);
});
