import type { Pair, ParsedNode } from 'yaml';

import { readJsonText } from '#model/json-text.ts';
import { type Json, pointerToken } from '#model/json.ts';
import { yaml } from '#model/on-demand.ts';
import type { Place, Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';
import { accepted, refused, type Result } from '#model/result.ts';
import { type YamlMistake, yamlMistakes } from '#model/yaml-mistakes.ts';
import { type BlockMemory, readPlainBlocks, readPlainYaml, type Spot, type Spots } from '#model/yaml-plain.ts';
import { scanYaml } from '#model/yaml-scan.ts';

export interface YamlLimits {
  /** Bytes of the file. */
  readonly bytes: number;
  /** Collections inside collections. */
  readonly depth: number;
}

export interface YamlReading {
  readonly limits?: YamlLimits;
  /** What texts of this kind have in common. */
  readonly blocks?: BlockMemory | undefined;
}

export const DECLARATION_LIMITS: YamlLimits = { bytes: 1_048_576, depth: 64 };

/** Shown of one file; the rest comes to light when these are mended. */
const MOST_PROBLEMS = 100;

/** One YAML document as JSON, with the way back to its text. */
export interface YamlText {
  readonly value: Json;
  /** Place of the value under a pointer: of its key if it is a block, of the nearest existing parent if it is absent. */
  at(pointer: string): Place;
  /** Place of the key under a pointer. */
  keyAt(pointer: string): Place;
  /** What was written for the scalar under a pointer. */
  sourceAt(pointer: string): string | undefined;
}

/**
 * Reads one declaration: YAML 1.2 core, one document, no anchors, aliases, tags, directives, merge keys or duplicate keys,
 * strict UTF-8, whole numbers up to 2^53. Answers every problem at its place.
 */
export function parseYamlText(bytes: Uint8Array, file: string, reading: YamlReading = {}): Result<YamlText> {
  const { limits = DECLARATION_LIMITS, blocks } = reading;
  if (bytes.length > limits.bytes) return refused([tooLarge(file, limits)]);
  const decoded = decode(bytes, file);
  if (!decoded.ok) return decoded;
  const text = decoded.value;
  const shared = blocks === undefined ? undefined : readPlainBlocks(text, limits.depth, blocks);
  const plain = shared ?? readPlainYaml(text, limits.depth) ?? readJsonText(text, limits.depth);
  if (plain === undefined) return readText(text, file, limits);
  return accepted(placedLater(plain, () => plainText(plain, { text, file, limits }) ?? readText(text, file, limits)));
}

/** A plain text with its places; undefined for one that is plain in another way. */
function plainText(
  value: Json,
  { text, file, limits }: { readonly text: string; readonly file: string; readonly limits: YamlLimits },
): Result<YamlText> | undefined {
  const spots: Spots = new Map();
  return readPlainYaml(text, limits.depth, spots) === undefined ? undefined : accepted(placed(value, { text, file, spots }));
}

/** Most documents are never asked where something stands: that is worked out when somebody does. */
function placedLater(value: Json, read: () => Result<YamlText>): YamlText {
  let known: YamlText | undefined;
  const whole = (): YamlText => {
    if (known !== undefined) return known;
    const answer = read();
    if (!answer.ok) throw new Error(`the plain reader took what YAML refuses: ${answer.problems[0]?.message ?? ''}`);
    known = answer.value;
    return known;
  };
  return {
    value,
    at: (pointer) => whole().at(pointer),
    keyAt: (pointer) => whole().keyAt(pointer),
    sourceAt: (pointer) => whole().sourceAt(pointer),
  };
}

function readText(text: string, file: string, limits: YamlLimits): Result<YamlText> {
  const lines = lineStarts(text);
  const placeAt = (offset: number, pointer: string): Place => ({ file, ...position(lines, offset), pointer });

  const scan = scanYaml(text, limits.depth);
  const problems = scan.findings.map((found) => featureProblem(found.feature, placeAt(found.offset, '')));
  if (!scan.readable) return refused(problems);
  const documents = yaml().parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    intAsBigInt: true,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const list = Array.isArray(documents) ? documents : [];
  const [first, second] = list;
  if (second !== undefined) problems.push(featureProblem('more than one document', placeAt(second.range?.[0] ?? 0, '')));
  for (const document of list) {
    // "Tag not resolved" and the like are features the scan has named already.
    const errors = document.errors.filter((error) => error.code !== 'TAG_RESOLVE_FAILED' && error.code !== 'MULTIPLE_DOCS');
    for (const mistake of yamlMistakes(errors).slice(0, MOST_PROBLEMS)) problems.push(syntaxProblem(mistake, placeAt(mistake.offset, '')));
  }
  const root = first?.contents ?? null;
  if (root === null || (yaml().isScalar(root) && root.value === null && (root.source ?? '') === '')) {
    return refused(problems.length > 0 ? problems : [emptyProblem(file)]);
  }
  const reader: Reader = { text, problems, spots: new Map(), placeAt };
  const value = readNode(reader, root, '', root.range[0]);
  if (problems.length > 0) return refused(problems.slice(0, MOST_PROBLEMS));
  return accepted(placed(value, { text, file, spots: reader.spots }));
}

/** A value with the way back to its text. */
function placed(value: Json, from: { readonly text: string; readonly file: string; readonly spots: ReadonlyMap<string, Spot> }): YamlText {
  const { text, file, spots } = from;
  const lines = lineStarts(text);
  const placeAt = (offset: number, pointer: string): Place => ({ file, ...position(lines, offset), pointer });
  return {
    value,
    at: (pointer) => {
      const [known, spot] = nearest(spots, pointer);
      return placeAt(spot.block ? spot.key : spot.start, known);
    },
    keyAt: (pointer) => {
      const [known, spot] = nearest(spots, pointer);
      return placeAt(spot.key, known);
    },
    sourceAt: (pointer) => {
      const spot = spots.get(pointer);
      return spot === undefined || spot.block ? undefined : text.slice(spot.start, spot.end);
    },
  };
}

interface Reader {
  readonly text: string;
  readonly problems: Problem[];
  readonly spots: Map<string, Spot>;
  placeAt(offset: number, pointer: string): Place;
}

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

function readNode(reader: Reader, node: ParsedNode | null, pointer: string, key: number): Json {
  const start = node?.range[0] ?? key;
  const block = (yaml().isMap(node) || yaml().isSeq(node)) && node.flow !== true;
  reader.spots.set(pointer, { key, start, end: node?.range[1] ?? start, block });
  if (node === null) return null;
  if (yaml().isMap(node)) return readMap(reader, node.items, pointer);
  if (yaml().isSeq(node)) {
    return node.items.map((item, index) => {
      const child = item as ParsedNode | null;
      return readNode(reader, child, `${pointer}/${index}`, child?.range[0] ?? start);
    });
  }
  return yaml().isScalar(node) ? readScalar(reader, node.value, reader.placeAt(start, pointer)) : null;
}

function readMap(reader: Reader, pairs: readonly Pair<ParsedNode, ParsedNode | null>[], pointer: string): Json {
  const out: Record<string, Json> = {};
  const seen = new Map<string, number>();
  for (const pair of pairs) {
    const offset = pair.key.range[0];
    const name = keyText(pair.key, reader.text);
    if (name === undefined) {
      reader.problems.push(featureProblem('a key that is not a text', reader.placeAt(offset, pointer)));
      continue;
    }
    const here = `${pointer}${pointerToken(name)}`;
    const place = reader.placeAt(offset, here);
    const before = seen.get(name);
    if (before !== undefined) {
      const first = reader.placeAt(before, here);
      const problem = featureProblem(`the key ${quoted(name)} twice (lines ${first.line} and ${place.line})`, place);
      reader.problems.push({ ...problem, related: [{ file: place.file ?? '', line: first.line, note: 'first here' }] });
      continue;
    }
    seen.set(name, offset);
    if (FORBIDDEN_KEYS.has(name)) reader.problems.push(featureProblem(`the key ${quoted(name)}`, place));
    else if (name === '<<') reader.problems.push(featureProblem('a merge key (<<)', place));
    else out[name] = readNode(reader, pair.value, here, offset);
  }
  return out;
}

function keyText(key: ParsedNode, text: string): string | undefined {
  if (!yaml().isScalar(key)) return undefined;
  if (typeof key.value === 'string') return key.value;
  const written = text.slice(key.range[0], key.range[1]);
  return key.value === null || written === '' ? undefined : written;
}

function readScalar(reader: Reader, value: unknown, place: Place): Json {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'bigint' && typeof value !== 'number') return null;
  const number = Number(value);
  const exact = typeof value === 'bigint' ? Number.isSafeInteger(number) : Number.isFinite(value);
  if (!exact) reader.problems.push(inexactProblem(String(value), place));
  return number;
}

