import { ROUTES } from '#forge/routes.ts';

/** The part of GitHub's OpenAPI description that the forge covers, as `github-openapi.generated.json` keeps it. */
export interface Description {
  readonly source: string;
  readonly generated: string;
  /** `GET /repos/{owner}/{repo}` -> status -> JSON Schema of the body, or null for none. */
  readonly operations: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly definitions: Readonly<Record<string, unknown>>;
}

/** Routes GitHub has under another path, or not at all. */
export const OWN_ROUTES = new Set(['POST /admin/apps']);
const ALIASES = new Map([['/repos/{owner}/{repo}/contents', '/repos/{owner}/{repo}/contents/{path}']]);

export function githubPath(path: string): string {
  const plain = path.replaceAll('+}', '}');
  return ALIASES.get(plain) ?? plain;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

const KEPT = ['type', 'required', 'enum', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'pattern'];
const FORMATS = new Set(['date-time', 'uri', 'email']);

/** `api` describes github.com, `enterprise` the paths only GitHub Enterprise has. */
export function describe(
  api: JsonObject,
  enterprise: JsonObject,
  facts: { readonly source: string; readonly generated: string },
): Description {
  const operations: Record<string, Record<string, unknown>> = {};
  const definitions: Record<string, unknown> = {};
  for (const route of ROUTES) {
    const path = githubPath(route.path);
    const name = `${route.method} ${path}`;
    if (OWN_ROUTES.has(name)) continue;
    const [document, prefix] = isObject(at(api, ['paths', path, route.method.toLowerCase()])) ? [api, ''] : [enterprise, 'ghes-'];
    const operation = at(document, ['paths', path, route.method.toLowerCase()]);
    if (!isObject(operation)) throw new Error(`GitHub does not describe ${name}`);
    operations[name] = responses(document, operation, { prefix, definitions });
  }
  // The list describes its account as a user and an enterprise at once, which nothing is; one installation is described as either.
  const list = operations['GET /app/installations'];
  if (list !== undefined) list['200'] = { type: 'array', items: { $ref: '#/definitions/installation' } };
  return { ...facts, operations: sorted(operations), definitions: sorted(definitions) };
}

interface Collected {
  readonly prefix: string;
  readonly definitions: Record<string, unknown>;
}

function responses(document: JsonObject, operation: JsonObject, into: Collected): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const all = operation['responses'];
  if (!isObject(all)) return result;
  for (const [status, given] of Object.entries(all)) {
    const response = isObject(given) && typeof given['$ref'] === 'string' ? at(document, given['$ref'].split('/').slice(1)) : given;
    const schema = at(response, ['content', 'application/json', 'schema']);
    result[status] = schema === undefined ? null : compact(document, schema, into);
  }
  return result;
}

/** JSON Schema 2020-12 out of OpenAPI 3.0: `nullable` becomes a type, prose and examples go. */
function compact(document: JsonObject, schema: Json, into: Collected): unknown {
  if (!isObject(schema)) return schema;
  if (typeof schema['$ref'] === 'string') return reference(document, schema['$ref'], into);
  const result: Record<string, unknown> = {};
  for (const key of KEPT) if (schema[key] !== undefined) result[key] = schema[key];
  if (typeof schema['format'] === 'string' && FORMATS.has(schema['format'])) result['format'] = schema['format'];
  if (isObject(schema['properties'])) {
    result['properties'] = Object.fromEntries(
      Object.entries(schema['properties']).map(([key, value]) => [key, compact(document, value, into)]),
    );
  }
  if (schema['items'] !== undefined) result['items'] = compact(document, schema['items'], into);
  if (schema['additionalProperties'] !== undefined)
    result['additionalProperties'] = compact(document, schema['additionalProperties'], into);
  // GitHub's alternatives overlap (a file fits its own symlink, too), so one of them is as good as exactly one.
  for (const key of ['anyOf', 'oneOf']) {
    const members = schema[key];
    if (Array.isArray(members)) result['anyOf'] = members.map((member: Json) => compact(document, member, into));
  }
  const all = schema['allOf'];
  if (Array.isArray(all)) result['allOf'] = all.map((member: Json) => compact(document, member, into));
  return schema['nullable'] === true ? nullable(result) : result;
}

function nullable(schema: Record<string, unknown>): unknown {
  return { anyOf: [schema, { type: 'null' }] };
}

function reference(document: JsonObject, pointer: string, into: Collected): unknown {
  const name = into.prefix + (pointer.split('/').at(-1) ?? '');
  if (!Object.hasOwn(into.definitions, name)) {
    into.definitions[name] = {};
    into.definitions[name] = compact(document, at(document, pointer.split('/').slice(1)) ?? {}, into);
  }
  return { $ref: `#/definitions/${name}` };
}

function at(value: Json | undefined, keys: readonly string[]): Json | undefined {
  let here = value;
  for (const key of keys) here = isObject(here) ? here[key] : undefined;
  return here;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
