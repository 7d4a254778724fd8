import type { Node } from 'yaml';

import { yaml } from '#model/on-demand.ts';

export interface RotatedEntry {
  /** Number of the entry of spec.trust that ends. */
  readonly index: number;
  /** RFC 3339. */
  readonly validUntil: string;
  /** What follows it; every value is written quoted. */
  readonly name: string;
  readonly sshKey: string;
  readonly purposes: readonly string[];
}

/** A project's text with one trust entry ended and one behind it, everything else untouched; undefined where the text is not written so. */
export function withRotatedEntry(text: string, entry: RotatedEntry): string | undefined {
  const document = yaml().parseDocument(text, { version: '1.2', schema: 'core', logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  const item = document.getIn(['spec', 'trust', entry.index], true);
  if (!yaml().isMap(item) || !item.range) return undefined;
  const whole: Held = item;
  const end = endOf(whole);
  const until = JSON.stringify(entry.validUntil);
  const line = text.lastIndexOf('\n', item.range[0] - 1) + 1;
  const dash = /^( *)-( +)/.exec(text.slice(line, item.range[0] + 1));
  const own = whole.get('validUntil', true);
  const fields = { name: entry.name, sshKey: entry.sshKey, for: [...entry.purposes] };
  const inFlow = `{ ${Object.entries(fields)
    .map(([key, value]) => `${key}: ${flowText(value)}`)
    .join(', ')} }`;
  if (item.flow === true) {
    const brace = text.lastIndexOf('}', end - 1);
    const head = text.slice(0, brace).trimEnd();
    const ended = isNode(own) ? replaced(text, own, until).slice(0, end + until.length - width(own)) : `${head}, validUntil: ${until} }`;
    if (dash === null) return `${ended}, ${inFlow}${text.slice(end)}`;
    const rest = lineEnd(text, end);
    return `${ended}${text.slice(end, rest)}${newlineAt(text, rest)}${dash[1] ?? ''}- ${inFlow}\n${text.slice(rest)}`;
  }
  if (dash === null) return undefined;
  const rest = lineEnd(text, end);
  const indent = ' '.repeat(dash[0].length);
  const lines = Object.entries(fields).map(([key, value], at) => `${at === 0 ? dash[0] : indent}${key}: ${flowText(value)}\n`);
  const before = isNode(own)
    ? replaced(text, own, until).slice(0, rest + until.length - width(own))
    : `${text.slice(0, rest)}${newlineAt(text, rest)}${indent}validUntil: ${until}\n`;
  return `${before}${newlineAt(before, before.length)}${lines.join('')}${text.slice(rest)}`;
}

type Held = Node & {
  readonly range?: readonly [number, number, number] | null;
  readonly flow?: boolean;
  get(key: string, keep: true): unknown;
};

function isNode(value: unknown): value is Held {
  return (yaml().isScalar(value) || yaml().isMap(value) || yaml().isSeq(value)) && value.range !== undefined && value.range !== null;
}

/** Block collections count comments behind them as theirs; we do not. */
function endOf(node: Held): number {
  if (yaml().isScalar(node) || node.flow === true) return node.range?.[1] ?? 0;
  const last: unknown = yaml().isMap(node) ? node.items.at(-1)?.value : yaml().isSeq(node) ? node.items.at(-1) : undefined;
  return isNode(last) ? endOf(last) : (node.range?.[1] ?? 0);
}

function width(node: Held): number {
  return (node.range?.[1] ?? 0) - (node.range?.[0] ?? 0);
}

function replaced(text: string, node: Held, by: string): string {
  return `${text.slice(0, node.range?.[0] ?? 0)}${by}${text.slice(node.range?.[1] ?? 0)}`;
}

function flowText(value: string | readonly string[]): string {
  return typeof value === 'string' ? JSON.stringify(value) : `[${value.join(', ')}]`;
}

/** Just behind the line end. */
function lineEnd(text: string, from: number): number {
  const newline = text.indexOf('\n', from);
  return newline < 0 ? text.length : newline + 1;
}

function newlineAt(text: string, at: number): string {
  return at === 0 || text[at - 1] === '\n' ? '' : '\n';
}
