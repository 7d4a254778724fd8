import type { Document, LineCounter, Node, Scalar } from 'yaml';

import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';
import { readPlainScalar } from '#model/kubernetes-scalar.ts';
import { yaml } from '#model/on-demand.ts';
import type { Place, Problem } from '#model/problem.ts';
import type { Result } from '#model/result.ts';
import { accepted, refused } from '#model/result.ts';
import { yamlMistakes } from '#model/yaml-mistakes.ts';

export const KUBERNETES_YAML_LIMITS = { bytes: 4 * 1024 * 1024, depth: 64, documents: 2000, nodes: 200_000 } as const;

/** One document of a stream, with the place where it begins. Empty documents are left out, as kubectl does. */
export interface KubernetesDocument {
  readonly value: Json;
  readonly place: Place;
}

/**
 * Reads a stream as `kubectl apply` does: `yes` is true, `0644` is 420, dates are text. Stricter than kubectl in that duplicate keys,
 * directives, foreign tags and keys that reach into prototypes are refused. Problems carry file:line:col.
 */
export function readKubernetesYaml(text: string, file: string): Result<readonly KubernetesDocument[]> {
  const lines = new (yaml().LineCounter)();
  const reading: Reading = { file, lines, problems: [], nodes: 0 };
  if (text.length > KUBERNETES_YAML_LIMITS.bytes) {
    return refused([problem(reading, undefined, `is longer than ${KUBERNETES_YAML_LIMITS.bytes} characters`)]);
  }
  const documents = composeDocuments(text, reading);
  const values: KubernetesDocument[] = [];
  for (const document of documents) {
    for (const { offset, sentence } of yamlMistakes(document.errors).slice(0, 20))
      reading.problems.push(problem(reading, offset, `is not YAML: ${sentence}`));
    if (document.directives.yaml.explicit === true) {
      reading.problems.push(problem(reading, document.range[0], 'has a %YAML directive, which changes how values are read'));
    }
    if (reading.problems.length > 0 || document.contents === null) continue;
    const value = toValue(document.contents, { reading, anchors: new Map(), pointer: '', depth: 0 });
    if (value !== null) values.push({ value, place: placeOf(reading, document.contents.range?.[0], '') });
  }
  return reading.problems.length > 0 ? refused(reading.problems) : accepted(values);
}

interface Reading {
  readonly file: string;
  readonly lines: LineCounter;
  readonly problems: Problem[];
  nodes: number;
}

interface Here {
  readonly reading: Reading;
  readonly anchors: Map<string, Node>;
  readonly pointer: string;
  readonly depth: number;
}

/** Of the lexer: what stands before each plain scalar, item and value. A pair has three of them, everything else fewer. */
const MARKS: ReadonlySet<string> = new Set(['\u001f', '-', ':', ',']);
const MOST_MARKS = 3 * KUBERNETES_YAML_LIMITS.nodes;

