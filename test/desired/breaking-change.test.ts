import { describe, expect, test } from 'vitest';

import { capsule, ofRule, problemsOf, readFiles } from '#test/desired/declarations.ts';

type Files = Readonly<Record<string, string>>;

/** What V-22 says of a capsule after another version of it; `before` and `after` are specs. */
function broken(before: string | Files, after: string | Files, versions = ['1.0.0', '1.1.0']): readonly string[] {
  const [was = '', now = ''] = versions;
  const files = (content: string | Files, version: string): Files => {
    const { spec = '', ...others } = typeof content === 'string' ? { spec: content } : content;
    return {
      'capsules/web/capsule.yaml': capsule('web', version, spec),
      ...Object.fromEntries(Object.entries(others).map(([path, text]) => [`capsules/web/${path}`, text])),
    };
  };
  const previous = new Map(readFiles(files(before, was)).state.capsules.map((one) => [String(one.name), one]));
  return ofRule(problemsOf(files(after, now), { previous }), 'V-22').map((line) =>
    line.replace('V-22 error capsules/web/capsule.yaml:5 web ', ''),
  );
}

function config(properties: string, more = '', defaults = ''): string {
  return `config: { schema: { type: object, additionalProperties: false, properties: { ${properties} }${more} }${defaults} }\n`;
}

const MAJOR = 'that needs a major version (next: 2.0.0)';

function says(what: string): readonly string[] {
  return [`1.0.0→1.1.0 ${what}; ${MAJOR}`];
}

