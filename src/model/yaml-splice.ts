import type { Node } from 'yaml';

import { yaml } from '#model/on-demand.ts';
/** A pair of a block map as it stands in the text; offsets count UTF-16 units. */
export interface YamlPair {
  readonly key: string;
  /** Start of the line of the key. */
  readonly start: number;
  /** Just after the line end of the pair's last own line; comments below it do not belong to it. */
  readonly end: number;
  /** The value's own text, without a comment behind it. */
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly kind: 'scalar' | 'map' | 'seq' | 'flow' | 'empty';
}

export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Answers the pairs of the block map under `path`, in the text's order; undefined where there is none. Undefined for text that does not parse.
 * Keys are not compared with each other (the parser does that in quadratic time): read declarations with `parseYamlText` first.
 */
export function blockPairs(text: string): ((path: readonly string[]) => readonly YamlPair[] | undefined) | undefined {
  const document = yaml().parseDocument(text, { version: '1.2', schema: 'core', logLevel: 'silent', uniqueKeys: false });
  if (document.errors.length > 0) return undefined;
  return (path) => {
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    if (!yaml().isMap(node) || node.flow === true) return undefined;
    const pairs: YamlPair[] = [];
    for (const { key, value } of node.items) {
      if (!yaml().isScalar(key) || !key.range) return undefined;
      const start = lineStart(text, key.range[0]);
      if (!isNode(value) || !value.range) return undefined;
      const valueEnd = endOf(value);
      const empty = yaml().isScalar(value) && value.range[0] === value.range[1];
      const kind = empty ? 'empty' : yaml().isScalar(value) ? 'scalar' : value.flow === true ? 'flow' : yaml().isMap(value) ? 'map' : 'seq';
      const end = lineEnd(text, empty ? key.range[1] : valueEnd);
      pairs.push({ key: String(key.value), start, end, valueStart: value.range[0], valueEnd, kind });
    }
    return pairs;
  };
}

type Held = Node & { readonly range?: readonly [number, number, number] | null };

function isNode(value: unknown): value is Held & { flow?: boolean } {
  return yaml().isScalar(value) || yaml().isMap(value) || yaml().isSeq(value);
}

/** Where the last own character of a node stands; block collections count comments behind them as theirs, we do not. */
function endOf(node: Held & { flow?: boolean }): number {
  const range = node.range ?? [0, 0, 0];
  if (yaml().isScalar(node) || node.flow === true) return range[1];
  const last = yaml().isMap(node) ? node.items.at(-1)?.value : yaml().isSeq(node) ? node.items.at(-1) : undefined;
  return isNode(last) ? endOf(last) : range[1];
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

/** The text with every splice made; splices must not overlap. All other bytes stay. */
export function splice(text: string, splices: readonly Splice[]): string {
  const parts: string[] = [];
  let at = 0;
  // What is put in at a place stands before what is taken out there.
  for (const one of [...splices].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (one.start < at) throw new Error('splices overlap');
    parts.push(text.slice(at, one.start), one.text);
    at = one.end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}
