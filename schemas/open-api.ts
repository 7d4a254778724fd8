import { readdir, readFile } from 'node:fs/promises';

/** One shape of Kubernetes as a line of the generated file has it. */
export interface Definition {
  readonly fields: readonly DefinitionField[];
}

export interface DefinitionField {
  readonly name: string;
  /** Another definition that it is made of. */
  readonly refersTo: string | undefined;
  text(values: readonly string[] | undefined): string;
}

export interface ServedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly definition: string;
}

type Node = { readonly [key: string]: unknown };

const PREFIXES = [
  ['io.k8s.apimachinery.pkg.apis.', ''],
  ['io.k8s.apiextensions-apiserver.pkg.apis.', ''],
  ['io.k8s.kube-aggregator.pkg.apis.', ''],
  ['io.k8s.api.', ''],
] as const;

/** Definitions whose text form is more than their shape says, and those whose shape is free. */
const SPECIAL: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'q',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'x',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 't',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 't',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'o',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'o',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': '?',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': '?',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': '~apiextensions.v1.JSONSchemaProps',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': '~apiextensions.v1.JSONSchemaProps',
};

/** Fields that the description calls required although the server fills them in. */
const FILLED_IN: ReadonlySet<string> = new Set(['io.k8s.api.rbac.v1.RoleRef apiGroup']);

/** The definitions and the kinds that can be created, of every group version below a folder of OpenAPI v3 files. */
export async function readOpenApi(
  folder: string,
): Promise<{ readonly definitions: ReadonlyMap<string, Definition>; readonly kinds: readonly ServedKind[] }> {
  const schemas = new Map<string, Node>();
  const served = new Map<string, { readonly namespaced: boolean; readonly gvk: Node }>();
  for (const file of (await readdir(folder)).sort()) {
    const api: Node = JSON.parse(await readFile(`${folder}/${file}`, 'utf8'));
    for (const [name, schema] of entries(node(node(api['components'])['schemas']))) schemas.set(name, node(schema));
    for (const [path, item] of entries(node(api['paths']))) {
      const post = node(node(item)['post']);
      const gvk = node(post['x-kubernetes-group-version-kind']);
      // What is created below another object (evictions, tokens, bindings) is nothing that is declared.
      if (post['x-kubernetes-action'] !== 'post' || path.endsWith('}') || /\/\{name\}\//.test(path)) continue;
      served.set(JSON.stringify(gvk), { namespaced: path.includes('/namespaces/{namespace}/'), gvk });
    }
  }
  const kinds: ServedKind[] = [];
  for (const [name, schema] of schemas) {
    const gvks = list(schema['x-kubernetes-group-version-kind']).map(node);
    const [gvk] = gvks;
    if (gvk === undefined || gvks.length !== 1) continue;
    const { group, version, kind } = gvk;
    const known = served.get(JSON.stringify({ group, kind, version }));
    if (known === undefined) continue;
    kinds.push({
      apiVersion: group === '' ? String(version) : `${String(group)}/${String(version)}`,
      kind: String(kind),
      namespaced: known.namespaced,
      definition: shortName(name),
    });
  }
  return { definitions: new Map([...schemas.keys()].map((name) => [shortName(name), definitionOf(name, schemas)])), kinds };
}

function shortName(name: string): string {
  for (const [prefix, short] of PREFIXES) if (name.startsWith(prefix)) return short + name.slice(prefix.length);
  return name;
}

function definitionOf(definition: string, all: ReadonlyMap<string, Node>): Definition {
  const schema = node(all.get(definition));
  const required = new Set(list(schema['required']).map(String));
  return {
    fields: entries(node(schema['properties'])).map(([name, property]) => {
      const mark = required.has(name) && !FILLED_IN.has(`${definition} ${name}`) ? '!' : ':';
      const type = typeOf(node(property), all);
      return {
        name,
        refersTo: /[#~](.+)$/.exec(type)?.[1],
        text: (values) => `${name}${mark}${values === undefined ? type : withValues(type, values)}`,
      };
    }),
  };
}

function withValues(type: string, values: readonly string[]): string {
  if (!type.endsWith('s')) throw new Error(`values of a type that is no text: ${type}`);
  if (values.some((value) => /[\^|]/.test(value))) throw new Error(`values that cannot be listed: ${values.join(', ')}`);
  return `${type.slice(0, -1)}"${values.join('|').replaceAll(' ', '^')}`;
}

function typeOf(schema: Node, all: ReadonlyMap<string, Node>): string {
  const [only] = list(schema['allOf']);
  const reference = schema['$ref'] ?? (only === undefined ? undefined : node(only)['$ref']);
  if (typeof reference === 'string') return referenceType(reference.replace('#/components/schemas/', ''), all);
  switch (schema['type']) {
    case 'string':
      return schema['format'] === 'byte' ? 'y' : schema['format'] === 'date-time' ? 't' : 's';
    case 'boolean':
      return 'b';
    case 'integer':
      return schema['format'] === 'int32' ? 'i' : 'l';
    case 'number':
      return 'n';
    case 'array':
      return `[${listKeys(schema, all)}]${typeOf(node(schema['items']), all)}`;
    case 'object':
      if (schema['additionalProperties'] !== undefined) return `{}${typeOf(node(schema['additionalProperties']), all)}`;
      return 'o';
    default:
      return '?';
  }
}

function referenceType(name: string, all: ReadonlyMap<string, Node>): string {
  const special = SPECIAL[name];
  if (special !== undefined) return special;
  const schema = all.get(name);
  if (schema === undefined) throw new Error(`${name} is referred to and not defined`);
  return schema['properties'] === undefined ? typeOf(schema, all) : `#${shortName(name)}`;
}

/** `=` of a set; the keys of a list of maps, with what an absent key stands for. */
function listKeys(schema: Node, all: ReadonlyMap<string, Node>): string {
  if (schema['x-kubernetes-list-type'] === 'set') return '=';
  if (schema['x-kubernetes-list-type'] !== 'map') return '';
  const items = node(schema['items']);
  const [only] = list(items['allOf']);
  const reference = items['$ref'] ?? node(only)['$ref'];
  const properties = typeof reference === 'string' ? node(all.get(reference.replace('#/components/schemas/', ''))?.['properties']) : {};
  return list(schema['x-kubernetes-list-map-keys'])
    .map((key) => {
      const absent = node(node(properties)[String(key)])['default'];
      return typeof absent === 'string' && absent !== '' ? `${String(key)}=${absent}` : String(key);
    })
    .join(',');
}

function node(value: unknown): Node {
  return typeof value === 'object' && value !== null ? (value as Node) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function entries(value: Node): readonly (readonly [string, unknown])[] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
