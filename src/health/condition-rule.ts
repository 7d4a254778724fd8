import type { JsonObject } from '#model/json.ts';
import { jsonText } from '#model/json.ts';
import type { Judgement, Rule, Seen } from './seen.ts';
import { HEALTHY, NOT_SEEN_YET, conditionOf, degraded, isFalse, isStale, isTrue, progressing, saying, told } from './seen.ts';

/** What the conditions of a kind mean. */
export interface ConditionTable {
  /** Each must be true; one that is false is broken, one that is unknown is on its way. */
  readonly good: readonly string[];
  /** Broken while true. */
  readonly bad?: readonly string[];
  /** Reasons with which a false one may still come right. */
  readonly waiting?: readonly string[];
}

/** Rule of a kind whose controller always writes these conditions. */
export function byConditions(table: ConditionTable): Rule {
  return (seen) => judgeConditions(seen, seen.conditions, table);
}

/** The same for conditions that stand elsewhere in the status. */
export function judgeConditions(seen: Seen, conditions: readonly JsonObject[], table: ConditionTable): Judgement {
  const { good, bad = [], waiting = [] } = table;
  for (const type of bad) {
    const condition = conditionOf(conditions, type);
    if (isTrue(condition)) return degraded(told(`is in ${type.toLowerCase()}`, saying(condition)));
  }
  const known = good.map((type) => conditionOf(conditions, type)).filter((condition) => condition !== undefined);
  if (known.length === 0) return NOT_SEEN_YET;
  if (known.some((condition) => isStale(seen, condition))) return progressing('its controller has not seen the last change');
  const broken = known.find((condition) => isFalse(condition) && !waiting.includes(jsonText(condition['reason'])));
  if (broken !== undefined) return degraded(told(lacking(broken), saying(broken)));
  const open = known.find((condition) => !isTrue(condition));
  return open === undefined ? HEALTHY : progressing(told(`${lacking(open)} yet`, saying(open)));
}

function lacking(condition: JsonObject): string {
  const type = jsonText(condition['type']);
  return type === 'ResolvedRefs' ? 'does not find what it refers to' : `is not ${type.toLowerCase()}`;
}
