import { isJsonObject, type Json, pointerToken } from '#model/json.ts';

const LINE = /( *)(?:(-) )?(?:([A-Za-z/][A-Za-z0-9_./-]{0,199}):(?: |(?=\n|$)))?/y;
/** Characters that mean nothing to YAML where they stand here; `:` before a space and `#` after one do. */
const PLAIN = /^[A-Za-z0-9_/.^~+=]([A-Za-z0-9_./@^~+=()$%;,<>!*{}[\]-]|:(?=[^ ])|#|(?<=[^ ]) (?=[^ #]))*(?<![: ])$/;
const WORD = /^(?:~|null|true|false)$/i;
const NUMBER =
  /^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0x[0-9a-fA-F]+|0o[0-7]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const QUOTED = /^(?:"([ !#-[\]-~]*)"|'([ -&(-~]*)')$/;
const FORBIDDEN_KEYS = new Set(['constructor', 'prototype']);
const LONGEST_LINE = 1000;
const MOST_LINES = 40_000;

/** Where something stands in a text: its key, its value, and whether that is a block of lines. An item of a list is its own key. */
export interface Spot {
  readonly key: number;
  readonly start: number;
  readonly end: number;
  readonly block: boolean;
}

/** By JSON pointer. */
export type Spots = Map<string, Spot>;

type Open =
  | { readonly kind: 'map'; readonly indent: number; readonly pointer: string; readonly items: Record<string, Json> }
  | { readonly kind: 'list'; readonly indent: number; readonly pointer: string; readonly items: Json[] };

/** A key that waits for the block below it. */
interface Waiting {
  readonly map: Record<string, Json>;
  readonly key: string;
  readonly pointer: string;
  readonly indent: number;
}

/**
 * The value of a text that keeps to the plainest part of YAML: block maps, lists of scalars and of block maps, and scalars on one line that nobody can
 * misread. It is what machines write and most of what people do, and is read here many times faster than by the whole of YAML. Undefined
 * for everything else, mistakes included: ask the real parser, which agrees wherever this answers. `spots` is filled with the place of
 * everything.
 */
export function readPlainYaml(text: string, depthLimit: number, spots?: Spots): Json | undefined {
  if (text.includes('\r')) return undefined;
  const root: Record<string, Json> = {};
  const open: Open[] = [{ kind: 'map', indent: 0, pointer: '', items: root }];
  let waiting: Waiting | undefined;
  let lines = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    lines += 1;
    if (end - start > LONGEST_LINE || lines > MOST_LINES) return undefined;
    LINE.lastIndex = start;
    const [head = '', spaces = '', dash, key] = LINE.exec(text) ?? [];
    const at = start + head.length;
    const before = start;
    start = end + 1;
    if (dash === undefined && key === undefined) {
      if ((at === end && spaces === '') || text.charCodeAt(at) === HASH) continue;
      return undefined;
    }
    const indent = spaces.length;
    const isItem = dash !== undefined;
    if (waiting !== undefined && (indent > waiting.indent || (isItem && indent === waiting.indent))) {
      if (open.length >= depthLimit) return undefined;
      open.push(below(waiting, indent, isItem));
    } else if (waiting === undefined) close(open, indent, isItem);
    else return undefined;
    waiting = undefined;
    let top = open.at(-1);
    if (top === undefined || top.indent !== indent || (top.kind === 'list') !== isItem) return undefined;
    const value = at === end ? undefined : scalar(text.slice(at, end));
    let inside = indent;
    if (top.kind === 'list') {
      if (key === undefined) {
        if (value === undefined) return undefined;
        spots?.set(`${top.pointer}/${top.items.length}`, { key: at, start: at, end, block: false });
        top.items.push(value);
        continue;
      }
      // A map as item begins behind the dash, and its other keys stand below the first.
      if (open.length >= depthLimit) return undefined;
      inside = indent + 2;
      const item: Open = { kind: 'map', indent: inside, pointer: `${top.pointer}/${top.items.length}`, items: {} };
      spots?.set(item.pointer, blockAt(before + inside));
      top.items.push(item.items);
      open.push(item);
      top = item;
    }
    if (key === undefined || Object.hasOwn(top.items, key) || WORD.test(key) || FORBIDDEN_KEYS.has(key)) return undefined;
    const pointer = `${top.pointer}${pointerToken(key)}`;
    if (value !== undefined) {
      top.items[key] = value;
      spots?.set(pointer, { key: before + inside, start: at, end, block: false });
    } else if (at === end && text.charCodeAt(end - 1) !== SPACE) {
      waiting = { map: top.items, key, pointer, indent: inside };
      spots?.set(pointer, blockAt(before + inside));
    } else return undefined;
    if (spots?.has('') === false) spots.set('', blockAt(before + inside));
  }
  return waiting === undefined && Object.keys(root).length > 0 ? root : undefined;
}

