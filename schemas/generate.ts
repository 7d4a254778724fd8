/**
 * Writes src/model/declarations.generated.ts from the JSON Schemas beside this file, docs/rules.md and the tables of docs/trust.md (`npm run generate`).
 * Tests generate again and compare.
 */
import { readFile, writeFile } from 'node:fs/promises';

import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { parseSync, Visitor } from 'oxc-parser';

import { RULES_PAGE, rulesPage } from './rules-page.ts';
import { TRUST_PAGE, withVerdicts } from './verdict-tables.ts';

export const GENERATED_FILE = new URL('../src/model/declarations.generated.ts', import.meta.url);

const SOURCES = [
  ['project', 'Project'],
  ['environment', 'Environment'],
  ['environment-lock', 'EnvironmentLock'],
  ['capsule', 'Capsule'],
  ['policy', 'Policy'],
  ['fleet', 'Fleet'],
  ['device', 'Device'],
  ['configuration', 'ServiceConfiguration'],
] as const;

type Node = { [key: string]: unknown };

/** The whole text of the generated module. */
export async function generatedTypes(): Promise<string> {
  const parts: string[] = [];
  for (const [file, name] of SOURCES) {
    const schema: Node = JSON.parse(await readFile(new URL(`${file}.schema.json`, import.meta.url), 'utf8'));
    parts.push(await typesOf(schema, name));
  }
  return [
    '// Generated from schemas/*.schema.json by `npm run generate`; do not edit.',
    "import type { Json, JsonObject } from '#model/json.ts';",
    '',
    ...parts,
  ].join('\n');
}

async function typesOf(schema: Node, name: string): Promise<string> {
  const definitions = isNode(schema['$defs']) ? schema['$defs'] : {};
  const root = prepared(schema, definitions, name);
  const kept = Object.entries(definitions).filter(([, value]) => isNode(value) && isShape(value));
  const named = kept.map(([key, value]) => {
    const title = definitionName(name, key);
    return [title, { ...prepared(isNode(value) ? value : {}, definitions, name), title }];
  });
  const text = await compile({ ...root, title: name, $defs: Object.fromEntries(named) } as JSONSchema, name, {
    bannerComment: '',
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 140 },
  });
  return madeReadonly(text.replaceAll(/\/\*\*\n\s*\* ([^\n]*)\n\s*\*\//g, '/** $1 */'));
}

/** Drops what shapes no type (titles, extensions, checks) and puts texts and numbers in place of references to them. */
function prepared(schema: Node, definitions: Node, name: string): Node {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const key = reference.slice('#/$defs/'.length);
    const target = definitions[key];
    if (!isNode(target)) throw new Error(`${name}: ${reference} does not exist`);
    const note = schema['description'] ?? target['description'];
    const described = note === undefined ? {} : { description: note };
    if (key === 'json') return { tsType: 'Json', ...described };
    if (key === 'jsonObject' || key === 'facts') return { tsType: 'JsonObject', ...described };
    if (isShape(target)) return { $ref: `#/$defs/${definitionName(name, key)}` };
    return { ...prepared(target, definitions, name), ...described };
  }
  if (Array.isArray(schema['type']) && schema['type'].includes('object') && !isNode(schema['properties'])) {
    return { tsType: 'string | JsonObject', description: schema['description'] };
  }
  const out: Node = {};
  for (const [key, value] of Object.entries(schema)) {
    if (DROPPED.has(key)) continue;
    if (key === 'properties' && isNode(value)) {
      out[key] = Object.fromEntries(
        Object.entries(value).map(([field, item]) => [field, isNode(item) ? prepared(item, definitions, name) : item]),
      );
    } else if ((key === 'items' || key === 'additionalProperties') && isNode(value)) out[key] = prepared(value, definitions, name);
    else if (key === 'anyOf' && Array.isArray(value)) {
      out[key] = value.map((item) => (isNode(item) ? prepared(item, definitions, name) : item));
    } else out[key] = value;
  }
  if (Array.isArray(out['anyOf']) && out['type'] === 'object') delete out['anyOf'];
  return out;
}

const DROPPED = new Set([
  '$schema',
  '$id',
  '$defs',
  'title',
  'patternProperties',
  'propertyNames',
  'oneOf',
  'dependentRequired',
  'pattern',
  'format',
]);

function isShape(schema: Node): boolean {
  return schema['type'] === 'object' && isNode(schema['properties']);
}

function definitionName(kind: string, key: string): string {
  return `${kind}${key.slice(0, 1).toUpperCase()}${key.slice(1)}`;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Inserts `readonly` before every property, index signature and array type. */
function madeReadonly(text: string): string {
  const places: number[] = [];
  const parsed = parseSync('declarations.ts', text);
  if (parsed.errors.length > 0) throw new Error(parsed.errors[0]?.message);
  new Visitor({
    TSPropertySignature: (node) => void places.push(node.start),
    TSIndexSignature: (node) => void places.push(node.start),
    TSArrayType: (node) => void places.push(node.start),
  }).visit(parsed.program);
  let out = text;
  for (const place of places.sort((a, b) => b - a)) out = `${out.slice(0, place)}readonly ${out.slice(place)}`;
  return out;
}

if (process.argv[1] === import.meta.filename) {
  await writeFile(GENERATED_FILE, await generatedTypes());
  await writeFile(RULES_PAGE, rulesPage());
  await writeFile(TRUST_PAGE, withVerdicts(await readFile(TRUST_PAGE, 'utf8')));
}
