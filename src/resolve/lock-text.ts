import { compareText } from '#model/problem.ts';
import type { Pin } from '#model/resolution.ts';
import { blockPairs, splice, type Splice, type YamlPair } from '#model/yaml-splice.ts';
import { lockLines } from './lock-lines.ts';

const FIELDS = ['capsule', 'version', 'commit', 'gitTree', 'sha256'] as const;

/** A whole lock in the style of declarations.md 3.6. */
export function newLock(environment: string, pins: readonly Pin[]): string {
  const head = `apiVersion: capstan.dev/v1alpha1\nkind: EnvironmentLock\nmetadata:\n  environment: ${plain(environment)}\n`;
  const entries = [...pins].sort((a, b) => compareText(a.instance, b.instance)).map((pin) => entryText(pin, '  '));
  return `${head}${entries.length === 0 ? 'capsules: {}\n' : `capsules:\n${entries.join('')}`}holds: {}\n`;
}

/** The lock with `pins` in place of its entries: lines that say the same keep every byte. Undefined where its layout is too unlike ours. */
export function editedLock(pins: readonly Pin[], text: string): string | undefined {
  const read = lockLines(text) ?? blockPairs(text);
  const top = read?.([])?.find((pair) => pair.key === 'capsules');
  if (read === undefined || top === undefined || !text.endsWith('\n') || text.includes('\r')) return undefined;
  const wanted = new Map([...pins].sort((a, b) => compareText(a.instance, b.instance)).map((pin) => [String(pin.instance), pin]));
  const found = top.kind === 'map' ? read(['capsules']) : [];
  if (found === undefined || (top.kind === 'flow' && !/^\{\s*\}$/.test(text.slice(top.valueStart, top.valueEnd)))) return undefined;
  if (wanted.size === 0) return found.length === 0 ? text : splice(text, [{ start: top.start, end: top.end, text: 'capsules: {}\n' }]);
  if (found.length === 0) {
    const entries = [...wanted.values()].map((pin) => entryText(pin, '  '));
    return splice(text, [{ start: top.start, end: top.end, text: `capsules:\n${entries.join('')}` }]);
  }
  const splices: Splice[] = [];
  for (const pair of found) {
    const pin = wanted.get(pair.key);
    if (pin === undefined) splices.push({ start: pair.start, end: pair.end, text: '' });
    else {
      const changed = changedFields(text, pin, read(['capsules', pair.key]));
      if (changed === undefined) return undefined;
      splices.push(...changed);
    }
  }
  splices.push(...insertions(text, wanted, found));
  return splice(text, splices);
}

function changedFields(text: string, pin: Pin, fields: readonly YamlPair[] | undefined): readonly Splice[] | undefined {
  if (fields === undefined) return undefined;
  const splices: Splice[] = [];
  for (const name of FIELDS) {
    const field = fields.find((pair) => pair.key === name);
    if (field?.kind !== 'scalar') return undefined;
    const value = plain(pin[name]);
    const was = text.slice(field.valueStart, field.valueEnd);
    if (was !== value && was !== `"${pin[name]}"` && was !== `'${pin[name]}'`) {
      splices.push({ start: field.valueStart, end: field.valueEnd, text: value });
    }
  }
  const asked = fields.find((pair) => pair.key === 'requestedBy');
  if (asked?.kind !== 'seq') return undefined;
  const indent = text.slice(asked.start, text.indexOf('r', asked.start));
  const lines = requestedBy(pin, indent);
  const items = text.slice(asked.start, asked.end);
  if (items !== lines && !sameItems(items, pin.requestedBy)) splices.push({ start: asked.start, end: asked.end, text: lines });
  return splices;
}

function sameItems(text: string, wanted: readonly string[]): boolean {
  const items = [...text.matchAll(/^\s*- (\S+)(?: +#.*)?$/gm)].map(([, item]) => item);
  return items.length === wanted.length && items.every((item, at) => item === plain(wanted[at] ?? ''));
}

/** New entries stand before the next one by name, above its own comment lines. */
function insertions(text: string, wanted: ReadonlyMap<string, Pin>, found: readonly YamlPair[]): readonly Splice[] {
  const [first] = found;
  const last = found.at(-1);
  if (first === undefined || last === undefined) return [];
  const indent = text.slice(first.start).match(/^ */)?.[0] ?? '  ';
  const known = new Set(found.map((pair) => pair.key));
  const texts = new Map<number, string>();
  for (const [name, pin] of wanted) {
    if (known.has(name)) continue;
    const next = found.find((pair) => compareText(pair.key, name) > 0);
    const at = next === undefined ? last.end : aboveComments(text, next.start);
    texts.set(at, (texts.get(at) ?? '') + entryText(pin, indent));
  }
  return [...texts].map(([at, entries]) => ({ start: at, end: at, text: entries }));
}

function aboveComments(text: string, start: number): number {
  let at = start;
  for (;;) {
    const previous = text.lastIndexOf('\n', at - 2) + 1;
    if (at === 0 || !/^\s*#/.test(text.slice(previous, at))) return at;
    at = previous;
  }
}

function entryText(pin: Pin, indent: string): string {
  const inner = `${indent}  `;
  const fields = FIELDS.map((name) => `${inner}${name}: ${plain(pin[name])}\n`).join('');
  return `${indent}${plain(pin.instance)}:\n${fields}${requestedBy(pin, inner)}`;
}

function requestedBy(pin: Pin, indent: string): string {
  return `${indent}requestedBy:\n${pin.requestedBy.map((who) => `${indent}  - ${plain(who)}\n`).join('')}`;
}

/** A name, version or digest as YAML; quoted where a reader of YAML 1.1 or 1.2 would see a number or a truth value. */
function plain(text: string): string {
  const ambiguous = /^[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$|^0(x[0-9a-f]+|o[0-7]+|b[01]+)$|^(true|false|null|yes|no|on|off|y|n)$/i.test(
    text,
  );
  return ambiguous ? `"${text}"` : text;
}
