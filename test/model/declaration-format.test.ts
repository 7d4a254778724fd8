import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

import { formatDeclaration } from '#model/declaration-format.ts';
import { DECLARATION_SCHEMAS } from '#model/declaration-schemas.ts';
import { writeDeclaration } from '#model/declaration-text.ts';
import type { JsonObject } from '#model/json.ts';
import { keyOrder } from '#model/schema-order.ts';
import { commentsOf } from '#model/yaml-comments.ts';
import { layOut } from '#model/yaml-layout.ts';
import { parseYamlText } from '#model/yaml-text.ts';

const MESSY = `# header

kind: Capsule   # the kind
apiVersion: capstan.dev/v1alpha1
spec:
    # about components
    components:
        web: { kind: Deployment, image: "r/x@sha256:1", ports: {http: {port: 80}}, args: [a, yes, "no"] }   # flow
        # end of components
    type:   service\x20\x20
    x-description: >-
       folded
         deep

       text

    # before config
    config:
      defaults: {}
      schema:
        type: object
        required: [a,
                   b]
metadata:
  version: 1.0.0
  # name it
  name: web
  labels:
    on: on
    t: 12:30
    list:
    - a   # first
    # second
    -   b: 1
        c: 2
    -
      # inner
      d: |2
          x
         y
    - - n1
      - n2

# the end
`;

test('keys stand in the order of the schema, two spaces deep, lists inside their key, comments where they belong', () => {
  expect(formatDeclaration(MESSY, DECLARATION_SCHEMAS.Capsule)).toBe(`# header

apiVersion: capstan.dev/v1alpha1
kind: Capsule   # the kind
metadata:
  # name it
  name: web
  version: 1.0.0
  labels:
    on: 'on'
    t: '12:30'
    list:
      - a   # first
      # second
      - b: 1
        c: 2
      # inner
      - d: |2
            x
           y
      - - n1
        - n2
spec:
  type: service
  # about components
  components:
    web:   # flow
      kind: Deployment
      image: "r/x@sha256:1"
      args:
        - a
        - 'yes'
        - "no"
      ports:
        http:
          port: 80
    # end of components

  # before config
  config:
    schema:
      type: object
      required:
        - a
        - b
    defaults: {}
  x-description: >-
    folded
      deep

    text

# the end
`);
});

test('what is laid out already stays byte for byte', () => {
  const once = formatDeclaration(MESSY, DECLARATION_SCHEMAS.Capsule);

  expect(formatDeclaration(once, DECLARATION_SCHEMAS.Capsule)).toBe(once);
});

test.each([
  ['the end of a document', 'a: 1\n...\n'],
  ['a list', '- a\n'],
  ['a flow map', '{ a: 1 }\n'],
  ['two documents', 'a: 1\n---\nb: 2\n'],
  ['an anchor', 'a: &x 1\nb: *x\n'],
])('%s is left as it is', (_, text) => {
  expect(formatDeclaration(text, undefined)).toBe(text);
});

/** Names with what makes YAML hard; plain, in quotes, and of several lines. */
const NAME = fc.constantFrom('a', 'b', 'c', 'on', 'spec', 'x-y', "'q'", '"d"', 'kind', 'metadata');
const SCALAR = fc.constantFrom(
  '1',
  '-0.5',
  'true',
  'null',
  '~',
  'yes',
  '12:30',
  '0644',
  'plain text',
  "'it''s # no comment'",
  '"a\\tb: [c]"',
  'http://x/#y',
  '2026-01-01',
  '""',
  '1e3',
  '-',
  'a:b',
);
const COMMENT = fc.constantFrom('# one', '# two: {', '#three', "# it's");

interface Style {
  readonly step: number;
  readonly listStep: number;
}

type Tree =
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'block'; readonly header: string; readonly lines: readonly string[] }
  | { readonly kind: 'folded'; readonly text: readonly string[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [string, Tree])[]; readonly flow: boolean }
  | { readonly kind: 'seq'; readonly items: readonly Tree[]; readonly flow: boolean };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'tree' },
    SCALAR.map((text): Tree => ({ kind: 'scalar', text })),
    fc
      .record({
        header: fc.constantFrom('|', '>', '|-', '>-', '|+'),
        lines: fc.array(fc.constantFrom('x', '# y', '', '  deep', 'z: 1', '- '), { minLength: 1, maxLength: 4 }),
      })
      .map(({ header, lines }): Tree => ({ kind: 'block', header, lines: ['first', ...lines] })),
    fc.array(fc.constantFrom('some', 'words', 'of text'), { minLength: 2, maxLength: 3 }).map((text): Tree => ({ kind: 'folded', text })),
    fc
      .record({ entries: fc.uniqueArray(fc.tuple(NAME, tie('tree')), { selector: ([name]) => name, maxLength: 4 }), flow: fc.boolean() })
      .map(({ entries, flow }): Tree => ({ kind: 'map', entries, flow })),
    fc
      .record({ items: fc.array(tie('tree'), { maxLength: 3 }), flow: fc.boolean() })
      .map(({ items, flow }): Tree => ({ kind: 'seq', items, flow })),
  ),
}));