describe('V-22: a minor version may not', () => {
  test.each([
    ['remove a key', config('a: { type: string }, b: { type: string }'), config('a: { type: string }'), 'removes config key /b'],
    [
      'remove a nested key',
      config('a: { type: object, additionalProperties: false, properties: { b: { type: string } } }'),
      config('a: { type: object, additionalProperties: false, properties: {} }'),
      'removes config key /a/b',
    ],
    ['narrow a type', config('a: { type: [string, integer] }'), config('a: { type: string }'), 'narrows config key /a (no integer)'],
    ['take whole numbers only', config('a: { type: number }'), config('a: { type: integer }'), 'narrows config key /a (no number)'],
    ['narrow an enum', config('a: { enum: [x, y] }'), config('a: { enum: [x] }'), 'narrows config key /a (no "y")'],
    ['begin an enum', config('a: { type: string }'), config('a: { type: string, enum: [x] }'), 'narrows config key /a (only "x")'],
    [
      'lower a maximum',
      config('a: { type: integer, maximum: 20 }'),
      config('a: { type: integer, maximum: 10 }'),
      'narrows config key /a (up to 10)',
    ],
    [
      'raise a minimum',
      config('a: { type: integer }'),
      config('a: { type: integer, exclusiveMinimum: 0 }'),
      'narrows config key /a (from 1)',
    ],
    ['shorten a text', config('a: { type: string }'), config('a: { type: string, maxLength: 5 }'), 'narrows config key /a (maxLength 5)'],
    [
      'use another pattern',
      config('a: { type: string, pattern: "^[a-z]+$" }'),
      config('a: { type: string, pattern: "^[a-y]+$" }'),
      'narrows config key /a (pattern)',
    ],
    [
      'require a new key',
      config('a: { type: string }'),
      config('a: { type: string }, b: { type: string }', ', required: [b]'),
      'newly requires config key /b',
    ],
    [
      'close what was open',
      config('a: { type: object, x-open: true }'),
      config('a: { type: object, additionalProperties: false }'),
      'narrows config key /a (no other keys)',
    ],
    [
      'narrow the items of a list',
      config('a: { type: array, items: { type: string } }'),
      config('a: { type: array, items: { type: string, maxLength: 3 } }'),
      'narrows config key /a/* (maxLength 3)',
    ],
    [
      'narrow the values of a map',
      config('a: { type: object, additionalProperties: { type: number } }'),
      config('a: { type: object, additionalProperties: { type: integer } }'),
      'narrows config key /a/* (no number)',
    ],
    [
      'drop an alternative',
      config('a: { anyOf: [{ type: string }, { type: integer }] }'),
      config('a: { anyOf: [{ type: string }] }'),
      'narrows config key /a (by anyOf)',
    ],
    [
      'narrow behind a reference',
      config('a: { $ref: "#/$defs/a" }', ', $defs: { a: { type: integer, maximum: 9 } }'),
      config('a: { $ref: "#/$defs/a" }', ', $defs: { a: { type: integer, maximum: 8 } }'),
      'narrows config key /a (up to 8)',
    ],
    ['remove what it provides', 'provides: { http: { protocol: http } }', 'provides: {}', 'removes provides http'],
    [
      'speak another protocol',
      'provides: { http: { protocol: http } }',
      'provides: { http: { protocol: grpc } }',
      'changes the protocol of http from http to grpc',
    ],
    [
      'remove an output',
      'provides: { http: { protocol: http, outputs: { url: a, host: b } } }',
      'provides: { http: { protocol: http, outputs: { url: a } } }',
      'removes output host of http',
    ],
    [
      'change the type of an output',
      'outputs: { arn: { type: string } }',
      'outputs: { arn: { type: object } }',
      'changes the type of output arn from string to object',
    ],
    [
      'remove a port',
      'components: { web: { kind: Deployment, ports: { http: { port: 80 }, admin: { port: 81 } } } }',
      'components: { web: { kind: Deployment, ports: { http: { port: 80 } } } }',
      'removes port admin of web',
    ],
    [
      'make another component the primary one',
      'components: { web: { kind: Deployment, primary: true }, api: { kind: Deployment } }',
      'components: { web: { kind: Deployment }, api: { kind: Deployment, primary: true } }',
      'changes the primary component from web to api',
    ],
    [
      'remove a capability',
      'compatibility: { capabilities: [greet, sing] }',
      'compatibility: { capabilities: [greet] }',
      'removes capability sing',
    ],
    [
      'remove a tool',
      'protocols: { mcp: { servers: { s: { transport: { type: stdio }, tools: { a: { risk: low }, b: { risk: low } } } } } }',
      'protocols: { mcp: { servers: { s: { transport: { type: stdio }, tools: { a: { risk: low } } } } } }',
      'removes tool b',
    ],
    [
      'remove a server',
      'protocols: { mcp: { servers: { s: { transport: { type: stdio } } } } }',
      'protocols: { mcp: { servers: {} } }',
      'removes MCP server s',
    ],
    [
      'remove a skill',
      'protocols: { a2a: { card: { skills: [{ id: a }, { id: b }] } } }',
      'protocols: { a2a: { card: { skills: [{ id: b }] } } }',
      'removes skill a',
    ],
  ])('%s', (_, before, after, what) => {
    expect(broken(before, after)).toEqual(says(what));
  });

  test.each([
    [
      'a second component that makes none of them primary: mark the first',
      'components: { web: { kind: Deployment }, seed: { kind: Job } }',
      'Release it as 2.0.0, or keep what others may rely on: write `primary: true` on component web.',
    ],
    [
      'another primary component: nothing more to say',
      'components: { web: { kind: Deployment }, api: { kind: Deployment, primary: true } }',
      'Release it as 2.0.0, or keep what others may rely on.',
    ],
    ['a second component, and the first is marked', 'components: { web: { kind: Deployment, primary: true }, seed: { kind: Job } }'],
  ])('%s', (_, spec, ...remedies) => {
    const before = readFiles({ 'capsules/web/capsule.yaml': capsule('web', '1.0.0', 'components: { web: { kind: Deployment } }') });
    const previous = new Map(before.state.capsules.map((one) => [String(one.name), one]));
    const problems = problemsOf({ 'capsules/web/capsule.yaml': capsule('web', '1.1.0', spec) }, { previous });

    expect(problems.filter(({ rule }) => rule === 'V-22').map(({ remedy }) => remedy)).toEqual(remedies);
  });

  test('remove several things, told as one', () => {
    expect(
      broken(
        `${config('a: { type: string, maxLength: 9 }, b: { type: string }')}provides: { http: { protocol: http } }`,
        config('a: { type: string, maxLength: 8 }'),
      ),
    ).toEqual(says('removes config key /b, provides http; narrows config key /a (maxLength 8)'));
  });

  test('take away from an OpenAPI document', () => {
    const spec = 'provides: { http: { protocol: http, openapi: api.yaml } }';
    const api = (text: string): Files => ({ spec, 'api.yaml': `openapi: 3.1.0\npaths:\n${text}` });
    const before = [
      '  /a:\n    get: { responses: { "200": { description: x }, "404": { description: x } } }',
      '    post: { responses: { "201": { description: x } } }',
      '  /b/{id}:\n    get: { parameters: [{ name: id, in: path, required: true }], responses: { default: { description: x } } }',
      '  /c: { get: { responses: {} } }\n',
    ].join('\n');
    const after = [
      '  /a:\n    get: { parameters: [{ $ref: "#/components/parameters/q" }], responses: { "200": { description: x } } }',
      '  /b/{name}:\n    get: { requestBody: { required: true }, parameters: [{ name: name, in: path, required: true }], responses: { default: { description: x } } }',
      'components: { parameters: { q: { name: q, in: query, required: true } } }\n',
    ].join('\n');

    expect(broken(api(before), api(after))).toEqual(
      says('removes response 404 of GET /a, POST /a, path /c; newly requires query parameter q of GET /a, a body of GET /b/{id}'),
    );
  });

  test('take away below 1.0.0, where the minor version breaks', () => {
    expect(broken('provides: { http: { protocol: http } }', '', ['0.3.0', '0.3.1'])).toEqual([
      '0.3.0→0.3.1 removes provides http; that needs a minor (below 1.0.0) version (next: 0.4.0)',
    ]);
  });
});