function blockAt(key: number): Spot {
  return { key, start: key, end: key, block: true };
}

const HASH = 35;
const SPACE = 32;

function below(waiting: Waiting, indent: number, isItem: boolean): Open {
  const { pointer } = waiting;
  const opened: Open = isItem ? { kind: 'list', indent, pointer, items: [] } : { kind: 'map', indent, pointer, items: {} };
  waiting.map[waiting.key] = opened.items;
  return opened;
}

/** Leaves the blocks that a line of this indentation ends; a list may stand as deep as the key it belongs to. */
function close(open: Open[], indent: number, isItem: boolean): void {
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.indent < indent || (top.indent === indent && (top.kind === 'map' || isItem))) return;
    open.pop();
  }
}

function scalar(text: string): Json | undefined {
  if (PLAIN.test(text)) {
    if (text === 'true') return true;
    if (text === 'false') return false;
    if (WORD.test(text)) return undefined;
    if (!NUMBER.test(text)) return text;
    return /^(?:0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined;
  }
  if (text === '{}') return {};
  if (text === '[]') return [];
  const quoted = QUOTED.exec(text);
  return quoted?.[1] ?? quoted?.[2];
}

/** Entries of locks by their text: the next lock has all of them but a few. */
export interface BlockMemory {
  readonly blocks: Map<string, Block>;
  /** Entries that somebody has found to obey their schema. */
  readonly checked: WeakSet<object>;
}

interface Block {
  readonly name: string;
  readonly value: Json;
  readonly lines: number;
}

const MOST_BLOCKS = 50_000;
const PARENT = '\ncapsules:\n';
const BLOCK = / {2}[A-Za-z][A-Za-z0-9_./-]{0,199}:\n(?: {4}[^\n]*\n)+/y;

export function createBlockMemory(): BlockMemory {
  return { blocks: new Map(), checked: new WeakSet() };
}

/**
 * `readPlainYaml` for a text whose `capsules:` are many blocks, of which few are new. Plain YAML is read line by line, so a block says the
 * same wherever it stands; equal blocks are answered as the same object.
 */
export function readPlainBlocks(text: string, depthLimit: number, memory: BlockMemory): Json | undefined {
  const start = text.indexOf(PARENT) + PARENT.length;
  if (start < PARENT.length) return undefined;
  const found: string[] = [];
  let end = start;
  for (BLOCK.lastIndex = start; BLOCK.test(text); end = BLOCK.lastIndex) found.push(text.slice(end, BLOCK.lastIndex));
  // Copied: a part of a text holds the whole text in memory, and these are kept.
  const isNew = found.filter((block) => !memory.blocks.has(block)).map((block) => Buffer.from(block).toString());
  const rest = readPlainYaml(
    `${text.slice(0, start)}${(isNew.length > 0 ? isNew : found.slice(0, 1)).join('')}${text.slice(end)}`,
    depthLimit,
  );
  if (!isJsonObject(rest)) return undefined;
  const read = rest['capsules'];
  if (!isJsonObject(read) || Object.keys(read).length !== Math.max(isNew.length, 1)) return undefined;
  for (const block of isNew) {
    const name = block.slice(2, block.indexOf(':'));
    remember(memory, block, { name, value: read[name] ?? null, lines: block.split('\n').length });
  }
  const entries: Record<string, Json> = {};
  let lines = 0;
  for (const block of found) {
    const known = memory.blocks.get(block);
    if (known === undefined || Object.hasOwn(entries, known.name)) return undefined;
    entries[known.name] = known.value;
    lines += known.lines;
  }
  return lines > MOST_LINES ? undefined : { ...rest, capsules: entries };
}

function remember(memory: BlockMemory, block: string, value: Block): void {
  memory.blocks.set(block, value);
  if (memory.blocks.size <= MOST_BLOCKS) return;
  for (const oldest of memory.blocks.keys()) {
    memory.blocks.delete(oldest);
    return;
  }
}
