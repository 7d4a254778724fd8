import { parse } from 'yaml';

import type { Json, JsonObject } from '#model/json.ts';
import { canonicalJson } from '#model/json.ts';
import { keyOrder } from '#model/schema-order.ts';
import { commentsOf } from '#model/yaml-comments.ts';
import { layOut } from '#model/yaml-layout.ts';

/**
 * A declaration that `parseYamlText` takes, in its one layout. It means the same and has the same comments: where that cannot be shown
 * the text is answered as it is.
 */
export function formatDeclaration(text: string, schema: JsonObject | undefined): string {
  const plain = text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  const order = keyOrder(schema);
  const once = layOut(plain, order);
  if (once === undefined) return text;
  // Comments above a key that moved may settle one pass later.
  const twice = layOut(once, order) ?? once;
  return [once, twice].every((made) => meaningOf(made) === meaningOf(plain) && wordsOf(made) === wordsOf(plain)) &&
    layOut(twice, order) === twice
    ? twice
    : text;
}

function meaningOf(text: string): string {
  const value: Json = parse(text, { version: '1.2', schema: 'core', merge: false, uniqueKeys: false, logLevel: 'silent' });
  return canonicalJson(value);
}

function wordsOf(text: string): string {
  return commentsOf(text)
    .map((comment) => comment.text)
    .sort()
    .join('\n');
}
