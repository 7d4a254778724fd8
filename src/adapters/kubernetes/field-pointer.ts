import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';

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

/**
 * The same in the object that was written: items of lists by what their keys hold (`containers[name="web"]`), names with dots in them, and of
 * a field that is missing what should have it.
 */
export function fieldPointerIn(field: string, object: JsonObject): string | undefined {
  let here: Json | undefined = object;
  let rest = field.slice(0, LONGEST).replace(/^\./, '');
  let pointer = '';
  while (rest !== '') {
    const step: Step | undefined = rest.startsWith('[') ? bracketStep(rest, here) : nameStep(rest, here);
    if (step === undefined) break;
    pointer += pointerToken(step.key);
    here = step.value;
    rest = rest.slice(step.length).replace(/^\./, '');
  }
  return pointer === '' ? undefined : pointer;
}

interface Step {
  readonly key: string | number;
  readonly value: Json | undefined;
  /** Of the text that names it. */
  readonly length: number;
}

/** Of names that begin alike the longest is meant. */
function nameStep(text: string, here: Json | undefined): Step | undefined {
  if (!isJsonObject(here)) return undefined;
  let best: Step | undefined;
  for (const [key, value] of Object.entries(here)) {
    const isNamed = text === key || text.startsWith(`${key}.`) || text.startsWith(`${key}[`);
    if (isNamed && key.length > (best?.length ?? 0)) best = { key, value, length: key.length };
  }
  return best;
}

function bracketStep(text: string, here: Json | undefined): Step | undefined {
  const end = text.indexOf(']');
  if (end < 0) return undefined;
  const inside = text.slice(1, end);
  const length = end + 1;
  if (isJsonObject(here)) return Object.hasOwn(here, inside) ? { key: inside, value: here[inside], length } : undefined;
  if (!Array.isArray(here)) return undefined;
  const list: readonly Json[] = here;
  const index = /^[0-9]{1,6}$/.test(inside) ? Number(inside) : list.findIndex((item) => fits(item, inside));
  return index < 0 || index >= list.length ? undefined : { key: index, value: list[index], length };
}

/** `name="web"`, or `containerPort=80,protocol="TCP"`. */
function fits(item: Json, keys: string): boolean {
  if (!isJsonObject(item)) return false;
  const pairs = [...keys.matchAll(/([^=,]+)=("[^"]*"|[^,]*)/g)];
  return pairs.length > 0 && pairs.every(([, name = '', value = '']) => JSON.stringify(item[name] ?? null) === value);
}
