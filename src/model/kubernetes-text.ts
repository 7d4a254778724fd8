import type { Json, JsonObject } from '#model/json.ts';

/**
 * The one text of an object: keys sorted, block style (`{}` and `[]` when empty), LF, one document without markers. Every string that
 * YAML 1.1, YAML 1.2 or Kubernetes would read as anything else is quoted, keys included. Throws on text that is not Unicode.
 */
export function writeKubernetesYaml(value: Json): string {
  const out: string[] = [];
  if (isCollectionWithContent(value)) writeCollection(value, '', out);
  else out.push(scalarText(value, '  '), '\n');
  return out.join('');
}

type Content = JsonObject | readonly Json[];

function isCollectionWithContent(value: Json): value is Content {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
}

function writeCollection(value: Content, indent: string, out: string[]): void {
  if (Array.isArray(value)) writeList(value as readonly Json[], indent, out);
  else writeMap(value as JsonObject, indent, out);
}

/** The cursor stands where the first line begins; `indent` opens every further one. */
function writeMap(value: JsonObject, indent: string, out: string[]): void {
  const deeper = `${indent}  `;
  let first = true;
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    if (item === undefined) continue;
    if (!first) out.push(indent);
    first = false;
    out.push(keyText(key), ':');
    if (!isCollectionWithContent(item)) out.push(' ', scalarText(item, deeper), '\n');
    else if (Array.isArray(item)) {
      out.push('\n', indent);
      writeList(item, indent, out);
    } else {
      out.push('\n', deeper);
      writeMap(item as JsonObject, deeper, out);
    }
  }
}

function writeList(value: readonly Json[], indent: string, out: string[]): void {
  const deeper = `${indent}  `;
  let first = true;
  for (const item of value) {
    if (!first) out.push(indent);
    first = false;
    out.push('- ');
    if (isCollectionWithContent(item)) writeCollection(item, deeper, out);
    else out.push(scalarText(item, deeper), '\n');
  }
}

function scalarText(value: Json, indent: string): string {
  if (typeof value === 'string') return isPlain(value) ? value : canBeBlock(value) ? blockText(value, indent) : quoted(value);
  if (typeof value === 'number') return numberText(value);
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return Array.isArray(value) ? '[]' : '{}';
}

function keyText(key: string): string {
  // Readers take at most 1,024 characters of an implicit key.
  if (key.length > 900) throw new Error('a key of an object is longer than 900 characters');
  return isPlain(key) ? key : quoted(key);
}

const PLAIN = /^(?:[A-Za-z/]|--[A-Za-z])[A-Za-z0-9_./@+=,;()-]*(?:[ :][A-Za-z0-9_./@+=,;()-]+)*$/;
const QUANTITY = /^[1-9][0-9]{0,17}(?:m|k|M|G|Ki|Mi|Gi|Ti)$/;
const WORD = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|infinity)$/i;

function isPlain(text: string): boolean {
  if (text.length > 400) return false;
  return PLAIN.test(text) ? !(text.length <= 8 && WORD.test(text)) : QUANTITY.test(text);
}

const BLOCK_CHARACTERS = /^[\x20-\x7e\n\u00a0-\u2027\u202a-\ud7ff\ue000-\ufdcf\ufdf0-\ufefe\uff00-\ufffd]*$/;
const BLANK_LINE_WITH_SPACE = /(?:^|\n) +(?:\n|$)/;

/** Literal blocks only where no reader could disagree about indentation, chomping or characters. */
function canBeBlock(text: string): boolean {
  const at = text.indexOf('\n');
  if (at <= 0 || at === text.length - 1 || text.endsWith('\n\n')) return false;
  const first = text.charCodeAt(0);
  return first !== 0x20 && BLOCK_CHARACTERS.test(text) && !BLANK_LINE_WITH_SPACE.test(text);
}

function blockText(text: string, indent: string): string {
  const ends = text.endsWith('\n');
  const body = ends ? text.slice(0, -1) : text;
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${indent}${line}`));
  return `${ends ? '|' : '|-'}\n${lines.join('\n')}`;
}

const ESCAPED = /[\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufeff\ufffe\uffff]/g;

function quoted(text: string): string {
  if (!text.isWellFormed()) throw new Error('a text of an object holds a lone surrogate');
  return JSON.stringify(text).replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** With a dot and a signed exponent, so that YAML 1.1 readers see a number, too. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new Error('a JSON number must be finite');
  const text = String(Object.is(value, -0) ? 0 : value);
  return text.includes('e') && !text.includes('.') ? text.replace('e', '.0e') : text;
}