function flowText(node: Tree): string {
  switch (node.kind) {
    case 'scalar':
      return node.text === '-' ? "'-'" : node.text;
    case 'block':
    case 'folded':
      return "'some text'";
    case 'map':
      return `{${node.entries.map(([key, value]) => `${key}: ${flowText(value)}`).join(', ')}}`;
    case 'seq':
      return `[ ${node.items.map(flowText).join(',')} ]`;
  }
}

/** Lines of a value behind `key:` or `-`, as people with different habits write them. */
function written(node: Tree, indent: number, style: Style, noise: () => string | undefined): readonly string[] {
  const pad = ' '.repeat(indent);
  const above = (): readonly string[] => {
    const comment = noise();
    return comment === undefined ? [] : comment === '' ? [''] : [pad + comment];
  };
  const behind = (): string => {
    const comment = noise();
    return comment === undefined || comment === '' ? '' : `  ${comment}`;
  };
  switch (node.kind) {
    case 'scalar':
      return [` ${node.text === '-' ? "'-'" : node.text}${behind()}`];
    case 'block':
      return [` ${node.header}`, ...node.lines.map((line) => (line === '' ? '' : `${' '.repeat(indent + style.step)}${line}`))];
    case 'folded':
      return [
        ` "${node.text[0] ?? ''}`,
        ...node.text.slice(1, -1).map((line) => `${pad}   ${line}`),
        `${pad}   ${node.text.at(-1) ?? ''}"${behind()}`,
      ];
    case 'map': {
      if (node.flow || node.entries.length === 0) return [` ${flowText(node)}${behind()}`];
      const deeper = indent + style.step;
      return [
        behind(),
        ...node.entries.flatMap(([key, value]) => entry(`${' '.repeat(deeper)}${key}:`, written(value, deeper, style, noise), above())),
      ];
    }
    case 'seq': {
      if (node.flow || node.items.length === 0) return [` ${flowText(node)}${behind()}`];
      const deeper = indent + style.listStep;
      return [behind(), ...node.items.flatMap((item) => entry(`${' '.repeat(deeper)}-`, written(item, deeper + 1, style, noise), above()))];
    }
  }
}

function entry(opening: string, lines: readonly string[], above: readonly string[]): readonly string[] {
  return [...above, opening + (lines[0] ?? ''), ...lines.slice(1)];
}

const DOCUMENT = fc
  .record({
    entries: fc.uniqueArray(fc.tuple(NAME, tree), { selector: ([name]) => name, minLength: 1, maxLength: 5 }),
    step: fc.integer({ min: 1, max: 4 }),
    listStep: fc.integer({ min: 0, max: 3 }),
    noise: fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.constant(''), COMMENT), { minLength: 1, maxLength: 30 }),
  })
  .map(({ entries, step, listStep, noise }) => {
    let at = 0;
    const next = (): string | undefined => noise[at++ % noise.length];
    const style = { step, listStep };
    return `${entries.flatMap(([key, value]) => entry(`${key}:`, written(value, 0, style, next), [])).join('\n')}\n`;
  })
  .filter((text) => parseYamlText(Buffer.from(text), 'x.yaml').ok);

const CORE = { version: '1.2', schema: 'core', uniqueKeys: false } as const;

function words(text: string): readonly string[] {
  return commentsOf(text)
    .map((comment) => comment.text)
    .sort();
}

test('whatever is laid out means the same, has the same comments, and is laid out', () => {
  let laidOut = 0;
  fc.assert(
    fc.property(DOCUMENT, fc.constantFrom(undefined, DECLARATION_SCHEMAS.Capsule), (text, schema) => {
      const order = keyOrder(schema);
      const after = layOut(text, order);

      expect(after).toBeDefined();
      expect(parse(after ?? '', CORE)).toEqual(parse(text, CORE));
      expect(words(after ?? '')).toEqual(words(text));
      const settled = formatDeclaration(text, schema);
      expect(formatDeclaration(settled, schema)).toBe(settled);
      expect(parse(settled, CORE)).toEqual(parse(text, CORE));
      laidOut += settled === text ? 0 : 1;
    }),
    { numRuns: 400 },
  );
  expect(laidOut).toBeGreaterThan(100);
});

test('what declarations are written as is laid out already, and means what was written', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('yes', '1', '^1.0.0', '>=1', 'a: b', '# x', "it's", 'line\nline', ' x ', '10m', '1.2.3', '-'),
  );
  const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        fc.string({ minLength: 1, maxLength: 6 }).filter((key) => key !== '__proto__' && key !== '<<'),
        tie('value'),
        { maxKeys: 3 },
      ),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'yes', 'x y'), value, { minKeys: 1, maxKeys: 3 }), (given) => {
      const written = writeDeclaration(given as JsonObject, ['made here']);

      expect(parse(written, CORE)).toEqual(JSON.parse(JSON.stringify(given)));
      expect(formatDeclaration(written, undefined)).toBe(written);
    }),
    { numRuns: 300 },
  );
});
