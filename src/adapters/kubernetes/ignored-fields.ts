import { isJsonObject, pointerKeys } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { DriftIgnore } from '#model/plan.ts';

/** Fields of one object that others may set, as a tree of pointer tokens. */
export interface IgnoredFields {
  readonly whole: boolean;
  readonly below: ReadonlyMap<string, IgnoredFields>;
}

interface Growing extends IgnoredFields {
  whole: boolean;
  readonly below: Map<string, Growing>;
}

/** What the rules that fit an object leave out of it; empty where none fits. */
export function ignoredFields(key: ObjectKey, rules: readonly DriftIgnore[]): readonly IgnoredFields[] {
  const fitting = rules.filter((rule) => fits(rule.group, key.group) && fits(rule.kind, key.kind) && fits(rule.name, key.name));
  if (fitting.length === 0) return [];
  const root: Growing = { whole: false, below: new Map() };
  for (const pointer of fitting.flatMap((rule) => rule.paths)) grow(root, pointer);
  return [root];
}

function fits(wanted: string | undefined, found: string): boolean {
  return wanted === undefined || wanted === found;
}

function grow(root: Growing, pointer: string): void {
  let here = root;
  for (const token of pointerKeys(pointer)) {
    const next: Growing = here.below.get(token) ?? { whole: false, below: new Map() };
    here.below.set(token, next);
    here = next;
  }
  here.whole = true;
}

export function belowField(ignored: readonly IgnoredFields[], name: string): readonly IgnoredFields[] {
  return ignored.length === 0 ? ignored : ignored.flatMap((each) => each.below.get(name) ?? []);
}

/** An item of a list is named by its index, by a field it holds (`name=web`), by itself where it is a text (`=web`), or by `*`. */
export function belowItem(ignored: readonly IgnoredFields[], item: Json | undefined, index: number): readonly IgnoredFields[] {
  if (ignored.length === 0) return ignored;
  return ignored.flatMap((each) => [...each.below].filter(([token]) => names(token, item, index)).map(([, below]) => below));
}

function names(token: string, item: Json | undefined, index: number): boolean {
  if (token === '*' || token === String(index)) return true;
  const equals = token.indexOf('=');
  if (equals < 0 || item === undefined) return false;
  if (equals === 0) return token.slice(1) === item;
  const held = isJsonObject(item) && Object.hasOwn(item, token.slice(0, equals)) ? item[token.slice(0, equals)] : undefined;
  return (typeof held === 'string' || typeof held === 'number') && String(held) === token.slice(equals + 1);
}