function decode(bytes: Uint8Array, file: string): Result<string> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return refused([encodingProblem(file, lineOfBadByte(bytes), 'is not valid UTF-8')]);
  }
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  if (control === null) return accepted(text);
  return refused([
    encodingProblem(file, position(lineStarts(text), control.index).line, `holds the control character ${quoted(control[0])}`),
  ]);
}

function lineOfBadByte(bytes: Uint8Array): number {
  const loose = new TextDecoder('utf-8').decode(bytes);
  return loose.slice(0, loose.indexOf('\ufffd')).split('\n').length;
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function position(starts: readonly number[], offset: number): { readonly line: number; readonly column: number } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

function nearest(spots: ReadonlyMap<string, Spot>, pointer: string): readonly [string, Spot] {
  let known = pointer;
  for (;;) {
    const spot = spots.get(known);
    if (spot !== undefined) return [known, spot];
    if (known === '') return ['', { key: 0, start: 0, end: 0, block: true }];
    known = known.slice(0, known.lastIndexOf('/'));
  }
}

function featureProblem(feature: string, place: Place): Problem {
  return {
    code: 'yaml-feature',
    rule: 'V-01',
    severity: 'error',
    phase: 'validate',
    message: `${place.file ?? ''}: YAML uses ${feature}, which is not allowed in declarations`,
    remedy: 'Write the value out in plain block style: one document, every key once, no anchors, aliases, tags or directives.',
    place,
    related: [],
  };
}

function tooLarge(file: string, limits: YamlLimits): Problem {
  return featureProblem(`more than ${limits.bytes.toLocaleString('en-US')} bytes`, {
    file,
    line: undefined,
    column: undefined,
    pointer: undefined,
  });
}

function syntaxProblem(mistake: YamlMistake, place: Place): Problem {
  return {
    code: 'yaml-syntax',
    rule: undefined,
    severity: 'error',
    phase: 'validate',
    message: `${place.file ?? ''} is not YAML: ${mistake.sentence}`,
    remedy: mistake.remedy,
    place,
    related: [],
  };
}

function emptyProblem(file: string): Problem {
  return {
    code: 'yaml-empty',
    rule: undefined,
    severity: 'error',
    phase: 'validate',
    message: `${file} is empty`,
    remedy: 'Write the declaration, or delete the file.',
    place: { file, line: 1, column: 1, pointer: '' },
    related: [],
  };
}

function encodingProblem(file: string, line: number, what: string): Problem {
  return {
    code: 'text-not-utf8',
    rule: 'V-01',
    severity: 'error',
    phase: 'validate',
    message: `${file} ${what}`,
    remedy: 'Save the file as UTF-8 text without control characters.',
    place: { file, line, column: undefined, pointer: undefined },
    related: [],
  };
}

function inexactProblem(written: string, place: Place): Problem {
  return {
    code: 'number-inexact',
    rule: undefined,
    severity: 'error',
    phase: 'validate',
    message: `the number ${written} cannot be kept exactly`,
    remedy: 'Write it as a text in quotes, or use a smaller number.',
    place,
    related: [],
  };
}
