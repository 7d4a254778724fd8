import type { Json, JsonObject } from '#model/json.ts';

/**
 * A declaration as a person would write it: keys in the order given, two spaces, lists inside their key, block style (`{}` and `[]` when
 * empty). Every text that some YAML reader takes for anything else is quoted. `comment` stands above it, a line each.
 */
export function writeDeclaration(value: JsonObject, comment: readonly string[] = []): string {
  const out = comment.map((line) => `# ${line}\n`);
  writeMap(value, '', out);
  return out.join('');
}

function writeMap(value: JsonObject, indent: string, out: string[]): void {
  for (const [key, item] of Object.entries(value)) {
    out.push(`${indent}${scalarText(key)}:`);
    writeBehind(item, indent, out);
  }
}

function writeBehind(item: Json, indent: string, out: string[]): void {
  if (!hasContent(item)) {
    out.push(` ${leafText(item)}\n`);
    return;
  }
  out.push('\n');
  if (Array.isArray(item)) writeList(item as readonly Json[], `${indent}  `, out);
  else writeMap(item as JsonObject, `${indent}  `, out);
}

function writeList(items: readonly Json[], indent: string, out: string[]): void {
  for (const item of items) {
    if (!hasContent(item)) {
      out.push(`${indent}- ${leafText(item)}\n`);
      continue;
    }
    const inner: string[] = [];
    if (Array.isArray(item)) writeList(item as readonly Json[], `${indent}  `, inner);
    else writeMap(item as JsonObject, `${indent}  `, inner);
    out.push(`${indent}- ${inner.join('').slice(indent.length + 2)}`);
  }
}

function hasContent(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
}

function leafText(value: Json): string {
  if (typeof value === 'string') return scalarText(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return String(value);
  return Array.isArray(value) ? '[]' : '{}';
}

const PLAIN = /^[A-Za-z^/][A-Za-z0-9_./@+=,;()^-]*(?:[ :][A-Za-z0-9_./@+=,;()^-]+)*$/;
const QUANTITY = /^[1-9][0-9]{0,17}(?:m|s|h|d|w|k|M|G|Ki|Mi|Gi|Ti)$|^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}$/;
const WORD = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|infinity)$/i;

/** Plain where every reader sees the same text, else in single quotes, else in double ones. */
function scalarText(text: string): string {
  if (text.length <= 400 && (PLAIN.test(text) ? !WORD.test(text) : QUANTITY.test(text))) return text;
  if (/^[\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufdcf]+$/.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return JSON.stringify(text).replaceAll(
    /[\x7f-\x9f\u2028\u2029\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
