import { isCollection, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { CST, Pair, ParsedNode, Scalar, YAMLMap, YAMLSeq } from 'yaml';

import { readPlainScalar } from '#model/kubernetes-scalar.ts';
import { keyOrder } from '#model/schema-order.ts';
import type { KeyOrder } from '#model/schema-order.ts';
import type { Comment } from '#model/yaml-comments.ts';
import { commentsOf } from '#model/yaml-comments.ts';
import { splitYamlStream } from '#model/yaml-stream.ts';

/**
 * One YAML document of block style in the one layout that declarations have: two spaces, lists inside their key, keys in the order given,
 * flow collections written out, texts quoted that other readers take for something else. Undefined for what it does not lay out (anchors,
 * tags, keys that are no texts, more than one document); the caller compares the meaning before and after.
 */
export function layOut(text: string, order: KeyOrder): string | undefined {
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    logLevel: 'silent',
    keepSourceTokens: true,
  });
  const root = document.contents;
  if (splitYamlStream(text).length > 1 || /^\.\.\.(?:\s|$)/m.test(text)) return undefined;
  if (document.errors.length > 0 || !isMap(root) || root.flow === true || root.items.length === 0) return undefined;
  const page = open(text, root);
  if (page === undefined) return undefined;
  const head = page.lines.slice(0, page.lineOf(root.range[0]));
  for (let line = 0; line <= head.length; line += 1) page.gapsBefore.get(line)?.trivia.splice(0);
  // Blank lines behind a block that keeps them are its content: then nothing changes its place.
  const body = printMap(page, root, 0, page.keeps ? keyOrder(undefined) : order);
  return `${[...head.map((line) => line.trimEnd()), ...body].join('\n')}\n`;
}

interface Trivia {
  /** Undefined: a blank line. */
  readonly comment: Comment | undefined;
}

/** Comments and blank lines between two lines of content. */
interface Gap {
  readonly trivia: Trivia[];
  /** Column of the content behind it; -1 at the end. */
  readonly next: number;
}

interface Page {
  readonly text: string;
  readonly lines: readonly string[];
  /** Some text keeps the blank lines behind it (`|+`). */
  readonly keeps: boolean;
  lineOf(offset: number): number;
  /** By the line of content before and by the one behind; the same gap under both. */
  readonly gaps: Map<number, Gap>;
  readonly gapsBefore: Map<number, Gap>;
  /** Comments behind content, by line. */
  readonly trailing: Map<number, Comment>;
}

