import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';

/** Characters of JSON that are kept of one object's status and fields; a status of many kilobytes is rare, a view of ten thousand objects is not. */
const MOST_CHARACTERS = 32_768;
const DEEPEST = 50;

/** The same while it is small; else without the largest fields of its status, so that conditions and counts stay. */
export function boundedHealth(part: JsonObject): JsonObject {
  const status = part['status'];
  if (fits(part)) return part;
  const rest = Object.fromEntries(Object.entries(part).filter(([key]) => key !== 'status'));
  const kept = fits(rest) ? rest : {};
  return isJsonObject(status) ? { ...kept, status: smallest(status) } : kept;
}

function fits(value: JsonObject): boolean {
  return isWithin(value, MOST_CHARACTERS);
}

/** Whether its JSON text is about this long at most, and no deeper than anything real. */
export function isWithin(value: JsonObject, most: number): boolean {
  return characters(value, most, 0) <= most;
}

function smallest(status: JsonObject): JsonObject {
  const sized = Object.entries(status).map(([name, value]) => ({ name, value, size: name.length + characters(value, MOST_CHARACTERS, 0) }));
  const kept: [string, Json][] = [];
  let left = MOST_CHARACTERS;
  for (const { name, value, size } of sized.toSorted((a, b) => a.size - b.size || compareText(a.name, b.name))) {
    left -= size;
    if (left < 0) break;
    kept.push([name, value]);
  }
  return Object.fromEntries(kept);
}

/** About the length of its JSON text; more than `most` as soon as it is known to be more, or deeper than anything real. */
function characters(value: Json, most: number, depth: number): number {
  if (depth > DEEPEST) return most + 1;
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 5;
  let sum = 2;
  for (const [key, child] of Object.entries(value)) {
    sum += (Array.isArray(value) ? 1 : key.length + 4) + characters(child as Json, most - sum, depth + 1);
    if (sum > most) return sum;
  }
  return sum;
}