function composeDocuments(text: string, reading: Reading): readonly Document.Parsed[] {
  const parser = new (yaml().Parser)(reading.lines.addNewLine);
  const composer = new (yaml().Composer)({ schema: 'failsafe', uniqueKeys: false, strict: true, logLevel: 'silent', prettyErrors: false });
  const documents: Document.Parsed[] = [];
  reading.lines.addNewLine(0);
  let marks = 0;
  // Fed token by token, so that deep nesting is refused before anything recursive sees it, and endless lists before they are read to the end.
  for (const lexeme of new (yaml().Lexer)().lex(text)) {
    if (MARKS.has(lexeme)) marks += 1;
    if (marks > MOST_MARKS) {
      reading.problems.push(problem(reading, parser.offset, `has more than ${KUBERNETES_YAML_LIMITS.nodes} values (aliases counted)`));
      return [];
    }
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
    if (parser.stack.length > KUBERNETES_YAML_LIMITS.depth + 2) {
      reading.problems.push(problem(reading, parser.offset, `is nested deeper than ${KUBERNETES_YAML_LIMITS.depth} levels`));
      return [];
    }
    if (documents.length > KUBERNETES_YAML_LIMITS.documents) {
      reading.problems.push(problem(reading, parser.offset, `has more than ${KUBERNETES_YAML_LIMITS.documents} documents`));
      return [];
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end());
  return documents;
}

function toValue(node: unknown, here: Here): Json {
  const { reading } = here;
  reading.nodes += 1;
  if (reading.nodes > KUBERNETES_YAML_LIMITS.nodes) {
    if (reading.nodes === KUBERNETES_YAML_LIMITS.nodes + 1)
      report(here, node, `has more than ${KUBERNETES_YAML_LIMITS.nodes} values (aliases counted)`);
    return null;
  }
  if (here.depth > KUBERNETES_YAML_LIMITS.depth) {
    report(here, node, `is nested deeper than ${KUBERNETES_YAML_LIMITS.depth} levels`);
    return null;
  }
  if (yaml().isAlias(node)) return toAliased(node.source, here, node);
  let value: Json = null;
  if (yaml().isMap(node)) value = toMap(node.items, here);
  else if (yaml().isSeq(node)) value = node.items.map((item, at) => toValue(item, below(here, at)));
  else if (yaml().isScalar(node)) value = toScalar(node, here);
  if (yaml().isCollection(node) && node.tag !== undefined && !KNOWN_TAGS.has(node.tag)) report(here, node, `has the tag ${node.tag}`);
  // After its content: an alias inside its own anchor is unknown, so nothing is endless.
  if ((yaml().isCollection(node) || yaml().isScalar(node)) && node.anchor !== undefined) here.anchors.set(node.anchor, node);
  return value;
}

function toAliased(name: string, here: Here, node: unknown): Json {
  const target = here.anchors.get(name);
  if (target !== undefined) return toValue(target, { ...here, depth: here.depth + 1 });
  report(here, node, `names the unknown anchor ${JSON.stringify(name)}`);
  return null;
}

function toMap(items: readonly { readonly key: unknown; readonly value: unknown }[], here: Here): JsonObject {
  const entries = new Map<string, Json>();
  const merged: JsonObject[] = [];
  for (const item of items) {
    if (yaml().isScalar(item.key) && item.key.type === 'PLAIN' && item.key.source === '<<') {
      merged.push(...toMerged(toValue(item.value, below(here, '<<')), here, item.key));
      continue;
    }
    const key = toKey(item.key, here);
    if (key === undefined) continue;
    if (entries.has(key)) report(here, item.key, `has the key ${JSON.stringify(key)} twice`);
    entries.set(key, toValue(item.value, below(here, key)));
  }
  for (const more of merged) for (const [key, value] of Object.entries(more)) if (!entries.has(key)) entries.set(key, value);
  return Object.fromEntries(entries);
}

function toMerged(value: Json, here: Here, node: unknown): readonly JsonObject[] {
  const values: readonly Json[] = isJsonObject(value) || !Array.isArray(value) ? [value] : value;
  const maps = values.filter((one) => isJsonObject(one));
  if (maps.length !== values.length) report(here, node, 'merges something that is not a map');
  return maps;
}

function toKey(node: unknown, here: Here): string | undefined {
  const value = yaml().isScalar(node) ? toScalar(node, here) : yaml().isAlias(node) ? toAliased(node.source, here, node) : undefined;
  if (yaml().isScalar(node) && node.anchor !== undefined) here.anchors.set(node.anchor, node);
  if (typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isInteger(value))) {
    const key = String(value);
    if (!FORBIDDEN_KEYS.has(key)) return key;
    report(here, node, `has the key ${JSON.stringify(key)}, which is not allowed`);
    return undefined;
  }
  report(here, node, 'has a key that is not text (quote it)');
  return undefined;
}

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const STRING_TAGS: ReadonlySet<string> = new Set(['tag:yaml.org,2002:str', '!']);
const KNOWN_TAGS: ReadonlySet<string> = new Set(['tag:yaml.org,2002:map', 'tag:yaml.org,2002:seq', '!']);

function toScalar(node: Scalar, here: Here): Json {
  const text = typeof node.value === 'string' ? node.value : '';
  if (!text.isWellFormed() || text.includes('\0')) {
    report(here, node, 'holds text that is not Unicode (a lone surrogate or NUL)');
    return null;
  }
  if (node.tag !== undefined) {
    if (!STRING_TAGS.has(node.tag)) report(here, node, `has the tag ${node.tag}, which is not read`);
    return text;
  }
  if (node.type !== undefined && node.type !== 'PLAIN') return text;
  const reading = readPlainScalar(text);
  switch (reading.kind) {
    case 'value':
      return reading.value;
    case 'merge':
      return text;
    case 'unreadable':
      report(here, node, `holds a number that cannot be carried: ${reading.because} (quote it if it is text)`);
      return null;
  }
}

function below(here: Here, key: string | number): Here {
  return { ...here, pointer: here.pointer + pointerToken(key), depth: here.depth + 1 };
}

function report(here: Here, node: unknown, what: string): void {
  if (here.reading.problems.length >= 50) return;
  const offset = yaml().isNode(node) ? node.range?.[0] : undefined;
  const found = problem(here.reading, offset, what);
  here.reading.problems.push({ ...found, place: { ...found.place, pointer: here.pointer } });
}

function placeOf(reading: Reading, offset: number | undefined, pointer: string | undefined): Place {
  if (offset === undefined) return { file: reading.file, line: undefined, column: undefined, pointer };
  const { line, col } = reading.lines.linePos(offset);
  return { file: reading.file, line, column: col, pointer };
}

function problem(reading: Reading, offset: number | undefined, what: string): Problem {
  return {
    code: 'manifest-unreadable',
    rule: 'V-87',
    severity: 'error',
    phase: 'render',
    message: `${reading.file} ${what}`,
    remedy: 'Correct the YAML at this place so that `kubectl apply` would read it as it is meant.',
    place: placeOf(reading, offset, undefined),
    related: [],
  };
}
