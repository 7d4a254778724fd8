import { isJsonObject, pointerToken, type Json, type JsonObject } from '#model/json.ts';
import type { FieldChange } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';

/** One field that differs. `path` is an RFC 6901 pointer into the later value, or into the earlier one where the field went away. */
export interface FieldDifference extends FieldChange {
  /** The same for people: `spec.containers[web].image`. */
  readonly field: string;
}

interface Spot {
  readonly path: string;
  readonly field: string;
}

const ROOT: Spot = { path: '', field: '' };

/**
 * What differs between two JSON values, in key order. Lists whose elements have a name, port or mount path are compared element by element
 * under that name (the merge keys of the Kubernetes API), lists of scalars as a whole, others by what is left between equal ends.
 */
export function fieldChanges(before: Json, after: Json, spot: Spot = ROOT): readonly FieldDifference[] {
  if (before === after) return [];
  if (isJsonObject(before) && isJsonObject(after)) return mapChanges(before, after, spot);
  if (isList(before) && isList(after)) return listChanges(before, after, spot);
  return [{ ...spot, before, after }];
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function mapChanges(before: JsonObject, after: JsonObject, spot: Spot): readonly FieldDifference[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareText);
  return keys.flatMap((key) => changesAt(own(before, key), own(after, key), memberOf(spot, key)));
}

function own(value: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function changesAt(before: Json | undefined, after: Json | undefined, spot: Spot): readonly FieldDifference[] {
  if (before === undefined || after === undefined) return before === after ? [] : [{ ...spot, before, after }];
  return fieldChanges(before, after, spot);
}

function memberOf(spot: Spot, key: string): Spot {
  const plain = /^[A-Za-z][\w-]*$/.test(key);
  const field = plain ? `${spot.field}${spot.field === '' ? '' : '.'}${key}` : `${spot.field}[${key}]`;
  return { path: spot.path + pointerToken(key), field };
}

function elementOf(spot: Spot, index: number, name: string): Spot {
  return { path: spot.path + pointerToken(index), field: `${spot.field}[${name}]` };
}

function listChanges(before: readonly Json[], after: readonly Json[], spot: Spot): readonly FieldDifference[] {
  if ([...before, ...after].every((item) => typeof item !== 'object' || item === null))
    return before.length === after.length && before.every((item, index) => item === after[index]) ? [] : [{ ...spot, before, after }];
  const named = namesOf(before, after);
  return named === undefined ? betweenEqualEnds(before, after, spot) : byName(named, spot);
}

type Named = ReadonlyMap<string, { readonly index: number; readonly value: Json }>;

/** What tells the elements of a list apart, most telling first. */
const NAMES: readonly (readonly string[])[] = [
  ['name'],
  ['mountPath'],
  ['containerPort', 'protocol'],
  ['port', 'protocol'],
  ['topologyKey', 'whenUnsatisfiable'],
  ['ip'],
  ['type'],
];

function namesOf(before: readonly Json[], after: readonly Json[]): { readonly before: Named; readonly after: Named } | undefined {
  for (const keys of NAMES) {
    const old = namedBy(keys, before);
    const fresh = namedBy(keys, after);
    if (old !== undefined && fresh !== undefined) return { before: old, after: fresh };
  }
  return undefined;
}

function namedBy(keys: readonly string[], list: readonly Json[]): Named | undefined {
  const named = new Map<string, { readonly index: number; readonly value: Json }>();
  for (const [index, value] of list.entries()) {
    if (!isJsonObject(value)) return undefined;
    const [first, ...rest] = keys.map((key) => own(value, key));
    if (typeof first !== 'string' && typeof first !== 'number') return undefined;
    const name = [first, ...rest.filter((part) => typeof part === 'string')].join('/');
    if (named.has(name)) return undefined;
    named.set(name, { index, value });
  }
  return named;
}

function byName({ before, after }: { readonly before: Named; readonly after: Named }, spot: Spot): readonly FieldDifference[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const changes = names.flatMap((name) => {
    const old = before.get(name);
    const fresh = after.get(name);
    return changesAt(old?.value, fresh?.value, elementOf(spot, fresh?.index ?? old?.index ?? 0, name));
  });
  const kept = (list: Named, other: Named): string => JSON.stringify([...list.keys()].filter((name) => other.has(name)));
  // The order of containers, env and the like has a meaning of its own.
  const isReordered = kept(before, after) !== kept(after, before);
  return isReordered ? [...changes, { ...spot, before: [...before.keys()], after: [...after.keys()] }] : changes;
}

function betweenEqualEnds(before: readonly Json[], after: readonly Json[], spot: Spot): readonly FieldDifference[] {
  const same = (left: Json | undefined, right: Json | undefined): boolean =>
    left !== undefined && right !== undefined && fieldChanges(left, right).length === 0;
  let start = 0;
  while (same(before[start], after[start])) start += 1;
  let end = 0;
  while (end < Math.min(before.length, after.length) - start && same(before[before.length - 1 - end], after[after.length - 1 - end]))
    end += 1;
  const old = before.slice(start, before.length - end);
  const fresh = after.slice(start, after.length - end);
  return Array.from({ length: Math.max(old.length, fresh.length) }, (_, index) =>
    changesAt(old[index], fresh[index], elementOf(spot, start + index, String(start + index))),
  ).flat();
}