function open(text: string, root: ParsedNode): Page | undefined {
  const lines = text.split('\n');
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length + 1);
  const lineOf = (offset: number): number => {
    let [low, high] = [0, lines.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const content = new Set<number>();
  if (!markTexts(root, text, { lineOf, content }, 0)) return undefined;
  const comments = commentsOf(text);
  const alone = new Map(comments.filter((one) => one.isAlone && !content.has(one.line)).map((one) => [one.line, one]));
  const gaps = new Map<number, Gap>();
  const gapsBefore = new Map<number, Gap>();
  let before = -1;
  let trivia: Trivia[] = [];
  for (const [at, line] of [...lines, undefined].entries()) {
    const comment = alone.get(at);
    if (line !== undefined && !content.has(at) && (comment !== undefined || line.trim() === '')) {
      trivia.push({ comment });
      continue;
    }
    if (trivia.length > 0) {
      const gap = { trivia, next: line === undefined ? -1 : line.search(/\S/) };
      gaps.set(before, gap);
      gapsBefore.set(at, gap);
    }
    [before, trivia] = [at, []];
  }
  const trailing = new Map(comments.filter((one) => !one.isAlone).map((one) => [one.line, one]));
  return { text, lines, lineOf, keeps: /[|>][0-9]?\+/.test(text), gaps, gapsBefore, trailing };
}

/** Marks every line of a text of several lines as content; false where something stands that is not laid out. */
function markTexts(
  node: unknown,
  text: string,
  marks: { readonly lineOf: (offset: number) => number; readonly content: Set<number> },
  depth: number,
): boolean {
  if (node === null || node === undefined) return true;
  if (depth > 100 || (!isScalar(node) && !isCollection(node))) return false;
  if (node.anchor !== undefined || node.tag !== undefined) return false;
  if (isMap(node)) {
    return node.items.every(
      ({ key, value }) => isScalar(key) && markTexts(key, text, marks, depth + 1) && markTexts(value, text, marks, depth + 1),
    );
  }
  if (isSeq(node)) return node.items.every((item) => markTexts(item, text, marks, depth + 1));
  if (!isScalar(node) || !node.range) return true;
  const first = marks.lineOf(node.range[0]);
  for (const [at] of sourceOf(text, node).split('\n').entries()) marks.content.add(first + at);
  return true;
}

/** A scalar as it is written; of a block without `+` the blank lines behind it are not its own. */
function sourceOf(text: string, node: Scalar): string {
  const [start, end] = node.range ?? [0, 0];
  const source = text.slice(start, end);
  if (!isBlock(node)) return source;
  const lines = source.split('\n');
  if (/^[|>][0-9-]*\+/.test(source)) return lines.slice(0, lines.at(-1) === '' ? -1 : undefined).join('\n');
  // Spaces beyond the block's own indentation are content, also on a line of nothing else.
  const held = /^[|>][+-]?[1-9]/.test(source) ? 0 : (lines.slice(1).find((line) => line.trim() !== '') ?? '').search(/\S/);
  while (lines.length > 1 && lines.at(-1)?.trim() === '' && (lines.at(-1)?.length ?? 0) <= held) lines.pop();
  return lines.join('\n');
}

function isBlock(node: Scalar): boolean {
  return node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
}

interface Entry {
  readonly rank: number | undefined;
  readonly lead: readonly string[];
  readonly body: readonly string[];
}

function printMap(page: Page, node: YAMLMap, indent: number, order: KeyOrder): readonly string[] {
  const entries = node.items.map((pair): Entry => {
    const { key } = pair;
    const at = isScalar(key) && key.range ? key.range[0] : 0;
    const lead = node.flow === true ? [] : takeLead(page, page.lineOf(at), indent);
    const name = isScalar(key) ? String(key.value) : '';
    return { rank: order.rank(name), lead, body: printPair(page, pair as Pair<ParsedNode, ParsedNode | null>, indent, order.below(name)) };
  });
  const known = entries.filter((entry) => entry.rank !== undefined).sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
  const unknown = entries.filter((entry) => entry.rank === undefined);
  const tail = node.flow === true ? [] : takeTail(page, node, indent);
  return [...[...known, ...unknown].flatMap((entry) => [...entry.lead, ...entry.body]), ...tail];
}

function printPair(page: Page, pair: Pair<ParsedNode, ParsedNode | null>, indent: number, order: KeyOrder): readonly string[] {
  const { key, value } = pair;
  const pad = ' '.repeat(indent);
  const name = isScalar(key) ? sourceOf(page.text, key) : '';
  const line = page.lineOf(key.range[0]);
  const opening = `${pad}${name}:`;
  if (value === null || (isScalar(value) && value.range[0] === value.range[1])) return [opening + takeTrailing(page, line)];
  const isBelow = page.lineOf(value.range[0]) !== line;
  if (isScalar(value)) {
    const lines = printScalar(page, value, indent);
    if (isBelow && (page.trailing.has(line) || page.gapsBefore.has(page.lineOf(value.range[0])))) {
      const lead = takeLead(page, page.lineOf(value.range[0]), indent + 2);
      return [opening + takeTrailing(page, line), ...lead, `${pad}  ${lines[0] ?? ''}`, ...lines.slice(1)];
    }
    return [`${opening} ${lines[0] ?? ''}`, ...lines.slice(1)];
  }
  if (!isCollection(value)) return [opening];
  if (isVerbatim(page, value)) {
    const lines = verbatim(page, value, indent);
    return [`${opening} ${lines[0] ?? ''}`, ...lines.slice(1)];
  }
  const comment = takeTrailing(page, value.flow === true ? page.lineOf(value.range[1] - 1) : line);
  return [opening + comment, ...printCollection(page, value, indent + 2, order)];
}

function printCollection(page: Page, node: YAMLMap | YAMLSeq, indent: number, order: KeyOrder): readonly string[] {
  return isMap(node) ? printMap(page, node, indent, order) : printSeq(page, node, indent, order);
}

function printSeq(page: Page, node: YAMLSeq, indent: number, order: KeyOrder): readonly string[] {
  const pad = ' '.repeat(indent);
  const dashes = node.flow === true ? [] : dashesOf(node);
  const lines = node.items.flatMap((given, index): readonly string[] => {
    const item = given as ParsedNode | null;
    const line = page.lineOf(dashes[index] ?? item?.range[0] ?? 0);
    const lead = node.flow === true ? [] : [...takeLead(page, line, indent)];
    if (item === null || (isScalar(item) && item.range[0] === item.range[1])) return [...lead, `${pad}-${takeTrailing(page, line)}`];
    if (isScalar(item)) {
      if (page.lineOf(item.range[0]) !== line) {
        const comment = takeTrailing(page, line).trim();
        lead.push(...(comment === '' ? [] : [pad + comment]), ...takeLead(page, page.lineOf(item.range[0]), indent));
      }
      const printed = printScalar(page, item, indent);
      return [...lead, `${pad}- ${printed[0] ?? ''}`, ...printed.slice(1)];
    }
    if (!isCollection(item)) return lead;
    if (isVerbatim(page, item)) {
      const printed = verbatim(page, item, indent);
      return [...lead, `${pad}- ${printed[0] ?? ''}`, ...printed.slice(1)];
    }
    // A comment behind the dash, or behind a collection that is written out, goes above the item.
    const isBelow = page.lineOf(item.range[0]) !== line;
    const behind = item.flow === true ? page.lineOf(item.range[1] - 1) : isBelow ? line : undefined;
    const comment = behind === undefined ? '' : takeTrailing(page, behind).trim();
    if (comment !== '') lead.push(pad + comment);
    const printed = printCollection(page, item, indent + 2, order.items());
    const first = printed.findIndex((one) => one !== '' && !one.trimStart().startsWith('#'));
    const above = printed.slice(0, first).flatMap((one) => (one === '' ? [] : [pad + one.trimStart()]));
    return [...lead, ...above, `${pad}- ${(printed[first] ?? '').slice(indent + 2)}`, ...printed.slice(first + 1)];
  });
  return [...lines, ...(node.flow === true ? [] : takeTail(page, node, indent))];
}

function dashesOf(node: YAMLSeq): readonly (number | undefined)[] {
  const token = node.srcToken;
  if (token?.type !== 'block-seq') return [];
  return token.items.map((item) => item.start.find((part) => part.type === 'seq-item-ind')?.offset);
}

/** A text on its lines; the first without indentation. */
function printScalar(page: Page, node: Scalar, indent: number): readonly string[] {
  const source = sourceOf(page.text, node);
  const [start = 0] = node.range ?? [];
  if (isBlock(node)) return printBlock(page, source, start, indent);
  const lines = (isUnsafe(node, source) ? `'${source}'` : source).split('\n');
  const last = page.lineOf(start) + lines.length - 1;
  const pad = ' '.repeat(indent + 2);
  const printed = lines.map((line, at) => {
    const trimmed = at === lines.length - 1 ? line : line.trimEnd();
    return at === 0 ? trimmed : trimmed.trim() === '' ? '' : pad + trimmed.trimStart();
  });
  return [...printed.slice(0, -1), `${printed.at(-1) ?? ''}${takeTrailing(page, last)}`];
}

/** Content keeps its own indentation beyond that of its block. */
function printBlock(page: Page, source: string, start: number, indent: number): readonly string[] {
  const [header = '', ...content] = source.split('\n');
  page.trailing.delete(page.lineOf(start));
  const digit = /^[|>][+-]?([1-9])/.exec(header)?.[1];
  const first = content.find((line) => line.trim() !== '');
  const held = first === undefined ? 0 : first.search(/\S/);
  // With a digit the block begins so many columns behind its parent: then spaces at the beginning are content.
  const deep = digit === undefined ? held : parentOf(page, start) + Number(digit);
  const pad = ' '.repeat(digit === undefined ? indent + 2 : indent + Number(digit));
  return [header.trimEnd(), ...content.map((line) => (line.length <= deep && line.trim() === '' ? '' : pad + line.slice(deep)))];
}

/** Column of the key or dash that a block stands behind. */
function parentOf(page: Page, start: number): number {
  const line = page.lines[page.lineOf(start)] ?? '';
  const inList = /^(\s*(?:- +)*)/.exec(line)?.[1] ?? '';
  return /^\s*(?:- +)*- +[|>]/.test(line) ? inList.lastIndexOf('-') : inList.length;
}

/** Plain texts that Kubernetes or YAML 1.1 read as another value. */
function isUnsafe(node: Scalar, source: string): boolean {
  if (node.type !== 'PLAIN' || typeof node.value !== 'string' || source.includes('\n') || source.includes("'")) return false;
  if (/^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(source)) return true;
  const read = readPlainScalar(source);
  return read.kind !== 'value' || typeof read.value !== 'string';
}

/** Empty collections stay as they are; so do those with comments inside. */
function isVerbatim(page: Page, node: YAMLMap | YAMLSeq): boolean {
  if (node.flow !== true) return false;
  const [start = 0, end = 0] = node.range ?? [];
  return node.items.length === 0 || commentsOf(page.text.slice(start, end)).length > 0;
}

function verbatim(page: Page, node: ParsedNode, indent: number): readonly string[] {
  const [start, end] = node.range;
  const [first = '', ...rest] = page.text.slice(start, end).split('\n');
  for (let line = page.lineOf(start); line < page.lineOf(end - 1); line += 1) page.trailing.delete(line);
  for (let line = page.lineOf(start); line <= page.lineOf(end - 1); line += 1) page.gapsBefore.get(line)?.trivia.splice(0);
  const least = Math.min(...rest.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)));
  const pad = ' '.repeat(indent);
  const lines = [first, ...rest.map((line) => (line.trim() === '' ? '' : pad + line.slice(least)))].map((line) => line.trimEnd());
  return [...lines.slice(0, -1), `${lines.at(-1) ?? ''}${takeTrailing(page, page.lineOf(end - 1))}`];
}

