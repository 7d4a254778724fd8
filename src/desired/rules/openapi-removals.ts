import { isJsonObject, type Json, type JsonObject, jsonText, valueAt } from '#model/json.ts';
import { parseYamlText } from '#model/yaml-text.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;
const LIMITS = { bytes: 4_194_304, depth: 64 } as const;
const MOST_PATHS = 5_000;
/** Responses and parameters that are looked at: one operation can be that of every path. */
const MOST_WORK = 300_000;
const MOST_BREAKS = 1_000;

export interface ApiBreak {
  readonly kind: 'removes' | 'requires';
  readonly what: string;
}

/** What callers of one OpenAPI document miss in the next: paths, operations, responses, and what they must newly send. */
export function openApiBreaks(before: Uint8Array, after: Uint8Array): readonly ApiBreak[] {
  const [was, now] = [documentOf(before), documentOf(after)];
  // What cannot be read is told by whoever reads it.
  if (was === undefined || now === undefined) return [];
  const next = pathsOf(now);
  const breaks: ApiBreak[] = [];
  let work = 0;
  for (const [route, { shown, item }] of pathsOf(was)) {
    const there = next.get(route);
    if (there === undefined) breaks.push({ kind: 'removes', what: `path ${shown}` });
    else {
      for (const method of METHODS) {
        const [had, has] = [operationOf(item, method), operationOf(there.item, method)];
        if (had === undefined) continue;
        const name = `${method.toUpperCase()} ${shown}`;
        if (has === undefined) {
          breaks.push({ kind: 'removes', what: name });
          continue;
        }
        const sides = { before: { root: was, item, operation: had }, after: { root: now, item: there.item, operation: has } };
        work += sizeOf(sides.before) + sizeOf(sides.after);
        if (work > MOST_WORK) return breaks;
        for (const one of [...responseBreaks(name, sides), ...requestBreaks(name, sides)]) breaks.push(one);
      }
    }
    if (breaks.length >= MOST_BREAKS) return breaks.slice(0, MOST_BREAKS);
  }
  return breaks;
}

function sizeOf({ item, operation }: Side): number {
  const { responses } = operation;
  const lists = [item['parameters'], operation['parameters']].map((list) => (Array.isArray(list) ? list.length : 0));
  return lists.reduce((sum, size) => sum + size, 1 + (isJsonObject(responses) ? Object.keys(responses).length : 0));
}

interface Side {
  readonly root: JsonObject;
  readonly item: JsonObject;
  readonly operation: JsonObject;
}

interface Sides {
  readonly before: Side;
  readonly after: Side;
}

function documentOf(bytes: Uint8Array): JsonObject | undefined {
  const parsed = parseYamlText(bytes, 'openapi', { limits: LIMITS });
  return parsed.ok && isJsonObject(parsed.value.value) ? parsed.value.value : undefined;
}

/** By the path without the names of its parameters: they are nobody's but the document's. */
function pathsOf(document: JsonObject): ReadonlyMap<string, { readonly shown: string; readonly item: JsonObject }> {
  const paths = isJsonObject(document['paths']) ? Object.entries(document['paths']).slice(0, MOST_PATHS) : [];
  return new Map(
    paths.flatMap(([path, item]) => {
      const whole = followed(document, item);
      return path.startsWith('/') && whole !== undefined
        ? [[path.replaceAll(/\{[^{}/]*\}/g, '{}'), { shown: path, item: whole }] as const]
        : [];
    }),
  );
}

function operationOf(item: JsonObject, method: string): JsonObject | undefined {
  const operation = item[method];
  return isJsonObject(operation) ? operation : undefined;
}

function followed(root: JsonObject, value: Json | undefined): JsonObject | undefined {
  let here = value;
  for (let steps = 0; steps < 8 && isJsonObject(here); steps += 1) {
    const reference = here['$ref'];
    if (typeof reference !== 'string') return here;
    here = reference.startsWith('#/') ? valueAt(root, reference.slice(1)) : undefined;
  }
  return undefined;
}

/** A class of codes (`2XX`) stands for each of them. */
function responseBreaks(name: string, { before, after }: Sides): readonly ApiBreak[] {
  const [was, now] = [before.operation['responses'], after.operation['responses']];
  if (!isJsonObject(was)) return [];
  const has = new Set(isJsonObject(now) ? Object.keys(now) : []);
  return Object.keys(was)
    .filter((code) => !code.startsWith('x-') && !has.has(code) && !has.has(`${code.charAt(0)}XX`))
    .map((code) => ({ kind: 'removes', what: `response ${code} of ${name}` }));
}

function requestBreaks(name: string, { before, after }: Sides): readonly ApiBreak[] {
  const known = requiredOf(before);
  const asked = [...requiredOf(after)]
    .filter((one) => !known.has(one))
    .map((one): ApiBreak => ({ kind: 'requires', what: `${one} of ${name}` }));
  const [was, now] = [before, after].map(({ root, operation }) => followed(root, operation['requestBody'])?.['required'] === true);
  return now === true && was !== true ? [...asked, { kind: 'requires', what: `a body of ${name}` }] : asked;
}

/** Required parameters but those of the path, which the path itself says. */
function requiredOf({ root, item, operation }: Side): ReadonlySet<string> {
  const all = new Map<string, boolean>();
  for (const list of [item['parameters'], operation['parameters']]) {
    for (const one of Array.isArray(list) ? (list as readonly Json[]) : []) {
      const parameter = followed(root, one);
      const where = jsonText(parameter?.['in']);
      if (parameter !== undefined && where !== 'path')
        all.set(`${where} parameter ${jsonText(parameter['name'])}`, parameter['required'] === true);
    }
  }
  return new Set([...all].flatMap(([name, required]) => (required ? [name] : [])));
}