describe('near misses', () => {
  test.each([
    ['a changed default', config('a: { type: string, default: x }'), config('a: { type: string, default: y }')],
    ['a new key', config('a: { type: string }'), config('a: { type: string }, b: { type: string }')],
    ['a new required key with a default', config(''), config('b: { type: string, default: x }', ', required: [b]')],
    ['a new required key that the capsule gives', config(''), config('b: { type: string }', ', required: [b]', ', defaults: { b: x }')],
    ['a wider type', config('a: { type: integer }'), config('a: { type: number }')],
    ['a wider enum', config('a: { enum: [x] }'), config('a: { enum: [x, y] }')],
    ['an enum that became a type', config('a: { enum: [x, y] }'), config('a: { type: string }')],
    [
      'a wider range',
      config('a: { type: integer, minimum: 1, maximum: 9 }'),
      config('a: { type: integer, exclusiveMinimum: 0, maximum: 10 }'),
    ],
    [
      'a wider pattern',
      config('a: { type: string, pattern: "^[a-z]{1,10}$" }'),
      config('a: { type: string, pattern: "^[a-z0-9-]{1,20}$" }'),
    ],
    ['a pattern less', config('a: { type: string, pattern: "^[a-z]+$" }'), config('a: { type: string }')],
    ['one more alternative', config('a: { anyOf: [{ type: string }] }'), config('a: { anyOf: [{ type: integer }, { type: string }] }')],
    ['alternatives that take what there was', config('a: { type: string }'), config('a: { oneOf: [{ type: string }, { type: integer }] }')],
    [
      'a definition that moved',
      config('a: { type: integer, maximum: 9 }'),
      config('a: { $ref: "#/$defs/n" }', ', $defs: { n: { type: integer, maximum: 9 } }'),
    ],
    ['parts that were put apart', config('a: { type: integer, maximum: 9 }'), config('a: { allOf: [{ type: integer }, { maximum: 9 }] }')],
    [
      'another port number',
      'components: { web: { kind: Deployment, ports: { http: { port: 80 } } } }',
      'components: { web: { kind: Deployment, ports: { http: { port: 8080 } } } }',
    ],
    [
      'another name of the only component',
      'components: { web: { kind: Deployment, ports: { http: { port: 80 } } } }',
      'components: { server: { kind: Deployment, ports: { http: { port: 80 } } } }',
    ],
    ['an output more', 'provides: { http: { protocol: http } }', 'provides: { http: { protocol: http, outputs: { url: a } } }'],
    ['a parent that may give what is gone', 'provides: { http: { protocol: http } }', 'extends: { capsule: base, version: ^1.0.0 }'],
  ])('V-22: %s is fine', (_, before, after) => {
    expect(broken(before, after)).toEqual([]);
  });

  test.each([
    ['a major version', ['1.4.0', '2.0.0']],
    ['a minor version below 1.0.0', ['0.3.2', '0.4.0']],
    ['the first stable version', ['0.9.0', '1.0.0']],
  ])('V-22: %s is fine', (_, versions) => {
    expect(broken('provides: { http: { protocol: http } }', '', versions)).toEqual([]);
  });
});
