import { pointerToken } from '#model/json.ts';

const LONGEST = 500;
/** A name after a dot or at the beginning, or whatever stands in brackets: an index, or a key of a map. */
const PART = /\.?([^.[\]]+)|\[([^\]]*)\]/y;

/** `spec.containers[0].image` and `metadata.labels[app.kubernetes.io/name]`, as servers write fields, as a JSON pointer; undefined if it is none. */
export function fieldPointer(field: string): string | undefined {
  if (field === '' || field.length > LONGEST) return undefined;
  let pointer = '';
  for (PART.lastIndex = 0; PART.lastIndex < field.length;) {
    const match = PART.exec(field);
    const name = match?.[1] ?? match?.[2];
    if (name === undefined || name.startsWith('<')) return undefined;
    pointer += pointerToken(name);
  }
  return pointer;
}

/** The field of which a server says in words that it is none: `.spec.replicaz: field not declared in schema`. */
export function undeclaredField(words: string): string | undefined {
  const [, typed, strict] = /(?:^|[\s:])\.([^\s:]+): field not declared in schema|unknown field "([^"]+)"/.exec(words.slice(0, 2000)) ?? [];
  return typed ?? strict;
}