function takeLead(page: Page, line: number, indent: number): readonly string[] {
  return (page.gapsBefore.get(line)?.trivia.splice(0) ?? []).map((one) => triviaText(one, indent));
}

/** Comments at the end of a collection that stand deeper than what follows belong to it. */
function takeTail(page: Page, node: YAMLMap | YAMLSeq, indent: number): readonly string[] {
  const gap = page.gaps.get(lastLine(page, node));
  if (gap === undefined) return [];
  const column = columnOf(page, node);
  let end = 0;
  for (const [at, { comment }] of gap.trivia.entries()) {
    if (comment === undefined) continue;
    if (comment.column < column || comment.column <= gap.next) break;
    end = at + 1;
  }
  return gap.trivia.splice(0, end).map((one) => triviaText(one, indent));
}

function triviaText({ comment }: Trivia, indent: number): string {
  return comment === undefined ? '' : `${' '.repeat(indent)}${comment.text}`;
}

function columnOf(page: Page, node: YAMLMap | YAMLSeq): number {
  const token = node.srcToken as CST.BlockMap | CST.BlockSequence | undefined;
  const start = isSeq(node) ? (dashesOf(node)[0] ?? node.range?.[0] ?? 0) : (node.range?.[0] ?? token?.offset ?? 0);
  return start - (page.text.lastIndexOf('\n', start - 1) + 1);
}

/** The last line with content of a node. */
function lastLine(page: Page, node: unknown): number {
  if (isScalar(node) && node.range) return page.lineOf(node.range[0]) + sourceOf(page.text, node).split('\n').length - 1;
  if (!isCollection(node) || !node.range) return 0;
  if (node.flow === true) return page.lineOf(node.range[1] - 1);
  if (isSeq(node)) {
    const item = node.items.at(-1);
    const dash = page.lineOf(dashesOf(node).at(-1) ?? node.range[0]);
    return Math.max(dash, isScalar(item) || isCollection(item) ? lastLine(page, item) : 0);
  }
  const last = isMap(node) ? node.items.at(-1) : undefined;
  return Math.max(lastLine(page, last?.key), last?.value === null ? 0 : lastLine(page, last?.value));
}

function takeTrailing(page: Page, line: number): string {
  const comment = page.trailing.get(line);
  if (comment === undefined) return '';
  page.trailing.delete(line);
  const before = (page.lines[line] ?? '').slice(0, comment.column);
  const spaces = before.length - before.trimEnd().length;
  return `${' '.repeat(Math.max(1, spaces))}${comment.text}`;
}
